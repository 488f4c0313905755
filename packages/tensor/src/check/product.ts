/**
 * Projection of a matrix product (spec C13): C = A · B is multiplied by random vectors on both sides, from the side where
 * they are shorter, as C·r = A·(B·r) or rᵀ·C = (rᵀ·A)·B. The sums are held against their range as they are read, since
 * what is proved is proved modulo p alone.
 */
import type { MatmulLayout } from '../operations/matmul.ts'
import type { Range } from '../value.ts'
import type { FieldProducts, FieldVectors, WordProducts } from './field.ts'
import type { Vectors } from './vectors.ts'
import type { Line } from './verdict.ts'

type Bytes = Int8Array | Uint8Array
export type Sums = Int32Array | Uint8Array

/** How the claimed sums fare: fitting, out of range at an entry, or wrong in a row or column. */
export type Projected =
  | { readonly ok: true }
  | { readonly ok: false; readonly mechanism: 'range'; readonly entry: number }
  | { readonly ok: false; readonly mechanism: 'projection'; readonly line: Line }

export interface MatmulClaim {
  readonly layout: MatmulLayout
  readonly transposeB: boolean
  readonly a: Bytes
  readonly b: Bytes
  readonly sums: Sums
  readonly range: Range
}

/** Random vectors for the columns of C, and what the weights make of them, when both are at hand already. */
export interface KeptProducts {
  readonly vectors: FieldVectors
  readonly products: FieldVectors
}

/** The first place where they differ, of any repetition. */
function differsAt(left: Uint32Array, right: Uint32Array, length: number): number | undefined {
  const at = left.findIndex((element, index) => element !== right[index])
  return at < 0 ? undefined : at % length
}

export function compareProducts(
  axis: Line['axis'],
  expected: Uint32Array,
  claimed: WordProducts,
  first: number,
  repetitions: number,
): Projected {
  if (!claimed.ok) return { ok: false, mechanism: 'range', entry: claimed.index }
  const at = differsAt(expected, claimed.products, expected.length / repetitions)
  if (at === undefined) return { ok: true }
  return { ok: false, mechanism: 'projection', line: { axis, index: first + at } }
}

/** B·r, for the weights of a projection that is kept as well. */
export function multiplyRight(
  { layout: { k, n }, transposeB }: Pick<MatmulClaim, 'layout' | 'transposeB'>,
  b: Bytes,
  vectors: FieldVectors,
  products: FieldProducts,
): FieldVectors {
  const elements = transposeB
    ? products.multiplyBytesFromLeft(b, { rows: n, columns: k }, vectors)
    : products.multiplyBytes(b, { rows: k, columns: n }, vectors)
  return { repetitions: vectors.repetitions, elements }
}

function multiplyLeft(
  { layout: { k, n }, transposeB }: MatmulClaim,
  b: Bytes,
  vectors: FieldVectors,
  products: FieldProducts,
): Uint32Array {
  return transposeB
    ? products.multiplyBytes(b, { rows: n, columns: k }, vectors)
    : products.multiplyBytesFromLeft(b, { rows: k, columns: n }, vectors)
}

export function projectMatmul(
  claim: MatmulClaim,
  vectors: Vectors,
  products: FieldProducts,
  kept?: KeptProducts | undefined,
): Projected {
  const { a, b, sums, range } = claim
  const { batch, m, k, n } = claim.layout
  const fromRight = kept !== undefined || n <= m
  const random = kept?.vectors ?? vectors.take(fromRight ? n : m)
  const { repetitions } = random
  const wordLength = sums instanceof Int32Array ? 1 : 4
  for (let index = 0; index < batch; index++) {
    const rows = a.subarray(index * m * k, (index + 1) * m * k)
    const columns = b.subarray(index * k * n, (index + 1) * k * n)
    const claimed = sums.subarray(index * m * n * wordLength, (index + 1) * m * n * wordLength)
    let projected: Projected
    if (fromRight) {
      const inner = kept?.products ?? multiplyRight(claim, columns, random, products)
      const expected = products.multiplyBytes(rows, { rows: m, columns: k }, inner)
      const actual = products.multiplyWords(claimed, { rows: m, columns: n }, range, random)
      projected = compareProducts('row', expected, actual, index * m, repetitions)
    } else {
      const inner = products.multiplyBytesFromLeft(rows, { rows: m, columns: k }, random)
      const expected = multiplyLeft(claim, columns, { repetitions, elements: inner }, products)
      const actual = products.multiplyWordsFromLeft(claimed, { rows: m, columns: n }, range, random)
      projected = compareProducts('column', expected, actual, index * n, repetitions)
    }
    if (projected.ok) continue
    return projected.mechanism === 'range'
      ? { ...projected, entry: index * m * n + projected.entry }
      : projected
  }
  return { ok: true }
}
