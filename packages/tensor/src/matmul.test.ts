import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { encodeHex } from '@shardy/protocol'
import fc from 'fast-check'
import golden from '../../../vectors/tensor/matmul.json'
import { decodeProgram, encodeProgram, programId } from './encoding.ts'
import { matmul } from './matmul.ts'
import { inputLength, type MatmulProgram } from './program.ts'
import { evaluate } from './reference.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

/** The same rules written a second time, with integers that cannot overflow and bytes made by hand. */
function matmulOfBigInts({ m, k, n }: MatmulProgram, input: Uint8Array): string {
  const entries = Array.from(input, (byte) => BigInt.asIntN(8, BigInt(byte)))
  let output = ''
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      const products = Array.from({ length: k }, (_, inner) => {
        return (entries[row * k + inner] ?? 0n) * (entries[m * k + inner * n + column] ?? 0n)
      })
      const sum = products.reduce((left, right) => left + right, 0n)
      if (sum < -(2n ** 30n) || sum >= 2n ** 30n) throw new Error(`T7 does not hold: ${sum}`)
      const bigEndian = BigInt.asUintN(32, sum).toString(16).padStart(8, '0')
      output += bigEndian.match(/../g)?.reverse().join('')
    }
  }
  return output
}

describe('golden vectors', () => {
  for (const {
    name,
    m,
    k,
    n,
    program: programHex,
    programId: id,
    input,
    inputFill,
    output,
  } of golden.cases) {
    test(name, () => {
      const program: MatmulProgram = { op: 'matmul', m, k, n }
      const bytes =
        inputFill === undefined
          ? new Uint8Array(Buffer.from(input ?? '', 'hex'))
          : new Uint8Array(inputLength(program)).fill(Number.parseInt(inputFill, 16))
      expect(encodeHex(encodeProgram(program))).toBe(programHex)
      expect(decodeProgram(encodeProgram(program))).toEqual({ ok: true, value: program })
      expect<string>(programId(program, sha256)).toBe(id)
      expect(encodeHex(evaluate(program, bytes))).toBe(output)
      expect(matmulOfBigInts(program, bytes)).toBe(output)
    })
  }
})

const cases = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 9 }))
  .chain(([m, k, n]) => {
    const program: MatmulProgram = { op: 'matmul', m, k, n }
    const length = inputLength(program)
    return fc.record({
      program: fc.constant(program),
      input: fc.uint8Array({ minLength: length, maxLength: length }),
    })
  })

test('agrees with integers of unlimited size', () => {
  fc.assert(
    fc.property(cases, ({ program, input }) => {
      expect(encodeHex(matmul(program, input))).toBe(matmulOfBigInts(program, input))
    }),
  )
})

test('reads its own bytes when the input lies inside a larger buffer', () => {
  const program: MatmulProgram = { op: 'matmul', m: 1, k: 2, n: 1 }
  const frame = Uint8Array.from([99, 1, 2, 3, 4, 99])
  expect(encodeHex(matmul(program, frame.subarray(1, 5)))).toBe('0b000000')
})

test('input of another length is a bug of the caller', () => {
  expect(() => matmul({ op: 'matmul', m: 1, k: 2, n: 1 }, new Uint8Array(3))).toThrow('input has 3 bytes')
})
