// A lie is shown to a stranger, and every field of the evidence is forged in turn.
import { describe, expect, test } from 'bun:test'
import { openCheckTools } from '@shardy/compute'
import { generateIdentity, type Identity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  batchStatements,
  type DeliveryId,
  type Digest,
  deliveryStatement,
  encodeHex,
  orchestratorIdOf,
  programIdOf,
  resultStatement,
  type Statement,
  type TaskId,
  type TimeMs,
  type WorkerId,
  workerIdOf,
} from '@shardy/protocol'
import { buildShaderTask, encodeShaderTask } from '@shardy/shader'
import { buildProgram, encodeProgram, evaluate, matmulProgram } from '@shardy/tensor'
import {
  type CanonicalOffenceEvidence,
  checkOffenceEvidence,
  decodeOffenceEvidence,
  describeOffenceEvidenceProblem,
  encodeOffenceEvidence,
  type OffenceEvidenceCheck,
  offenceEvidenceBytesMax,
  type SignedStatement,
} from './offenceEvidence.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest
const flip = (bytes: Uint8Array, at = 0) => bytes.with(at, (bytes[at] ?? 0) ^ 1)
const orchestrator = await generateIdentity({ extractable: false })
const worker = await generateIdentity({ extractable: false })
const stranger = await generateIdentity({ extractable: false })
const workerId = workerIdOf(worker.publicKey, sha256)
const orchestratorId = orchestratorIdOf(orchestrator.publicKey, sha256)
const check: OffenceEvidenceCheck = { sha256, verify: verifySignature, tools: await openCheckTools(sha256) }

async function sign(by: Identity, statement: Statement): Promise<SignedStatement> {
  const { payload, attest } = batchStatements([statement], sha256)
  const [attestation] = attest(await by.sign(payload))
  if (attestation === undefined) throw new Error('a batch of one has one attestation')
  return { statement, attestation, publicKey: by.publicKey }
}

const small = matmulProgram({ m: 3, k: 4, n: 5 })
const input = random(32)
const output = evaluate(small, input)
const lie = flip(output)
const program = encodeProgram(small)
const about = {
  taskId: '01'.repeat(16) as TaskId,
  deliveryId: '02'.repeat(16) as DeliveryId,
  seed: 7n,
  payloadDigest: digestOf(input),
  deadlineMs: 9_000 as TimeMs,
}
const programId = programIdOf('program', program, sha256)
const given = deliveryStatement(about, programId, workerId)
const answered = resultStatement(about, programId, workerId, {
  outputDigest: digestOf(lie),
  traceRoot: undefined,
})
const evidence: CanonicalOffenceEvidence = {
  kind: 'program',
  program,
  delivery: await sign(orchestrator, given),
  result: await sign(worker, answered),
  inputLength: input.length,
  input,
  rightDigest: digestOf(output),
}

async function problemOf(
  forged: CanonicalOffenceEvidence,
  more: Partial<OffenceEvidenceCheck> = {},
): Promise<unknown> {
  const checked = await checkOffenceEvidence(forged, { ...check, ...more })
  if (checked.ok) return 'none'
  expect(describeOffenceEvidenceProblem(checked.problem)).not.toContain('undefined')
  return checked.problem
}

test('names who was wrong, about what, and both digests', async () => {
  const bytes = encodeOffenceEvidence(evidence)
  expect(bytes.length).toBeLessThan(offenceEvidenceBytesMax)
  const decoded = decodeOffenceEvidence(bytes)
  if (!decoded.ok) throw new Error('our own evidence')
  expect(decoded.value).toEqual(evidence)
  expect(await checkOffenceEvidence(decoded.value, { ...check, orchestratorId })).toEqual({
    ok: true,
    facts: {
      workerId,
      orchestratorId,
      taskId: about.taskId,
      deliveryId: about.deliveryId,
      programId,
      wrongDigest: digestOf(lie),
      rightDigest: digestOf(output),
    },
  })
})

describe('forged', () => {
  const otherProgram = encodeProgram(matmulProgram({ m: 4, k: 4, n: 4 }))
  const about2 = (more: object) => ({ ...about, ...more })
  const deliveryOf = async (more: object, to: WorkerId = workerId, by = orchestrator) =>
    sign(by, deliveryStatement(about2(more), programId, to))

  test('program or kind', async () => {
    expect(await problemOf({ ...evidence, program: otherProgram })).toMatchObject({ kind: 'otherProgram' })
    expect(await problemOf({ ...evidence, kind: 'lite' })).toMatchObject({ kind: 'otherProgram' })
  })

  test('a program that cannot be read', async () => {
    const garbage = Uint8Array.of(1, 2, 3)
    const id = programIdOf('program', garbage, sha256)
    const result = await sign(worker, { ...answered, programId: id })
    expect(await problemOf({ ...evidence, program: garbage, result })).toMatchObject({
      kind: 'unreadableProgram',
    })
  })

  test('keys', async () => {
    const delivery = { ...evidence.delivery, publicKey: stranger.publicKey }
    expect(await problemOf({ ...evidence, delivery })).toMatchObject({ kind: 'badDeliverySignature' })
    const anothers = await sign(stranger, given)
    expect(await problemOf({ ...evidence, delivery: anothers })).toBe('none')
    expect(await problemOf({ ...evidence, delivery: anothers }, { orchestratorId })).toMatchObject({
      kind: 'otherOrchestrator',
      expected: orchestratorId,
    })
    const result = { ...evidence.result, publicKey: stranger.publicKey }
    expect(await problemOf({ ...evidence, result })).toMatchObject({ kind: 'otherWorkerKey' })
  })

  test('signatures, indices and paths', async () => {
    const { signature } = (await sign(stranger, given)).attestation
    for (const attestation of [
      { ...evidence.delivery.attestation, signature },
      { ...evidence.delivery.attestation, count: 2 },
      { ...evidence.delivery.attestation, path: ['00'.repeat(32)] },
    ]) {
      const delivery = { ...evidence.delivery, attestation }
      expect(await problemOf({ ...evidence, delivery })).toMatchObject({ kind: 'badDeliverySignature' })
      const result = { ...evidence.result, attestation }
      expect(await problemOf({ ...evidence, result })).toMatchObject({ kind: 'badResultSignature' })
    }
  })

  test('every field of what was signed', async () => {
    const fields: Partial<Statement>[] = [
      { taskId: '0a'.repeat(16) as TaskId },
      { deliveryId: '0b'.repeat(16) as DeliveryId },
      { seed: 8n },
      { inputDigest: digestOf(flip(input)) },
      { deadlineMs: 1 as TimeMs },
    ]
    for (const change of fields) {
      const delivery = { ...evidence.delivery, statement: { ...given, ...change } }
      const result = { ...evidence.result, statement: { ...answered, ...change } }
      // One alone does not belong to the other, both together were signed by nobody.
      for (const forged of [
        { ...evidence, delivery },
        { ...evidence, result },
        { ...evidence, delivery, result },
      ]) {
        expect(await problemOf(forged)).toMatchObject({ kind: expect.stringMatching(/^(noOffence|bad)/) })
      }
    }
    const statement = { ...answered, outputDigest: digestOf(flip(output, 1)) }
    expect(await problemOf({ ...evidence, result: { ...evidence.result, statement } })).toMatchObject({
      kind: 'badResultSignature',
    })
  })

  test('statements that do not belong together, though both are signed', async () => {
    const cases: [Partial<CanonicalOffenceEvidence>, string][] = [
      [{ delivery: await deliveryOf({ taskId: '0a'.repeat(16) }) }, 'otherTask'],
      [{ delivery: await deliveryOf({ seed: 8n }) }, 'otherTask'],
      [{ delivery: await deliveryOf({ payloadDigest: digestOf(lie) }) }, 'otherTask'],
      [{ delivery: await deliveryOf({ deliveryId: '0b'.repeat(16) }) }, 'otherDelivery'],
      [{ delivery: await deliveryOf({}, workerIdOf(stranger.publicKey, sha256)) }, 'otherWorker'],
      [{ delivery: evidence.result }, 'notADelivery'],
      [{ result: await sign(worker, given) }, 'notAResult'],
    ]
    for (const [change, fault] of cases) {
      expect(await problemOf({ ...evidence, ...change })).toEqual({ kind: 'noOffence', fault })
    }
  })

  test('the right digest, and a result that was right', async () => {
    expect(await problemOf({ ...evidence, rightDigest: digestOf(flip(output, 2)) })).toMatchObject({
      kind: 'otherRightDigest',
      expected: digestOf(output),
    })
    expect(await problemOf({ ...evidence, rightDigest: undefined })).toMatchObject({
      kind: 'otherRightDigest',
    })
    const honest = await sign(worker, { ...answered, outputDigest: digestOf(output) })
    for (const rightDigest of [digestOf(output), digestOf(lie), undefined]) {
      expect(await problemOf({ ...evidence, result: honest, rightDigest })).toEqual({
        kind: 'noOffence',
        fault: 'rightResult',
      })
    }
  })

  test('input', async () => {
    expect(await problemOf({ ...evidence, input: flip(input) })).toMatchObject({ kind: 'otherInput' })
    expect(await problemOf({ ...evidence, inputLength: 33, input: random(33) })).toMatchObject({
      kind: 'wrongInputLength',
      expected: 32,
    })
    const absent = { ...evidence, input: new Uint8Array(0) }
    expect(await problemOf(absent)).toEqual({ kind: 'inputMissing', digest: digestOf(input) })
    expect(await problemOf(absent, { input })).toBe('none')
    expect(await problemOf(absent, { input: flip(input) })).toMatchObject({ kind: 'otherInput' })
    expect(await problemOf(absent, { input: input.subarray(1) })).toMatchObject({
      kind: 'wrongInputLength',
    })
    expect(() => encodeOffenceEvidence({ ...evidence, input: input.subarray(1) })).toThrow('as a whole')
  })
})

async function evidenceOf(more: {
  readonly kind: CanonicalOffenceEvidence['kind']
  readonly program: Uint8Array
  readonly input: Uint8Array
  readonly rightDigest: Digest | undefined
}): Promise<CanonicalOffenceEvidence> {
  const id = programIdOf(more.kind, more.program, sha256)
  const said = { ...about, payloadDigest: digestOf(more.input) }
  const answer = { outputDigest: digestOf(lie), traceRoot: undefined }
  return {
    ...more,
    delivery: await sign(orchestrator, deliveryStatement(said, id, workerId)),
    result: await sign(worker, resultStatement(said, id, workerId, answer)),
    inputLength: more.input.length,
  }
}

test('blobs are asked for, and compared with their digests', async () => {
  const weights = random(16)
  const digest = digestOf(weights)
  const weighted = buildProgram((b) => b.input('i8', [2, 4]).matmul(b.weights(digest, 'i8', [4, 4])))
  const x = random(8)
  const rightDigest = digestOf(evaluate(weighted, x, new Map([[digest, weights]])))
  const found = await evidenceOf({ kind: 'program', program: encodeProgram(weighted), input: x, rightDigest })
  expect(await problemOf(found)).toEqual({ kind: 'blobsMissing', digests: [digest] })
  const other = flip(weights)
  expect(await problemOf(found, { blobs: new Map([[digest, other]]) })).toEqual({
    kind: 'otherBlob',
    expected: digest,
    actual: digestOf(other),
  })
  expect(await problemOf(found, { blobs: new Map([[digest, weights]]) })).toBe('none')
})

describe('a shader', () => {
  const source = (type: string, body: string) => `
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}>;
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&y)) { return; }
  ${body}
}`
  const shader = (type: string, body: string) => {
    const built = buildShaderTask({
      source: source(type, body),
      dispatch: [1, 1, 1],
      fuel: 5,
      byteLengths: { 0: 4, 1: 4 },
    })
    if (!built.ok) throw new Error(built.refusal.message)
    return encodeShaderTask(built.value)
  }
  const x = random(4)

  test('that is not exact convicts nobody', async () => {
    const found = { kind: 'shader', program: shader('f32', 'y[i] = x[i];'), input: x } as const
    expect(await problemOf(await evidenceOf({ ...found, rightDigest: digestOf(x) }))).toEqual({
      kind: 'noOffence',
      fault: 'floatKind',
    })
  })

  test('that spends its fuel has no right digest, and any signed output of it is wrong', async () => {
    const program = shader('i32', 'for (var turn = 0u; turn < 9u; turn++) { y[i] = x[i]; }')
    const found = { kind: 'shader', program, input: x } as const
    expect(await problemOf(await evidenceOf({ ...found, rightDigest: undefined }))).toBe('none')
    expect(await problemOf(await evidenceOf({ ...found, rightDigest: digestOf(x) }))).toMatchObject({
      kind: 'otherRightDigest',
      expected: undefined,
    })
  })
})

test('bytes that are no evidence are refused', () => {
  const bytes = encodeOffenceEvidence(evidence)
  expect(decodeOffenceEvidence(bytes.subarray(1)).ok).toBe(false)
  expect(decodeOffenceEvidence(new Uint8Array([...bytes, 0])).ok).toBe(false)
  expect(decodeOffenceEvidence(new Uint8Array(0)).ok).toBe(false)
})
