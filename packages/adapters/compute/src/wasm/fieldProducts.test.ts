import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type FieldVectors, fieldModulus, type MatrixShape, type WordRange } from './fieldProducts.ts'
import { KernelError } from './instance.ts'
import { openKernels } from './kernels.ts'

const opened = await openKernels()
if (!opened.ok) throw new Error(opened.refusal.message)
const { field } = opened.kernels

type Entries = Int8Array | Uint8Array | Int32Array
const modulus = BigInt(fieldModulus)
const everyWord: WordRange = { min: -(2 ** 31), max: 2 ** 31 - 1 }

/** The definition in integers of unlimited size. */
function expected(
  matrix: Entries,
  { rows, columns }: MatrixShape,
  { repetitions, elements }: FieldVectors,
  side: 'right' | 'left',
): number[] {
  const entries = Array.from(matrix, BigInt)
  const values = Array.from(elements, BigInt)
  const [outputs, terms] = side === 'right' ? [rows, columns] : [columns, rows]
  const products: number[] = []
  for (let vector = 0; vector < repetitions; vector++) {
    for (let output = 0; output < outputs; output++) {
      let sum = 0n
      for (let term = 0; term < terms; term++) {
        const entry = side === 'right' ? entries[output * columns + term] : entries[term * columns + output]
        sum += (entry ?? 0n) * (values[vector * terms + term] ?? 0n)
      }
      products.push(Number(((sum % modulus) + modulus) % modulus))
    }
  }
  return products
}

function expectProducts(
  matrix: Entries,
  shape: MatrixShape,
  repetitions: number,
  seed: number,
  range = everyWord,
) {
  const right = { repetitions, elements: elementsOf(repetitions * shape.columns, seed) }
  const left = { repetitions, elements: elementsOf(repetitions * shape.rows, seed + 1) }
  if (matrix instanceof Int32Array) {
    const fromRight = field.multiplyWords(matrix, shape, range, right)
    const fromLeft = field.multiplyWordsFromLeft(matrix, shape, range, left)
    if (!fromRight.ok || !fromLeft.ok) throw new Error('an entry was taken for outside its range')
    expect([...fromRight.products]).toEqual(expected(matrix, shape, right, 'right'))
    expect([...fromLeft.products]).toEqual(expected(matrix, shape, left, 'left'))
  } else {
    expect([...field.multiplyBytes(matrix, shape, right)]).toEqual(expected(matrix, shape, right, 'right'))
    expect([...field.multiplyBytesFromLeft(matrix, shape, left)]).toEqual(
      expected(matrix, shape, left, 'left'),
    )
  }
}

/** Every edge of the residues and of their centring, and others between. */
const special = [
  0,
  1,
  2,
  2 ** 15 - 1,
  2 ** 15,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 30 + 1,
  fieldModulus - 2,
  fieldModulus - 1,
]

function elementsOf(length: number, seed: number): Uint32Array {
  let state = seed | 0
  return Uint32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    const isSpecial = (state >>> 28) % 3 === 0
    return isSpecial ? (special[(state >>> 20) % special.length] ?? 0) : (state >>> 1) % fieldModulus
  })
}

function wordsOf(length: number, seed: number, { min, max }: WordRange = everyWord): Int32Array {
  let state = seed | 0
  return Int32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    if (state >>> 28 === 0) return min
    if (state >>> 28 === 1) return max
    return min + ((state >>> 0) % (max - min + 1))
  })
}

const edges: MatrixShape[] = [
  { rows: 1, columns: 1 },
  { rows: 2, columns: 8 },
  { rows: 3, columns: 9 },
  { rows: 5, columns: 1023 },
  { rows: 3, columns: 1025 },
  { rows: 2, columns: 8193 }, // Past one block of columns.
  { rows: 255, columns: 3 },
  { rows: 257, columns: 1025 }, // Past one block from the left, both ways.
  { rows: 70_001, columns: 1 },
  { rows: 1, columns: 33_000 },
]

describe('field products', () => {
  for (const shape of edges) {
    test(`are exact at ${shape.rows} × ${shape.columns}`, () => {
      const length = shape.rows * shape.columns
      const words = wordsOf(length, length)
      const bytes = Uint8Array.from(words, (word) => word >>> 24)
      expectProducts(bytes, shape, 2, 5)
      expectProducts(new Int8Array(bytes.buffer), shape, 3, 6)
      expectProducts(words, shape, 2, 7)
    })
  }

  test('are exact at random shapes, entries and numbers of vectors', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 16 }),
        fc.nat(),
        (rows, columns, repetitions, seed) => {
          const words = wordsOf(rows * columns, seed)
          expectProducts(words, { rows, columns }, repetitions, seed)
          const bytes = Int8Array.from(words, (word) => word >> 24)
          expectProducts(bytes, { rows, columns }, repetitions, seed)
          expectProducts(new Uint8Array(bytes.buffer), { rows, columns }, repetitions, seed)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('never leave their width: the largest entries against the largest elements', () => {
    const shape = { rows: 300, columns: 2100 }
    const length = shape.rows * shape.columns
    for (const element of [2 ** 30 - 1, 2 ** 30, fieldModulus - 1]) {
      const ones = (count: number) => ({ repetitions: 2, elements: new Uint32Array(2 * count).fill(element) })
      const sum = (entry: number, terms: number) => {
        const value = (BigInt(entry) * BigInt(element) * BigInt(terms)) % modulus
        return Number((value + modulus) % modulus)
      }
      const expectAll = (actual: Uint32Array, entry: number, terms: number) =>
        expect(new Set(actual)).toEqual(new Set([sum(entry, terms)]))
      for (const entry of [-128, 127, 255]) {
        const matrix = entry === 255 ? new Uint8Array(length).fill(255) : new Int8Array(length).fill(entry)
        expectAll(field.multiplyBytes(matrix, shape, ones(shape.columns)), entry, shape.columns)
        expectAll(field.multiplyBytesFromLeft(matrix, shape, ones(shape.rows)), entry, shape.rows)
      }
      for (const entry of [-(2 ** 31), 2 ** 31 - 1, fieldModulus, 2 ** 30, -(2 ** 26), 1, 0]) {
        const matrix = new Int32Array(length).fill(entry)
        // The narrowest range allows the fewest reductions.
        const right = field.multiplyWords(matrix, shape, { min: entry, max: entry }, ones(shape.columns))
        const left = field.multiplyWordsFromLeft(matrix, shape, { min: entry, max: entry }, ones(shape.rows))
        if (!right.ok || !left.ok) throw new Error('an entry was taken for outside its range')
        expectAll(right.products, entry, shape.columns)
        expectAll(left.products, entry, shape.rows)
      }
    }
  })

  test('parts that add up to p give zero', () => {
    const elements = new Uint32Array(9000)
    elements[0] = fieldModulus - 1
    elements[8999] = 1
    const vectors = { repetitions: 1, elements }
    const across = { rows: 1, columns: 9000 }
    const along = { rows: 9000, columns: 1 }
    const [bytes, words] = [new Int8Array(9000).fill(1), new Int32Array(9000).fill(1)]
    expect([...field.multiplyBytes(bytes, across, vectors)]).toEqual([0])
    expect([...field.multiplyBytesFromLeft(bytes, along, vectors)]).toEqual([0])
    const zero = { ok: true, products: new Uint32Array(1) } as const
    expect(field.multiplyWords(words, across, everyWord, vectors)).toEqual(zero)
    expect(field.multiplyWordsFromLeft(words, along, everyWord, vectors)).toEqual(zero)
  })

  test('slices of rows give the products of their rows, or parts of the sum', () => {
    const shape = { rows: 100, columns: 50 }
    const matrix = Int8Array.from(wordsOf(5000, 9), (word) => word >> 24)
    const right = { repetitions: 1, elements: elementsOf(50, 1) }
    const left = { repetitions: 1, elements: elementsOf(100, 2) }
    const whole = field.multiplyBytes(matrix, shape, right)
    const wholeLeft = field.multiplyBytesFromLeft(matrix, shape, left)
    const sums = new Array<number>(50).fill(0)
    for (const [from, rows] of [
      [0, 33],
      [33, 67],
    ] as const) {
      const slice = matrix.subarray(50 * from, 50 * (from + rows))
      const part = { rows, columns: 50 }
      expect(field.multiplyBytes(slice, part, right)).toEqual(whole.slice(from, from + rows))
      const elements = left.elements.subarray(from, from + rows)
      field.multiplyBytesFromLeft(slice, part, { repetitions: 1, elements }).forEach((sum, column) => {
        sums[column] = ((sums[column] ?? 0) + sum) % fieldModulus
      })
    }
    expect(sums).toEqual([...wholeLeft])
  })

  test('words may come as bytes at any alignment', () => {
    const matrix = wordsOf(60, 4)
    const frame = new Uint8Array(243)
    frame.set(new Uint8Array(matrix.buffer), 3)
    const vectors = { repetitions: 2, elements: elementsOf(24, 5) }
    const shape = { rows: 5, columns: 12 }
    expect(field.multiplyWords(frame.subarray(3), shape, everyWord, vectors)).toEqual(
      field.multiplyWords(matrix, shape, everyWord, vectors),
    )
  })

  test('an observer sees every byte of the words once, in their order', () => {
    for (const shape of [
      { rows: 1, columns: 1 },
      { rows: 100, columns: 333 },
      { rows: 3, columns: 8192 },
      { rows: 5, columns: 8193 },
    ]) {
      const matrix = wordsOf(shape.rows * shape.columns, 8)
      const vectors = { repetitions: 3, elements: elementsOf(3 * shape.columns, 5) }
      const seen: Buffer[] = []
      const observed = field.multiplyWords(matrix, shape, everyWord, vectors, (block) => {
        seen.push(Buffer.from(block))
      })
      expect(Buffer.compare(Buffer.concat(seen), Buffer.from(matrix.buffer))).toBe(0)
      expect(observed).toEqual(field.multiplyWords(matrix, shape, everyWord, vectors))
    }
  })

  test('an observer that calls the kernels is found out', () => {
    const vectors = { repetitions: 1, elements: new Uint32Array(3) }
    const call = () => field.multiplyWords(new Int32Array(6), { rows: 2, columns: 3 }, everyWord, vectors)
    const observed = () =>
      field.multiplyWords(new Int32Array(6), { rows: 2, columns: 3 }, everyWord, vectors, call)
    expect(observed).toThrow('the observer called the kernels')
  })

  test('an entry raised or lowered by p is outside a range narrower than p, wherever it lies', () => {
    const range = { min: -(2 ** 20), max: 2 ** 20 }
    for (const shape of [
      { rows: 1, columns: 1 },
      { rows: 3, columns: 5 },
      { rows: 300, columns: 7 },
      { rows: 2, columns: 8200 },
    ]) {
      const length = shape.rows * shape.columns
      const right = { repetitions: 1, elements: elementsOf(shape.columns, 3) }
      const left = { repetitions: 1, elements: elementsOf(shape.rows, 3) }
      for (const index of new Set([0, 1, 4, length >> 1, length - 2, length - 1])) {
        if (index < 0 || index >= length) continue
        for (const forged of [fieldModulus, -fieldModulus, range.max + 1, range.min - 1, -(2 ** 31)]) {
          const matrix = new Int32Array(length)
          matrix[index] = forged
          expect(field.multiplyWords(matrix, shape, range, right)).toEqual({ ok: false, index })
          expect(field.multiplyWordsFromLeft(matrix, shape, range, left)).toEqual({ ok: false, index })
        }
        const matrix = new Int32Array(length)
        matrix[index] = range.max
        matrix[length - 1 - index] = range.min
        expect(field.multiplyWords(matrix, shape, range, right).ok).toBe(true)
        expect(field.multiplyWordsFromLeft(matrix, shape, range, left).ok).toBe(true)
      }
    }
  })

  test('the first of several entries outside is named, by row', () => {
    const shape = { rows: 2, columns: 9000 }
    const matrix = new Int32Array(18_000)
    matrix[9001] = 5
    matrix[8999] = 5
    const range = { min: 0, max: 4 }
    const right = { repetitions: 1, elements: new Uint32Array(9000) }
    const left = { repetitions: 1, elements: new Uint32Array(2) }
    expect(field.multiplyWords(matrix, shape, range, right)).toEqual({ ok: false, index: 8999 })
    expect(field.multiplyWordsFromLeft(matrix, shape, range, left)).toEqual({ ok: false, index: 8999 })
  })

  test('a range that leaves out zero holds although rows are padded', () => {
    const shape = { rows: 3, columns: 7 }
    const matrix = new Int32Array(21).fill(9)
    const vectors = (count: number) => ({ repetitions: 1, elements: new Uint32Array(count).fill(1) })
    expect(field.multiplyWords(matrix, shape, { min: 9, max: 9 }, vectors(7))).toEqual({
      ok: true,
      products: new Uint32Array(3).fill(63),
    })
    expect(field.multiplyWordsFromLeft(matrix, shape, { min: 9, max: 9 }, vectors(3))).toEqual({
      ok: true,
      products: new Uint32Array(7).fill(27),
    })
  })

  const shape = { rows: 2, columns: 3 }
  const bytes = new Int8Array(6)
  const vectors = { repetitions: 1, elements: new Uint32Array(3) }
  const refused: { desc: string; call: () => unknown; kind: KernelError['kind'] }[] = [
    {
      desc: 'a short matrix',
      call: () => field.multiplyBytes(bytes.subarray(1), shape, vectors),
      kind: 'length',
    },
    {
      desc: 'the vectors of the other side',
      call: () => field.multiplyBytesFromLeft(bytes, shape, vectors),
      kind: 'length',
    },
    {
      desc: 'fewer vectors than stated',
      call: () => field.multiplyBytes(bytes, shape, { ...vectors, repetitions: 2 }),
      kind: 'length',
    },
    {
      desc: 'no vectors',
      call: () => field.multiplyBytes(bytes, shape, { repetitions: 0, elements: new Uint32Array() }),
      kind: 'parameter',
    },
    {
      desc: 'too many vectors',
      call: () => field.multiplyBytes(bytes, shape, { repetitions: 17, elements: new Uint32Array(51) }),
      kind: 'parameter',
    },
    {
      desc: 'p for an element',
      call: () =>
        field.multiplyBytes(bytes, shape, { repetitions: 1, elements: Uint32Array.of(0, fieldModulus, 0) }),
      kind: 'element',
    },
    {
      desc: 'no rows',
      call: () => field.multiplyBytes(bytes, { rows: 0, columns: 3 }, vectors),
      kind: 'parameter',
    },
    {
      desc: 'a range upside down',
      call: () => field.multiplyWords(new Int32Array(6), shape, { min: 1, max: 0 }, vectors),
      kind: 'parameter',
    },
    {
      desc: 'a range beyond words',
      call: () => field.multiplyWords(new Int32Array(6), shape, { min: 0, max: 2 ** 31 }, vectors),
      kind: 'parameter',
    },
    {
      desc: 'bytes that are no whole words',
      call: () => field.multiplyWords(new Uint8Array(23), shape, everyWord, vectors),
      kind: 'length',
    },
  ]
  for (const { desc, call, kind } of refused) {
    test(`refuses ${desc}`, () => {
      expect(call).toThrow(KernelError)
      expect(call).toThrow(expect.objectContaining({ kind }))
    })
  }
})
