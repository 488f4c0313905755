/**
 * Groth16 over BN254: e(A, B) = e(α, β) · e(L, γ) · e(C, δ) with L = IC₀ + Σ sⱼ·ICⱼ. A batch is one equation, weighted at random after its
 * proofs are fixed: one Miller loop for each proof, three more, and one final exponentiation. A batch that fails is halved until each
 * false proof is named. What is refused for its bytes alone is refused here; curves and equations are `crates/curve`.
 */
import { bytesOfElement, elementLength, isBelow, isZero, writeElement } from '../bn254/bytes.ts'
import { type Curve, openCurve } from '../bn254/curve.ts'
import { baseOrder } from '../bn254/orders.ts'
import { accepted, type Outcome, type Refused, refuse, type Verdict } from '../refusal.ts'
import { refuseSignals } from '../signals.ts'
import type { PublicSignals, Statement, SystemVerifier } from '../system.ts'
import { proofLength, refuseLength } from './proofJson.ts'
import type { VerifyingKey } from './verifyingKey.ts'

export interface Verifier extends SystemVerifier {
  readonly key: VerifyingKey
  verify(proof: Uint8Array, signals: PublicSignals): Verdict
  verifyBatch(items: readonly Statement[]): readonly Verdict[]
  /** It may not be asked anything afterwards; its memory goes with it when nobody holds it. */
  close(): void
}

/** Proofs that share a final exponentiation; more would gain little and make one bad proof dearer. */
export const batchMax = 64
/** Bits of randomness in a weight: the chance that a false proof passes a batch is 2^−128. */
const weightLength = 16

/** What the module answers about an equation. */
const [holds, outside] = [1, 2]

const baseBytes = bytesOfElement(baseOrder)
const proofPoints = [
  { name: 'A', at: 0, coordinates: ['x', 'y'] },
  { name: 'B', at: 2 * elementLength, coordinates: ['x.c1', 'x.c0', 'y.c1', 'y.c0'] },
  { name: 'C', at: 6 * elementLength, coordinates: ['x', 'y'] },
] as const

export async function openVerifier(key: VerifyingKey): Promise<Outcome<Verifier>> {
  const refused = refuseKeyBytes(key)
  return refused ?? openOn(await openCurve(), key)
}

function openOn(curve: Curve, key: VerifyingKey): Outcome<Verifier> {
  const { exports } = curve
  const { signalCount } = key
  const points = keyPoints(key)
  const workspace = curve.reserve(exports.workspace_size(signalCount))
  const input = curve.reserve(Math.max(keyLength(points), proofLength + signalCount * elementLength))
  const random = curve.reserve(batchMax * weightLength)

  let at = input
  for (const { bytes } of points) {
    curve.bytes().set(bytes, at)
    at += bytes.length
  }
  const code = exports.open(workspace, signalCount, input)
  if (code !== 0) {
    const name = points[(code - 1) >> 1]?.name ?? 'a point'
    return code % 2 === 1 ? offCurve(name) : wrongSubgroup(name)
  }

  /** Into an item's place, when everything about its form is in order. */
  function place(item: number, { proof, signals }: Statement): Refused | undefined {
    const refused = refuseLength(proof) ?? refuseSignals(signals, signalCount) ?? refuseBytes(proof)
    if (refused !== undefined) return refused
    const bytes = curve.bytes()
    bytes.set(proof, input)
    for (let index = 0; index < signalCount; index++)
      writeElement(bytes, input + proofLength + index * elementLength, signals[index] as bigint)
    const bad = exports.place(workspace, item, input, input + proofLength, signalCount)
    return bad === 0 ? undefined : offCurve(proofPoints[bad - 1]?.name ?? 'a point')
  }

  function verdictOf(answer: number): Verdict {
    if (answer === holds) return accepted
    return answer === outside ? wrongSubgroup('B') : notHeld()
  }

  function verify(proof: Uint8Array, signals: PublicSignals): Verdict {
    return place(0, { proof, signals }) ?? verdictOf(exports.hold_one(workspace, 0))
  }

  /**
   * Judges items of `all` that are in their places, in this order; `judge` is told of each that is not accepted. Where a point turns out to be outside the
   * subgroup, nothing is known about the rest of the batch, which is asked again without it.
   */
  function settle(
    all: readonly Statement[],
    indices: readonly number[],
    judge: (index: number, verdict: Verdict) => void,
  ): void {
    const [only] = indices
    if (only === undefined) return
    if (indices.length === 1) return judge(only, verdictOf(exports.hold_one(workspace, 0)))
    const words = new Uint8Array(indices.length * weightLength)
    crypto.getRandomValues(words)
    curve.bytes().set(words, random)
    exports.weigh(workspace, indices.length, random)
    const answer = exports.hold(workspace, 0, indices.length)
    if (answer === holds) return
    if (answer === outside) {
      const [inside, strays] = partition(indices, (_, item) => exports.is_in_subgroup(workspace, item) === 1)
      for (const index of strays) judge(index, wrongSubgroup('B'))
      for (const [item, index] of inside.entries()) place(item, all[index] as Statement)
      return settle(all, inside, judge)
    }
    const found: number[] = []
    search(0, indices.length >> 1, found)
    search(indices.length >> 1, indices.length, found)
    // What was found by weights is said only of a proof that fails alone.
    for (const item of found) {
      const index = indices[item] as number
      const { proof, signals } = all[index] as Statement
      const verdict = verify(proof, signals)
      if (!verdict.ok) judge(index, verdict)
    }
  }

  function search(first: number, end: number, found: number[]): void {
    if (exports.hold(workspace, first, end) === holds) return
    if (end - first === 1) return void found.push(first)
    const middle = (first + end) >> 1
    search(first, middle, found)
    search(middle, end, found)
  }

  function verifyBatch(items: readonly Statement[]): readonly Verdict[] {
    const verdicts: Verdict[] = items.map(() => accepted)
    const judge = (index: number, verdict: Verdict): void => {
      verdicts[index] = verdict
    }
    let placed: number[] = []
    for (const [index, item] of items.entries()) {
      const refused = place(placed.length, item)
      if (refused !== undefined) judge(index, refused)
      else if (placed.push(index) === batchMax) {
        settle(items, placed, judge)
        placed = []
      }
    }
    settle(items, placed, judge)
    return verdicts
  }

  return { ok: true, value: { system: 'groth16', key, signalCount, verify, verifyBatch, close() {} } }
}

interface KeyPoint {
  readonly name: string
  readonly bytes: Uint8Array
}

/** In the order in which the module reads them. */
function keyPoints({ alpha, beta, gamma, delta, signals }: VerifyingKey): readonly KeyPoint[] {
  return [
    { name: 'vk_alpha_1', bytes: alpha },
    { name: 'vk_beta_2', bytes: beta },
    { name: 'vk_gamma_2', bytes: gamma },
    { name: 'vk_delta_2', bytes: delta },
    ...signals.map((bytes, index) => ({ name: `IC[${index}]`, bytes })),
  ]
}

function keyLength(points: readonly KeyPoint[]): number {
  return points.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function refuseKeyBytes(key: VerifyingKey): Refused | undefined {
  for (const { name, bytes } of keyPoints(key)) {
    const refused = refusePoint(bytes, {
      name,
      at: 0,
      coordinates: bytes.length === 64 ? ['x', 'y'] : ['x.c1', 'x.c0', 'y.c1', 'y.c0'],
    })
    if (refused !== undefined) return refused
  }
  return undefined
}

function refuseBytes(proof: Uint8Array): Refused | undefined {
  for (const point of proofPoints) {
    const refused = refusePoint(proof, point)
    if (refused !== undefined) return refused
  }
  return undefined
}

function refusePoint(
  bytes: Uint8Array,
  {
    name,
    at,
    coordinates,
  }: { readonly name: string; readonly at: number; readonly coordinates: readonly string[] },
): Refused | undefined {
  for (let index = 0; index < coordinates.length; index++)
    if (!isBelow(bytes, at + index * elementLength, baseBytes))
      return refuse('nonCanonical', `${name}'s ${coordinates[index]} is not below the modulus of coordinates`)
  if (isZero(bytes, at, coordinates.length * elementLength))
    return refuse('infinity', `${name} is the point at infinity`)
  return undefined
}

const offCurve = (name: string): Refused => refuse('offCurve', `${name} is not on its curve`)
const wrongSubgroup = (name: string): Refused =>
  refuse('wrongSubgroup', `${name} is on its curve, outside the subgroup of order r`)
const notHeld = (): Refused =>
  refuse('false', 'the proof is well-formed, and the equation does not hold for these signals')

function partition<T>(items: readonly T[], test: (item: T, index: number) => boolean): readonly [T[], T[]] {
  const [good, bad]: [T[], T[]] = [[], []]
  for (const [index, item] of items.entries()) (test(item, index) ? good : bad).push(item)
  return [good, bad]
}
