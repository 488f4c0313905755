/** Random valid values of every message, by the message's name, for properties. They lean towards the edges of each range. */
import fc, { type Arbitrary } from 'fast-check'
import { receipt, receiptAnswer, receiptContent, receiptDelivery } from '../src/receipt/receipt.ts'
import { encodeHex } from '../src/schema/hex.ts'
import type { Message } from '../src/schema/message.ts'
import { attestation, batchContent } from '../src/statement/attestation.ts'
import { commitmentContent } from '../src/statement/commitment.ts'
import { statement } from '../src/statement/statement.ts'
import { traceLeaf } from '../src/statement/trace.ts'
import { executorKinds, proofKinds, taskKinds } from '../src/values.ts'
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

const maybeHex = (length: number) => fc.option(hex(length), { nil: undefined })

const receiptAnswerValue = fc.record({
  outputDigest: hex(32),
  attestation: attestationValue,
  traceRoot: maybeHex(32),
})

const receiptDeliveryValue = fc.record({
  deliveryId: hex(16),
  workerKey: publicKey,
  deadlineMs: whole(0, safeMax),
  attestation: attestationValue,
  answer: fc.option(receiptAnswerValue, { nil: undefined }),
  outcome: fc.constantFrom(...outcomes),
  rewardMicroCredit: amount,
})

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
  basis: fc.constant('agreement'),
  redundancy: whole(2, 7),
  deliveries: fc.array(receiptDeliveryValue, { maxLength: 3 }),
  orchestratorKey: publicKey,
  decidedAtMs: whole(0, safeMax),
}

const deliveryId = hex(16)

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
  }),
  heartbeat: fc.record({ sequence: whole(0, 0xffff_ffff), inFlight: whole(0, 64) }),
  presence: fc.record({ state: fc.constantFrom('available', 'hidden', 'paused', 'leaving') }),
  delivery: fc.record({
    taskId: hex(16),
    deliveryId,
    kind: fc.constantFrom(...taskKinds),
    program: blob(65_536),
    seed: bits64,
    complexity: whole(0, safeMax),
    verifierVersion: whole(1, 65_535),
    payloadLength: whole(0, 67_108_864),
    payloadDigest: hex(32),
    deadlineMs: whole(0, safeMax),
    proof: fc.constantFrom(...proofKinds),
    commitFirst: fc.boolean(),
    returnOutput: fc.boolean(),
    attestation: attestationValue,
  }),
  ack: fc.record({ deliveryId }),
  progress: fc.record({ deliveryId, permille: whole(0, 1000) }),
  reject: fc.record({ deliveryId, reason: fc.constantFrom(...rejectReasons), message: text(256) }),
  cancel: fc.record({ deliveryId, reason: fc.constantFrom(...cancelReasons) }),
  commit: fc.record({ deliveryId, commitment: hex(32) }),
  commitmentsClosed: fc.record({ deliveryId }),
  reveal: fc.record({ deliveryId, outputDigest: hex(32), salt: hex(32), traceRoot: maybeHex(32) }),
  result: fc.record({
    deliveryId,
    outputDigest: hex(32),
    outputLength: whole(0, 67_108_864),
    outputIncluded: fc.boolean(),
    attestation: attestationValue,
    traceRoot: maybeHex(32),
  }),
  settled: fc.record({ deliveryId, outcome: fc.constantFrom(...outcomes), rewardMicroCredit: amount }),
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
  [receiptAnswer, receiptAnswerValue],
  [receiptDelivery, receiptDeliveryValue],
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
