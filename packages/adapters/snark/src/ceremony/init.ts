/** Begins a ceremony: the first key, which anyone can make again from the same circuit and powers of tau. */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { listen, withSnarkjs } from '../snarkjs.ts'
import type { MemoryFile } from '../snarkjsTypes.ts'
import { CeremonyError } from './ceremonyError.ts'
import {
  assertFresh,
  circuitFile,
  createFolder,
  phase1File,
  readSource,
  sha256Hex,
  transcriptFile,
} from './folder.ts'
import { readKey } from './key.ts'
import { dataOf, developmentPower, makeDevelopmentPhase1 } from './phase1.ts'
import { readCircuitFacts, readPhase1Facts, trustOf } from './sources.ts'
import { circuitName, encodeTranscript, keyFileOf, type Transcript, transcriptFormat } from './transcript.ts'

export interface InitRequest {
  readonly r1cs: string
  /** A prepared .ptau file, or the power of one that is made here for development. */
  readonly phase1:
    | { readonly kind: 'file'; readonly file: string }
    | { readonly kind: 'development'; readonly power: number }
  readonly folder: string
  /** The circuit's name; the name of its file unless given. */
  readonly circuit?: string | undefined
  readonly onProgress?: (doing: string) => void
}

export async function initCeremony(request: InitRequest): Promise<Transcript> {
  const { r1cs, phase1, folder, onProgress = () => {} } = request
  await assertFresh(folder)
  const name = request.circuit ?? path.basename(r1cs).replace(/\.r1cs$/, '')
  if (!circuitName.test(name)) {
    throw new CeremonyError(
      'request',
      `'${name}' is no name for a circuit: lower-case letters, digits and dashes`,
    )
  }
  const circuitBytes = await readSource(r1cs)
  const circuit = readCircuitFacts(circuitBytes)
  if (typeof circuit === 'string')
    throw new CeremonyError('request', `${r1cs} is no circuit for a ceremony: ${circuit}`)
  if (phase1.kind === 'development' && circuit.power > phase1.power)
    throw tooSmall(circuit.power, phase1.power, 'Give a larger --power.')
  const phase1Bytes =
    phase1.kind === 'file'
      ? await readSource(phase1.file)
      : await makeDevelopmentPhase1(boundedPower(phase1.power), onProgress)
  const powers = readPhase1Facts(phase1Bytes)
  if (typeof powers === 'string') {
    const named = phase1.kind === 'file' ? phase1.file : 'what was made'
    throw new CeremonyError('request', `${named} holds no powers of tau for a ceremony: ${powers}`)
  }
  if (circuit.power > powers.power)
    throw tooSmall(circuit.power, powers.power, 'Take a larger file of the same phase 1 ceremony.')
  const keyBytes = await makeFirstKey(circuitBytes, phase1Bytes, onProgress)
  const key = readKey(keyBytes, keyFileOf(0))
  if (!key.ok) throw new Error(`the first key cannot be read: ${key.refusal.detail}`)
  const transcript: Transcript = {
    format: transcriptFormat,
    circuit: {
      name,
      file: circuitFile,
      bytes: circuitBytes.length,
      sha256: sha256Hex(circuitBytes),
      constraints: circuit.constraints,
      publicSignals: circuit.publicSignals,
    },
    phase1: {
      file: phase1File,
      bytes: phase1Bytes.length,
      sha256: sha256Hex(phase1Bytes),
      power: powers.power,
      contributions: powers.contributions,
      trust: trustOf(powers),
      blake2b512: createHash('blake2b512').update(phase1Bytes).digest('hex'),
    },
    firstKey: {
      file: keyFileOf(0),
      bytes: keyBytes.length,
      sha256: sha256Hex(keyBytes),
      circuitHash: Buffer.from(key.value.circuitHash).toString('hex'),
    },
    contributions: [],
  }
  await createFolder(folder, [
    [circuitFile, circuitBytes],
    [phase1File, phase1Bytes],
    [keyFileOf(0), keyBytes],
    [transcriptFile, encodeTranscript(transcript)],
  ])
  return transcript
}

/** Follows from the circuit and the powers of tau alone: the same bytes for everyone. */
export async function makeFirstKey(
  r1cs: Uint8Array,
  ptau: Uint8Array,
  onProgress: (doing: string) => void,
): Promise<Uint8Array> {
  return withSnarkjs(async ({ zKey }) => {
    const to: MemoryFile = { type: 'mem' }
    const logger = listen('making the first key from the circuit', onProgress)
    const made = await zKey.newZKey(r1cs, ptau, to, logger).catch((cause: unknown) => {
      throw new CeremonyError('request', `no key can be made from this circuit: ${cause}`, { cause })
    })
    if (made === -1)
      throw new CeremonyError(
        'request',
        `no key can be made from this circuit: ${logger.complaints.join('; ')}`,
      )
    return dataOf(to)
  })
}

function boundedPower(power: number): number {
  if (Number.isInteger(power) && power >= developmentPower.min && power <= developmentPower.max) return power
  throw new CeremonyError(
    'request',
    `powers of tau are made here from 2^${developmentPower.min} to 2^${developmentPower.max}`,
  )
}

const tooSmall = (needed: number, given: number, next: string) =>
  new CeremonyError('request', `the circuit needs powers of tau to 2^${needed}, and these go to 2^${given}`, {
    next,
  })
