/** The shapes that requests and answers are made of. Bigints travel as decimal text, bytes as hex or base64. */
import {
  attestationPathMax,
  auditDepthMax,
  auditTilesMax,
  bases,
  checkMechanisms,
  deadReasons,
  deliveriesPerTaskMax,
  deliveryStates,
  eventTypes,
  featureLengthMax,
  featuresMax,
  madeProofKinds,
  messageLengthMax,
  outcomes,
  payloadBytesMax,
  priorityMax,
  programBytesMax,
  proofLength,
  regionLengthMax,
  replicasMax,
  statementsPerBatchMax,
  taskStatuses,
  taskTimeoutMsMax,
  taskTimeoutMsMin,
  tierMax,
  traceNodesMax,
  values,
  verifierVersionMax,
} from '@shardy/protocol'
import { type Static, type TSchema, Type } from '@sinclair/typebox'

const { proofKinds, taskKinds } = values
const closed = { additionalProperties: false }
const safeInteger = Number.MAX_SAFE_INTEGER

/** One of a closed list, with the words kept as types. */
export const words = <const Words extends readonly string[]>(
  list: Words,
  options: { readonly description?: string } = {},
) =>
  Type.Unsafe<Words[number]>(
    Type.Union(
      list.map((word) => Type.Literal(word)),
      options,
    ),
  )
const hex = (bytes: number, description: string) =>
  Type.String({ pattern: `^[0-9a-f]{${2 * bytes}}$`, description })
export const decimal = (description: string) =>
  Type.String({ pattern: '^(0|[1-9][0-9]{0,19})$', description })
export const timeMs = Type.Integer({
  minimum: 0,
  maximum: safeInteger,
  description: 'milliseconds since 1970',
})
const length = Type.Integer({ minimum: 0, maximum: safeInteger })

export const taskId = hex(16, 'task id')
export const digest = hex(32, 'SHA-256')
export const deliveryId = hex(16, 'delivery id')
const workerId = hex(32, "SHA-256 of the worker's public key")

export const status = words(taskStatuses)

const size = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })
const base64 = (bytes: number) =>
  Type.String({
    maxLength: Math.ceil(bytes / 3) * 4,
    pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
  })

export const program = Type.Union(
  [
    Type.Object({ op: words(['matmul']), m: size, k: size, n: size }, closed),
    Type.Object({ base64: base64(programBytesMax) }, closed),
    Type.Object(
      { rounds: size, lanes: Type.Optional(size), inputLength: Type.Optional(size) },
      { ...closed, description: 'inputLength is that of the input unless the input is a blob' },
    ),
  ],
  {
    description:
      'the exact int8 matrix product C (m × n, int32) = A (m × k) · B (k × n), or any exact program as its ' +
      'canonical bytes (docs/spec/tensor.md); of kind shader, the bytes of a shader task (docs/spec/shader.md); of kind lite, rounds and ' +
      'lanes, and of kind superLite, rounds (docs/spec/lite.md), or the bytes of either',
  },
)

/** Larger inputs are uploaded as blobs. */
export const inlineInputBytesMax = 1024 * 1024

export const input = Type.Union(
  [
    Type.Object(
      {
        base64: base64(inlineInputBytesMax),
      },
      closed,
    ),
    Type.Object({ blob: digest }, closed),
  ],
  {
    description:
      "the program's inputs one after the other, A then B for a product; workers who compute the task see them",
  },
)

export const submission = Type.Object(
  {
    kind: words(taskKinds),
    program,
    input,
    seed: Type.Optional(decimal('64 bits for programs that draw numbers')),
    verify: Type.Optional(
      Type.String({
        maxLength: 16,
        description:
          'checked (one worker, and the orchestrator checks its answer), quorum(n,k) (n workers are asked, k must agree), ' +
          'audited(p) (one worker; of a thousand answers p are checked, the others taken at their word) or adaptive (checked ' +
          'the less often the more the worker has to lose); checked unless given, quorum(2,2) where nothing can be checked',
      }),
    ),
    redundancy: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: replicasMax,
        description: 'n: the same as verify quorum(n,n); 1: as checked',
      }),
    ),
    proof: Type.Optional(
      words(proofKinds, {
        description:
          'the zero-knowledge proof that comes with the answer; v2 for exact tasks unless it is said otherwise, where the orchestrator has keys',
      }),
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: priorityMax,
        description: 'orders your own tasks, 9 first; 5 unless given. It takes nothing from other requesters',
      }),
    ),
    tierMin: Type.Optional(
      Type.Integer({ minimum: 0, maximum: tierMax, description: 'the least tier of workers' }),
    ),
    features: Type.Optional(
      Type.Array(Type.String({ pattern: `^[\\x20-\\x7e]{1,${featureLengthMax}}$` }), {
        maxItems: featuresMax,
        description: 'of the device, such as shader-f16',
      }),
    ),
    region: Type.Optional(
      Type.String({
        pattern: `^[\\x20-\\x7e]{0,${regionLengthMax}}$`,
        description: 'workers there are preferred',
      }),
    ),
    rewardMicroCredit: Type.Optional(decimal('divided among the workers that are paid; test credits')),
    timeoutMs: Type.Optional(Type.Integer({ minimum: taskTimeoutMsMin, maximum: taskTimeoutMsMax })),
    output: Type.Optional(words(['keep', 'digest'])),
    allowInexact: Type.Optional(
      Type.Boolean({
        description:
          'a shader outside the exact subset: honest workers may differ in it, and equal digests need not be found',
      }),
    ),
  },
  closed,
)
export type Submission = Static<typeof submission>

export const taskView = Type.Object({
  taskId,
  kind: words(taskKinds),
  program: Type.String({ description: 'what the program or shader is, in words' }),
  programId: hex(32, "hash of the program's canonical bytes"),
  seed: decimal('64 bits'),
  input: Type.Object({ digest, length }),
  verify: Type.String({ description: 'how the answer is verified, as it was asked for' }),
  proof: words(proofKinds),
  proofSays: Type.String({ description: 'what a proof of this kind shows and what not, in plain words' }),
  priority: Type.Integer(),
  rewardMicroCredit: decimal('millionths of a test credit'),
  output: words(['keep', 'digest']),
  status,
  waitingFor: Type.Optional(Type.String({ description: 'why it does not run, in plain words' })),
  constraints: Type.Optional(
    Type.Array(Type.String(), { description: 'the same as stable names, the most frequent first' }),
  ),
  basis: Type.Optional(words(bases)),
  rests: Type.Optional(Type.String({ description: 'what the verdict rests on, in plain words' })),
  checkedBy: Type.Optional(words(checkMechanisms)),
  submittedAtMs: timeMs,
  deadlineMs: timeMs,
  decidedAtMs: Type.Optional(timeMs),
  outputLength: length,
  outputDigest: Type.Optional(digest),
  deadReason: Type.Optional(words(deadReasons)),
  deliveries: Type.Array(
    Type.Object({
      deliveryId,
      workerId,
      state: words(deliveryStates),
      outcome: Type.Optional(words(outcomes)),
      outputDigest: Type.Optional(digest),
      rewardMicroCredit: decimal('paid to this worker'),
      permille: Type.Optional(Type.Integer()),
      leasedAtMs: timeMs,
      deadlineMs: timeMs,
    }),
  ),
})
export type TaskView = Static<typeof taskView>

export const taskPage = Type.Object({
  tasks: Type.Array(taskView),
  nextCursor: Type.Optional(Type.String()),
})
export type TaskPage = Static<typeof taskPage>

export const eventView = Type.Object({
  sequence: Type.Integer({ minimum: 1 }),
  atMs: timeMs,
  type: words(eventTypes),
  deliveryId: Type.Optional(deliveryId),
  workerId: Type.Optional(workerId),
  outputDigest: Type.Optional(digest),
  detail: Type.Optional(Type.String({ maxLength: messageLengthMax })),
})
export type EventView = Static<typeof eventView>

/** Exactly so many bytes, in the one spelling that has no spare bits. */
export function base64Bytes(bytes: number) {
  const whole = Math.floor(bytes / 3)
  const rest = ['', '[A-Za-z0-9+/][AQgw]==', '[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]='][bytes % 3] ?? ''
  const pattern = `^[A-Za-z0-9+/]{${4 * whole}}${rest}$`
  return Type.String({ pattern, description: `${bytes} bytes, base64`, contentEncoding: 'base64' })
}
export const payloadLength = Type.Integer({ minimum: 0, maximum: payloadBytesMax })
export const attestation = Type.Object(
  {
    signature: base64Bytes(64),
    index: Type.Integer({ minimum: 0, maximum: statementsPerBatchMax - 1 }),
    count: Type.Integer({ minimum: 1, maximum: statementsPerBatchMax }),
    path: Type.Array(digest, { maxItems: attestationPathMax }),
  },
  closed,
)

const proof = Type.Object(
  {
    kind: words(madeProofKinds),
    verifierVersion: Type.Integer({ minimum: 1, maximum: verifierVersionMax }),
    proof: base64Bytes(proofLength),
  },
  {
    ...closed,
    description: 'a zero-knowledge proof; docs/spec/proofs.md says what it proves and what it does not',
  },
)

const commitment = hex(32, "a Poseidon commitment, an element of BN254's scalar field")
const block = Type.Object(
  {
    node: Type.Integer({ minimum: 0, maximum: traceNodesMax - 1 }),
    tileRow: Type.Integer({ minimum: 0, maximum: auditTilesMax - 1 }),
    tileColumn: Type.Integer({ minimum: 0, maximum: auditTilesMax - 1 }),
    depth: Type.Integer({ minimum: 0, maximum: auditDepthMax - 1 }),
    commitA: commitment,
    commitB: commitment,
    commitIn: commitment,
    commitOut: commitment,
  },
  {
    ...closed,
    description: 'which block of a product a proof of kind v3 is about; docs/spec/audit.md says what follows',
  },
)

export const receiptView = Type.Object(
  {
    taskId,
    kind: words(taskKinds),
    program: Type.String({
      maxLength: Math.ceil(programBytesMax / 3) * 4,
      description: 'canonical bytes, base64',
      contentEncoding: 'base64',
    }),
    programId: digest,
    seed: decimal('64 bits'),
    inputDigest: digest,
    inputLength: payloadLength,
    outputDigest: digest,
    outputLength: payloadLength,
    basis: words(bases),
    verify: Type.String({ maxLength: 16 }),
    checkedBy: Type.Optional(words(checkMechanisms)),
    deliveries: Type.Array(
      Type.Object(
        {
          deliveryId,
          workerKey: base64Bytes(65),
          deadlineMs: timeMs,
          attestation,
          answer: Type.Optional(
            Type.Object(
              {
                outputDigest: digest,
                traceRoot: Type.Optional(digest),
                attestation,
                proof: Type.Optional(proof),
                block: Type.Optional(block),
              },
              closed,
            ),
          ),
          outcome: words(outcomes),
          rewardMicroCredit: decimal('paid to this worker'),
        },
        closed,
      ),
      { maxItems: deliveriesPerTaskMax },
    ),
    orchestratorKey: base64Bytes(65),
    decidedAtMs: timeMs,
    signature: base64Bytes(64),
  },
  closed,
)
export type ReceiptView = Static<typeof receiptView>

export const health = Type.Object({
  status: words(['ok']),
  version: Type.String(),
  orchestratorId: digest,
  publicKey: base64Bytes(65),
  workers: Type.Integer(),
  tasks: Type.Object({ waiting: Type.Integer(), running: Type.Integer() }),
  uptimeMs: Type.Integer(),
  store: Type.String(),
  /** `low`: no new work is taken. `spent`: nor is there a reserve any more. */
  space: words(['enough', 'low', 'spent']),
})
export type Health = Static<typeof health>

/** By the orchestrator; absent where workers are believed. */
export const measured = Type.Object({
  chain: words(['product', 'lite']),
  tier: Type.Integer(),
  operationsPerSecond: Type.Integer({
    description: 'What counts: int8 multiply-adds a second, or byte steps of lite',
  }),
  soloOperationsPerSecond: Type.Integer({
    description: 'When nobody else was asked with it; more where it was far slower together with others',
  }),
  stableBytes: Type.Integer({ description: "Allocated, touched and read back: the worker's own word" }),
  roundTripMs: Type.Number(),
  measuredAtMs: Type.Integer(),
  reason: words(['arrival', 'random', 'drift', 'quarantine', 'profile']),
})

export const workers = Type.Object({
  workers: Type.Array(
    Type.Object({
      workerId,
      connected: Type.Boolean(),
      executor: Type.Optional(Type.String()),
      adapter: Type.Optional(Type.String()),
      agent: Type.Optional(Type.String()),
      measured: Type.Optional(measured),
      presence: Type.Optional(words(['available', 'hidden', 'paused'])),
      draining: Type.Boolean(),
      quarantined: Type.Boolean({ description: 'gets nothing until it has passed a fresh benchmark' }),
      idle: Type.Optional(
        Type.String({
          description:
            'the name of what keeps it from work; given for the first 64 that have none. One worker by itself says it in words',
        }),
      ),
      inFlight: Type.Integer(),
      acceptedCount: Type.Integer(),
      disagreedCount: Type.Integer(),
      earnedMicroCredit: decimal('test credits'),
    }),
  ),
})
export type WorkersView = Static<typeof workers>

export const kept = Type.Object({ digest, length })
export const received = Type.Object({ digest, received: length })

export type { Static, TSchema }
