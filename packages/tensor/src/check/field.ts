/**
 * Products of integer matrices with vectors over the field of p = 2^31 − 1 elements, with the range check of words in the
 * same pass. This is the definition, slow and plain; hosts bring a fast twin of the same type. Every sum below stays under
 * 2^53, where doubles are exact.
 */
import { checkModulus } from '../modulus.ts'
import type { Range } from '../value.ts'

/** Row by row. */
export interface MatrixShape {
  readonly rows: number
  readonly columns: number
}

/** So many vectors, one after the other, of elements 0 to p − 1. */
export interface FieldVectors {
  readonly repetitions: number
  readonly elements: Uint32Array
}

/** Either the products, or the row-major index of the first entry outside the range. */
export type WordProducts =
  | { readonly ok: true; readonly products: Uint32Array }
  | { readonly ok: false; readonly index: number }

/** Results are elements 0 to p − 1, one product after the other. */
export interface FieldProducts {
  /** M·x: each vector has `columns` elements, each product `rows`. */
  multiplyBytes(matrix: Int8Array | Uint8Array, shape: MatrixShape, vectors: FieldVectors): Uint32Array
  /** xᵀ·M: each vector has `rows` elements, each product `columns`. */
  multiplyBytesFromLeft(
    matrix: Int8Array | Uint8Array,
    shape: MatrixShape,
    vectors: FieldVectors,
  ): Uint32Array
  /** C·x. Bytes are taken as little-endian words, at any alignment. */
  multiplyWords(
    matrix: Int32Array | Uint8Array,
    shape: MatrixShape,
    range: Range,
    vectors: FieldVectors,
  ): WordProducts
  /** xᵀ·C. */
  multiplyWordsFromLeft(
    matrix: Int32Array | Uint8Array,
    shape: MatrixShape,
    range: Range,
    vectors: FieldVectors,
  ): WordProducts
}

/** More vectors than this in one call are refused. */
export const repetitionsMax = 16

/** The remainder that is an element, of any whole number that a double holds exactly. */
export function reduce(value: number): number {
  const rest = value % checkModulus
  return rest < 0 ? rest + checkModulus : rest + 0
}

/** An entry of 32 bits times an element, reduced: the element goes in halves of 16 and 15 bits. */
function multiplyEntry(entry: number, element: number): number {
  const high = reduce(entry * (element >>> 16))
  return reduce(high * 2 ** 16 + entry * (element & 0xffff))
}

interface Walk {
  readonly shape: MatrixShape
  readonly vectors: FieldVectors
  readonly fromLeft: boolean
  readonly entry: (index: number) => number
}

function multiply({ shape: { rows, columns }, vectors, fromLeft, entry }: Walk): Uint32Array {
  const { repetitions, elements } = vectors
  const [taken, given] = fromLeft ? [rows, columns] : [columns, rows]
  if (elements.length !== repetitions * taken)
    throw new RangeError(`${elements.length} elements for ${taken}`)
  const products = new Uint32Array(repetitions * given)
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [from, to] = fromLeft ? [row, column] : [column, row]
        const term = multiplyEntry(entry(row * columns + column), elements[repetition * taken + from] ?? 0)
        const at = repetition * given + to
        products[at] = reduce((products[at] ?? 0) + term)
      }
    }
  }
  return products
}

function bytesWalk(
  matrix: Int8Array | Uint8Array,
  shape: MatrixShape,
  vectors: FieldVectors,
  fromLeft: boolean,
) {
  requireEntries(matrix.length, shape)
  return multiply({ shape, vectors, fromLeft, entry: (index) => matrix[index] ?? 0 })
}

function wordsWalk(
  matrix: Int32Array | Uint8Array,
  shape: MatrixShape,
  { min, max }: Range,
  vectors: FieldVectors,
  fromLeft: boolean,
): WordProducts {
  const entry = wordsOf(matrix)
  const count = shape.rows * shape.columns
  requireEntries(matrix instanceof Int32Array ? matrix.length : matrix.length / 4, shape)
  for (let index = 0; index < count; index++) {
    const word = entry(index)
    if (word < min || word > max) return { ok: false, index }
  }
  return { ok: true, products: multiply({ shape, vectors, fromLeft, entry }) }
}

function wordsOf(matrix: Int32Array | Uint8Array): (index: number) => number {
  if (matrix instanceof Int32Array) return (index) => matrix[index] ?? 0
  const view = new DataView(matrix.buffer, matrix.byteOffset, matrix.byteLength)
  return (index) => view.getInt32(4 * index, true)
}

function requireEntries(length: number, { rows, columns }: MatrixShape): void {
  if (length !== rows * columns) throw new RangeError(`${length} entries are not ${rows} × ${columns}`)
}

export const pureProducts: FieldProducts = {
  multiplyBytes: (matrix, shape, vectors) => bytesWalk(matrix, shape, vectors, false),
  multiplyBytesFromLeft: (matrix, shape, vectors) => bytesWalk(matrix, shape, vectors, true),
  multiplyWords: (matrix, shape, range, vectors) => wordsWalk(matrix, shape, range, vectors, false),
  multiplyWordsFromLeft: (matrix, shape, range, vectors) => wordsWalk(matrix, shape, range, vectors, true),
}
