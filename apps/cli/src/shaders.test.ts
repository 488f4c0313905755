/** `submit shader` against a real server with canned answers. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Submission } from '@shardy/sdk'
import { sampleTask, serveRoutes, type TestServer, testApiKey } from '@shardy/sdk/testing'
import { parseShaderTask } from '@shardy/shader'
import { shardy } from '../test/terminal.ts'

let folder: string
let server: TestServer
let submitted: Submission | undefined
const cli = (...words: string[]) => shardy(words, { SHARDY_URL: server.url, SHARDY_API_KEY: testApiKey })
const inFolder = (name: string) => path.join(folder, name)

const source = `@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&y)) { return; }
  y[i] = x[i] + 1;
}
`

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-cli-'))
  await writeFile(inFolder('exact.wgsl'), source)
  await writeFile(inFolder('float.wgsl'), source.replaceAll('i32', 'f32').replace('+ 1', '+ 1.5'))
  await writeFile(inFolder('broken.wgsl'), source.replace('return;', 'return'))
  await writeFile(inFolder('input'), new Uint8Array(16))
  server = serveRoutes({
    submitTask: ({ body }) => {
      submitted = body
      return { status: 201, json: sampleTask({ status: 'waiting', kind: 'shader' }) }
    },
  })
})
beforeEach(() => {
  submitted = undefined
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

const sizes = ['--sizes', '0=16,1=16']

test('sends the task, with its sizes, dispatch and fuel', async () => {
  const words = ['--input', inFolder('input'), ...sizes, '--dispatch', '1,1,1', '--fuel', '9']
  const { exit } = await cli('submit', 'shader', inFolder('exact.wgsl'), ...words)
  expect(exit).toBe('done')
  expect(submitted).toMatchObject({ kind: 'shader', allowInexact: false })
  const bytes = submitted && 'base64' in submitted.program ? submitted.program.base64 : ''
  const parsed = parseShaderTask(new Uint8Array(Buffer.from(bytes, 'base64')))
  expect(parsed.ok && parsed.value).toMatchObject({ fuel: 9, payloadBytes: 16, outputBytes: 16 })
})

test('a shader that is not exact is sent only when that is allowed', async () => {
  const words = ['--input', inFolder('input'), ...sizes]
  const refused = await cli('submit', 'shader', inFolder('float.wgsl'), ...words)
  expect(refused.exit).toBe('usage')
  expect(refused.stderr).toMatch(
    /not exact, so honest workers may differ: .*float\.wgsl:\d+:\d+: .*\nNext: Give --allow/,
  )
  expect(submitted).toBeUndefined()
  expect((await cli('submit', 'shader', inFolder('float.wgsl'), ...words, '--allow-inexact')).exit).toBe(
    'done',
  )
  expect(submitted).toMatchObject({ allowInexact: true })
})

const refusals: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['broken.wgsl', sizes, /broken\.wgsl:6:\d+: /],
  ['exact.wgsl', [], /leaves the size of binding 0 and 1 open\nNext: .*--sizes 0=4096,1=4096/],
  ['exact.wgsl', ['--input', 'INPUT'], /Next: .*--sizes 0=16,1=16/],
  [
    'exact.wgsl',
    ['--input', 'INPUT', '--sizes', '0=16'],
    /size of binding 1 open\nNext: .*--sizes 0=16,1=16/,
  ],
  ['exact.wgsl', [...sizes, '--input', 'INPUT', '--sizes=0=16,1=16'], /--sizes is given twice/],
  ['exact.wgsl', ['--sizes', '0=16,1=16,7=4'], /names binding 7; the shader has 0, 1/],
  [
    'exact.wgsl',
    ['--sizes', '0=32,1=16', '--input', 'INPUT'],
    /has 16 bytes; the buffers that the shader reads take 32 bytes\nNext: Their sizes are 0=32/,
  ],
  ['exact.wgsl', sizes, /no --input is given; the buffers that the shader reads take 16 bytes/],
  ['exact.wgsl', ['--sizes', '0:16'], /--sizes is '0:16'; it is BINDING=BYTES/],
  ['exact.wgsl', ['--sizes', '0=16,1=15'], /the task cannot be made: .*15 bytes/],
  ['exact.wgsl', [...sizes, '--dispatch', '1'], /--dispatch is '1'; it is three numbers/],
  ['exact.wgsl', [...sizes, '--to', 'x'], /--to needs --wait/],
]
for (const [file, words, message] of refusals) {
  test(`${file} ${words.join(' ')} is refused before anything is sent`, async () => {
    const placed = words.map((word) => (word === 'INPUT' ? inFolder('input') : word))
    const { exit, stderr } = await cli('submit', 'shader', inFolder(file), ...placed)
    expect(stderr).toMatch(message)
    expect(exit).toBe('usage')
    expect(submitted).toBeUndefined()
  })
}
