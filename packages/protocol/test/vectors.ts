/**
 * The golden vectors of the wire: one task as two workers saw it, from challenge to receipt, and bytes that must be
 * refused. Everything is computed again from the keys in `identity.json`; only signatures, which ECDSA makes with fresh
 * randomness, are kept and verified.
 */
import {
  type DeliveryId,
  type Digest,
  domainPayload,
  encodeFrame,
  encodeHex,
  type Frame,
  type FrameType,
  frames,
  type Message,
  type OrchestratorId,
  type ProgramId,
  type PublicKey,
  type Signature,
  type TaskId,
  type WorkerId,
} from '../src/index.ts'
import { scalarFieldOrder } from '../src/proof/field.ts'
import { wantedProof, zkProofPayload } from '../src/proof/payload.ts'
import { proofLength } from '../src/proof/proofBytes.ts'
import { type ProvenBlock, provenBlock } from '../src/proof/provenBlock.ts'
import {
  type Receipt,
  receipt,
  receiptAnswer,
  receiptContent,
  receiptDelivery,
  receiptPayload,
} from '../src/receipt/receipt.ts'
import { attestation, batchContent, batchStatements } from '../src/statement/attestation.ts'
import { commitmentContent, commitTo } from '../src/statement/commitment.ts'
import { merkleLeaf, merkleTree } from '../src/statement/merkle.ts'
import { type Statement, statement, statementLeaf } from '../src/statement/statement.ts'
import { type TraceLeaf, traceLeaf, traceLeafHash, traceTree } from '../src/statement/trace.ts'
import {
  batchOutcome,
  batchSubmission,
  type SharedTerms,
  type SubmittedOutcome,
  type SubmittedTask,
  sharedTerms,
  submittedOutcome,
  submittedTask,
  takenOutcome,
} from '../src/submission.ts'
import { adaptive, audited, checked, quorum, verifyPolicy } from '../src/verify.ts'
import {
  type BatchDelivery,
  type BatchProgram,
  type BatchResult,
  batchDelivery,
  batchProgram,
  batchResult,
  commit,
  settlement,
} from '../src/wire/batch.ts'
import { type Delivery, deliveryStatement } from '../src/wire/delivery.ts'
import { type Hello, helloContent, helloPayload, type Welcome } from '../src/wire/handshake.ts'
import { type Result, resultStatement } from '../src/wire/result.ts'
import { refusedFrames, signatureForms } from './refused.ts'
import { sha256 } from './sha256.ts'

export type KeyName = 'orchestrator' | 'worker-a' | 'worker-b'
export interface PrivateJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly d: string
}
export interface Key {
  readonly name: KeyName
  readonly jwk: PrivateJwk
  readonly publicKey: PublicKey
}
export type Keys = Readonly<Record<KeyName, Key>>
/** Gives the signature that is kept for this payload. */
export type Sign = (key: Key, payload: Uint8Array) => Promise<Signature>

/** A value of a message, for every message. */
export interface Golden {
  readonly message: Message<unknown>
  readonly value: unknown
}

export interface Vectors {
  /** The files, by name, as JSON values. */
  readonly files: Readonly<Record<string, unknown>>
  readonly golden: readonly Golden[]
}

const repeated = <Id extends string>(byte: string, length: number) => byte.repeat(length) as Id
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest
const fromHex = (text: string) => Uint8Array.fromHex(text)

const taskId = repeated<TaskId>('a0', 16)
const deliveryIds = {
  'worker-a': repeated<DeliveryId>('d1', 16),
  'worker-b': repeated<DeliveryId>('d2', 16),
}
const nonce = '00112233445566778899aabbccddeeff'.repeat(2)
/** The exact product of a 2 × 3 and a 3 × 2 matrix of small whole numbers. */
const program = fromHex('08011206080210031802')
const input = fromHex('010203040506fffefdfcfbfa')
const output = fromHex('eaffffffe4ffffffcfffffffc0ffffff')
const seed = 0x0123456789abcdefn
const atMs = 1_800_000_000_000

/** The form of a proof alone: these are no points. */
const proofShaped = Uint8Array.from({ length: proofLength }, (_, index) => index)

/** Elements of the field, and commitments to nothing. */
const commitments = [1n, 2n ** 128n + 5n, scalarFieldOrder - 1n]
const block: ProvenBlock = {
  node: 0,
  tileRow: 0,
  tileColumn: 0,
  depth: 1,
  commitA: 0n,
  commitB: 2n ** 253n,
  commitIn: commitments[0] as bigint,
  commitOut: commitments[1] as bigint,
}

/** Two small deliveries of one program, and their answers. */
async function makeSmall(
  workerId: WorkerId,
  sign: (key: KeyName, payload: Uint8Array) => Promise<Signature>,
) {
  const programId = encodeHex(sha256(domainPayload('program', program))) as ProgramId
  const deliveries = ['e1', 'e2'].map(
    (byte): BatchDelivery => ({
      taskId: repeated(`a${byte.slice(1)}`, 16),
      deliveryId: repeated(byte, 16),
      program: 0,
      seed,
      deadlineMs: ms(atMs + 30_000),
      payload: input,
      commitFirst: false,
      returnOutput: byte === 'e1',
      proof: byte === 'e1' ? { kind: 'v2', verifierVersion: 2 } : undefined,
    }),
  )
  const asked = (one: BatchDelivery) => ({ ...one, payloadDigest: digestOf(one.payload) })
  const outputDigest = digestOf(output)
  const delivered = batchStatements(
    deliveries.map((one) => deliveryStatement(asked(one), programId, workerId)),
    sha256,
  )
  const statements = deliveries.map((one) =>
    resultStatement(asked(one), programId, workerId, { outputDigest, traceRoot: undefined }),
  )
  const answered = batchStatements(statements, sha256)
  return {
    delivered,
    answered,
    statements,
    deliveries: {
      programs: [{ kind: 'program' as const, program }],
      deliveries,
      signature: await sign('orchestrator', delivered.payload),
    },
    results: {
      results: deliveries.map(
        ({ deliveryId, returnOutput, proof }, index): BatchResult => ({
          deliveryId,
          outputDigest,
          output: returnOutput ? output : undefined,
          salt: undefined,
          traceRoot: undefined,
          leaf: encodeHex(statementLeaf(at(statements, index), sha256)) as Digest,
          proof: proof && { ...proof, proof: proofShaped },
        }),
      ),
      signature: await sign('worker-a', answered.payload),
    },
  }
}

/** Two tasks in one request, and what became of them. */
function makeSubmission(programs: readonly BatchProgram[], taskId: TaskId) {
  const terms: SharedTerms = {
    verify: quorum(3, 2),
    proof: 'none',
    priority: 0,
    tierMin: 1,
    features: ['shader-f16'],
    region: 'eu-west',
    rewardMicroCredit: credit(0n),
    timeoutMs: undefined,
    digestOnly: true,
    allowInexact: false,
  }
  const unsaid: SharedTerms = {
    verify: undefined,
    proof: undefined,
    priority: undefined,
    tierMin: 0,
    features: [],
    region: '',
    rewardMicroCredit: undefined,
    timeoutMs: undefined,
    digestOnly: false,
    allowInexact: false,
  }
  const task: SubmittedTask = { program: 0, idempotencyKey: 'a key', seed, input }
  const keyless: SubmittedTask = { program: 0, idempotencyKey: '', seed: 0n, input }
  const taken = takenOutcome(taskId, true)
  const repeated = takenOutcome(taskId, false)
  const refused: SubmittedOutcome = {
    taskId: undefined,
    isNew: false,
    code: 'invalidField',
    detail: 'the input is too short',
    field: 'input',
    value: '7 bytes',
    bound: '8 bytes',
    retryAfterMs: undefined,
  }
  const shed: SubmittedOutcome = {
    taskId: undefined,
    isNew: false,
    code: 'overloaded',
    detail: 'too many tasks are live',
    field: undefined,
    value: undefined,
    bound: '200000 live tasks',
    retryAfterMs: 1_000,
  }
  return {
    requests: [
      { name: 'terms; a priority and a reward of nothing are said', message: sharedTerms, value: terms },
      { name: 'terms of which nothing is said are no bytes', message: sharedTerms, value: unsaid },
      { name: 'one task', message: submittedTask, value: task },
      { name: 'a task like no other: it has no key', message: submittedTask, value: keyless },
      {
        name: 'the request',
        message: batchSubmission,
        value: { programs, terms, tasks: [task, keyless] },
      },
    ],
    answers: [
      { name: 'taken', message: submittedOutcome, value: taken },
      { name: 'taken earlier, under the same key', message: submittedOutcome, value: repeated },
      { name: 'not taken', message: submittedOutcome, value: refused },
      { name: 'not taken now', message: submittedOutcome, value: shed },
      { name: 'the answer', message: batchOutcome, value: { outcomes: [taken, refused, shed] } },
    ],
  } as const
}

/** JSON: bytes as hex, 64-bit numbers as decimal text, absent fields left out. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return encodeHex(value)
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, content]) => content !== undefined)
  return Object.fromEntries(entries.map(([name, content]) => [name, toJson(content)]))
}

export async function makeVectors(keys: Keys, sign: Sign): Promise<Vectors> {
  const orchestrator = keys.orchestrator
  const orchestratorId = digestOf(orchestrator.publicKey) as string as OrchestratorId
  const workerIdOf = (name: KeyName) => digestOf(keys[name].publicKey) as string as WorkerId
  const programId = encodeHex(sha256(domainPayload('program', program))) as ProgramId
  const workers = ['worker-a', 'worker-b'] as const

  const content: Omit<Hello, 'signature'> = {
    version: 1,
    publicKey: keys['worker-a'].publicKey,
    agent: 'shardy-page/0.1.0',
    kinds: ['program'],
    executor: 'webgpu',
    adapter: 'an adapter (in words)',
  }
  const signedHello = helloPayload(content, nonce, orchestratorId)
  const hello: Hello = { ...content, signature: await sign(keys['worker-a'], signedHello) }

  const delivered = (name: (typeof workers)[number]) => ({
    taskId,
    deliveryId: deliveryIds[name],
    kind: 'program' as const,
    program,
    seed,
    complexity: 12,
    proof: { kind: 'v2' as const, verifierVersion: 2 },
    payloadLength: input.length,
    payloadDigest: digestOf(input),
    deadlineMs: (atMs + 30_000) as Delivery['deadlineMs'],
    commitFirst: true,
    returnOutput: true,
    returnTranscript: false,
  })
  const deliveryStatements = workers.map((name) =>
    deliveryStatement(delivered(name), programId, workerIdOf(name)),
  )
  const deliveryBatch = batchStatements(deliveryStatements, sha256)
  const deliverySignature = await sign(orchestrator, deliveryBatch.payload)
  const deliveryAttestations = deliveryBatch.attest(deliverySignature)

  const outputDigest = digestOf(output)
  /** The program has one node, which makes the output. Only the first worker kept a trace. */
  const traced: TraceLeaf = { node: 0, byteLength: output.length, digest: outputDigest }
  const traceRoot = traceTree([traced], sha256).root
  const answers = {
    'worker-a': { outputDigest, traceRoot },
    'worker-b': { outputDigest, traceRoot: undefined },
  }
  const results = await Promise.all(
    workers.map(async (name) => {
      const value = resultStatement(delivered(name), programId, workerIdOf(name), answers[name])
      const batch = batchStatements([value], sha256)
      const signature = await sign(keys[name], batch.payload)
      return { name, value, batch, signature, attestation: only(batch.attest(signature)) }
    }),
  )

  const salt = repeated<string>('5a', 32)
  const commitment = {
    workerId: workerIdOf('worker-a'),
    deliveryId: deliveryIds['worker-a'],
    outputDigest,
    salt,
    traceRoot,
  }

  const unsignedReceipt = {
    taskId,
    kind: 'program' as const,
    program,
    programId,
    seed,
    inputDigest: digestOf(input),
    inputLength: input.length,
    outputDigest,
    outputLength: output.length,
    basis: 'agreement' as const,
    verify: quorum(2, 2),
    checkedBy: undefined,
    deliveries: workers.map((name, index) => ({
      deliveryId: deliveryIds[name],
      workerKey: keys[name].publicKey,
      deadlineMs: delivered(name).deadlineMs,
      attestation: at(deliveryAttestations, index),
      answer: {
        ...answers[name],
        attestation: at(results, index).attestation,
        proof:
          name === 'worker-a'
            ? { kind: 'v2' as const, verifierVersion: 2, proof: proofShaped }
            : { kind: 'v3' as const, verifierVersion: 3, proof: proofShaped },
        block: name === 'worker-a' ? undefined : block,
      },
      outcome: 'accepted' as const,
      rewardMicroCredit: 2_500_000n as Receipt['deliveries'][number]['rewardMicroCredit'],
    })),
    orchestratorKey: orchestrator.publicKey,
    decidedAtMs: (atMs + 1_250) as Receipt['decidedAtMs'],
  }
  const receiptSigned = receiptPayload(unsignedReceipt)
  const signedReceipt: Receipt = { ...unsignedReceipt, signature: await sign(orchestrator, receiptSigned) }

  const delivery: Delivery = { ...delivered('worker-a'), attestation: at(deliveryAttestations, 0) }
  const result: Result = {
    deliveryId: deliveryIds['worker-a'],
    outputDigest,
    outputLength: output.length,
    outputIncluded: true,
    attestation: at(results, 0).attestation,
    traceRoot,
    salt,
    partLengths: [],
    proof: { kind: 'v2' as const, verifierVersion: 2, proof: proofShaped },
  }
  const deliveryId = deliveryIds['worker-a']
  const benchmarkId = repeated<string>('be', 16)
  const small = await makeSmall(workerIdOf('worker-a'), (name, payload) => sign(keys[name], payload))
  const story: readonly { readonly name: string; readonly frame: Frame }[] = [
    {
      name: 'the orchestrator opens with its key and a fresh nonce',
      frame: {
        type: 'challenge',
        body: { versionMin: 1, versionMax: 1, nonce, publicKey: orchestrator.publicKey, timeMs: ms(atMs) },
      },
    },
    { name: 'the worker signs the nonce and who it is', frame: { type: 'hello', body: hello } },
    {
      name: 'admitted',
      frame: {
        type: 'welcome',
        body: {
          sessionId: repeated('e0', 16),
          heartbeatMs: 15_000 as Welcome['heartbeatMs'],
          payloadBytesMax: 67_108_864,
        },
      },
    },
    {
      name: 'or refused, with a reason',
      frame: {
        type: 'refusal',
        body: { code: 'replayedHello', message: 'this connection has said hello already' },
      },
    },
    {
      name: 'a refusal without words',
      frame: { type: 'refusal', body: { code: 'shuttingDown', message: '' } },
    },
    {
      name: 'what the worker says of itself',
      frame: {
        type: 'profileV2',
        body: {
          operationsPerSecond: 123_456_789_012,
          payloadBytesMax: 67_108_864,
          slots: 4,
          prefetch: 256,
          hiddenPermille: 300,
          bufferBytesMax: 2_147_483_648,
          memoryBytes: 8_589_934_592,
          features: ['shader-f16', 'subgroups'],
          hardwareClass: 'nvidia lovelace',
          region: 'eu-west',
          askMicroCredit: credit(1_500n),
          operator: 'somebody',
        },
      },
    },
    {
      name: 'a heartbeat of zeros is one byte',
      frame: { type: 'heartbeat', body: { sequence: 0, inFlight: 0 } },
    },
    {
      name: 'the largest heartbeat',
      frame: { type: 'heartbeat', body: { sequence: 0xffff_ffff, inFlight: 1088 } },
    },
    { name: 'the tab went to the background', frame: { type: 'presence', body: { state: 'hidden' } } },
    { name: 'a delivery, one of a batch of two', frame: { type: 'delivery', body: delivery } },
    {
      name: 'a delivery with every default and every largest number',
      frame: {
        type: 'delivery',
        body: {
          ...delivery,
          program: new Uint8Array(0),
          seed: 2n ** 64n - 1n,
          complexity: Number.MAX_SAFE_INTEGER,
          proof: { kind: 'v3', verifierVersion: 65_535 },
          payloadLength: 0,
          payloadDigest: digestOf(new Uint8Array(0)),
          deadlineMs: ms(Number.MAX_SAFE_INTEGER),
          commitFirst: false,
          returnOutput: false,
          returnTranscript: true,
        },
      },
    },
    { name: 'received', frame: { type: 'ack', body: { deliveryId } } },
    { name: 'half way', frame: { type: 'progress', body: { deliveryId, permille: 500 } } },
    {
      name: 'handed back',
      frame: {
        type: 'reject',
        body: { deliveryId, reason: 'corrupted', message: 'the input has another digest' },
      },
    },
    { name: 'no longer wanted', frame: { type: 'cancel', body: { deliveryId, reason: 'taskDecided' } } },
    {
      name: 'the answer, hidden',
      frame: {
        type: 'commits',
        body: { commits: [{ deliveryId, commitment: commitTo(commitment, sha256) }] },
      },
    },
    { name: 'everybody has committed', frame: { type: 'closings', body: { deliveryIds: [deliveryId] } } },
    {
      name: 'the signed result with what opens the commitment; the output follows',
      frame: { type: 'result', body: result },
    },
    {
      name: 'a result whose output and two parts of a transcript follow',
      frame: { type: 'result', body: { ...result, salt: undefined, partLengths: [21, 1_048_581] } },
    },
    {
      name: 'a result without a trace and without its output',
      frame: {
        type: 'result',
        body: {
          ...result,
          deliveryId: deliveryIds['worker-b'],
          outputIncluded: false,
          attestation: at(results, 1).attestation,
          traceRoot: undefined,
        },
      },
    },
    {
      name: 'accepted and paid, the largest amount, and disagreed and not paid',
      frame: {
        type: 'settlements',
        body: {
          settlements: [
            { deliveryId, outcome: 'accepted', rewardMicroCredit: credit(2_500_000n) },
            {
              deliveryId: deliveryIds['worker-b'],
              outcome: 'accepted',
              rewardMicroCredit: credit(2n ** 63n - 1n),
            },
            { deliveryId, outcome: 'disagreed', rewardMicroCredit: credit(0n) },
          ],
        },
      },
    },
    {
      name: 'small deliveries of one program, under one signature',
      frame: { type: 'deliveries', body: small.deliveries },
    },
    {
      name: 'their answers, under one signature',
      frame: { type: 'results', body: small.results },
    },
    {
      name: 'a benchmark',
      frame: {
        type: 'benchmark',
        body: { benchmarkId, parameters: fromHex('0a20'.padEnd(68, '5e')), withinMs: ms(30_000) as never },
      },
    },
    {
      name: 'its root',
      frame: {
        type: 'benchmarkRoot',
        body: { benchmarkId, root: repeated('c0', 32), stableBytes: 1_073_741_824 },
      },
    },
    {
      name: 'cells to be opened',
      frame: { type: 'benchmarkOpen', body: { benchmarkId, indexes: [0, 7, 1_048_575] } },
    },
    {
      name: 'a cell, opened',
      frame: { type: 'benchmarkOpening', body: { benchmarkId, index: 7, opening: fromHex('08071002') } },
    },
    {
      name: 'what that makes of the worker',
      frame: {
        type: 'admitted',
        body: { tier: 2, operationsPerSecond: 98_765_432_109, message: 'fast enough for tier 2' },
      },
    },
    {
      name: 'why it gets nothing',
      frame: {
        type: 'idle',
        body: { constraint: 'paysTooLittle', message: 'nothing that waits pays what this worker asks' },
      },
    },
    {
      name: 'a tile of the output is audited',
      frame: { type: 'auditTile', body: { deliveryId, row: 0, column: 1_048_575 } },
    },
    {
      name: 'commitments to the sums that lead there',
      frame: { type: 'auditSums', body: { deliveryId, commitments } },
    },
    {
      name: 'one block of it is to be proven',
      frame: { type: 'auditBlock', body: { deliveryId, depth: 1 } },
    },
    {
      name: 'its proof',
      frame: {
        type: 'auditProof',
        body: { deliveryId, proof: { kind: 'v3', verifierVersion: 3, proof: proofShaped } },
      },
    },
  ]

  const statementEntry = (name: string, value: Statement) => ({
    name,
    value,
    bytes: statement.encode(value),
    leaf: statementLeaf(value, sha256),
  })
  const files = {
    'identity.json': {
      keys: Object.values(keys).map(({ name, jwk, publicKey }) => ({
        name,
        jwk,
        publicKey,
        id: digestOf(publicKey),
      })),
    },
    'frames.json': {
      frames: story.map(({ name, frame }) => ({
        name,
        type: frame.type,
        number: frames[frame.type].number,
        senders: frames[frame.type].senders,
        message: frames[frame.type].message.name,
        body: frame.body,
        bytes: encode(frame),
      })),
    },
    'hello.json': {
      key: 'worker-a',
      nonce,
      orchestratorId,
      contentBytes: helloContent.encode({ ...content, nonce, orchestratorId }),
      payload: signedHello,
      signature: hello.signature,
    },
    'statements.json': {
      statements: [
        ...deliveryStatements.map((value, index) =>
          statementEntry(`delivery to ${at(workers, index)}`, value),
        ),
        ...results.map(({ name, value }) => statementEntry(`result of ${name}`, value)),
      ],
      batches: [
        {
          name: 'two deliveries under one signature',
          key: 'orchestrator',
          statements: workers.map((name) => `delivery to ${name}`),
          payload: deliveryBatch.payload,
          attestations: deliveryAttestations,
        },
        ...results.map((one) => ({
          name: `a batch of one: the result of ${one.name}`,
          key: one.name,
          statements: [`result of ${one.name}`],
          payload: one.batch.payload,
          attestations: [one.attestation],
        })),
      ],
      frames: [
        {
          name: 'what the signature of the small deliveries covers',
          key: 'orchestrator',
          payload: small.delivered.payload,
          signature: small.deliveries.signature,
        },
        {
          name: 'what the signature of their answers covers',
          key: 'worker-a',
          statements: small.statements,
          payload: small.answered.payload,
          signature: small.results.signature,
        },
      ],
    },
    'merkle.json': { trees: [1, 2, 3, 5, 8, 13].map(treeEntry) },
    'commitment.json': {
      content: commitment,
      bytes: commitmentContent.encode(commitment),
      commitment: commitTo(commitment, sha256),
    },
    'trace.json': {
      leaf: { value: traced, bytes: traceLeaf.encode(traced), hash: traceLeafHash(traced, sha256) },
      traces: [1, 2, 3, 5, 8, 13].map(traceEntry),
    },
    'receipt.json': {
      key: 'orchestrator',
      input,
      output,
      value: signedReceipt,
      payload: receiptSigned,
      bytes: receipt.encode(signedReceipt),
    },
    'signatureForms.json': { forms: signatureForms(deliverySignature) },
    'refused.json': { refused: refusedFrames({ delivery, hello }) },
  }
  const root = repeated<string>('0f', 32)
  const golden: { readonly message: unknown; readonly value: unknown }[] = [
    ...story.map(({ frame }) => ({ message: frames[frame.type].message, value: frame.body })),
    { message: helloContent, value: { ...content, nonce, orchestratorId } },
    ...[...deliveryStatements, ...results.map(({ value }) => value)].map((value) => ({
      message: statement,
      value,
    })),
    ...deliveryAttestations.map((value) => ({ message: attestation, value })),
    { message: batchContent, value: { root, count: 1 << 20 } },
    { message: commitmentContent, value: commitment },
    { message: commitmentContent, value: { ...commitment, traceRoot: undefined } },
    { message: traceLeaf, value: traced },
    ...unsignedReceipt.deliveries.flatMap((value) => [
      { message: receiptDelivery, value },
      { message: receiptAnswer, value: value.answer },
    ]),
    ...[checked, adaptive, audited(50), quorum(7, 4)].map((value) => ({ message: verifyPolicy, value })),
    ...small.deliveries.programs.map((value) => ({ message: batchProgram, value })),
    { message: wantedProof, value: { kind: 'v3', verifierVersion: 65_535 } },
    { message: zkProofPayload, value: { kind: 'v2', verifierVersion: 2, proof: proofShaped } },
    { message: provenBlock, value: block },
    ...small.deliveries.deliveries.map((value) => ({ message: batchDelivery, value })),
    ...small.results.results.map((value) => ({ message: batchResult, value })),
    { message: commit, value: { deliveryId, commitment: commitTo(commitment, sha256) } },
    { message: settlement, value: { deliveryId, outcome: 'wrong', rewardMicroCredit: credit(1n) } },
    { message: receiptContent, value: unsignedReceipt },
    { message: receipt, value: signedReceipt },
    {
      message: receipt,
      value: { ...signedReceipt, deliveries: [{ ...at(signedReceipt.deliveries, 0), answer: undefined }] },
    },
  ]
  const submission = makeSubmission(small.deliveries.programs, taskId)
  const messages = [...submission.requests, ...submission.answers]
  golden.push(...messages.map(({ message, value }) => ({ message, value })))
  const all = {
    ...files,
    'submission.json': {
      messages: messages.map(({ name, message, value }) => ({
        name,
        message: message.name,
        value,
        bytes: (message as Message<unknown>).encode(value),
      })),
    },
  }
  return {
    files: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, toJson(value)])),
    golden: golden as unknown as readonly Golden[],
  }
}

function encode(frame: Frame): Uint8Array {
  return encodeFrame(frame.type as FrameType, frame.body as never)
}

function treeEntry(count: number) {
  const leaves = Array.from({ length: count }, (_, index) => merkleLeaf(new Uint8Array([index]), sha256))
  const { root, paths } = merkleTree(leaves, sha256)
  return { count, leaves, root, paths }
}

function traceEntry(count: number) {
  const leaves: readonly TraceLeaf[] = Array.from({ length: count }, (_, node) => {
    const bytes = new Uint8Array(node + 1).fill(node)
    return { node, byteLength: bytes.length, digest: digestOf(bytes) }
  })
  const { root, path } = traceTree(leaves, sha256)
  return { count, leaves, root, paths: leaves.map(({ node }) => path(node)) }
}

const ms = (value: number) => value as Delivery['deadlineMs'] & Receipt['decidedAtMs']
const credit = (value: bigint) => value as Receipt['deliveries'][number]['rewardMicroCredit']

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new RangeError(`there is no item ${index}`)
  return item
}

function only<T>(items: readonly T[]): T {
  if (items.length !== 1) throw new RangeError(`${items.length} items where one was expected`)
  return at(items, 0)
}
