import { expect, test } from 'bun:test'
import { sha256 } from '../../test/sha256.ts'
import { compareFloatProduct, type FloatProduct } from './inexact.ts'

const [m, k, n] = [12, 300, 20] as const

function uniform(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => {
    const [high = 0, low = 0] = sha256(Uint8Array.of(seed, index & 255, index >> 8))
    return (high * 256 + low) / 32_768 - 1
  })
}

function multiply(round: (sum: number) => number): FloatProduct {
  const [a, b] = [uniform(m * k, 1), uniform(k * n, 2)]
  const c = Float32Array.from({ length: m * n }, (_, index) => {
    let sum = 0
    for (let inner = 0; inner < k; inner++) {
      sum = round(sum + (a[Math.floor(index / n) * k + inner] ?? 0) * (b[inner * n + (index % n)] ?? 0))
    }
    return sum
  })
  return { m, k, n, a, b, c }
}

const signs = Int8Array.from({ length: n }, (_, index) =>
  (sha256(Uint8Array.of(9, index))[0] ?? 0) & 1 ? 1 : -1,
)
const coarse = (bits: number) => (value: number) => {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - bits)
  return Math.round(value / unit) * unit
}

test('honest sums of floats, in any order of rounding, are plausible', () => {
  expect(compareFloatProduct(multiply(Math.fround), signs).kind).toBe('plausible')
  expect(
    compareFloatProduct(
      multiply((sum) => sum),
      signs,
    ).kind,
  ).toBe('plausible')
})

test.each([7, 10])('sums kept with %d bits are not', (bits) => {
  expect(compareFloatProduct(multiply(coarse(bits)), signs).kind).toBe('implausible')
})

test('an entry that is no number is not', () => {
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const product = multiply(Math.fround)
    product.c[45] = wrong
    expect(compareFloatProduct(product, signs)).toMatchObject({ kind: 'implausible', row: 2 })
  }
})

test('what is within the tolerance passes, right or wrong: nothing is verified here', () => {
  const product = multiply(Math.fround)
  product.c[45] = (product.c[45] ?? 0) + 1e-5
  expect(compareFloatProduct(product, signs).kind).toBe('plausible')
})

test('lengths that do not fit are a bug of the caller', () => {
  const product = multiply(Math.fround)
  expect(() => compareFloatProduct({ ...product, k: 299 }, signs)).toThrow('do not fit')
})
