import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Submission, TaskView } from '@shardy/api'
import { constantDigests, encodeProgram, evaluate, type Program, tensorType } from '@shardy/tensor'
import { digestOf, finish, problemOf, randomBytes, refused, submit, taskOf } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.stop())

const weights = randomBytes(6)

/** x (2 × 3) times weights (3 × 2), where the weights are a blob. */
function programWith(digest = digestOf(weights), range = { min: -128, max: 127 }): Program {
  return {
    inputs: [tensorType('i8', [2, 3])],
    constants: [{ type: tensorType('i8', [3, 2], range), digest }],
    nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
    outputs: [2],
  }
}

function submissionOf(program: Program, input = randomBytes(6)): Submission {
  return {
    kind: 'program',
    program: { base64: encodeProgram(program).toBase64() },
    input: { base64: input.toBase64() },
  }
}

const upload = (bytes: Uint8Array<ArrayBuffer>): Promise<Response> =>
  network.request(`/v1/blobs/${digestOf(bytes)}`, { method: 'PUT', body: bytes })

test('a program whose weights are a blob is run by workers that fetch them', async () => {
  const own = await startTestNetwork()
  await own.request(`/v1/blobs/${digestOf(weights)}`, { method: 'PUT', body: weights })
  await Promise.all([own.startWorker(), own.startWorker()])
  const program = programWith()
  const input = randomBytes(6)
  for (let round = 0; round < 2; round++) {
    const { taskId } = await submit(own, submissionOf(program, input))
    const task = await finish(own, taskId)
    expect(task.status).toBe('verified')
    expect(task.program).toBe('1 operation on i8[2,3]: matmul')
    const output = evaluate(program, input, new Map([[digestOf(weights), weights]]))
    expect(task.outputDigest).toBe(digestOf(output))
  }
  await own.stop()
})

test('weights that are not here, too short, or outside the declared range are named before the task exists', async () => {
  const stranger = randomBytes(6)
  const missing = await network.request('/v1/tasks', { json: submissionOf(programWith(digestOf(stranger))) })
  expect(await problemOf(missing)).toMatchObject({
    code: 'constantMissing',
    field: 'program.constants[0]',
    value: digestOf(stranger),
  })

  const short = randomBytes(5)
  await upload(short)
  const cut = await network.request('/v1/tasks', { json: submissionOf(programWith(digestOf(short))) })
  expect(await problemOf(cut)).toMatchObject({ code: 'invalidField', value: '5 bytes', bound: '6 bytes' })

  const wide = Uint8Array.of(0, 1, 2, 3, 100, 5)
  await upload(wide)
  const narrow = submissionOf(programWith(digestOf(wide), { min: -8, max: 7 }))
  expect(await problemOf(await network.request('/v1/tasks', { json: narrow }))).toMatchObject({
    code: 'invalidField',
    detail: `entry 4 of blob ${digestOf(wide)} is outside the -8 to 7 that the program declares`,
  })
})

test('an input outside the declared range is refused, inline and as a blob', async () => {
  const program: Program = {
    inputs: [tensorType('u8', [4], { min: 0, max: 9 })],
    constants: [],
    nodes: [{ op: 'argmax', x: 0 }],
    outputs: [1],
  }
  const input = Uint8Array.of(1, 2, 10, 3)
  const inline = await network.request('/v1/tasks', { json: submissionOf(program, input) })
  expect(await problemOf(inline)).toMatchObject({
    code: 'invalidField',
    detail: 'input[0]: entry 2 is outside the declared 0 to 9',
  })
  await upload(input)
  const named = { ...submissionOf(program), input: { blob: digestOf(input) } }
  expect(await refused(network.request('/v1/tasks', { json: named }))).toBe('invalidField')
})

test('bytes that are no program, and a program that could overflow, are refused with the node', async () => {
  const garbage = { ...submissionOf(programWith()), program: { base64: 'AAAA' } }
  expect(await refused(network.request('/v1/tasks', { json: garbage }))).toBe('invalidField')
  const json = { ...submissionOf(programWith()), program: { op: 'matmul', m: 1, k: 70_000, n: 1 } }
  expect(await problemOf(await network.request('/v1/tasks', { json }))).toMatchObject({
    field: 'program.nodes[0].matmul',
  })
})

test('a constant is given out for an open delivery of its program, and for nothing else', async () => {
  await upload(weights)
  const digest = digestOf(weights)
  const path = (deliveryId: string, blob: string = digest) => `/v1/deliveries/${deliveryId}/constants/${blob}`
  const anonymous = { anonymous: true }
  expect(await refused(network.request(path('ab'.repeat(16)), anonymous))).toBe('unknownDelivery')

  const { taskId } = await submit(network, submissionOf(programWith()))
  const worker = await network.startWorker()
  let task: TaskView = await taskOf(network, taskId)
  while (task.deliveries.length === 0) task = await taskOf(network, taskId)
  const [delivery] = task.deliveries
  const answer = await network.request(path(delivery?.deliveryId ?? ''), anonymous)
  // The worker may have committed meanwhile: then the way is closed again.
  if (answer.ok) expect(await answer.bytes()).toEqual(weights)
  else expect(await refused(answer)).toBe('unknownDelivery')
  const other = path(delivery?.deliveryId ?? '', digestOf(Uint8Array.of(1)))
  expect(await refused(network.request(other, anonymous))).toBe('unknownDelivery')

  await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
  expect(await refused(network.request(path(delivery?.deliveryId ?? ''), anonymous))).toBe('unknownDelivery')
  await worker.stop()
})

test('a program names each blob once', () => {
  const program = programWith()
  const twice = { ...program, constants: [...program.constants, ...program.constants] }
  expect(constantDigests(twice)).toEqual([digestOf(weights)])
})
