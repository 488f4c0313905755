import { describe, expect, test } from 'bun:test'
import { describeRefusal } from '@shardy/protocol'
import fc from 'fast-check'
import { complexity, inputLength, kMax, outputLength, parseProgram, refuseInput, rowsMax } from './program.ts'

const valid = { op: 'matmul', m: 3, k: 5, n: 7 }

function refusalOf(value: unknown): string {
  const parsed = parseProgram(value)
  return parsed.ok ? 'accepted' : describeRefusal(parsed.refusal)
}

describe('parseProgram', () => {
  const refused: { desc: string; value: unknown; says: string }[] = [
    { desc: 'nothing', value: undefined, says: 'program: is undefined, expected an object' },
    { desc: 'null', value: null, says: 'program: is null, expected an object' },
    { desc: 'text', value: 'matmul', says: "program: is 'matmul', expected an object" },
    { desc: 'a list', value: [], says: 'program.op is missing' },
    { desc: 'no operation', value: { m: 1, k: 1, n: 1 }, says: 'program.op is missing' },
    {
      desc: 'another operation',
      value: { ...valid, op: 'conv' },
      says: "program.op: is 'conv', expected 'matmul'",
    },
    { desc: 'no k', value: { op: 'matmul', m: 1, n: 1 }, says: 'program.k is missing' },
    { desc: 'zero rows', value: { ...valid, m: 0 }, says: 'program.m is 0, allowed is 1 to 16777216' },
    { desc: 'negative', value: { ...valid, n: -1 }, says: 'program.n is -1, allowed is 1 to 16777216' },
    { desc: 'a fraction', value: { ...valid, k: 1.5 }, says: 'program.k is 1.5, allowed is 1 to 65535' },
    {
      desc: 'not a number',
      value: { ...valid, k: Number.NaN },
      says: 'program.k is NaN, allowed is 1 to 65535',
    },
    {
      desc: 'text for a number',
      value: { ...valid, m: '3' },
      says: "program.m is '3', allowed is 1 to 16777216",
    },
    {
      desc: 'k one too long',
      value: { op: 'matmul', m: 1, k: 65_536, n: 1 },
      says: 'program.k is 65536, allowed is 1 to 65535',
    },
    {
      desc: 'beyond exact numbers',
      value: { ...valid, m: 2 ** 60 },
      says: 'program.m is 1152921504606847000, allowed is 1 to 16777216',
    },
    {
      desc: 'too much input',
      value: { op: 'matmul', m: 1024, k: 65_535, n: 1 },
      says: 'program.m*k + k*n: the input is 67173375 bytes, the limit is 67108864',
    },
    {
      desc: 'too much output',
      value: { op: 'matmul', m: 4097, k: 1, n: 4096 },
      says: 'program.4*m*n: the output is 67125248 bytes, the limit is 67108864',
    },
    { desc: 'an unknown field', value: { ...valid, seed: 1 }, says: "program: has the unknown field 'seed'" },
  ]
  for (const { desc, value, says } of refused) {
    test(`refuses ${desc}`, () => expect(refusalOf(value)).toBe(says))
  }

  const accepted = [
    { m: 1, k: 1, n: 1 },
    { m: 512, k: kMax, n: 512 },
    { m: 4096, k: 8192, n: 4096 },
    { m: 1, k: 1, n: rowsMax },
    { m: rowsMax, k: 1, n: 1 },
  ]
  for (const shape of accepted) {
    test(`accepts ${shape.m} × ${shape.k} × ${shape.n}`, () => {
      expect(parseProgram({ op: 'matmul', ...shape })).toEqual({
        ok: true,
        value: { op: 'matmul', ...shape },
      })
    })
  }

  test('answers anything at all with a value, never an exception', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseProgram(value)
        parseProgram({ ...valid, m: value })
      }),
    )
  })

  test('what is accepted has exact sizes within the bounds', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: rowsMax }))
    fc.assert(
      fc.property(size, fc.integer({ min: 1, max: kMax }), size, (m, k, n) => {
        const parsed = parseProgram({ op: 'matmul', m, k, n })
        const [rows, inner, columns] = [BigInt(m), BigInt(k), BigInt(n)]
        const input = rows * inner + inner * columns
        const output = 4n * rows * columns
        expect(parsed.ok).toBe(input <= 2n ** 26n && output <= 2n ** 26n)
        if (!parsed.ok) return
        expect(BigInt(inputLength(parsed.value))).toBe(input)
        expect(BigInt(outputLength(parsed.value))).toBe(output)
        expect(BigInt(complexity(parsed.value))).toBe(rows * inner * columns)
        expect(Number.isSafeInteger(complexity(parsed.value))).toBe(true)
      }),
    )
  })
})

test('input of any other length is refused', () => {
  const program = { op: 'matmul', m: 3, k: 5, n: 7 } as const
  expect(refuseInput(program, new Uint8Array(50))).toBeUndefined()
  for (const length of [0, 49, 51]) {
    expect(refuseInput(program, new Uint8Array(length))).toEqual({
      kind: 'wrongLength',
      field: 'input',
      expected: 50,
      actual: length,
    })
  }
})
