/**
 * Ends a ceremony: a public value that nobody could know beforehand is applied last, the whole is verified once more, and
 * what provers and verifiers need is written into a folder of its own.
 */
import path from 'node:path'
import { parseManifest, parseVerifyingKey } from '@shardy/proofs'
import { type MadeProofKind, madeProofKinds, verifierVersionMax } from '@shardy/protocol'
import { listen, withSnarkjs } from '../snarkjs.ts'
import type { MemoryFile } from '../snarkjsTypes.ts'
import { appendContribution, type Latest, openLatest } from './append.ts'
import { CeremonyError } from './ceremonyError.ts'
import { assertFresh, createFolder, readSource, sha256Hex, transcriptFile } from './folder.ts'
import { type Beacon, beaconExponent } from './key.ts'
import { type ManifestEntry, manifestEntryOf } from './manifestEntry.ts'
import { dataOf } from './phase1.ts'
import { encodeTranscript, isClosed, latestKey, type Transcript } from './transcript.ts'
import { verifyCeremony } from './verify.ts'

export const beaconName = 'beacon'
export const manifestEntryFile = 'manifest-entry.json'
const beaconBytes = { min: 16, max: 255 } as const

export interface FinalizeRequest {
  readonly folder: string
  readonly into: string
  /** Public, unpredictable when the last person contributed, and announced beforehand: a block hash, a drand round. */
  readonly beaconHex: string
  readonly iterationsExponent?: number
  readonly verifierVersion: number
  /** Follows from the circuit's name unless given. */
  readonly kind?: string | undefined
  /** The file of the circuit's witness generator, to be named in the manifest and lie beside the key. */
  readonly wasm: string
  readonly nowMs: () => number
  readonly onProgress?: (doing: string) => void
}

export interface Finalized {
  readonly transcript: Transcript
  readonly manifestEntry: ManifestEntry
  readonly files: readonly string[]
}

export async function finalizeCeremony(request: FinalizeRequest): Promise<Finalized> {
  const { folder, into, nowMs, onProgress = () => {} } = request
  await assertFresh(into)
  const beacon = readBeacon(request)
  const verifierVersion = boundedVersion(request.verifierVersion)
  const wasm = await readSource(request.wasm)
  if (!WebAssembly.validate(wasm))
    throw new CeremonyError('request', `${request.wasm} is no witness generator: it is not WebAssembly`)
  const latest = await openLatest({ folder, nowMs, onProgress })
  const name = latest.transcript.circuit.name
  const kind = kindOf(request.kind ?? /-(v[0-9]+)$/.exec(name)?.[1], name)
  const transcript = await closeWith(beacon, latest, { folder, nowMs, onProgress })
  const verdict = await verifyCeremony({ folder, onProgress })
  if (!verdict.ok) {
    throw new CeremonyError('refused', `the finished ceremony does not hold: ${verdict.refusal.detail}`, {
      refusal: verdict.refusal,
    })
  }
  const zkey = await readSource(path.join(folder, latestKey(transcript).file))
  const vkey = await withSnarkjs(({ zKey }) =>
    zKey.exportVerificationKey(zkey, listen('writing the verifying key', onProgress)),
  )
  const written = {
    zkey: [`${name}.zkey`, zkey],
    vkey: [`${name}.vkey.json`, Buffer.from(`${JSON.stringify(vkey, null, 2)}\n`)],
    wasm: [`${name}.wasm`, wasm],
  } as const
  const factsOf = ([file, bytes]: readonly [string, Uint8Array]) => ({
    path: file,
    bytes: bytes.length,
    sha256: sha256Hex(bytes),
  })
  const manifestEntry = manifestEntryOf({
    transcript,
    verifierVersion,
    kind,
    zkey: factsOf(written.zkey),
    vkey: factsOf(written.vkey),
    wasm: factsOf(written.wasm),
  })
  const readable = parseManifest({ format: 1, versions: [manifestEntry] })
  const usable = readable.ok ? parseVerifyingKey(vkey) : readable
  if (!usable.ok) throw new CeremonyError('request', `nobody could use this key: ${usable.refusal.detail}`)
  const files = [
    written.zkey,
    written.vkey,
    written.wasm,
    [manifestEntryFile, `${JSON.stringify(manifestEntry, null, 2)}\n`],
    [transcriptFile, encodeTranscript(transcript)],
  ] as const
  await createFolder(into, files)
  return { transcript, manifestEntry, files: files.map(([file]) => file) }
}

async function closeWith(
  beacon: Beacon,
  latest: Latest,
  context: {
    readonly folder: string
    readonly nowMs: () => number
    readonly onProgress: (doing: string) => void
  },
): Promise<Transcript> {
  const { transcript } = latest
  const value = Buffer.from(beacon.value).toString('hex')
  if (isClosed(transcript)) {
    // Applied already, by a call that was stopped, or for another folder: the outcome is the same.
    const applied = transcript.contributions.at(-1)?.beacon
    if (applied?.value === value && applied.iterationsExponent === beacon.iterationsExponent)
      return transcript
    throw new CeremonyError('request', `this ceremony is closed with another beacon: ${applied?.value}`)
  }
  if (!transcript.contributions.some(({ kind }) => kind === 'person')) {
    throw new CeremonyError(
      'request',
      'nobody has contributed: a beacon alone is public, and keeps no secret',
      {
        next: '`npx shardy ceremony contribute` adds a contribution.',
      },
    )
  }
  const bytes = await withSnarkjs(async ({ zKey }) => {
    const to: MemoryFile = { type: 'mem' }
    const logger = listen('applying the beacon', context.onProgress)
    const made = await zKey.beacon(latest.keyBytes, to, beaconName, value, beacon.iterationsExponent, logger)
    if (made === false) throw new CeremonyError('request', logger.complaints.join('; '))
    return dataOf(to)
  })
  return (await appendContribution({ ...context, latest, bytes })).transcript
}

function boundedVersion(version: number): number {
  if (Number.isInteger(version) && version >= 1 && version <= verifierVersionMax) return version
  throw new CeremonyError('request', `a verifier version is a number from 1 to ${verifierVersionMax}`)
}

function kindOf(given: string | undefined, circuit: string): MadeProofKind {
  const kind = madeProofKinds.find((known) => known === given)
  if (kind !== undefined) return kind
  const what =
    given === undefined
      ? `which kind of proof '${circuit}' is for does not follow from its name`
      : `there is no kind of proof '${given}'`
  throw new CeremonyError('request', what, { next: `Say it with --kind: ${madeProofKinds.join(' or ')}.` })
}

function readBeacon({ beaconHex, iterationsExponent = beaconExponent.min }: FinalizeRequest): Beacon {
  const { min, max } = beaconBytes
  const isHex = /^(?:[0-9a-fA-F]{2})+$/.test(beaconHex)
  if (!isHex || beaconHex.length < 2 * min || beaconHex.length > 2 * max) {
    throw new CeremonyError(
      'request',
      `'${beaconHex.slice(0, 80)}' is no beacon: ${min} to ${max} bytes in hex are needed`,
      {
        next: 'Take a public value that nobody could know when the last person contributed, such as the hash of a later block.',
      },
    )
  }
  if (
    !Number.isInteger(iterationsExponent) ||
    iterationsExponent < beaconExponent.min ||
    iterationsExponent > beaconExponent.max
  ) {
    throw new CeremonyError(
      'request',
      `a beacon is hashed 2^${beaconExponent.min} to 2^${beaconExponent.max} times, not 2^${iterationsExponent}`,
    )
  }
  return { value: Buffer.from(beaconHex, 'hex'), iterationsExponent }
}
