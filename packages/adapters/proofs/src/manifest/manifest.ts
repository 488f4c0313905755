/**
 * The manifest: which keys there are for proofs, whether they are in use, and the digests of their files. New deliveries are proven
 * with the active version of their kind; an accepted one still verifies what is under way; a retired one is refused by name.
 */
import { type MadeProofKind, madeProofKinds, verifierVersionMax } from '@shardy/protocol'
import { type Outcome, type Refused, refuse } from '../refusal.ts'

export const versionStatuses = ['active', 'accepted', 'retired'] as const
export type VersionStatus = (typeof versionStatuses)[number]

/** `development`: whoever made the key could forge proofs. `ceremony`: nobody could, if one contributor was honest. */
export const keyTrusts = ['development', 'ceremony'] as const
export type KeyTrust = (typeof keyTrusts)[number]

export interface ManifestFile {
  /** Beside the manifest. */
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

export interface KeyVersion {
  readonly verifierVersion: number
  readonly kind: MadeProofKind
  readonly status: VersionStatus
  readonly trust: KeyTrust
  readonly circuit: string
  readonly constraints: number
  readonly publicSignals: number
  readonly files: {
    readonly wasm: ManifestFile
    readonly zkey: ManifestFile
    readonly vkey: ManifestFile
    readonly r1cs: { readonly sha256: string }
  }
  readonly contributions: readonly { readonly name: string; readonly hash: string }[]
  /** What it is for, in a sentence. */
  readonly note: string
}

/** With what is the same for every key so far, and is written all the same. */
export interface WrittenVersion extends KeyVersion {
  readonly system: 'groth16'
  readonly curve: 'bn254'
}

export interface Manifest {
  readonly versions: readonly KeyVersion[]
}

const versionsMax = 64
const contributionsMax = 4096
const fileBytesMax = 256 * 2 ** 20

/** What cannot be read, with where it is. */
class Unreadable extends Error {
  readonly place: string
  readonly bound: string
  readonly value: unknown

  constructor(place: string, bound: string, value: unknown) {
    super(place)
    this.place = place
    this.bound = bound
    this.value = value
  }

  refused(): Refused {
    const shown = JSON.stringify(this.value)?.slice(0, 80) ?? 'missing'
    return refuse('malformed', `the manifest's ${this.place} is ${shown}; it must be ${this.bound}`)
  }
}

/** Strictly: what a newer program wrote is not half understood. */
export function parseManifest(json: unknown): Outcome<Manifest> {
  try {
    return { ok: true, value: readManifest(json) }
  } catch (error) {
    if (error instanceof Unreadable) return error.refused()
    throw error
  }
}

function readManifest(json: unknown): Manifest {
  const { format, versions } = readObject(json, '', ['format', 'versions'])
  if (format !== 1) throw new Unreadable('format', '1', format)
  const read = readList(versions, 'versions', versionsMax).map((each, index) =>
    readVersion(each, `versions[${index}]`),
  )
  for (const [index, { verifierVersion }] of read.entries()) {
    const isRepeated = read.findIndex((other) => other.verifierVersion === verifierVersion) < index
    if (isRepeated) throw new Unreadable(`versions[${index}].verifierVersion`, 'listed once', verifierVersion)
  }
  for (const kind of madeProofKinds) {
    const active = read.filter((each) => each.kind === kind && each.status === 'active')
    if (active.length > 1)
      throw new Unreadable(
        'versions',
        `of kind ${kind} active in one version at most`,
        active.map(({ verifierVersion }) => verifierVersion),
      )
  }
  return { versions: read }
}

const versionFields = [
  'verifierVersion',
  'kind',
  'status',
  'trust',
  'circuit',
  'system',
  'curve',
  'constraints',
  'publicSignals',
  'files',
  'contributions',
  'note',
] as const

function readVersion(json: unknown, at: string): KeyVersion {
  const fields = readObject(json, at, versionFields)
  if (fields.system !== 'groth16') throw new Unreadable(`${at}.system`, 'groth16', fields.system)
  if (fields.curve !== 'bn254') throw new Unreadable(`${at}.curve`, 'bn254', fields.curve)
  const files = readObject(fields.files, `${at}.files`, ['wasm', 'zkey', 'vkey', 'r1cs'])
  const r1cs = readObject(files.r1cs, `${at}.files.r1cs`, ['sha256'])
  return {
    verifierVersion: readWhole(fields.verifierVersion, `${at}.verifierVersion`, 1, verifierVersionMax),
    kind: readWord(fields.kind, `${at}.kind`, madeProofKinds),
    status: readWord(fields.status, `${at}.status`, versionStatuses),
    trust: readWord(fields.trust, `${at}.trust`, keyTrusts),
    circuit: readText(fields.circuit, `${at}.circuit`, /^[a-z0-9-]{1,64}$/, 'a name of small letters'),
    constraints: readWhole(fields.constraints, `${at}.constraints`, 1, 2 ** 28),
    publicSignals: readWhole(fields.publicSignals, `${at}.publicSignals`, 1, 64),
    files: {
      wasm: readFile(files.wasm, `${at}.files.wasm`),
      zkey: readFile(files.zkey, `${at}.files.zkey`),
      vkey: readFile(files.vkey, `${at}.files.vkey`),
      r1cs: { sha256: readDigest(r1cs.sha256, `${at}.files.r1cs.sha256`) },
    },
    contributions: readList(fields.contributions, `${at}.contributions`, contributionsMax).map(
      (each, index) => {
        const place = `${at}.contributions[${index}]`
        const { name, hash } = readObject(each, place, ['name', 'hash'])
        return {
          name: readText(name, `${place}.name`, /^[^\p{C}]{1,128}$/u, 'text of at most 128 characters'),
          hash: readText(hash, `${place}.hash`, /^[0-9a-f]{64,128}$/, 'a hash in hex'),
        }
      },
    ),
    note: readText(fields.note, `${at}.note`, /^[^\p{C}]{0,512}$/u, 'text of at most 512 characters'),
  }
}

function readFile(json: unknown, at: string): ManifestFile {
  const { path, bytes, sha256 } = readObject(json, at, ['path', 'bytes', 'sha256'])
  return {
    // Beside the manifest, so that it names nothing elsewhere.
    path: readText(path, `${at}.path`, /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'the name of a file beside it'),
    bytes: readWhole(bytes, `${at}.bytes`, 1, fileBytesMax),
    sha256: readDigest(sha256, `${at}.sha256`),
  }
}

function readDigest(value: unknown, at: string): string {
  return readText(value, at, /^[0-9a-f]{64}$/, 'a SHA-256 in hex')
}

function readObject<Name extends string>(
  value: unknown,
  at: string,
  names: readonly Name[],
): Readonly<Record<Name, unknown>> {
  const place = at === '' ? 'content' : at
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Unreadable(place, `an object with ${names.join(', ')}`, value)
  for (const name of Object.keys(value)) {
    if (!names.includes(name as Name)) throw new Unreadable(`${place}.${name}`, 'left out', name)
  }
  for (const name of names) {
    if (!Object.hasOwn(value, name)) throw new Unreadable(`${place}.${name}`, 'there', undefined)
  }
  return value as Readonly<Record<Name, unknown>>
}

function readList(value: unknown, at: string, lengthMax: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > lengthMax)
    throw new Unreadable(at, `a list of at most ${lengthMax}`, value)
  return value
}

function readWhole(value: unknown, at: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw new Unreadable(at, `a whole number from ${min} to ${max}`, value)
  return value
}

function readWord<const Words extends readonly string[]>(
  value: unknown,
  at: string,
  words: Words,
): Words[number] {
  const word = words.find((each) => each === value)
  if (word === undefined) throw new Unreadable(at, words.join(', '), value)
  return word
}

function readText(value: unknown, at: string, form: RegExp, bound: string): string {
  if (typeof value !== 'string' || !form.test(value)) throw new Unreadable(at, bound, value)
  return value
}
