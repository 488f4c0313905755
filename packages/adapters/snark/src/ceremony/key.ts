/** A Groth16 key in a ceremony (a .zkey file): its sections, what its header says, and the public part of each contribution. */
import { ByteReader, EndOfBytesError, littleEndian } from './bytes.ts'
import { readContainer } from './container.ts'
import { type Checked, refuse } from './verdict.ts'

export const fieldModulus = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
export const scalarModulus = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
export const g1Bytes = 64
export const g2Bytes = 128
const contributionsMax = 4_096
/** A beacon's hash is taken 2^n times, and every verifier takes it again. */
export const beaconExponent = { min: 10, max: 20 } as const

export interface Beacon {
  readonly value: Uint8Array
  readonly iterationsExponent: number
}

/** Points as the file has them: affine, little-endian, Montgomery form. */
export interface KeyContribution {
  readonly name: string
  readonly beacon: Beacon | undefined
  readonly deltaAfter: Uint8Array
  readonly g1s: Uint8Array
  readonly g1sx: Uint8Array
  readonly g2spx: Uint8Array
  /** The hash of everything before it, from which its challenge follows. */
  readonly challenge: Uint8Array
}

export interface CeremonyKey {
  readonly variables: number
  readonly publicSignals: number
  readonly domainSize: number
  readonly delta1: Uint8Array
  readonly delta2: Uint8Array
  readonly circuitHash: Uint8Array
  readonly contributions: readonly KeyContribution[]
  /** Sections 8 and 9: all that a contribution changes besides delta. */
  readonly changing: readonly { readonly section: 8 | 9; readonly points: Uint8Array }[]
}

export function readKey(bytes: Uint8Array, file: string): Checked<CeremonyKey> {
  const container = readContainer(bytes, 'zkey')
  if (!container.ok) {
    const code = container.fault === 'truncated' ? 'keyTruncated' : 'keyMalformed'
    return refuse(code, `${file}: ${container.detail}`)
  }
  const malformed = (detail: string) => refuse('keyMalformed', `${file}: ${detail}`)
  const sections: Uint8Array[] = []
  for (let id = 1; id <= 10; id++) {
    const section = container.sections.get(id)
    if (section === undefined) return malformed(`section ${id} is missing`)
    sections[id] = section
  }
  if (container.sections.size > 10) return malformed('it has sections that no Groth16 key has')
  const section = (id: number): Uint8Array => sections[id] ?? new Uint8Array()
  try {
    if (new ByteReader(section(1)).u32() !== 1) return malformed('it is no Groth16 key')
    const header = new ByteReader(section(2))
    if (header.u32() !== 32 || littleEndian(header.take(32)) !== fieldModulus)
      return malformed('its curve is not BN254')
    if (header.u32() !== 32 || littleEndian(header.take(32)) !== scalarModulus)
      return malformed('its curve is not BN254')
    const [variables, publicSignals, domainSize] = [header.u32(), header.u32(), header.u32()]
    header.take(2 * g1Bytes + 2 * g2Bytes)
    const [delta1, delta2] = [header.take(g1Bytes), header.take(g2Bytes)]
    if (header.left > 0) return malformed('its header is too long')
    const privateSignals = variables - publicSignals - 1
    if (section(8).length !== privateSignals * g1Bytes) return malformed('section 8 has the wrong length')
    if (section(9).length !== domainSize * g1Bytes) return malformed('section 9 has the wrong length')
    const log = new ByteReader(section(10))
    const circuitHash = log.take(64)
    const count = log.u32()
    if (count > contributionsMax) return malformed(`it says that it has ${count} contributions`)
    const contributions: KeyContribution[] = []
    for (let index = 1; index <= count; index++) {
      const contribution = readContribution(log)
      if (typeof contribution === 'string') return malformed(`contribution ${index} ${contribution}`)
      // Each beacon's hashes cost a verifier a second: a key of nothing but beacons would be an hour's work.
      if (contributions.at(-1)?.beacon !== undefined)
        return malformed(`contribution ${index} stands behind a beacon`)
      contributions.push(contribution)
    }
    if (log.left > 0) return malformed('something stands behind its last contribution')
    const changing = [
      { section: 8, points: section(8) },
      { section: 9, points: section(9) },
    ] as const
    return {
      ok: true,
      value: { variables, publicSignals, domainSize, delta1, delta2, circuitHash, contributions, changing },
    }
  } catch (error) {
    if (error instanceof EndOfBytesError) return malformed(error.message)
    throw error
  }
}

const printableName = /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u

/** The key keeps 64 UTF-16 units of a name; a longer one would silently be cut. */
export const isContributorName = (name: string): boolean =>
  name.length <= 64 && printableName.test(name) && name.trim() === name

function readContribution(log: ByteReader): KeyContribution | string {
  const [deltaAfter, g1s, g1sx] = [log.take(g1Bytes), log.take(g1Bytes), log.take(g1Bytes)]
  const [g2spx, challenge] = [log.take(g2Bytes), log.take(64)]
  const kind = log.u32()
  const parameters = new ByteReader(log.take(log.u32()))
  let [name, exponent, value, last]: [string?, number?, Uint8Array?, number?] = []
  while (parameters.left > 0) {
    const id = parameters.u8()
    if (last !== undefined && id <= last) return 'has its parameters out of order'
    last = id
    if (id === 1) name = new TextDecoder().decode(parameters.take(parameters.u8()))
    else if (id === 2) exponent = parameters.u8()
    else if (id === 3) value = parameters.take(parameters.u8())
    else return `has a parameter of kind ${id}, which is not known`
  }
  if (name === undefined || !isContributorName(name)) return 'has no printable name of 1 to 64 letters'
  const points = { name, deltaAfter, g1s, g1sx, g2spx, challenge }
  if (kind === 0 && exponent === undefined && value === undefined) return { ...points, beacon: undefined }
  if (kind !== 1 || exponent === undefined || value === undefined || value.length === 0)
    return 'is neither a person’s nor a beacon’s'
  if (exponent < beaconExponent.min || exponent > beaconExponent.max)
    return `is a beacon hashed 2^${exponent} times; 2^${beaconExponent.min} to 2^${beaconExponent.max} are allowed`
  return { ...points, beacon: { value, iterationsExponent: exponent } }
}
