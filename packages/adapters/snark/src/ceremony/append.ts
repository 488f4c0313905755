/**
 * Puts a new key and its line in the transcript behind the last. The key is written first; when that is all that was done,
 * the next call finds a key that the transcript does not know, and finishes the line if the key follows.
 */
import path from 'node:path'
import { withSnarkjs } from '../snarkjs.ts'
import { CeremonyError } from './ceremonyError.ts'
import { checkChain, contributionHash, publicDataOf } from './chain.ts'
import {
  clearLeftovers,
  isThere,
  readSource,
  readTranscript,
  sha256Hex,
  writeNew,
  writeTranscript,
} from './folder.ts'
import { readKey } from './key.ts'
import {
  type ContributionEntry,
  type FileFacts,
  headOf,
  isClosed,
  keyFileOf,
  type Transcript,
} from './transcript.ts'
import type { CeremonyRefusal } from './verdict.ts'
import { verifyCeremony } from './verify.ts'

type OnProgress = (doing: string) => void

export interface Appended {
  readonly entry: ContributionEntry
  readonly transcript: Transcript
}

export interface Latest {
  readonly transcript: Transcript
  readonly keyBytes: Uint8Array
  /** What an earlier call had left half-way, and is whole now. */
  readonly resumed: Appended | undefined
}

interface OpenRequest {
  readonly folder: string
  readonly nowMs: () => number
  readonly onProgress: OnProgress
}

const refused = (refusal: CeremonyRefusal): CeremonyError =>
  new CeremonyError('refused', `nothing can be built on this ceremony: ${refusal.detail}`, { refusal })

/** The ceremony as it stands, checked as a stranger would. */
export async function openLatest({ folder, nowMs, onProgress }: OpenRequest): Promise<Latest> {
  const found = await readTranscript(folder)
  if (!found.ok) throw refused(found.refusal)
  await clearLeftovers(folder)
  const verdict = await verifyCeremony({ folder, onProgress })
  if (!verdict.ok) throw refused(verdict.refusal)
  const count = found.value.contributions.length
  const resumed = isClosed(found.value)
    ? undefined
    : await finishLine({ folder, transcript: found.value, nowMs, onProgress })
  const transcript = resumed?.transcript ?? found.value
  const keyBytes = await readSource(path.join(folder, keyFileOf(count + (resumed === undefined ? 0 : 1))))
  return { transcript, keyBytes, resumed }
}

async function finishLine(
  request: OpenRequest & { readonly transcript: Transcript },
): Promise<Appended | undefined> {
  const { folder, transcript, nowMs, onProgress } = request
  const file = keyFileOf(transcript.contributions.length + 1)
  if (!(await isThere(path.join(folder, file)))) return undefined
  const bytes = await readSource(path.join(folder, file))
  const facts = { file, bytes: bytes.length, sha256: sha256Hex(bytes) }
  const appended = await lineOf({ transcript, bytes, facts, nowMs, onProgress })
  // As a stranger would check it, before the transcript vouches for it.
  const verdict = await verifyCeremony({ folder, transcript: appended.transcript, onProgress })
  if (!verdict.ok) throw refused(verdict.refusal)
  await writeTranscript(folder, appended.transcript)
  return appended
}

export function assertOpen(transcript: Transcript): void {
  if (!isClosed(transcript)) return
  throw new CeremonyError(
    'request',
    'this ceremony is closed: its beacon was applied, and nobody adds to it any more',
  )
}

export async function appendContribution(request: {
  readonly folder: string
  readonly latest: Latest
  readonly bytes: Uint8Array
  readonly nowMs: () => number
  readonly onProgress: OnProgress
}): Promise<Appended> {
  const { folder, latest, bytes, nowMs, onProgress } = request
  const { transcript } = latest
  assertOpen(transcript)
  const file = keyFileOf(transcript.contributions.length + 1)
  const facts = { file, bytes: bytes.length, sha256: sha256Hex(bytes) }
  const appended = await lineOf({ transcript, bytes, facts, nowMs, onProgress })
  await writeNew(folder, file, bytes)
  await writeTranscript(folder, appended.transcript)
  return appended
}

async function lineOf(request: {
  readonly transcript: Transcript
  readonly bytes: Uint8Array
  readonly facts: FileFacts
  readonly nowMs: () => number
  readonly onProgress: OnProgress
}): Promise<Appended> {
  const { transcript, bytes, facts, nowMs, onProgress } = request
  const read = readKey(bytes, facts.file)
  if (!read.ok) throw refused(read.refusal)
  const { contributions } = read.value
  const last = contributions.at(-1)
  if (last === undefined || contributions.length !== transcript.contributions.length + 1) {
    throw refused({
      code: 'contributionAdded',
      detail: `${facts.file} does not hold one contribution more than the transcript`,
    })
  }
  return withSnarkjs(async (snarkjs) => {
    const fault = await checkChain(snarkjs, read.value, onProgress)
    if (fault !== undefined) throw refused(fault.refusal)
    const data = publicDataOf(snarkjs.curve, last)
    const hex = (part: Uint8Array) => Buffer.from(part).toString('hex')
    const entry: ContributionEntry = {
      index: contributions.length,
      kind: last.beacon === undefined ? 'person' : 'beacon',
      name: last.name,
      at: new Date(nowMs()).toISOString(),
      previous: headOf(transcript),
      hash: hex(contributionHash(data)),
      public: {
        deltaAfter: hex(data.deltaAfter),
        g1s: hex(data.g1s),
        g1sx: hex(data.g1sx),
        g2spx: hex(data.g2spx),
        challenge: hex(data.challenge),
      },
      ...(last.beacon !== undefined && {
        beacon: { value: hex(last.beacon.value), iterationsExponent: last.beacon.iterationsExponent },
      }),
      key: facts,
    }
    return { entry, transcript: { ...transcript, contributions: [...transcript.contributions, entry] } }
  })
}
