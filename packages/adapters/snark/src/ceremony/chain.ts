/**
 * Whether each contribution follows from those before it and shows that its contributor knew its secret: the pairing
 * checks of the phase 2 protocol, with every point first checked to be one. What the contributions leave as delta must
 * be the delta of the key.
 */
import { createHash } from 'node:crypto'
import { listen, type Snarkjs } from '../snarkjs.ts'
import type { Curve } from '../snarkjsTypes.ts'
import { littleEndian } from './bytes.ts'
import { type Beacon, type CeremonyKey, fieldModulus, type KeyContribution } from './key.ts'
import { type Refused, refuse } from './verdict.ts'

type Group = Curve['G1']

/** Big-endian and out of Montgomery form: the bytes that are hashed and that a transcript shows. */
export function uncompressed(group: Group, point: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(point.length)
  group.toRprUncompressed(bytes, 0, point)
  return bytes
}

export interface PublicData {
  readonly deltaAfter: Uint8Array
  readonly g1s: Uint8Array
  readonly g1sx: Uint8Array
  readonly g2spx: Uint8Array
  readonly challenge: Uint8Array
}

export function publicDataOf(curve: Curve, contribution: KeyContribution): PublicData {
  return {
    deltaAfter: uncompressed(curve.G1, contribution.deltaAfter),
    g1s: uncompressed(curve.G1, contribution.g1s),
    g1sx: uncompressed(curve.G1, contribution.g1sx),
    g2spx: uncompressed(curve.G2, contribution.g2spx),
    challenge: contribution.challenge,
  }
}

const inOrder = (data: PublicData) => [data.deltaAfter, data.g1s, data.g1sx, data.g2spx, data.challenge]

/** What a contributor publishes; the same that snarkjs prints. */
export function contributionHash(data: PublicData): Uint8Array {
  const hasher = createHash('blake2b512')
  for (const part of inOrder(data)) hasher.update(part)
  return hasher.digest()
}

function challengeOf(circuitHash: Uint8Array, earlier: readonly PublicData[], next: PublicData): Uint8Array {
  const hasher = createHash('blake2b512').update(circuitHash)
  for (const data of earlier) for (const part of inOrder(data)) hasher.update(part)
  return hasher.update(next.g1s).update(next.g1sx).digest()
}

const isCanonical = (point: Uint8Array): boolean =>
  Array.from({ length: point.length / 32 }, (_, index) => point.subarray(32 * index, 32 * index + 32)).every(
    (coordinate) => littleEndian(coordinate) < fieldModulus,
  )

/** On the curve, not at infinity, each coordinate below the modulus. In G1 nothing more is needed. */
export function isG1Point({ G1 }: Curve, point: Uint8Array): boolean {
  return isCanonical(point) && !G1.isZero(point) && G1.isValid(point)
}

function isG2Point({ G2, r }: Curve, point: Uint8Array): boolean {
  return isCanonical(point) && !G2.isZero(point) && G2.isValid(point) && G2.isZero(G2.timesScalar(point, r))
}

function seedOf(hash: Uint8Array): number[] {
  const view = new DataView(hash.buffer, hash.byteOffset, 32)
  return Array.from({ length: 8 }, (_, index) => view.getUint32(4 * index, false))
}

function beaconSeed({ value, iterationsExponent }: Beacon): number[] {
  let hash: Uint8Array = value
  for (let count = 0; count < 2 ** iterationsExponent; count++)
    hash = createHash('sha256').update(hash).digest()
  return seedOf(hash)
}

/** Whether right = x·left in G1 for the x with second = x·first in G2. */
const isSameRatio = (
  { G1, pairingEq }: Curve,
  left: Uint8Array,
  right: Uint8Array,
  first: Uint8Array,
  second: Uint8Array,
) => pairingEq(left, second, G1.neg(right), first)

export async function checkChain(
  { curve, createRandom }: Snarkjs,
  key: CeremonyKey,
  onProgress: (doing: string) => void,
): Promise<Refused | undefined> {
  const { G1, G2, Fr } = curve
  const earlier: PublicData[] = []
  let delta: Uint8Array = G1.g
  for (const [index, contribution] of key.contributions.entries()) {
    const { deltaAfter, g1s, g1sx, g2spx, challenge, beacon, name } = contribution
    const broken = (detail: string) =>
      refuse('contributionBroken', `contribution ${index + 1} (${name}) ${detail}`)
    onProgress(`checking contribution ${index + 1} of ${key.contributions.length}`)
    if (![deltaAfter, g1s, g1sx].every((point) => isG1Point(curve, point)) || !isG2Point(curve, g2spx))
      return broken('has a point that is none of its group')
    const data = publicDataOf(curve, contribution)
    if (!Buffer.from(challengeOf(key.circuitHash, earlier, data)).equals(challenge))
      return broken('does not follow from this circuit and the contributions before it')
    const g2sp = G2.fromRng(createRandom(seedOf(challenge)))
    if (!(await isSameRatio(curve, g1s, g1sx, g2sp, g2spx)))
      return broken('does not show that its contributor knew the secret')
    if (!(await isSameRatio(curve, delta, deltaAfter, g2sp, g2spx)))
      return broken('was not applied to the key that the one before it left')
    if (beacon !== undefined) {
      const random = createRandom(beaconSeed(beacon))
      const secret = Fr.fromRng(random)
      const expected = G1.toAffine(G1.fromRng(random))
      if (!G1.eq(expected, g1s) || !G1.eq(G1.timesFr(expected, secret), g1sx))
        return broken('does not follow from the value of its beacon')
    }
    earlier.push(data)
    delta = deltaAfter
  }
  const tampered = (detail: string) => refuse('keyTampered', detail)
  if (!isG1Point(curve, key.delta1) || !isG2Point(curve, key.delta2))
    return tampered('delta in the key’s header is no point of its group')
  if (!G1.eq(key.delta1, delta)) return tampered('delta is not what the contributions make of it')
  if (!(await isSameRatio(curve, G1.g, delta, G2.g, key.delta2)))
    return tampered('delta differs between the two groups')
  return undefined
}

/** Checked point by point, since a pairing check speaks only about points on the curve. */
export async function checkPoints(
  { curve }: Snarkjs,
  { changing }: CeremonyKey,
  onProgress: (doing: string) => void,
): Promise<Refused | undefined> {
  const logger = listen('checking the points of the key', onProgress)
  for (const { section, points } of changing) {
    for (let offset = 0; offset < points.length; offset += 64) {
      const count = offset / 64
      if (count % 1_024 === 0) {
        logger.debug(`section ${section}, point ${count}`)
        await new Promise((resolve) => setImmediate(resolve))
      }
      const point = points.subarray(offset, offset + 64)
      // A private signal that no constraint weighs leaves the point at infinity, which is all zeros.
      const isNothing = point.every((byte) => byte === 0)
      if (!isNothing && !isG1Point(curve, point))
        return refuse('keyTampered', `point ${count} of section ${section} of the key is not on the curve`)
    }
  }
  return undefined
}
