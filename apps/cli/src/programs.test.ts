/** The commands about programs, against a real server with canned answers. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex } from '@shardy/protocol'
import type { Submission } from '@shardy/sdk'
import { sampleTask, serveRoutes, type TestServer, testApiKey } from '@shardy/sdk/testing'
import { encodeProgram, type Program, programId, tensorType } from '@shardy/tensor'
import { shardy } from '../test/terminal.ts'

let folder: string
let server: TestServer
let submitted: Submission | undefined
let uploaded: string[] = []
const cli = (...words: string[]) => shardy(words, { SHARDY_URL: server.url, SHARDY_API_KEY: testApiKey })
const inFolder = (name: string) => path.join(folder, name)

const weights = Uint8Array.of(1, 2, 3, 4, 5, 6)
const digest = encodeHex(sha256(weights)) as Digest
const program: Program = {
  inputs: [tensorType('i8', [2, 3])],
  constants: [{ type: tensorType('i8', [3, 2]), digest }],
  nodes: [
    { op: 'matmul', a: 0, b: 1, transposeB: false },
    { op: 'requantize', x: 2, multiplier: 1, shift: 4, zeroPoint: 0, to: 'i8' },
  ],
  outputs: [3],
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-cli-'))
  await writeFile(inFolder('bytes'), encodeProgram(program))
  await writeFile(inFolder('json'), JSON.stringify(program))
  await writeFile(inFolder('input'), new Uint8Array(6))
  await mkdir(inFolder('blobs'))
  await writeFile(path.join(inFolder('blobs'), digest), weights)
  await mkdir(inFolder('forged'))
  await writeFile(path.join(inFolder('forged'), digest), Uint8Array.of(1, 2, 3, 4, 5, 7))
  server = serveRoutes({
    submitTask: ({ body }) => {
      submitted = body
      return { status: 201, json: sampleTask({ status: 'waiting' }) }
    },
    headBlob: () => new Response(null, { status: 404, headers: { 'upload-offset': '0' } }),
    putBlob: ({ params }) => {
      uploaded.push(params.digest)
      return { status: 201, json: { digest: params.digest, length: 6 } }
    },
  })
})
beforeEach(() => {
  submitted = undefined
  uploaded = []
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

describe('program show', () => {
  for (const form of ['bytes', 'json']) {
    test(`reads ${form} and tells every value`, async () => {
      const { exit, stdout } = await cli('program', 'show', inFolder(form))
      expect(exit).toBe('done')
      expect(stdout).toContain(programId(program, sha256))
      expect(stdout).toContain('2 operations on i8[2,3]: matmul, requantize')
      expect(stdout).toMatch(/2 {6}matmul 0, 1 +i32\[2,2\] +-48768 to 49152/)
      expect(stdout).toMatch(/3 {6}requantize 2 +i8\[2,2\] +-128 to 127 +output/)
    })
  }

  test('a program that could overflow is refused with its node', async () => {
    const inputs = [tensorType('u32', [1])]
    const nodes = [{ op: 'add', x: 0, y: 0 }]
    await writeFile(inFolder('overflow'), JSON.stringify({ inputs, constants: [], nodes, outputs: [1] }))
    const { exit, stderr } = await cli('program', 'show', inFolder('overflow'))
    expect(exit).toBe('usage')
    expect(stderr).toContain('program.nodes[0].add: entries could be 0 to 8589934590, which overflows i32')
  })

  test('what is neither program nor JSON is refused', async () => {
    await writeFile(inFolder('broken'), '{"inputs":')
    expect((await cli('program', 'show', inFolder('broken'))).stderr).toContain(
      'begins like JSON and is none',
    )
    expect((await cli('program', 'show', inFolder('input'))).stderr).toContain('is no program')
  })
})

describe('submit program', () => {
  test('uploads the blobs and sends program and input', async () => {
    const words = ['--input', inFolder('input'), '--blobs', inFolder('blobs'), '--redundancy', '3']
    const { exit } = await cli('submit', 'program', inFolder('json'), ...words)
    expect(exit).toBe('done')
    expect(uploaded).toEqual([digest])
    expect(submitted).toEqual({
      kind: 'program',
      program: { base64: Buffer.from(encodeProgram(program)).toString('base64') },
      input: { base64: 'AAAAAAAA' },
      redundancy: 3,
    })
  })

  const refusals: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['without input', [], /--input is missing\nNext: Give a file of 6 bytes/],
    ['with an input of another length', ['--input', 'json'], /has \d+ bytes; the .* takes 6/],
    ['without its blobs', ['--input', 'input'], /the program names blob [0-9a-f]{64}\nNext: Give the folder/],
    ['with other bytes under a name', ['--input', 'input', '--blobs', 'forged'], /hashes to/],
    ['with a file for the output and no wait', ['--input', 'input', '--to', 'x'], /--to needs --wait/],
  ]
  for (const [desc, words, message] of refusals) {
    test(`is refused ${desc}, before anything is sent`, async () => {
      const placed = words.map((word) => (word.startsWith('--') ? word : inFolder(word)))
      const { exit, stderr } = await cli('submit', 'program', inFolder('bytes'), ...placed)
      expect(stderr).toMatch(message)
      expect(exit).toBe('usage')
      expect([submitted, uploaded]).toEqual([undefined, []])
    })
  }
})
