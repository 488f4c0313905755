import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { checkModulus } from '../modulus.ts'
import { type FieldVectors, pureProducts, reduce } from './field.ts'

const p = BigInt(checkModulus)
const element = fc.oneof(
  fc.constantFrom(0, 1, checkModulus - 1),
  fc.integer({ min: 0, max: checkModulus - 1 }),
)
const word = fc.oneof(fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, checkModulus, -checkModulus), fc.integer())
const everything = { min: -(2 ** 31), max: 2 ** 31 - 1 }

const operands = fc
  .record({
    rows: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 1, max: 5 }),
    repetitions: fc.integer({ min: 1, max: 3 }),
  })
  .chain(({ rows, columns, repetitions }) =>
    fc.record({
      shape: fc.constant({ rows, columns }),
      words: fc.array(word, { minLength: rows * columns, maxLength: rows * columns }),
      right: fc.array(element, { minLength: repetitions * columns, maxLength: repetitions * columns }),
      left: fc.array(element, { minLength: repetitions * rows, maxLength: repetitions * rows }),
      repetitions: fc.constant(repetitions),
    }),
  )

/** By bigints, from the definition. */
function expected(
  entries: readonly number[] | Int8Array | Uint8Array,
  { rows, columns }: { rows: number; columns: number },
  { repetitions, elements }: FieldVectors,
  fromLeft: boolean,
): number[] {
  const [length, inner] = fromLeft ? [columns, rows] : [rows, columns]
  return Array.from({ length: repetitions * length }, (_, index) => {
    const repetition = Math.floor(index / length)
    let sum = 0n
    for (let at = 0; at < inner; at++) {
      const entry = fromLeft
        ? entries[at * columns + (index % length)]
        : entries[(index % length) * columns + at]
      sum += BigInt(entry ?? 0) * BigInt(elements[repetition * inner + at] ?? 0)
    }
    return Number(((sum % p) + p) % p)
  })
}

test('products are those of the field, from both sides, for words and bytes of either sign', () => {
  fc.assert(
    fc.property(operands, ({ shape, words, right, left, repetitions }) => {
      const [x, y] = [right, left].map((list) => ({ repetitions, elements: Uint32Array.from(list) })) as [
        FieldVectors,
        FieldVectors,
      ]
      const sums = Int32Array.from(words)
      const atOddPlace = new Uint8Array(1 + sums.byteLength)
      atOddPlace.set(new Uint8Array(sums.buffer), 1)
      for (const matrix of [sums, atOddPlace.subarray(1)]) {
        const fromRight = pureProducts.multiplyWords(matrix, shape, everything, x)
        const fromLeft = pureProducts.multiplyWordsFromLeft(matrix, shape, everything, y)
        expect(fromRight.ok && [...fromRight.products]).toEqual(expected(words, shape, x, false))
        expect(fromLeft.ok && [...fromLeft.products]).toEqual(expected(words, shape, y, true))
      }
      for (const bytes of [Int8Array.from(words), Uint8Array.from(words)]) {
        expect([...pureProducts.multiplyBytes(bytes, shape, x)]).toEqual(expected(bytes, shape, x, false))
        expect([...pureProducts.multiplyBytesFromLeft(bytes, shape, y)]).toEqual(
          expected(bytes, shape, y, true),
        )
      }
    }),
  )
})

test('the first entry outside the range is named', () => {
  const vectors = { repetitions: 1, elements: Uint32Array.of(1, 2) }
  const range = { min: -5, max: 5 }
  const shape = { rows: 2, columns: 2 }
  for (const multiply of [pureProducts.multiplyWords, pureProducts.multiplyWordsFromLeft]) {
    expect(multiply(Int32Array.of(-5, 5, 6, -6), shape, range, vectors)).toEqual({ ok: false, index: 2 })
    expect(multiply(Int32Array.of(5, -6, 6, 0), shape, range, vectors)).toEqual({ ok: false, index: 1 })
    expect(multiply(Int32Array.of(5, -5, 0, 0), shape, range, vectors).ok).toBe(true)
  }
})

test('lengths that do not fit are a bug of the caller', () => {
  const vectors = { repetitions: 1, elements: Uint32Array.of(1, 2) }
  const shape = { rows: 2, columns: 2 }
  expect(() => pureProducts.multiplyBytes(new Int8Array(3), shape, vectors)).toThrow('3 entries')
  expect(() => pureProducts.multiplyWords(new Uint8Array(13), shape, everything, vectors)).toThrow('entries')
  expect(() =>
    pureProducts.multiplyBytes(new Int8Array(4), shape, { repetitions: 2, elements: vectors.elements }),
  ).toThrow('2 elements')
})

test.each([
  [checkModulus, 0],
  [-checkModulus, 0],
  [-1, checkModulus - 1],
  [2 ** 52, Number(2n ** 52n % p)],
])('%d reduces to %d', (value, rest) => {
  expect(reduce(value)).toBe(rest)
})
