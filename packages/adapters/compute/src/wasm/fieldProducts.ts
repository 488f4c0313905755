/**
 * Products of integer matrices with vectors over the field of p = 2^31 − 1 elements, for the sound checks of products.
 * The matrix is read once for all vectors, in blocks of some hundred KiB that pass through the kernels' memory; a matrix
 * of words is held against its declared range in the same pass, without which a check would prove nothing.
 *
 * M·x on some of the rows gives those rows' elements, and xᵀ·M on some of the rows gives parts to be added modulo p: so a
 * caller with other work to do takes a matrix in slices of rows.
 */
import {
  alignUp,
  bytesOf,
  type Instance,
  KernelError,
  layOut,
  requireLength,
  requireWhole,
} from './instance.ts'

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
  /** C·x. Bytes are taken as little-endian words, at any alignment. */
  multiplyWords(
    matrix: Int32Array | Uint8Array,
    shape: MatrixShape,
    range: WordRange,
    vectors: FieldVectors,
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

const blockBytesMax = 256 * 1024
/** Columns whose elements lie prepared in memory at once. */
const blockColumnsMax = 8192
/** Rows of a block from the left: as many as a 32-bit lane takes without a reduction, and as lie well in the caches. */
const leftRowsMax = 256
const leftBytesMax = 1024
/** A row's room in a block from the left: an odd number of cache lines, so that rows do not fall on one another's. */
const leftStrideMax = leftBytesMax + 64
const outputsMax = blockBytesMax

export function createFieldProducts(instance: Instance): FieldProducts {
  const { run, bytes, words } = instance
  const elements = new Uint32Array(bytes.buffer)
  const at = layOut(instance, {
    matrix: Math.max(blockBytesMax, leftRowsMax * leftStrideMax),
    source: 4 * blockColumnsMax,
    // Four bytes per element, for vectors padded to the next vector of entries.
    prepared: repetitionsMax * (4 * blockColumnsMax + 64),
    out: 2 * 4 * outputsMax,
  })

  /** Walks the vectors two at a time, and the last of an odd number alone. */
  function forPairs(repetitions: number, visit: (first: number, count: number) => void): void {
    for (let first = 0; first < repetitions; first += 2) visit(first, Math.min(2, repetitions - first))
  }

  /** Puts `length` elements of a vector, from `from` on, where the preparing kernels read them. */
  function load(vectors: FieldVectors, length: number, vector: number, from: number, count: number): void {
    const start = vector * length + from
    elements.set(vectors.elements.subarray(start, start + count), at.source / 4)
  }

  /** Adds results modulo p to a part of the products; the first parts meet zeros. */
  function add(products: Uint32Array, from: number, address: number, count: number): void {
    for (let index = 0; index < count; index++) {
      const sum = (products[from + index] ?? 0) + (elements[address / 4 + index] ?? 0)
      products[from + index] = sum >= fieldModulus ? sum - fieldModulus : sum
    }
  }

  /** M·x for entries of `size` bytes. `multiply` is told the block of rows and columns that lies in memory. */
  function fromRight(
    matrix: Uint8Array,
    size: number,
    { rows, columns }: MatrixShape,
    vectors: FieldVectors,
    prepare: (first: number, count: number, columns: number) => void,
    multiply: (rows: number, columns: number, first: number, count: number, outStride: number) => boolean,
  ): Uint32Array<ArrayBuffer> | undefined {
    const { repetitions } = vectors
    const products = new Uint32Array(repetitions * rows)
    instance.claim(at)
    for (let column = 0; column < columns; column += blockColumnsMax) {
      const width = Math.min(blockColumnsMax, columns - column)
      forPairs(repetitions, (first, count) => {
        for (let vector = first; vector < first + count; vector++) {
          load(vectors, columns, vector, column, width)
          prepare(vector, count, width)
        }
      })
      const block = Math.max(1, Math.floor(blockBytesMax / (size * width)))
      for (let row = 0; row < rows; row += block) {
        const height = Math.min(block, rows - row)
        const stride = size * columns
        if (width === columns) {
          bytes.set(matrix.subarray(row * stride, (row + height) * stride), at.matrix)
        } else {
          for (let line = 0; line < height; line++) {
            const from = (row + line) * stride + size * column
            bytes.set(matrix.subarray(from, from + size * width), at.matrix + line * size * width)
          }
        }
        for (let first = 0; first < repetitions; first += 2) {
          const count = Math.min(2, repetitions - first)
          if (!multiply(height, width, first, count, outputsMax)) return undefined
          for (let vector = 0; vector < count; vector++) {
            add(products, (first + vector) * rows + row, at.out + 4 * vector * outputsMax, height)
          }
        }
      }
    }
    return products
  }

  /** xᵀ·M for entries of `size` bytes. Rows and columns of a block are padded with `filler`. */
  function fromLeft(
    matrix: Uint8Array,
    size: number,
    { rows, columns }: MatrixShape,
    vectors: FieldVectors,
    fill: (from: number, to: number) => void,
    prepare: (first: number, count: number, rows: number) => void,
    multiply: (
      rows: number,
      columns: number,
      stride: number,
      first: number,
      count: number,
      outStride: number,
    ) => boolean,
  ): Uint32Array<ArrayBuffer> | undefined {
    const { repetitions } = vectors
    const products = new Uint32Array(repetitions * columns)
    const widthMax = leftBytesMax / size
    instance.claim(at)
    for (let row = 0; row < rows; row += leftRowsMax) {
      const height = Math.min(leftRowsMax, rows - row)
      forPairs(repetitions, (first, count) => {
        for (let vector = first; vector < first + count; vector++) {
          load(vectors, rows, vector, row, height)
          prepare(vector, count, height)
        }
      })
      for (let column = 0; column < columns; column += widthMax) {
        const width = Math.min(widthMax, columns - column)
        const stride = oddLines(size * width)
        // What lies between the rows is multiplied too, and must be harmless.
        if (width % 8 !== 0 || height % 2 !== 0) fill(at.matrix, at.matrix + stride * (height + 1))
        for (let line = 0; line < height; line++) {
          const from = ((row + line) * columns + column) * size
          bytes.set(matrix.subarray(from, from + size * width), at.matrix + line * stride)
        }
        for (let first = 0; first < repetitions; first += 2) {
          const count = Math.min(2, repetitions - first)
          if (!multiply(height, width, stride, first, count, outputsMax)) return undefined
          for (let vector = 0; vector < count; vector++) {
            add(products, (first + vector) * columns + column, at.out + 4 * vector * outputsMax, width)
          }
        }
      }
    }
    return products
  }

  /** Where the prepared elements of a pair of vectors begin, when each vector has so many bytes of them. */
  const prepared = (first: number, bytesPerVector: number) => at.prepared + first * bytesPerVector

  function multiplyBytes(matrix: Int8Array | Uint8Array, shape: MatrixShape, vectors: FieldVectors) {
    requireOperands(matrix.length, shape, vectors, shape.columns)
    const unsigned = matrix instanceof Uint8Array ? 1 : 0
    const room = (width: number) => 32 * Math.ceil(width / 8)
    const products = fromRight(
      bytesOf(matrix),
      1,
      shape,
      vectors,
      (vector, count, width) => {
        const pair = vector - (vector % 2)
        const target = prepared(pair, room(width)) + 32 * (vector - pair)
        run.split(at.source, target, width, Math.ceil(width / 8), count)
      },
      (height, width, first, count, outStride) => {
        run.bytes_right(
          at.matrix,
          height,
          width,
          prepared(first, room(width)),
          count,
          at.out,
          outStride,
          unsigned,
        )
        return true
      },
    )
    return required(products)
  }

  function multiplyBytesFromLeft(matrix: Int8Array | Uint8Array, shape: MatrixShape, vectors: FieldVectors) {
    requireOperands(matrix.length, shape, vectors, shape.rows)
    const unsigned = matrix instanceof Uint8Array ? 1 : 0
    const room = (height: number) => 8 * Math.ceil(height / 2)
    const products = fromLeft(
      bytesOf(matrix),
      1,
      shape,
      vectors,
      (from, to) => bytes.fill(0, from, to),
      (vector, count, height) => {
        const pair = vector - (vector % 2)
        const target = prepared(pair, room(height)) + 8 * (vector - pair)
        run.split_pairs(at.source, target, height, Math.ceil(height / 2), count)
      },
      (height, width, stride, first, count, outStride) => {
        const pairs = Math.ceil(height / 2)
        const groups = Math.ceil(width / 8)
        const digits = prepared(first, room(height))
        run.bytes_left(at.matrix, stride, pairs, groups, digits, count, at.out, outStride, unsigned)
        return true
      },
    )
    return required(products)
  }

  function multiplyWords(
    matrix: Int32Array | Uint8Array,
    shape: MatrixShape,
    range: WordRange,
    vectors: FieldVectors,
  ): WordProducts {
    const source = requireWords(matrix, shape, range, vectors, shape.columns)
    const steps = termsPerReduction(range) >> 1
    const padded = (width: number) => 4 * Math.ceil(width / 4)
    const products = fromRight(
      source,
      4,
      shape,
      vectors,
      (vector, _count, width) => {
        run.centre(at.source, prepared(vector, 4 * padded(width)), width, padded(width))
      },
      (height, width, first, count, outStride) => {
        // The last vector of the last row reads on for up to three words.
        const end = at.matrix / 4 + height * width
        words.fill(range.min, end, end + 3)
        const { min, max } = range
        const right = prepared(first, 4 * padded(width))
        const within = run.words_right(
          at.matrix,
          height,
          width,
          right,
          padded(width),
          count,
          at.out,
          outStride,
          steps,
          min,
          max,
        )
        return within === 1
      },
    )
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
    const products = fromLeft(
      source,
      4,
      shape,
      vectors,
      (from, to) => words.fill(min, from / 4, to / 4),
      (vector, _count, height) => {
        run.centre(at.source, prepared(vector, 4 * height), height, height)
      },
      (height, width, stride, first, count, outStride) => {
        const columns = 4 * Math.ceil(width / 4)
        const left = prepared(first, 4 * height)
        const within = run.words_left(
          at.matrix,
          stride / 4,
          height,
          columns,
          left,
          height,
          count,
          at.out,
          outStride,
          steps,
          min,
          max,
        )
        return within === 1
      },
    )
    return products === undefined ? { ok: false, index: findOutside(source, range) } : { ok: true, products }
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

function oddLines(bytes: number): number {
  return alignUp(bytes) + (alignUp(bytes) % 128 === 0 ? 64 : 0)
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
