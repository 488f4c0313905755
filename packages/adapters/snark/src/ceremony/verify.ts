/**
 * A stranger's check of a whole ceremony: the transcript against itself, the circuit and the powers of tau against their
 * digests, the contributions of the key against the transcript, each of them against those before it, and at last the key
 * against a first key that is made anew from the circuit and the powers of tau.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { listen, type Snarkjs, withSnarkjs } from '../snarkjs.ts'
import { checkChain, checkPoints, contributionHash, publicDataOf } from './chain.ts'
import { isThere, readSource, readTranscript, sha256Hex } from './folder.ts'
import { makeFirstKey } from './init.ts'
import { type CeremonyKey, readKey } from './key.ts'
import { checkPhase1 } from './phase1.ts'
import { readCircuitFacts, readPhase1Facts, trustOf } from './sources.ts'
import { type FileFacts, isClosed, keyFileOf, latestKey, type Transcript } from './transcript.ts'
import { type CeremonyRefusalCode, type Checked, type Refused, refuse } from './verdict.ts'

export interface VerifyRequest {
  readonly folder: string
  /** The verifier's own copies; without them the folder's are taken, which says nothing about which circuit it is. */
  readonly r1cs?: string | undefined
  readonly ptau?: string | undefined
  /** Also check the powers of tau themselves, which may take long. */
  readonly phase1?: boolean
  /** In place of the one in the folder. */
  readonly transcript?: Transcript
  readonly onProgress?: (doing: string) => void
}

export interface CeremonyReport {
  readonly transcript: Transcript
  readonly isClosed: boolean
  /** Contributions of people; a beacon is nobody's. */
  readonly people: number
  readonly comparedCircuit: boolean
  readonly comparedPhase1: boolean
  readonly checkedPhase1: boolean
  /** A key that somebody was stopped before naming it in the transcript; nothing is said about it. */
  readonly unlisted: string | undefined
}

export type CeremonyVerdict = { readonly ok: true; readonly report: CeremonyReport } | Refused

export async function verifyCeremony(request: VerifyRequest): Promise<CeremonyVerdict> {
  const { folder, onProgress = () => {} } = request
  const found: Checked<Transcript> =
    request.transcript === undefined ? await readTranscript(folder) : { ok: true, value: request.transcript }
  if (!found.ok) return found
  const transcript = found.value
  const circuit = await readCompared(folder, transcript.circuit, request.r1cs, 'wrongCircuit', 'circuit')
  if (!circuit.ok) return circuit
  const phase1 = await readCompared(folder, transcript.phase1, request.ptau, 'wrongPhase1', 'powers of tau')
  if (!phase1.ok) return phase1
  const disagreement =
    compareLengths(transcript.circuit, circuit.value) ?? compareFacts(transcript, circuit.value, phase1.value)
  if (disagreement !== undefined) return disagreement
  const { file, sha256 } = latestKey(transcript)
  if (!(await isThere(path.join(folder, file)))) return refuse('keyMissing', `${file} is not in ${folder}`)
  const bytes = await readSource(path.join(folder, file))
  const key = readKey(bytes, file)
  if (!key.ok) return key
  const fault =
    (await withSnarkjs((snarkjs) =>
      checkKey({
        snarkjs,
        transcript,
        key: key.value,
        bytes,
        circuit: circuit.value,
        phase1: phase1.value,
        onProgress,
      }),
    )) ??
    (sha256Hex(bytes) === sha256
      ? undefined
      : refuse('keyTampered', `${file} is not the file that the transcript names: its SHA-256 differs`)) ??
    compareLengths(latestKey(transcript), bytes) ??
    (await checkEarlierKeys(folder, transcript)) ??
    (request.phase1 === true ? await checkPhase1(phase1.value, onProgress) : undefined)
  if (fault !== undefined) return fault
  const next = keyFileOf(transcript.contributions.length + 1)
  return {
    ok: true,
    report: {
      transcript,
      isClosed: isClosed(transcript),
      people: transcript.contributions.filter(({ kind }) => kind === 'person').length,
      comparedCircuit: request.r1cs !== undefined,
      comparedPhase1: request.ptau !== undefined,
      checkedPhase1: request.phase1 === true,
      unlisted: (await isThere(path.join(folder, next))) ? next : undefined,
    },
  }
}

async function readCompared(
  folder: string,
  facts: FileFacts,
  own: string | undefined,
  code: CeremonyRefusalCode,
  what: string,
): Promise<Checked<Uint8Array>> {
  const inFolder = path.join(folder, facts.file)
  if (own === undefined && !(await isThere(inFolder))) {
    return refuse(code, `${facts.file} is not in ${folder}, and no other copy of the ${what} was named`)
  }
  for (const file of own === undefined ? [inFolder] : [own, inFolder]) {
    if (file === inFolder && !(await isThere(file))) continue
    const bytes = await readSource(file)
    if (sha256Hex(bytes) !== facts.sha256) {
      return refuse(code, `${file} has another SHA-256 than the ${what} in the transcript`)
    }
    if (file === (own ?? inFolder)) return { ok: true, value: bytes }
  }
  return refuse(code, `the ${what} cannot be found`)
}

function compareFacts(
  { circuit, phase1 }: Transcript,
  circuitBytes: Uint8Array,
  phase1Bytes: Uint8Array,
): Refused | undefined {
  const facts = readCircuitFacts(circuitBytes)
  if (typeof facts === 'string') return refuse('wrongCircuit', `the circuit is none for a ceremony: ${facts}`)
  if (facts.constraints !== circuit.constraints || facts.publicSignals !== circuit.publicSignals) {
    return refuse(
      'transcriptEdited',
      `the circuit has ${facts.constraints} constraints and ${facts.publicSignals} public signals; the transcript says otherwise`,
    )
  }
  const powers = readPhase1Facts(phase1Bytes)
  if (typeof powers === 'string') return refuse('wrongPhase1', `the powers of tau cannot be used: ${powers}`)
  const isSame =
    powers.power === phase1.power &&
    powers.contributions === phase1.contributions &&
    trustOf(powers) === phase1.trust
  if (!isSame) {
    return refuse(
      'transcriptEdited',
      `the powers of tau go to 2^${powers.power} and have ${powers.contributions} contributions; the transcript says otherwise`,
    )
  }
  // What a stranger compares with the phase 1 ceremony's own record: it must be of the file that the key stands on.
  if (createHash('blake2b512').update(phase1Bytes).digest('hex') !== phase1.blake2b512)
    return refuse('transcriptEdited', 'the powers of tau have another BLAKE2b-512 than the transcript says')
  return compareLengths(phase1, phase1Bytes)
}

function compareLengths({ file, bytes }: FileFacts, found: Uint8Array): Refused | undefined {
  if (found.length === bytes) return undefined
  return refuse('transcriptEdited', `${file} has ${found.length} bytes, and the transcript says ${bytes}`)
}

/** Keys of earlier contributions are not needed; one that is there must be the one that was named. */
async function checkEarlierKeys(folder: string, transcript: Transcript): Promise<Refused | undefined> {
  for (const facts of [transcript.firstKey, ...transcript.contributions.map(({ key }) => key)]) {
    const { file, sha256 } = facts
    if (!(await isThere(path.join(folder, file)))) continue
    const bytes = await readSource(path.join(folder, file))
    if (sha256Hex(bytes) !== sha256)
      return refuse('keyTampered', `${file} is not the file that the transcript names: its SHA-256 differs`)
    const otherLength = compareLengths(facts, bytes)
    if (otherLength !== undefined) return otherLength
  }
  return undefined
}

interface KeyCheck {
  readonly snarkjs: Snarkjs
  readonly transcript: Transcript
  readonly key: CeremonyKey
  readonly bytes: Uint8Array
  readonly circuit: Uint8Array
  readonly phase1: Uint8Array
  readonly onProgress: (doing: string) => void
}

async function checkKey(check: KeyCheck): Promise<Refused | undefined> {
  const { snarkjs, transcript, key, onProgress } = check
  const difference = compareContributions(check)
  // What follows from a broken contribution is no replacement for anything: name the break itself.
  if (difference !== undefined && difference.refusal.code !== 'contributionReplaced') return difference
  const broken = await checkChain(snarkjs, key, onProgress)
  if (broken !== undefined) return broken
  if (difference !== undefined) return difference
  if (Buffer.from(key.circuitHash).toString('hex') !== transcript.firstKey.circuitHash)
    return refuse('wrongCircuit', 'the key was made for another circuit, or from other powers of tau')
  return (await checkPoints(snarkjs, key, onProgress)) ?? (await checkAgainstFirstKey(check))
}

function compareContributions({ snarkjs, transcript, key }: KeyCheck): Refused | undefined {
  const hashes = key.contributions.map((contribution) =>
    Buffer.from(contributionHash(publicDataOf(snarkjs.curve, contribution))).toString('hex'),
  )
  const named = transcript.contributions.map(({ hash }) => hash)
  const at = named.findIndex((hash, index) => hash !== hashes[index])
  const index = at === -1 ? named.length : at
  const entry = transcript.contributions[index]
  const file = latestKey(transcript).file
  if (index < named.length || hashes.length !== named.length) {
    const who = `contribution ${index + 1}${entry === undefined ? '' : ` (${entry.name})`}`
    const [missing, strange] = [
      named.filter((hash) => !hashes.includes(hash)),
      hashes.filter((hash) => !named.includes(hash)),
    ]
    if (missing.length === 0 && strange.length === 0 && hashes.length === named.length)
      return refuse(
        'contributionsReordered',
        `${file} has the contributions in another order, from number ${index + 1} on`,
      )
    if (hashes.length < named.length && strange.length === 0)
      return refuse('contributionRemoved', `${file} lacks ${who}`)
    if (hashes.length > named.length)
      return refuse(
        'contributionAdded',
        `${file} has ${hashes.length} contributions, and the transcript ${named.length}`,
      )
    return refuse('contributionReplaced', `${file} has another contribution in the place of ${who}`)
  }
  for (const [position, { name, beacon }] of key.contributions.entries()) {
    const line = transcript.contributions[position]
    const isSame =
      line?.name === name &&
      line.beacon?.iterationsExponent === beacon?.iterationsExponent &&
      line.beacon?.value === (beacon && Buffer.from(beacon.value).toString('hex'))
    if (!isSame) {
      return refuse(
        'transcriptEdited',
        `contribution ${position + 1} is '${name}' in ${file}, and the transcript says otherwise about its name or beacon`,
      )
    }
  }
  return undefined
}

/** What snarkjs says about two keys, as our names. */
const complaints: readonly (readonly [RegExp, CeremonyRefusalCode, string])[] = [
  [/circuit parameters|Circuit does not match/, 'wrongCircuit', 'the key was made for another circuit'],
  [/alpha1|beta1|beta2/, 'wrongPhase1', 'the key was made from other powers of tau'],
]

async function checkAgainstFirstKey(check: KeyCheck): Promise<Refused | undefined> {
  const { snarkjs, transcript, bytes, circuit, phase1, onProgress } = check
  const first = await makeFirstKey(circuit, phase1, onProgress)
  const logger = listen('checking the key against the first', onProgress)
  const holds = await snarkjs.zKey.verifyFromInit(first, phase1, bytes, logger).catch((error: unknown) => {
    logger.error(String(error))
    return false
  })
  if (!holds) {
    const said =
      logger.complaints.join('; ').replace('INVALID: ', '').trim() || 'a contribution does not hold'
    const [, code, what] = complaints.find(([pattern]) => pattern.test(said)) ?? []
    return refuse(
      code ?? 'keyTampered',
      what ?? `the key is not what its contributions make of the first: ${said}`,
    )
  }
  return sha256Hex(first) === transcript.firstKey.sha256
    ? compareLengths(transcript.firstKey, first)
    : refuse(
        'transcriptEdited',
        `the first key, made anew, is not the ${keyFileOf(0)} that the transcript names`,
      )
}
