/**
 * Whole programs and shaders over the real network: a tab computes them on WebGPU, a headless worker on the CPU, and they
 * get the same bits. Weights travel as blobs; the receipt's answer is checked without being computed anew.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createRequester, type Requester } from '@shardy/sdk'
import { buildShaderTask, encodeShaderTask, interpret, parseShaderTask } from '@shardy/shader'
import { evaluate } from '@shardy/tensor'
import { exampleNames, exampleProgram } from '@shardy/tensor/testing'
import type { Browser } from 'playwright-core'
import { openBrowser, startTab } from './browser.ts'
import { shardy } from './cli.ts'
import { type Network, startNetwork } from './network.ts'

setDefaultTimeout(120_000)

let network: Network
let browser: Browser
let requester: Requester
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-e2e-programs-'))
  ;[network, browser] = await Promise.all([startNetwork(), openBrowser()])
  requester = createRequester({ url: network.url, apiKey: network.apiKey })
  await startTab(browser, network.url)
})

afterAll(async () => {
  await browser?.close()
  await network?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('a tab and a headless worker agree on the example', () => {
  for (const name of exampleNames) {
    test(name, async () => {
      const { program, input, blobs } = exampleProgram(name)
      const { taskId } = await requester.submitProgram({
        program,
        input: new Uint8Array(input),
        blobs,
        verify: 'quorum(2,2)',
      })
      const task = await requester.wait(taskId)
      expect(task.status).toBe('verified')
      expect(task.deliveries.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted'])
      expect(Buffer.compare(await requester.output(taskId), evaluate(program, input, blobs))).toBe(0)
    })
  }
})

test('the answer in a receipt is checked, far from where it was computed', async () => {
  const file = path.join(folder, 'receipt.json')
  const submitted = await shardy(network, 'submit', 'matmul', '--size', '512', '--wait', '--json')
  const { taskId } = JSON.parse(submitted.stdout)
  await shardy(network, 'receipt', taskId, '--to', file)
  const checked = await shardy(network, 'receipt', 'check', file, '--check')
  expect(checked.stdout + checked.stderr).toContain('a chance below 2^-61')
  expect(checked.exitCode).toBe(0)
})

const collatz = `
@group(0) @binding(0) var<storage, read> starts: array<u32>;
@group(0) @binding(1) var<storage, read_write> steps: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&steps)) { return; }
  var n = starts[i];
  var count = 0u;
  while (n > 1u) {
    if (n % 2u == 0u) { n = n / 2u; } else { n = 3u * n + 1u; }
    count = count + 1u;
  }
  steps[i] = count;
}`

test('a tab and a headless worker agree on a shader of a user', async () => {
  const starts = Uint32Array.from({ length: 100 }, (_, index) => index + 1)
  const built = buildShaderTask({
    source: collatz,
    dispatch: [2, 1, 1],
    fuel: 200,
    byteLengths: { 0: 400, 1: 400 },
  })
  if (!built.ok) throw new Error(built.refusal.message)
  const task = encodeShaderTask(built.value)
  const input = new Uint8Array(starts.buffer)
  const { taskId } = await requester.submitShader({ task, input, verify: 'quorum(2,2)' })
  expect((await requester.wait(taskId)).status).toBe('verified')
  const parsed = parseShaderTask(task)
  if (!parsed.ok) throw new Error('it was just made')
  const expected = interpret(parsed.value, input)
  if (expected.kind !== 'output') throw new Error('it has fuel enough')
  expect(Buffer.compare(await requester.output(taskId), expected.bytes)).toBe(0)
})
