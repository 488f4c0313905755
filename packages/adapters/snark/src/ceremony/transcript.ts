/**
 * The transcript of a ceremony: what it is about, and the public part of each contribution, so that anyone can check the
 * chain of hashes without the key, and the key against it. Reading accepts one form only, and checks what the transcript
 * says about itself.
 */
import { contributionHash } from './chain.ts'
import { beaconExponent, isContributorName } from './key.ts'
import type { Phase1Trust } from './sources.ts'
import { type Checked, refuse } from './verdict.ts'

export const transcriptFormat = 'shardy ceremony 1'
export const transcriptBytesMax = 32 * 2 ** 20
/** As many as the manifest lists. */
const contributionsMax = 4_096

export interface FileFacts {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

export interface CircuitEntry extends FileFacts {
  readonly name: string
  readonly constraints: number
  readonly publicSignals: number
}

export interface Phase1Entry extends FileFacts {
  readonly power: number
  readonly contributions: number
  readonly trust: Phase1Trust
  /** The form in which the known phase 1 ceremonies publish what their files are. */
  readonly blake2b512: string
}

export interface FirstKeyEntry extends FileFacts {
  /** What the first contribution follows from. */
  readonly circuitHash: string
}

export interface ContributionEntry {
  readonly index: number
  readonly kind: 'person' | 'beacon'
  readonly name: string
  /** By the clock of who contributed: nobody can check it. */
  readonly at: string
  readonly previous: string
  readonly hash: string
  readonly public: {
    readonly deltaAfter: string
    readonly g1s: string
    readonly g1sx: string
    readonly g2spx: string
    readonly challenge: string
  }
  readonly beacon?: { readonly value: string; readonly iterationsExponent: number }
  readonly key: FileFacts
}

export interface Transcript {
  readonly format: typeof transcriptFormat
  readonly circuit: CircuitEntry
  readonly phase1: Phase1Entry
  readonly firstKey: FirstKeyEntry
  readonly contributions: readonly ContributionEntry[]
}

export const encodeTranscript = (transcript: Transcript): string => `${JSON.stringify(transcript, null, 2)}\n`

/** The hash that the next contribution follows, and the first when there is none yet. */
export const headOf = ({ firstKey, contributions }: Transcript): string =>
  contributions.at(-1)?.hash ?? firstKey.circuitHash

/** After a beacon nobody contributes any more. */
export const isClosed = ({ contributions }: Transcript): boolean => contributions.at(-1)?.kind === 'beacon'

export const latestKey = ({ firstKey, contributions }: Transcript): FileFacts =>
  contributions.at(-1)?.key ?? firstKey

export const keyFileOf = (index: number): string => `key-${String(index).padStart(4, '0')}.zkey`

export function decodeTranscript(text: string): Checked<Transcript> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('transcriptMalformed', 'ceremony.json is not JSON')
  }
  const fault = faultIn(value, transcriptShape, 'transcript')
  if (fault !== undefined) return refuse('transcriptMalformed', `ceremony.json: ${fault}`)
  const transcript = value as Transcript
  const contradiction = contradictionIn(transcript)
  if (contradiction !== undefined) return refuse('transcriptEdited', `ceremony.json: ${contradiction}`)
  return { ok: true, value: transcript }
}

/** What a field must be; a list holds values of one shape, and a field named with `?` may be missing. */
type Shape =
  | { readonly test: (value: unknown) => boolean; readonly what: string }
  | { readonly list: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> }

const text = (what: string, pattern: RegExp): Shape => ({
  what,
  test: (value) => typeof value === 'string' && pattern.test(value),
})
const whole = (min: number, max: number): Shape => ({
  what: `a whole number from ${min} to ${max}`,
  test: (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
})
const hex = (bytes: number): Shape =>
  text(`${bytes} bytes in lower-case hex`, new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
const oneOf = (...values: readonly string[]): Shape => ({
  what: values.map((value) => `'${value}'`).join(' or '),
  test: (value) => typeof value === 'string' && values.includes(value),
})

/** As the manifest takes it. */
export const circuitName = /^[a-z0-9][a-z0-9-]{0,63}$/
const fileFields = {
  // A name and no path: a transcript from a stranger must not lead out of its folder.
  file: text('a file name', /^[a-z0-9][a-z0-9.-]{0,99}$/),
  bytes: whole(1, Number.MAX_SAFE_INTEGER),
  sha256: hex(32),
}
const transcriptShape: Shape = {
  fields: {
    format: oneOf(transcriptFormat),
    circuit: {
      fields: {
        name: text('a circuit’s name', circuitName),
        ...fileFields,
        constraints: whole(1, 2 ** 28),
        publicSignals: whole(0, 2 ** 28),
      },
    },
    phase1: {
      fields: {
        ...fileFields,
        power: whole(1, 28),
        contributions: whole(0, 2 ** 32 - 1),
        trust: oneOf('development', 'ceremony'),
        blake2b512: hex(64),
      },
    },
    firstKey: { fields: { ...fileFields, circuitHash: hex(64) } },
    contributions: {
      list: {
        fields: {
          index: whole(1, contributionsMax),
          kind: oneOf('person', 'beacon'),
          name: {
            what: 'a printable name of 1 to 64 letters',
            test: (value) => typeof value === 'string' && isContributorName(value),
          },
          at: {
            what: 'a time such as 2026-01-31T12:00:00.000Z',
            test: (value) => typeof value === 'string' && isTime(value),
          },
          previous: hex(64),
          hash: hex(64),
          public: {
            fields: {
              deltaAfter: hex(64),
              g1s: hex(64),
              g1sx: hex(64),
              g2spx: hex(128),
              challenge: hex(64),
            },
          },
          'beacon?': {
            fields: {
              value: text('1 to 255 bytes in lower-case hex', /^(?:[0-9a-f]{2}){1,255}$/),
              iterationsExponent: whole(beaconExponent.min, beaconExponent.max),
            },
          },
          key: { fields: fileFields },
        },
      },
    },
  },
}

function isTime(value: string): boolean {
  const at = new Date(value)
  return !Number.isNaN(at.getTime()) && at.toISOString() === value
}

function faultIn(value: unknown, shape: Shape, at: string): string | undefined {
  if ('test' in shape) return shape.test(value) ? undefined : `${at} must be ${shape.what}`
  if ('list' in shape) {
    if (!Array.isArray(value)) return `${at} must be a list`
    if (value.length > contributionsMax) return `${at} has more than ${contributionsMax} entries`
    for (const [index, each] of value.entries()) {
      const fault = faultIn(each, shape.list, `${at}[${index}]`)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${at} must be an object`
  const given = value as Record<string, unknown>
  const known = new Map(
    Object.entries(shape.fields).map(([key, field]) => [key.replace('?', ''), { key, field }]),
  )
  for (const name of Object.keys(given))
    if (!known.has(name)) return `${at} has a field '${name}' that is not known`
  for (const [name, { key, field }] of known) {
    if (!Object.hasOwn(given, name)) {
      if (key.endsWith('?')) continue
      return `${at}.${name} is missing`
    }
    const fault = faultIn(given[name], field, `${at}.${name}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function contradictionIn({ firstKey, contributions }: Transcript): string | undefined {
  let head = firstKey.circuitHash
  if (firstKey.file !== keyFileOf(0)) return `the first key should be ${keyFileOf(0)}`
  for (const [position, { index, kind, previous, hash, beacon, key, ...entry }] of contributions.entries()) {
    const who = `contribution ${position + 1} (${entry.name})`
    if (index !== position + 1) return `${who} is numbered ${index}`
    if (key.file !== keyFileOf(index)) return `${who} should have made ${keyFileOf(index)}`
    if (previous !== head) return `${who} does not name the hash of the one before it`
    const bytes = (field: keyof typeof entry.public) => Buffer.from(entry.public[field], 'hex')
    const computed = contributionHash({
      deltaAfter: bytes('deltaAfter'),
      g1s: bytes('g1s'),
      g1sx: bytes('g1sx'),
      g2spx: bytes('g2spx'),
      challenge: bytes('challenge'),
    })
    if (Buffer.from(computed).toString('hex') !== hash)
      return `the hash of ${who} is not that of its public data`
    if ((kind === 'beacon') !== (beacon !== undefined)) return `${who} is a ${kind} and says otherwise`
    if (kind === 'beacon' && index !== contributions.length) return `${who} is a beacon and is not the last`
    head = hash
  }
  return undefined
}
