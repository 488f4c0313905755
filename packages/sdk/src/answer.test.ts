import { describe, expect, test } from 'bun:test'
import { decodeWork, type Work } from '@shardy/compute/work'
import { sha256 } from '@shardy/crypto/native'
import { computeLite, encodeLite } from '@shardy/lite'
import { type Digest, encodeHex } from '@shardy/protocol'
import { buildShaderTask, encodeShaderTask } from '@shardy/shader'
import { evaluate, matmulProgram, type Program } from '@shardy/tensor'
import { pureTools } from '@shardy/tensor/check'
import { exampleNames, exampleProgram } from '@shardy/tensor/testing'
import { checkAnswer } from './answer.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const work = (program: Program) => ({ kind: 'program', program }) as const
const adapters = { tools: pureTools(sha256), random }

describe('a product large enough to be projected', () => {
  const program = matmulProgram({ m: 400, k: 400, n: 400 })
  const input = random(2 * 400 * 400)
  const output = evaluate(program, input)

  test('is right', () => {
    expect(checkAnswer({ work: work(program), input, output }, adapters)).toEqual({
      kind: 'right',
      by: 'projection',
    })
  })

  test('is wrong in one bit', () => {
    const wrong = output.slice()
    wrong[4 * 777] = (wrong[4 * 777] ?? 0) ^ 1
    expect(checkAnswer({ work: work(program), input, output: wrong }, adapters)).toEqual({
      kind: 'wrong',
      reason: 'node 0, row 1 is not the product of its operands',
      rightDigest: encodeHex(sha256(output)) as Digest,
    })
  })

  test('is right for another input', () => {
    const other = input.map((byte, index) => (index === 0 ? byte ^ 1 : byte))
    expect(checkAnswer({ work: work(program), input: other, output }, adapters)).toMatchObject({
      reason: expect.stringContaining('row 0'),
    })
  })

  test('is cut short', () => {
    expect(checkAnswer({ work: work(program), input, output: output.subarray(4) }, adapters).kind).toBe(
      'wrong',
    )
  })
})

test('programs whose sums stay inside are computed again, and found right or wrong all the same', () => {
  for (const name of exampleNames) {
    const { program, input, blobs } = exampleProgram(name)
    const output = evaluate(program, input, blobs)
    expect(checkAnswer({ work: work(program), input, output, blobs }, adapters).kind).toBe('right')
    output[0] = (output[0] ?? 0) ^ 1
    expect(checkAnswer({ work: work(program), input, output, blobs }, adapters).kind).toBe('wrong')
  }
})

describe('a shader', () => {
  const source = (type: string) => `
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&y)) { return; }
  y[i] = x[i];
}`
  function shaderWork(type: string, fuel = 10): Work {
    const built = buildShaderTask({
      source: source(type),
      dispatch: [1, 1, 1],
      fuel,
      byteLengths: { 0: 16, 1: 16 },
    })
    if (!built.ok) throw new Error(built.refusal.message)
    const decoded = decodeWork('shader', encodeShaderTask(built.value))
    if (!decoded.ok) throw new Error(decoded.reason)
    return decoded.work
  }
  const input = random(16)
  const judge = (work: Work, output: Uint8Array) => checkAnswer({ work, input, output }, adapters)

  test('is interpreted where it is exact', () => {
    expect(judge(shaderWork('i32'), input)).toEqual({ kind: 'right', by: 'recomputation' })
    expect(
      judge(
        shaderWork('i32'),
        input.map((byte) => byte ^ 1),
      ).kind,
    ).toBe('wrong')
    expect(judge(shaderWork('i32'), new Uint8Array([...input, 0])).kind).toBe('wrong')
  })

  test('is not judged where it is not, or where it would take hours', () => {
    expect(judge(shaderWork('f32'), input).kind).toBe('unknown')
    expect(judge(shaderWork('i32', 2 ** 24), input).kind).toBe('unknown')
  })
})

test('lite rounds are computed again, and a wrong byte is named', () => {
  const program = { kind: 'lite', inputLength: 16, rounds: 3, lanes: 2 } as const
  const decoded = decodeWork('lite', encodeLite(program))
  if (!decoded.ok) throw new Error(decoded.reason)
  const bytes = new Uint8Array(16).fill(7)
  const right = computeLite(program, bytes)
  const judged = (output: Uint8Array) => checkAnswer({ work: decoded.work, input: bytes, output }, adapters)
  expect(judged(right)).toEqual({ kind: 'right', by: 'recomputation' })
  expect(judged(right.with(9, (right[9] ?? 0) ^ 1))).toMatchObject({ kind: 'wrong' })
  expect(judged(right.subarray(1))).toMatchObject({ kind: 'wrong' })
})
