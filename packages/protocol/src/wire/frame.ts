/**
 * A frame (spec W1–W5): one type byte, then a message. The table is the whole vocabulary between orchestrator and
 * worker; a number is never reused. Raw payload frames have no type byte: they follow the meta frame that announced
 * their length and digest.
 */
import { batchFrameBytesMax, metaFrameBytesMax } from '../limits.ts'
import { encodeBehind, type Message } from '../schema/message.ts'
import type { Decoded } from '../schema/refusal.ts'
import * as audits from './audit.ts'
import * as batches from './batch.ts'
import * as benchmarks from './benchmark.ts'
import * as deliveries from './delivery.ts'
import * as handshake from './handshake.ts'
import * as presences from './presence.ts'
import * as results from './result.ts'

export type Sender = 'orchestrator' | 'worker'

interface FrameDefinition<T> {
  readonly number: number
  readonly message: Message<T>
  readonly senders: readonly Sender[]
  readonly bytesMax: number
}

function frame<T>(number: number, message: Message<T>, ...senders: Sender[]): FrameDefinition<T> {
  return { number, message, senders, bytesMax: metaFrameBytesMax }
}

/** A frame that carries payloads or states within. */
function large<T>(definition: FrameDefinition<T>): FrameDefinition<T> {
  return { ...definition, bytesMax: batchFrameBytesMax }
}

export const frames = {
  challenge: frame(1, handshake.challenge, 'orchestrator'),
  hello: frame(2, handshake.hello, 'worker'),
  welcome: frame(3, handshake.welcome, 'orchestrator'),
  refusal: frame(4, handshake.refusal, 'orchestrator'),
  profileV2: frame(5, handshake.profileV2, 'worker'),
  heartbeat: frame(6, presences.heartbeat, 'worker', 'orchestrator'),
  presence: frame(7, presences.presence, 'worker'),
  delivery: frame(8, deliveries.delivery, 'orchestrator'),
  ack: frame(9, deliveries.ack, 'worker'),
  progress: frame(10, deliveries.progress, 'worker'),
  reject: frame(11, deliveries.reject, 'worker'),
  cancel: frame(12, deliveries.cancel, 'orchestrator'),
  result: frame(16, results.result, 'worker'),
  deliveries: large(frame(18, batches.deliveries, 'orchestrator')),
  results: large(frame(19, batches.results, 'worker')),
  commits: frame(20, batches.commits, 'worker'),
  closings: frame(21, batches.closings, 'orchestrator'),
  settlements: frame(22, batches.settlements, 'orchestrator'),
  benchmark: frame(23, benchmarks.benchmark, 'orchestrator'),
  benchmarkRoot: frame(24, benchmarks.benchmarkRoot, 'worker'),
  benchmarkOpen: frame(25, benchmarks.benchmarkOpen, 'orchestrator'),
  benchmarkOpening: frame(26, benchmarks.benchmarkOpening, 'worker'),
  admitted: frame(27, benchmarks.admitted, 'orchestrator'),
  idle: frame(28, benchmarks.idle, 'orchestrator'),
  auditTile: frame(29, audits.auditTile, 'orchestrator'),
  auditSums: large(frame(30, audits.auditSums, 'worker')),
  auditBlock: frame(31, audits.auditBlock, 'orchestrator'),
  auditProof: frame(32, audits.auditProof, 'worker'),
} as const

export type FrameType = keyof typeof frames
type Body<Type extends FrameType> = (typeof frames)[Type] extends FrameDefinition<infer T> ? T : never

/** A decoded frame, told apart by `type`. */
export type Frame = { [Type in FrameType]: { readonly type: Type; readonly body: Body<Type> } }[FrameType]

const byNumber: (FrameType | undefined)[] = []
for (const [type, { number }] of Object.entries(frames)) byNumber[number] = type as FrameType

export function encodeFrame<Type extends FrameType>(type: Type, body: Body<Type>): Uint8Array {
  const { number, message } = frames[type] as unknown as FrameDefinition<Body<Type>>
  return encodeBehind(number, message, body)
}

/** With `views`, payloads in the value are views of the frame's own bytes, which nobody may change from here on. */
export function decodeFrame(bytes: Uint8Array, sender: Sender, views = false): Decoded<Frame> {
  const number = bytes[0]
  if (number === undefined) return { ok: false, refusal: { kind: 'truncated', field: 'frame' } }
  const type = byNumber[number]
  if (type === undefined) {
    return { ok: false, refusal: { kind: 'unknownFrame', field: 'frame', actual: number } }
  }
  const { message, senders, bytesMax } = frames[type] as FrameDefinition<unknown>
  if (bytes.length > bytesMax) {
    return { ok: false, refusal: { kind: 'tooLong', field: 'frame', limit: bytesMax, actual: bytes.length } }
  }
  if (!senders.includes(sender)) {
    return { ok: false, refusal: { kind: 'unexpectedFrame', field: type, sender } }
  }
  const decoded = message.decodeAt(bytes, 1, views)
  return decoded.ok ? { ok: true, value: { type, body: decoded.value } as Frame } : decoded
}
