import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isSignature, toLowS } from './signature.ts'

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const half = order >> 1n

function form(r: bigint, s: bigint): Uint8Array {
  return Uint8Array.fromHex(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'))
}

const table: { desc: string; r: bigint; s: bigint; isForm: boolean }[] = [
  { desc: 'smallest', r: 1n, s: 1n, isForm: true },
  { desc: 'largest', r: order - 1n, s: half, isForm: true },
  { desc: 's one above n/2', r: 1n, s: half + 1n, isForm: false },
  { desc: 's is n - 1', r: 1n, s: order - 1n, isForm: false },
  { desc: 'r is n', r: order, s: 1n, isForm: false },
  { desc: 'r above n', r: order + 1n, s: 1n, isForm: false },
  { desc: 'r is zero', r: 0n, s: 1n, isForm: false },
  { desc: 's is zero', r: 1n, s: 0n, isForm: false },
  { desc: 'all ones', r: 2n ** 256n - 1n, s: 2n ** 256n - 1n, isForm: false },
]

describe('isSignature (spec S3)', () => {
  for (const { desc, r, s, isForm } of table) {
    test(desc, () => expect(isSignature(form(r, s))).toBe(isForm))
  }
  test('only 64 bytes', () => {
    const bytes = form(1n, 1n)
    expect(isSignature(bytes.subarray(0, 63))).toBe(false)
    expect(isSignature(new Uint8Array([...bytes, 0]))).toBe(false)
    expect(isSignature(new Uint8Array(0))).toBe(false)
  })
})

const scalar = fc.bigInt({ min: 1n, max: order - 1n })

test('of s and n - s exactly one is low, and both lead to it', () => {
  fc.assert(
    fc.property(scalar, scalar, (r, s) => {
      const [one, other] = [form(r, s), form(r, order - s)]
      expect(isSignature(one)).toBe(!isSignature(other))
      expect(toLowS(one)).toEqual(toLowS(other))
      expect(isSignature(toLowS(one))).toBe(true)
      expect(toLowS(toLowS(one))).toEqual(toLowS(one))
    }),
  )
})

test('what is no signature at all is not made into one', () => {
  for (const bytes of [
    form(1n, 0n),
    form(0n, 1n),
    form(order, 1n),
    form(1n, order),
    form(1n, order + 1n),
    form(1n, 2n ** 256n - 1n),
    new Uint8Array(63).fill(1),
    new Uint8Array(65).fill(1),
  ]) {
    expect(() => toLowS(bytes)).toThrow('not an ECDSA P-256 signature')
  }
})
