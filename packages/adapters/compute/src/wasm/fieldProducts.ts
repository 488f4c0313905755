/**
 * Products of integer matrices with vectors over the field of p = 2^31 − 1 elements, for the sound checks of products.
 * The matrix is read once for all vectors, in blocks of some hundred KiB that pass through the kernels' memory; a matrix
 * of words is held against its declared range in the same pass, without which a check would prove nothing.
 *
 * M·x on some of the rows gives those rows' elements, and xᵀ·M on some of the rows gives parts to be added modulo p: so a
 * caller with other work to do takes a matrix in slices of rows.
 */
import { bytesOf, type Instance, KernelError, layOut, requireLength, requireWhole } from './instance.ts'

/** Row by row. */
export interface MatrixShape {
  readonly rows: number
  readonly columns: number
}

/** So many vectors, one after the other, of canonical elements: 0 to p − 1. */
export interface FieldVectors {
  readonly repetitions: number
  readonly elements: Uint32Array
}

export interface WordRange {
  readonly min: number
  readonly max: number
}

/** Either the products, or the row-major index of the first entry outside the declared range. */
export type WordProducts =
  | { readonly ok: true; readonly products: Uint32Array }
  | { readonly ok: false; readonly index: number }

/** Results are canonical elements, one product after the other. */
export interface FieldProducts {
  /** M·x: each vector has `columns` elements, each product `rows`. */
  multiplyBytes(
    matrix: Int8Array | Uint8Array,
    shape: MatrixShape,
    vectors: FieldVectors,
  ): Uint32Array<ArrayBuffer>
  /** xᵀ·M: each vector has `rows` elements, each product `columns`. */
  multiplyBytesFromLeft(
    matrix: Int8Array | Uint8Array,
    shape: MatrixShape,
    vectors: FieldVectors,
  ): Uint32Array<ArrayBuffer>
  /**
   * C·x. Bytes are taken as little-endian words, at any alignment. `observe` is shown the bytes of the matrix in their
   * order, up to where an entry is outside, each block while it lies in the cache: there it is hashed a third faster than
   * from main memory. It must not keep the block, nor call these kernels.
   */
  multiplyWords(
    matrix: Int32Array | Uint8Array,
    shape: MatrixShape,
    range: WordRange,
    vectors: FieldVectors,
    observe?: (block: Uint8Array) => void,
  ): WordProducts
  /** xᵀ·C. */
  multiplyWordsFromLeft(
    matrix: Int32Array | Uint8Array,
    shape: MatrixShape,
    range: WordRange,
    vectors: FieldVectors,
  ): WordProducts
}

export const fieldModulus = 2 ** 31 - 1
export const repetitionsMax = 16

/** What passes through memory at once; small beside a second-level cache, large beside a call. */
const blockBytesMax = 64 * 1024
/** Columns that are taken at once: their elements, or their sums, lie in memory. */
const blockColumnsMax = 8192
/** Rows whose elements lie prepared at once from the left: as many as 32-bit lanes take without a reduction. */
const groupRowsMax = 256
/** For two vectors, elements and sums of one column take 16 bytes at most. */
const columnBytesMax = 8

export function createFieldProducts(instance: Instance): FieldProducts {
  const { run, bytes, words } = instance
  const elements = new Uint32Array(bytes.buffer)
  const at = layOut(instance, {
    // Rows are read in pairs, whole vectors at a time, so a row may be read on past the end.
    matrix: blockBytesMax + 4 * blockColumnsMax,
    source: 4 * blockColumnsMax,
    prepared: repetitionsMax * (4 * blockColumnsMax + 64),
    sums: repetitionsMax * columnBytesMax * (blockColumnsMax + 8),
    out: 2 * 4 * Math.max(blockBytesMax, blockColumnsMax),
  })

  /** Copies a block of the matrix to where the kernels read it, its rows side by side. */
  function copyBlock(
    matrix: Uint8Array,
    from: number,
    stride: number,
    rows: number,
    rowLength: number,
  ): void {
    if (rowLength === stride) {
      bytes.set(matrix.subarray(from, from + rows * stride), at.matrix)
      return
    }
    for (let row = 0; row < rows; row++) {
      const start = from + row * stride
      bytes.set(matrix.subarray(start, start + rowLength), at.matrix + row * rowLength)
    }
  }

  /** Calls `prepare` for each vector with `count` of its elements, from `from` on, at `at.source`. */
  function prepareAll(
    { elements: all, repetitions }: FieldVectors,
    from: number,
    count: number,
    prepare: (vector: number) => void,
  ): void {
    const length = all.length / repetitions
    for (let vector = 0; vector < repetitions; vector++) {
      const start = vector * length + from
      elements.set(all.subarray(start, start + count), at.source / 4)
      prepare(vector)
    }
  }

  /** Adds results modulo p to a part of the products; the first parts meet zeros. */
  function add(products: Uint32Array, to: number, address: number, count: number): void {
    for (let index = 0; index < count; index++) {
      const sum = (products[to + index] ?? 0) + (elements[address / 4 + index] ?? 0)
      products[to + index] = sum >= fieldModulus ? sum - fieldModulus : sum
    }
  }

  /** M·x for entries of `size` bytes; `undefined` when `multiply` says that an entry was outside. */
  function fromRight(
    matrix: Uint8Array,
    size: 1 | 4,
    { rows, columns }: MatrixShape,
    vectors: FieldVectors,
    steps: {
      prepare(vector: number, pair: Pair, columns: number): void
      multiply(rows: number, columns: number, pair: Pair): boolean
      observe?: ((block: Uint8Array) => void) | undefined
    },
  ): Uint32Array<ArrayBuffer> | undefined {
    const { repetitions } = vectors
    const products = new Uint32Array(repetitions * rows)
    const stride = size * columns
    const call = {}
    instance.claim(call)
    for (let column = 0; column < columns; column += blockColumnsMax) {
      const width = Math.min(blockColumnsMax, columns - column)
      prepareAll(vectors, column, width, (vector) => {
        steps.prepare(vector, pairOf(vector, repetitions), width)
      })
      const block = Math.max(1, Math.floor(blockBytesMax / (size * width)))
      for (let row = 0; row < rows; row += block) {
        const height = Math.min(block, rows - row)
        copyBlock(matrix, row * stride + size * column, stride, height, size * width)
        if (steps.observe !== undefined) {
          steps.observe(bytes.subarray(at.matrix, at.matrix + size * width * height))
          if (!instance.claim(call)) throw new KernelError('parameter', 'the observer called the kernels')
        }
        for (let first = 0; first < repetitions; first += 2) {
          const pair = pairOf(first, repetitions)
          if (!steps.multiply(height, width, pair)) return undefined
          for (let vector = 0; vector < pair.count; vector++) {
            add(products, (first + vector) * rows + row, at.out + 4 * vector * height, height)
          }
        }
      }
    }
    return products
  }

  /** xᵀ·M for entries of `size` bytes; `undefined` when `multiply` says that an entry was outside. */
  function fromLeft(
    matrix: Uint8Array,
    size: 1 | 4,
    { rows, columns }: MatrixShape,
    vectors: FieldVectors,
    steps: {
      prepare(vector: number, pair: Pair, rows: number): void
      /** `skip` rows of the prepared ones come before these. */
      multiply(rows: number, columns: number, pair: Pair, skip: number): boolean
      finish(columns: number, pair: Pair): void
    },
  ): Uint32Array<ArrayBuffer> | undefined {
    const { repetitions } = vectors
    const products = new Uint32Array(repetitions * columns)
    const stride = size * columns
    instance.claim(at)
    for (let column = 0; column < columns; column += blockColumnsMax) {
      const width = Math.min(blockColumnsMax, columns - column)
      bytes.fill(0, at.sums, at.sums + repetitions * columnBytesMax * (width + 8))
      for (let group = 0; group < rows; group += groupRowsMax) {
        const groupRows = Math.min(groupRowsMax, rows - group)
        prepareAll(vectors, group, groupRows, (vector) => {
          steps.prepare(vector, pairOf(vector, repetitions), groupRows)
        })
        // An even number, so that the pairs of rows begin where those of the group do.
        const block = 2 * Math.max(1, Math.floor(blockBytesMax / (2 * size * width)))
        for (let skip = 0; skip < groupRows; skip += block) {
          const height = Math.min(block, groupRows - skip)
          copyBlock(matrix, (group + skip) * stride + size * column, stride, height, size * width)
          for (let first = 0; first < repetitions; first += 2) {
            if (!steps.multiply(height, width, pairOf(first, repetitions), skip)) return undefined
          }
        }
        for (let first = 0; first < repetitions; first += 2) {
          const pair = pairOf(first, repetitions)
          elements.fill(0, at.out / 4, at.out / 4 + pair.count * width)
          steps.finish(width, pair)
          for (let vector = 0; vector < pair.count; vector++) {
            add(products, (first + vector) * columns + column, at.out + 4 * vector * width, width)
          }
        }
      }
    }
    return products
  }

  const sumsOf = ({ first }: Pair, columns: number) => at.sums + first * columnBytesMax * (columns + 8)

  function multiplyBytes(matrix: Int8Array | Uint8Array, shape: MatrixShape, vectors: FieldVectors) {
    requireOperands(matrix.length, shape, vectors, shape.columns)
    const unsigned = matrix instanceof Uint8Array ? 1 : 0
    const groups = (columns: number) => Math.ceil(columns / 8)
    const digitsOf = ({ first }: Pair, columns: number) => at.prepared + 32 * first * groups(columns)
    const products = fromRight(bytesOf(matrix), 1, shape, vectors, {
      prepare(vector, pair, columns) {
        const target = digitsOf(pair, columns) + 32 * (vector - pair.first)
        run.split(at.source, target, columns, groups(columns), pair.count)
      },
      multiply(rows, columns, pair) {
        const digits = digitsOf(pair, columns)
        run.bytes_right(at.matrix, rows, columns, digits, pair.count, at.out, rows, unsigned)
        return true
      },
    })
    return required(products)
  }

  function multiplyBytesFromLeft(matrix: Int8Array | Uint8Array, shape: MatrixShape, vectors: FieldVectors) {
    requireOperands(matrix.length, shape, vectors, shape.rows)
    const unsigned = matrix instanceof Uint8Array ? 1 : 0
    // Pairs of digits for two elements: eight bytes a vector. Room for a whole group, whatever its rows.
    const digitsOf = ({ first }: Pair) => at.prepared + first * 4 * groupRowsMax
    const products = fromLeft(bytesOf(matrix), 1, shape, vectors, {
      prepare(vector, pair, rows) {
        const target = digitsOf(pair) + 8 * (vector - pair.first)
        run.split_pairs(at.source, target, rows, Math.ceil(rows / 2), pair.count)
      },
      multiply(rows, columns, pair, skip) {
        const digits = digitsOf(pair) + (skip / 2) * 8 * pair.count
        run.bytes_left(at.matrix, rows, columns, digits, pair.count, sumsOf(pair, columns), unsigned)
        return true
      },
      finish: (columns, pair) => run.finish_bytes(sumsOf(pair, columns), columns, pair.count, at.out),
    })
    return required(products)
  }

  function multiplyWords(
    matrix: Int32Array | Uint8Array,
    shape: MatrixShape,
    range: WordRange,
    vectors: FieldVectors,
    observe?: (block: Uint8Array) => void,
  ): WordProducts {
    const source = requireWords(matrix, shape, range, vectors, shape.columns)
    const steps = termsPerReduction(range) >> 1
    const { min, max } = range
    const padded = (columns: number) => 4 * Math.ceil(columns / 4)
    const wordsOf = (vector: number, columns: number) => at.prepared + 4 * vector * padded(columns)
    const isOneBlockWide = shape.columns <= blockColumnsMax
    if (!isOneBlockWide && observe !== undefined) {
      for (let from = 0; from < source.length; from += blockBytesMax) {
        observe(source.subarray(from, from + blockBytesMax))
      }
    }
    const products = fromRight(source, 4, shape, vectors, {
      observe: isOneBlockWide ? observe : undefined,
      prepare(vector, _pair, columns) {
        run.centre(at.source, wordsOf(vector, columns), columns, padded(columns))
      },
      multiply(rows, columns, { first, count }) {
        endWithin(rows * columns, min)
        const right = wordsOf(first, columns)
        const { matrix, out } = at
        const room = padded(columns)
        return run.words_right(matrix, rows, columns, right, room, count, out, rows, steps, min, max) === 1
      },
    })
    return products === undefined ? { ok: false, index: findOutside(source, range) } : { ok: true, products }
  }

  function multiplyWordsFromLeft(
    matrix: Int32Array | Uint8Array,
    shape: MatrixShape,
    range: WordRange,
    vectors: FieldVectors,
  ): WordProducts {
    const source = requireWords(matrix, shape, range, vectors, shape.rows)
    const steps = termsPerReduction(range)
    const { min, max } = range
    const products = fromLeft(source, 4, shape, vectors, {
      prepare(vector, _pair, rows) {
        run.centre_four(at.source, at.prepared + 16 * vector * groupRowsMax, rows)
      },
      multiply(rows, columns, pair, skip) {
        endWithin(rows * columns, min)
        const left = at.prepared + 16 * (pair.first * groupRowsMax + skip)
        const { matrix } = at
        const sums = sumsOf(pair, columns)
        const { count } = pair
        return run.words_left(matrix, rows, columns, left, groupRowsMax, count, sums, steps, min, max) === 1
      },
      finish: (columns, pair) => run.finish_words(sumsOf(pair, columns), columns, pair.count, at.out),
    })
    return products === undefined ? { ok: false, index: findOutside(source, range) } : { ok: true, products }
  }

  /** The last vector of the last row reads on for up to three words, which must not fail the range. */
  function endWithin(length: number, min: number): void {
    words.fill(min, at.matrix / 4 + length, at.matrix / 4 + length + 3)
  }

  /** The first entry outside, row by row: blocks are not always walked in that order. */
  function findOutside(source: Uint8Array, { min, max }: WordRange): number {
    for (let from = 0; from < source.length; from += blockBytesMax) {
      const part = source.subarray(from, from + blockBytesMax)
      bytes.set(part, at.matrix)
      const index = run.first_outside(at.matrix, part.length / 4, min, max)
      if (4 * index < part.length) return from / 4 + index
    }
    throw new Error('a kernel saw an entry outside the range, and a second look did not')
  }

  return { multiplyBytes, multiplyBytesFromLeft, multiplyWords, multiplyWordsFromLeft }
}

/** Vectors go two at a time, and the last of an odd number alone. */
interface Pair {
  readonly first: number
  readonly count: number
}

function pairOf(vector: number, repetitions: number): Pair {
  const first = vector - (vector % 2)
  return { first, count: Math.min(2, repetitions - first) }
}

function required(products: Uint32Array<ArrayBuffer> | undefined): Uint32Array<ArrayBuffer> {
  if (products === undefined) throw new Error('bytes have no range to be outside of')
  return products
}

/**
 * How many products of an entry and a centred element (below 2^30) a signed 64-bit lane takes before it must be reduced,
 * when a reduced lane is below 2^33. At least two, for entries of any size.
 */
function termsPerReduction({ min, max }: WordRange): number {
  const bound = BigInt(Math.max(Math.abs(min), Math.abs(max), 1))
  const terms = (2n ** 63n - 2n ** 33n) / (bound * (2n ** 30n - 1n))
  return Number(terms < 2n ** 20n ? terms : 2n ** 20n)
}

function requireOperands(length: number, shape: MatrixShape, vectors: FieldVectors, elements: number): void {
  const { rows, columns } = shape
  requireWhole('rows', rows, 1, 2 ** 31 - 1)
  requireWhole('columns', columns, 1, 2 ** 31 - 1)
  requireLength('matrix', length, rows * columns)
  const { repetitions } = vectors
  requireWhole('repetitions', repetitions, 1, repetitionsMax)
  requireLength('vectors.elements', vectors.elements.length, repetitions * elements)
  const wrong = vectors.elements.findIndex((element) => element >= fieldModulus)
  if (wrong >= 0) {
    throw new KernelError('element', `element ${wrong} is ${vectors.elements[wrong]}, not below 2^31 - 1`)
  }
}

function requireWords(
  matrix: Int32Array | Uint8Array,
  shape: MatrixShape,
  range: WordRange,
  vectors: FieldVectors,
  elements: number,
): Uint8Array {
  const source = bytesOf(matrix)
  requireOperands(source.length / 4, shape, vectors, elements)
  requireWhole('range.min', range.min, -(2 ** 31), 2 ** 31 - 1)
  requireWhole('range.max', range.max, range.min, 2 ** 31 - 1)
  return source
}
