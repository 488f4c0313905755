/** Random valid values of every message, by the message's name, for properties. They lean towards the edges of each range. */
import fc, { type Arbitrary } from 'fast-check'
import type { TaskId } from '../src/ids.ts'
import {
  idempotencyKeyLengthMax,
  retryAfterMsMax,
  submissionProgramsMax,
  taskTimeoutMsMax,
  taskTimeoutMsMin,
} from '../src/limits.ts'
import { scalarFieldOrder } from '../src/proof/field.ts'
import { madeProofKinds, verifierVersionMax, wantedProof, zkProofPayload } from '../src/proof/payload.ts'
import { proofLength } from '../src/proof/proofBytes.ts'
import { provenBlock } from '../src/proof/provenBlock.ts'
import { receipt, receiptAnswer, receiptContent, receiptDelivery } from '../src/receipt/receipt.ts'
import { encodeHex } from '../src/schema/hex.ts'
import type { Message } from '../src/schema/message.ts'
import { attestation, batchContent } from '../src/statement/attestation.ts'
import { commitmentContent } from '../src/statement/commitment.ts'
import { statement } from '../src/statement/statement.ts'
import { traceLeaf } from '../src/statement/trace.ts'
import {
  batchOutcome,
  batchSubmission,
  sharedTerms,
  submittedOutcome,
  submittedTask,
  takenOutcome,
} from '../src/submission.ts'
import { bases, checkMechanisms } from '../src/task.ts'
import { executorKinds, proofKinds, taskKinds } from '../src/values.ts'
import { adaptive, audited, checked, quorum, verifyPolicy } from '../src/verify.ts'
import { batchDelivery, batchProgram, batchResult, commit, settlement } from '../src/wire/batch.ts'
import { cancelReasons, outcomes, rejectReasons } from '../src/wire/delivery.ts'
import { type FrameType, frames } from '../src/wire/frame.ts'
import { helloContent, refusalCodes } from '../src/wire/handshake.ts'

const safeMax = Number.MAX_SAFE_INTEGER

function whole(min: number, max: number): Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min, max }),
    fc.constantFrom(min, max),
    // Every length of varint is as likely as any other.
    fc.integer({ min: 0, max: 53 }).map((bits) => Math.min(max, Math.max(min, 2 ** bits - 1))),
  )
}

function hex(length: number): Arbitrary<string> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map(encodeHex)
}

function blob(limit: number): Arbitrary<Uint8Array> {
  return fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 120, maxLength: Math.min(limit, 300) }),
  )
}

function text(limit: number): Arbitrary<string> {
  return fc.string({ unit: 'grapheme-ascii', maxLength: limit })
}

const bits64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const amount = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 2n ** 53n, 2n ** 63n - 1n),
)
const publicKey = fc.uint8Array({ minLength: 65, maxLength: 65 }).map((bytes) => {
  bytes[0] = 4
  return bytes
})
/** Of the right form; it verifies under no key. */
const signature = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => {
  bytes[0] = (bytes[0] ?? 0) >> 1
  bytes[31] = 1
  bytes[32] = (bytes[32] ?? 0) >> 2
  bytes[63] = 1
  return bytes
})

const attestationValue = whole(1, 1 << 20).chain((count) =>
  fc.record({
    signature,
    index: whole(0, count - 1),
    count: fc.constant(count),
    path: fc.array(hex(32), { maxLength: 20 }),
  }),
)

const helloFields = {
  version: whole(1, 65_535),
  publicKey,
  agent: text(64),
  kinds: fc.array(fc.constantFrom(...taskKinds), { maxLength: 16 }),
  executor: fc.constantFrom(...executorKinds),
  adapter: text(128),
}

const deliveryId = hex(16)
const maybeHex = (length: number) => fc.option(hex(length), { nil: undefined })

const wantedProofValue = fc.record({
  kind: fc.constantFrom(...madeProofKinds),
  verifierVersion: whole(1, verifierVersionMax),
})
const maybeWantedProof = fc.option(wantedProofValue, { nil: undefined })

const zkProofPayloadValue = fc.record({
  kind: fc.constantFrom(...madeProofKinds),
  verifierVersion: whole(1, verifierVersionMax),
  proof: fc.uint8Array({ minLength: proofLength, maxLength: proofLength }),
})

const element = fc.oneof(
  fc.bigInt({ min: 0n, max: scalarFieldOrder - 1n }),
  fc.constantFrom(0n, scalarFieldOrder - 1n),
)

const provenBlockValue = fc.record({
  node: whole(0, 2 ** 20 - 1),
  tileRow: whole(0, 2 ** 20 - 1),
  tileColumn: whole(0, 2 ** 20 - 1),
  depth: whole(0, 4095),
  commitA: element,
  commitB: element,
  commitIn: element,
  commitOut: element,
})

const receiptAnswerValue = fc.option(zkProofPayloadValue, { nil: undefined }).chain((proof) =>
  fc.record({
    outputDigest: hex(32),
    attestation: attestationValue,
    traceRoot: maybeHex(32),
    proof: fc.constant(proof),
    block: proof?.kind === 'v3' ? provenBlockValue : fc.constant(undefined),
  }),
)

const receiptDeliveryValue = fc.record({
  deliveryId: hex(16),
  workerKey: publicKey,
  deadlineMs: whole(0, safeMax),
  attestation: attestationValue,
  answer: fc.option(receiptAnswerValue, { nil: undefined }),
  outcome: fc.constantFrom(...outcomes),
  rewardMicroCredit: amount,
})

const verifyPolicyValue = fc.oneof(
  fc.constantFrom(checked, adaptive),
  whole(1, 1000).map(audited),
  whole(2, 7).chain((replicas) => whole(2, replicas).map((agreeing) => quorum(replicas, agreeing))),
)

const receiptFields = {
  taskId: hex(16),
  kind: fc.constantFrom(...taskKinds),
  program: blob(65_536),
  programId: hex(32),
  seed: bits64,
  inputDigest: hex(32),
  inputLength: whole(0, 67_108_864),
  outputDigest: hex(32),
  outputLength: whole(0, 67_108_864),
  basis: fc.constantFrom(...bases),
  verify: verifyPolicyValue,
  deliveries: fc.array(receiptDeliveryValue, { maxLength: 3 }),
  orchestratorKey: publicKey,
  decidedAtMs: whole(0, safeMax),
  checkedBy: fc.option(fc.constantFrom(...checkMechanisms), { nil: undefined }),
}

const batchProgramValue = fc.record({ kind: fc.constantFrom(...taskKinds), program: blob(65_536) })

function batchDeliveryValue(programs: number): Arbitrary<unknown> {
  return fc.record({
    taskId: hex(16),
    deliveryId,
    program: whole(0, programs - 1),
    seed: bits64,
    deadlineMs: whole(0, safeMax),
    payload: blob(16_384),
    commitFirst: fc.boolean(),
    returnOutput: fc.boolean(),
    proof: maybeWantedProof,
  })
}

const batchValue = fc.array(batchProgramValue, { minLength: 1, maxLength: 3 }).chain((programs) =>
  fc.record({
    programs: fc.constant(programs),
    deliveries: fc.array(batchDeliveryValue(programs.length), { minLength: 1, maxLength: 4 }),
    signature,
  }),
)
const batchResultValue = fc.record({
  deliveryId,
  outputDigest: hex(32),
  // An output without bytes and none are told apart.
  output: fc.option(blob(16_384), { nil: undefined }),
  salt: maybeHex(32),
  traceRoot: maybeHex(32),
  leaf: hex(32),
  proof: fc.option(zkProofPayloadValue, { nil: undefined }),
})
const commitValue = fc.record({ deliveryId, commitment: hex(32) })
const settlementValue = fc.record({
  deliveryId,
  outcome: fc.constantFrom(...outcomes),
  rewardMicroCredit: amount,
})

export const frameBodies: Readonly<Record<FrameType, Arbitrary<unknown>>> = {
  challenge: fc.tuple(whole(1, 65_535), whole(1, 65_535)).chain(([one, other]) =>
    fc.record({
      versionMin: fc.constant(Math.min(one, other)),
      versionMax: fc.constant(Math.max(one, other)),
      nonce: hex(32),
      publicKey,
      timeMs: whole(0, safeMax),
    }),
  ),
  hello: fc.record({ ...helloFields, signature }),
  welcome: fc.record({
    sessionId: hex(16),
    heartbeatMs: whole(0, safeMax),
    payloadBytesMax: whole(1, 67_108_864),
  }),
  refusal: fc.record({ code: fc.constantFrom(...refusalCodes), message: text(256) }),
  profileV2: fc.record({
    operationsPerSecond: whole(0, safeMax),
    payloadBytesMax: whole(1, 67_108_864),
    slots: whole(1, 64),
    prefetch: whole(0, 1024),
    hiddenPermille: whole(0, 1000),
    bufferBytesMax: whole(0, safeMax),
    memoryBytes: whole(0, safeMax),
    features: fc.array(text(64), { maxLength: 4 }),
    hardwareClass: text(64),
    region: text(16),
    askMicroCredit: amount,
    operator: text(64),
  }),
  heartbeat: fc.record({ sequence: whole(0, 0xffff_ffff), inFlight: whole(0, 1088) }),
  presence: fc.record({ state: fc.constantFrom('available', 'hidden', 'paused', 'leaving') }),
  delivery: fc.record({
    taskId: hex(16),
    deliveryId,
    kind: fc.constantFrom(...taskKinds),
    program: blob(65_536),
    seed: bits64,
    complexity: whole(0, safeMax),
    proof: maybeWantedProof,
    payloadLength: whole(0, 67_108_864),
    payloadDigest: hex(32),
    deadlineMs: whole(0, safeMax),
    commitFirst: fc.boolean(),
    returnOutput: fc.boolean(),
    attestation: attestationValue,
    returnTranscript: fc.boolean(),
  }),
  ack: fc.record({ deliveryId }),
  progress: fc.record({ deliveryId, permille: whole(0, 1000) }),
  reject: fc.record({ deliveryId, reason: fc.constantFrom(...rejectReasons), message: text(256) }),
  cancel: fc.record({ deliveryId, reason: fc.constantFrom(...cancelReasons) }),
  result: fc.record({
    deliveryId,
    outputDigest: hex(32),
    outputLength: whole(0, 67_108_864),
    outputIncluded: fc.boolean(),
    attestation: attestationValue,
    traceRoot: maybeHex(32),
    salt: maybeHex(32),
    partLengths: fc.array(whole(1, 67_108_864), { maxLength: 5 }),
    proof: fc.option(zkProofPayloadValue, { nil: undefined }),
  }),
  deliveries: batchValue,
  results: fc.record({ results: fc.array(batchResultValue, { minLength: 1, maxLength: 4 }), signature }),
  commits: fc.record({ commits: fc.array(commitValue, { maxLength: 4 }) }),
  closings: fc.record({ deliveryIds: fc.array(deliveryId, { maxLength: 4 }) }),
  settlements: fc.record({ settlements: fc.array(settlementValue, { maxLength: 4 }) }),
  benchmark: fc.record({ benchmarkId: hex(16), parameters: blob(1024), withinMs: whole(0, safeMax) }),
  benchmarkRoot: fc.record({ benchmarkId: hex(16), root: hex(32), stableBytes: whole(0, safeMax) }),
  benchmarkOpen: fc.record({
    benchmarkId: hex(16),
    indexes: fc.array(whole(0, 2 ** 20 - 1), { maxLength: 16 }),
  }),
  benchmarkOpening: fc.record({ benchmarkId: hex(16), index: whole(0, 2 ** 20 - 1), opening: blob(8192) }),
  admitted: fc.record({ tier: whole(0, 3), operationsPerSecond: whole(0, safeMax), message: text(256) }),
  idle: fc.record({ constraint: text(32), message: text(256) }),
  auditTile: fc.record({ deliveryId, row: whole(0, 2 ** 20 - 1), column: whole(0, 2 ** 20 - 1) }),
  auditSums: fc.record({ deliveryId, commitments: fc.array(element, { minLength: 1, maxLength: 5 }) }),
  auditBlock: fc.record({ deliveryId, depth: whole(0, 4095) }),
  auditProof: fc.record({
    deliveryId,
    proof: zkProofPayloadValue.map((payload) => ({ ...payload, kind: 'v3' as const })),
  }),
}

export const statements = fc.boolean().chain((isResult) =>
  fc.record({
    role: fc.constant(isResult ? 'result' : 'delivery'),
    taskId: hex(16),
    deliveryId,
    programId: hex(32),
    seed: bits64,
    inputDigest: hex(32),
    outputDigest: isResult ? hex(32) : fc.constant(undefined),
    workerId: hex(32),
    deadlineMs: whole(0, safeMax),
    traceRoot: isResult ? maybeHex(32) : fc.constant(undefined),
  }),
)

const maybe = <T>(values: Arbitrary<T>) => fc.option(values, { nil: undefined })

const sharedTermsValue = fc.record({
  verify: maybe(verifyPolicyValue),
  proof: maybe(fc.constantFrom(...proofKinds)),
  priority: maybe(whole(0, 9)),
  tierMin: whole(0, 3),
  features: fc.array(text(64), { maxLength: 3 }),
  region: text(16),
  rewardMicroCredit: maybe(amount),
  timeoutMs: maybe(whole(taskTimeoutMsMin, taskTimeoutMsMax)),
  digestOnly: fc.boolean(),
  allowInexact: fc.boolean(),
})

function submittedTaskValue(programs: number): Arbitrary<unknown> {
  return fc.record({
    program: whole(0, programs - 1),
    idempotencyKey: text(idempotencyKeyLengthMax),
    seed: bits64,
    input: blob(16_384),
  })
}

const batchSubmissionValue = fc.array(batchProgramValue, { minLength: 1, maxLength: 3 }).chain((programs) =>
  fc.record({
    programs: fc.constant(programs),
    terms: sharedTermsValue,
    tasks: fc.array(submittedTaskValue(programs.length), { minLength: 1, maxLength: 4 }),
  }),
)

const submittedOutcomeValue = fc.oneof(
  fc
    .record({ taskId: hex(16), isNew: fc.boolean(), detail: text(256) })
    .map(({ taskId, isNew, detail }) => ({ ...takenOutcome(taskId as TaskId, isNew), detail })),
  fc.record({
    taskId: fc.constant(undefined),
    isNew: fc.constant(false),
    code: text(64).filter((code) => code !== ''),
    detail: text(256),
    field: maybe(text(256)),
    value: maybe(text(256)),
    bound: maybe(text(256)),
    retryAfterMs: maybe(whole(0, retryAfterMsMax)),
  }),
)

const otherMessages = [
  [attestation, attestationValue],
  [helloContent, fc.record({ ...helloFields, nonce: hex(32), orchestratorId: hex(32) })],
  [statement, statements],
  [batchContent, fc.record({ root: hex(32), count: whole(1, 1 << 20) })],
  [
    commitmentContent,
    fc.record({
      workerId: hex(32),
      deliveryId,
      outputDigest: hex(32),
      salt: hex(32),
      traceRoot: maybeHex(32),
    }),
  ],
  [traceLeaf, fc.record({ node: whole(0, (1 << 20) - 1), byteLength: whole(0, safeMax), digest: hex(32) })],
  [verifyPolicy, verifyPolicyValue],
  [wantedProof, wantedProofValue],
  [zkProofPayload, zkProofPayloadValue],
  [provenBlock, provenBlockValue],
  [batchProgram, batchProgramValue],
  [batchDelivery, batchDeliveryValue(256)],
  [batchResult, batchResultValue],
  [commit, commitValue],
  [settlement, settlementValue],
  [receiptAnswer, receiptAnswerValue],
  [receiptDelivery, receiptDeliveryValue],
  [sharedTerms, sharedTermsValue],
  [submittedTask, submittedTaskValue(submissionProgramsMax)],
  [batchSubmission, batchSubmissionValue],
  [submittedOutcome, submittedOutcomeValue],
  [batchOutcome, fc.record({ outcomes: fc.array(submittedOutcomeValue, { maxLength: 4 }) })],
  [receiptContent, fc.record(receiptFields)],
  [receipt, fc.record({ ...receiptFields, signature })],
] as const

export interface Case {
  readonly message: Message<unknown>
  readonly values: Arbitrary<unknown>
}

/** Every message there is, with its values. */
export const cases: readonly Case[] = [
  ...Object.entries(frames).map(([type, { message }]) => ({
    message: message as Message<unknown>,
    values: frameBodies[type as FrameType],
  })),
  ...otherMessages.map(([message, values]) => ({ message: message as Message<unknown>, values })),
]
