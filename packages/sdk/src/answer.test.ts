import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
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
    expect(checkAnswer({ work: work(program), input, output }, adapters)).toBeUndefined()
  })

  test('is wrong in one bit', () => {
    const wrong = output.slice()
    wrong[4 * 777] = (wrong[4 * 777] ?? 0) ^ 1
    expect(checkAnswer({ work: work(program), input, output: wrong }, adapters)).toMatch(
      /node 0, row 1 is not the product of its operands/,
    )
  })

  test('is right for another input', () => {
    const other = input.map((byte, index) => (index === 0 ? byte ^ 1 : byte))
    expect(checkAnswer({ work: work(program), input: other, output }, adapters)).toContain('row 0')
  })

  test('is cut short', () => {
    expect(checkAnswer({ work: work(program), input, output: output.subarray(4) }, adapters)).toContain(
      'another length',
    )
  })
})

test('programs whose sums stay inside are computed again, and found right or wrong all the same', () => {
  for (const name of exampleNames) {
    const { program, input, blobs } = exampleProgram(name)
    const output = evaluate(program, input, blobs)
    expect(checkAnswer({ work: work(program), input, output, blobs }, adapters)).toBeUndefined()
    output[0] = (output[0] ?? 0) ^ 1
    expect(checkAnswer({ work: work(program), input, output, blobs }, adapters)).toBeDefined()
  }
})
