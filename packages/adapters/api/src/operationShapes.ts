/** The shapes of what operators and auditors see and say. */
import {
  messageLengthMax,
  programBytesMax,
  taskTimeoutMsMax,
  taskTimeoutMsMin,
  values,
} from '@shardy/protocol'
import { type Static, Type } from '@sinclair/typebox'
import {
  attestation,
  base64Bytes,
  decimal,
  deliveryId,
  digest,
  eventView,
  inlineInputBytesMax,
  payloadLength,
  taskId,
  taskView,
  timeMs,
  words,
} from './shapes.ts'

const closed = { additionalProperties: false }
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const text = Type.String({ maxLength: 4096 })

export const workerId = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: "SHA-256 of the worker's public key",
})

export const deadLetter = Type.Object({
  requesterId: digest,
  revivals: Type.Integer({ description: 'how often it was put back to work' }),
  task: taskView,
  history: Type.Array(eventView),
})
export type DeadLetter = Static<typeof deadLetter>
export const deadLetterPage = Type.Object({
  deadLetters: Type.Array(deadLetter),
  nextCursor: Type.Optional(Type.String()),
})
export type DeadLetterPage = Static<typeof deadLetterPage>

export const requeueOrder = Type.Object(
  {
    timeoutMs: Type.Optional(
      Type.Integer({
        minimum: taskTimeoutMsMin,
        maximum: taskTimeoutMsMax,
        description: 'time until the new deadline; ten minutes unless given',
      }),
    ),
  },
  closed,
)
export type RequeueOrder = Static<typeof requeueOrder>

export const dispatchOrders = ['pause', 'resume', 'drain'] as const
export type DispatchOrder = (typeof dispatchOrders)[number]
export const dispatchOrder = words(dispatchOrders)
export const workerOrders = ['drain', 'undrain'] as const
export type WorkerOrder = (typeof workerOrders)[number]
export const workerOrder = words(workerOrders)

const explanation = Type.Object({
  text,
  constraints: Type.Array(Type.String(), { description: 'stable names, the most frequent first' }),
})

export const dispatchView = Type.Object({
  mode: words(['running', 'paused', 'draining']),
  liveTasks: count,
  queuedInputs: Type.Integer({ description: 'what waits to be decided' }),
  classes: Type.Array(
    Type.Object({
      kind: words(values.taskKinds),
      tierMin: Type.Integer(),
      features: Type.Array(Type.String()),
      payloadBytes: count,
      memoryBytes: count,
      waiting: count,
      oldestWaitingMs: Type.Optional(count),
    }),
    { description: 'tasks that ask the same of workers wait together; those with the most come first' },
  ),
  workers: Type.Object({ connected: count, idle: count, draining: count, quarantined: count }),
})
export type DispatchView = Static<typeof dispatchView>

export const workerView = Type.Object({
  workerId,
  connected: Type.Boolean(),
  draining: Type.Boolean(),
  quarantined: Type.Boolean({ description: 'gets nothing until it has passed a fresh benchmark' }),
  banned: Type.Boolean(),
  agent: Type.Optional(Type.String()),
  executor: Type.Optional(Type.String()),
  adapter: Type.Optional(Type.String()),
  presence: Type.Optional(words(['available', 'hidden', 'paused'])),
  profile: Type.Optional(
    Type.Object({
      kinds: Type.Array(words(values.taskKinds)),
      tier: Type.Integer(),
      operationsPerSecond: Type.Number(),
      hiddenPermille: Type.Number(),
      memoryBytes: count,
      slots: Type.Integer(),
      features: Type.Array(Type.String()),
      region: Type.String(),
      operator: Type.String({ description: 'its own word' }),
    }),
  ),
  inFlight: count,
  idle: Type.Optional(explanation),
  standing: Type.Optional(
    Type.Object({
      firstSeenMs: timeMs,
      accepted: count,
      disagreed: count,
      wrong: count,
      lost: count,
      rejected: count,
      corrupted: count,
      offences: count,
    }),
  ),
  reputation: Type.Number({
    minimum: 0,
    maximum: 1,
    description: 'orders workers, and decides nothing else',
  }),
  lockedMicroCredit: decimal('what it would lose; test credits'),
})
export type WorkerView = Static<typeof workerView>

const consequence = words(['unpaid', 'unpaidAndQuarantine', 'slash', 'banned'])
const offenceFields = {
  deliveryId,
  taskId,
  workerId,
  outputDigest: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'the wrong answer' }),
  detail: Type.String({ maxLength: messageLengthMax }),
  consequence,
  amountMicroCredit: decimal('what it cost the worker; test credits'),
  atMs: timeMs,
}
export const offencePage = Type.Object({
  offences: Type.Array(Type.Object(offenceFields)),
  nextCursor: Type.Optional(Type.String()),
})
export type OffencePage = Static<typeof offencePage>

const base64 = (bytes: number, description: string) =>
  Type.String({ maxLength: Math.ceil(bytes / 3) * 4, description, contentEncoding: 'base64' })

/** Everything that is needed to repeat the finding, but inputs that are too large: they are fetched as blobs. */
export const offenceEvidence = Type.Object(
  {
    ...offenceFields,
    kind: words(values.taskKinds),
    program: base64(programBytesMax, 'canonical bytes, base64'),
    programId: digest,
    seed: decimal('64 bits'),
    input: Type.Object(
      {
        digest,
        length: payloadLength,
        base64: Type.Optional(base64(inlineInputBytesMax, 'absent when it is larger than 1 MiB')),
      },
      closed,
    ),
    rightDigest: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description: 'the output that the task ended with; absent while it has none',
      }),
    ),
    deadlineMs: timeMs,
    workerKey: base64Bytes(65),
    orchestratorKey: base64Bytes(65),
    delivery: attestation,
    answer: attestation,
    traceRoot: Type.Optional(digest),
  },
  closed,
)
export type OffenceEvidence = Static<typeof offenceEvidence>
