import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Submission } from '@shardy/api'
import { buildShaderTask, encodeShaderTask } from '@shardy/shader'
import { digestOf, finish, problemOf, submit } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.stop())

const exact = `
@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&y)) { return; }
  y[i] = 3 * x[i] + 1;
}`
const inexact = exact.replaceAll('array<i32>', 'array<f32>').replace('3 * x[i] + 1', '3.0 * x[i] + 1.0')

function bytesOf(source: string, fuel = 100): Uint8Array {
  const built = buildShaderTask({ source, dispatch: [2, 1, 1], fuel, byteLengths: { 0: 24, 1: 24 } })
  if (!built.ok) throw new Error(built.refusal.message)
  return encodeShaderTask(built.value)
}

const input = Int32Array.of(1, -2, 3, 4, 5, 2 ** 30)
const output = Int32Array.from(input, (entry) => (3 * entry + 1) | 0)

function submissionOf(bytes: Uint8Array, more: Partial<Submission> = {}): Submission {
  return {
    kind: 'shader',
    program: { base64: bytes.toBase64() },
    input: { base64: new Uint8Array(input.buffer).toBase64() },
    ...more,
  }
}

test('an exact shader is run by two workers that agree, and its receipt says what it was', async () => {
  const own = await startTestNetwork()
  await Promise.all([own.startWorker(), own.startWorker()])
  const { taskId } = await submit(own, submissionOf(bytesOf(exact)))
  const task = await finish(own, taskId)
  expect(task).toMatchObject({
    status: 'verified',
    kind: 'shader',
    program: 'exact shader of 8 invocations',
    outputDigest: digestOf(new Uint8Array(output.buffer)),
  })
  const receipt = (await (await own.request(`/v1/tasks/${taskId}/receipt`)).json()) as Record<string, unknown>
  expect(receipt).toMatchObject({ kind: 'shader', outputDigest: task.outputDigest })
  await own.stop()
})

test('an inexact shader is refused with the place that makes it so, unless it is allowed', async () => {
  const refused = await network.request('/v1/tasks', { json: submissionOf(bytesOf(inexact)) })
  expect(await problemOf(refused)).toMatchObject({
    code: 'invalidField',
    field: 'allowInexact',
    detail: expect.stringMatching(/not exact, so honest workers may differ: line \d+, column \d+: /),
  })
  const allowed = await submit(network, submissionOf(bytesOf(inexact), { allowInexact: true }))
  expect(allowed.program).toBe('inexact shader of 8 invocations')
})

test('what is no shader task is refused before the task exists', async () => {
  const short = await network.request('/v1/tasks', { json: submissionOf(bytesOf(exact).subarray(0, 40)) })
  expect(await problemOf(short)).toMatchObject({ code: 'invalidField' })
  const product = { ...submissionOf(bytesOf(exact)), program: { op: 'matmul', m: 1, k: 1, n: 1 } }
  expect(await problemOf(await network.request('/v1/tasks', { json: product }))).toMatchObject({
    field: 'program',
    detail: 'a shader is given as base64',
  })
  const asProgram = { ...submissionOf(bytesOf(exact)), kind: 'program' }
  expect(await problemOf(await network.request('/v1/tasks', { json: asProgram }))).toMatchObject({
    code: 'invalidField',
  })
})

test('a payload of another length is refused', async () => {
  const json = submissionOf(bytesOf(exact), { input: { base64: 'AAAA' } })
  expect(await problemOf(await network.request('/v1/tasks', { json }))).toMatchObject({
    field: 'input',
    bound: '24 bytes',
  })
})
