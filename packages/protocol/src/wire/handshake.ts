/** Frames of admission (spec W10–W14): challenge, hello, welcome or refusal, and the worker's measured profile. */
import type { Sha256 } from '../hash.ts'
import type { OrchestratorId, PublicKey, WorkerId } from '../ids.ts'
import {
  adapterLengthMax,
  agentLengthMax,
  messageLengthMax,
  payloadBytesMax,
  protocolVersion,
  slotsMax,
} from '../limits.ts'
import { domainPayload } from '../payload.ts'
import { choice, hex, list, publicKey, signature, text, whole } from '../schema/codec.ts'
import { encodeHex } from '../schema/hex.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { durationMs, executorKind, orchestratorId, sessionId, taskKind, timeMs } from '../values.ts'

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
] as const
export type RefusalCode = (typeof refusalCodes)[number]

export const refusal = message('Refusal', {
  code: field(1, choice(refusalCodes)),
  message: field(2, text(messageLengthMax)),
})
export type RefusalFrame = Infer<typeof refusal>

export const profileV2 = message('ProfileV2', {
  /** Multiply-adds per second, measured by the worker on its own executor. */
  operationsPerSecond: field(1, whole(0, Number.MAX_SAFE_INTEGER)),
  payloadBytesMax: field(2, whole(1, payloadBytesMax)),
  /** Deliveries that the worker is willing to hold at once. */
  slots: field(3, whole(1, slotsMax)),
})
export type ProfileV2 = Infer<typeof profileV2>
