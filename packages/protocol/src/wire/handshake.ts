/** Frames of admission (spec W10–W14): challenge, hello, welcome or refusal, and the worker's measured profile. */
import type { Sha256 } from '../hash.ts'
import type { OrchestratorId, PublicKey, WorkerId } from '../ids.ts'
import {
  adapterLengthMax,
  agentLengthMax,
  featureLengthMax,
  featuresMax,
  hardwareClassLengthMax,
  messageLengthMax,
  operatorLengthMax,
  payloadBytesMax,
  prefetchMax,
  protocolVersion,
  regionLengthMax,
  slotsMax,
} from '../limits.ts'
import { domainPayload } from '../payload.ts'
import { choice, hex, list, publicKey, signature, text, whole } from '../schema/codec.ts'
import { encodeHex } from '../schema/hex.ts'
import { field, type Infer, message } from '../schema/message.ts'
import {
  durationMs,
  executorKind,
  microCredit,
  orchestratorId,
  sessionId,
  taskKind,
  timeMs,
} from '../values.ts'

export const challenge = message(
  'Challenge',
  {
    versionMin: field(1, whole(1, 65_535)),
    versionMax: field(2, whole(1, 65_535)),
    /** Fresh for every connection: a hello signed over another nonce is a replay. */
    nonce: field(3, hex<string>(32)),
    publicKey: field(4, publicKey()),
    timeMs: field(5, timeMs),
  },
  (value) =>
    value.versionMin <= value.versionMax
      ? undefined
      : { field: 'versionMin', rule: 'the oldest version is not above the newest' },
)
export type Challenge = Infer<typeof challenge>

const helloFields = {
  version: field(1, whole(1, 65_535)),
  publicKey: field(2, publicKey()),
  /** Program and version, such as `shardy-page/0.1.0`. */
  agent: field(3, text(agentLengthMax)),
  kinds: field(4, list(taskKind, 16)),
  executor: field(5, executorKind),
  /** What runs the programs, in words for a person. */
  adapter: field(6, text(adapterLengthMax)),
}

export const hello = message('Hello', { ...helloFields, signature: field(7, signature()) })
export type Hello = Infer<typeof hello>

/** What a hello's signature covers; never sent itself. */
export const helloContent = message('HelloContent', {
  ...helloFields,
  nonce: field(8, hex<string>(32)),
  orchestratorId: field(9, orchestratorId),
})

/** What a hello's signature covers: its fields, this connection's nonce, and for whom it is meant. */
export function helloPayload(
  content: Omit<Hello, 'signature'>,
  nonce: string,
  orchestrator: OrchestratorId,
): Uint8Array {
  return domainPayload('hello', helloContent.encode({ ...content, nonce, orchestratorId: orchestrator }))
}

export function workerIdOf(key: PublicKey, sha256: Sha256): WorkerId {
  return encodeHex(sha256(key)) as WorkerId
}

export function orchestratorIdOf(key: PublicKey, sha256: Sha256): OrchestratorId {
  return encodeHex(sha256(key)) as OrchestratorId
}

/** The newest version that both sides speak. */
export function negotiateVersion({ versionMin, versionMax }: Challenge): number | undefined {
  return versionMin <= protocolVersion && protocolVersion <= versionMax ? protocolVersion : undefined
}

export const welcome = message('Welcome', {
  sessionId: field(1, sessionId),
  heartbeatMs: field(2, durationMs),
  payloadBytesMax: field(3, whole(1, payloadBytesMax)),
})
export type Welcome = Infer<typeof welcome>

/** Why the orchestrator ends a connection; the last frame before it closes. */
export const refusalCodes = [
  'malformedFrame',
  'unexpectedFrame',
  'frameTooLarge',
  'unsupportedVersion',
  'badSignature',
  'replayedHello',
  'identityInUse',
  'handshakeTimeout',
  'heartbeatMissed',
  'overloaded',
  'shuttingDown',
  'belowMinimum',
  'benchmarkFailed',
] as const
export type RefusalCode = (typeof refusalCodes)[number]

export const refusal = message('Refusal', {
  code: field(1, choice(refusalCodes)),
  message: field(2, text(messageLengthMax)),
})
export type RefusalFrame = Infer<typeof refusal>

/** All of it is the worker's own word; what is measured is measured by a benchmark that the orchestrator sends. */
export const profileV2 = message('ProfileV2', {
  /** Multiply-adds per second on its own executor: what size of benchmark to send first. */
  operationsPerSecond: field(1, whole(0, Number.MAX_SAFE_INTEGER)),
  payloadBytesMax: field(2, whole(1, payloadBytesMax)),
  /** Deliveries that the worker computes at once. */
  slots: field(3, whole(1, slotsMax)),
  /** Small deliveries that may wait there for their turn beside those. */
  prefetch: field(4, whole(0, prefetchMax)),
  /** Its speed in a hidden tab, of a thousand of that in a visible one; 0: never measured. */
  hiddenPermille: field(5, whole(0, 1000)),
  /** The largest buffer and the most memory that its device offers. */
  bufferBytesMax: field(6, whole(0, Number.MAX_SAFE_INTEGER)),
  memoryBytes: field(7, whole(0, Number.MAX_SAFE_INTEGER)),
  /** Such as `shader-f16`. */
  features: field(8, list(text(featureLengthMax), featuresMax)),
  /** Adapter vendor and architecture: answers of float kinds are compared within one class. */
  hardwareClass: field(9, text(hardwareClassLengthMax)),
  region: field(10, text(regionLengthMax)),
  /** The least it works for: micro-credits for 10^9 operations. */
  askMicroCredit: field(11, microCredit),
  /** Whoever runs several workers can say so, to be asked for different tasks. Nobody is believed who does not. */
  operator: field(12, text(operatorLengthMax)),
})
export type ProfileV2 = Infer<typeof profileV2>
