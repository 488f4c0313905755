/**
 * The fast int8 product in plain JavaScript. Two columns ride in one double, so that one multiply-add does the work of
 * two: with b = b0 + b1 * 2^27, a * b is a*b0 + a*b1 * 2^27. Over at most 1,024 terms each half stays within 2^25 and
 * the whole within 2^53, so every double on the way is an exact integer and the halves come apart exactly.
 */
export interface Product {
  readonly m: number
  readonly k: number
  readonly n: number
}

import type { Entries } from '@shardy/tensor'

/** Terms summed before the halves are taken apart. 2^11 would still be exact; 2^10 keeps the panels in the caches. */
const depthMax = 1024
const rowsPerBlock = 64
const columnsPerBlock = 1024
const shift = 2 ** 27

/** Groups of four rows, transposed: for each inner index the four entries lie side by side. */
function packRows(
  packed: Float64Array,
  a: Entries,
  program: Product,
  row0: number,
  inner0: number,
  depth: number,
  rows: number,
): void {
  const { m, k } = program
  for (let group = 0; group < rows; group += 4) {
    for (let lane = 0; lane < 4; lane++) {
      const row = row0 + group + lane
      const target = group * depth + lane
      if (row >= m) {
        for (let inner = 0; inner < depth; inner++) packed[target + 4 * inner] = 0
        continue
      }
      const source = row * k + inner0
      for (let inner = 0; inner < depth; inner++) packed[target + 4 * inner] = a[source + inner] ?? 0
    }
  }
}

/**
 * Groups of four columns as two doubles for each inner index. The last group may take in entries of the next row: they
 * make sums of columns that do not exist, which `addSums` drops.
 */
function packColumns(
  packed: Float64Array,
  b: Entries,
  n: number,
  column0: number,
  inner0: number,
  depth: number,
  columns: number,
): void {
  for (let group = 0; group < columns; group += 4) {
    const column = column0 + group
    for (let inner = 0; inner < depth; inner++) {
      const source = (inner0 + inner) * n + column
      const target = (group * depth) / 2 + 2 * inner
      packed[target] = (b[source] ?? 0) + (b[source + 1] ?? 0) * shift
      packed[target + 1] = (b[source + 2] ?? 0) + (b[source + 3] ?? 0) * shift
    }
  }
}

/** Four rows times four columns over `depth` terms: eight doubles that hold sixteen sums. */
function multiply(
  sums: Float64Array,
  a: Float64Array,
  a0: number,
  b: Float64Array,
  b0: number,
  depth: number,
): void {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let s4 = 0
  let s5 = 0
  let s6 = 0
  let s7 = 0
  for (let inner = 0, left = a0, right = b0; inner < depth; inner++, left += 4, right += 2) {
    const first = b[right] ?? 0
    const second = b[right + 1] ?? 0
    let entry = a[left] ?? 0
    s0 += entry * first
    s1 += entry * second
    entry = a[left + 1] ?? 0
    s2 += entry * first
    s3 += entry * second
    entry = a[left + 2] ?? 0
    s4 += entry * first
    s5 += entry * second
    entry = a[left + 3] ?? 0
    s6 += entry * first
    s7 += entry * second
  }
  sums[0] = s0
  sums[1] = s1
  sums[2] = s2
  sums[3] = s3
  sums[4] = s4
  sums[5] = s5
  sums[6] = s6
  sums[7] = s7
}

/** Adds the sixteen sums to the entries of C that exist: the last rows and columns of a group may lie outside. */
function addSums(c: Int32Array, sums: Float64Array, { m, n }: Product, row0: number, column0: number): void {
  for (let lane = 0; lane < 4 && row0 + lane < m; lane++) {
    for (let pair = 0; pair < 2; pair++) {
      const both = sums[2 * lane + pair] ?? 0
      const high = Math.round(both / shift)
      const column = column0 + 2 * pair
      const index = (row0 + lane) * n + column
      if (column < n) c[index] = (c[index] ?? 0) + (both - high * shift)
      if (column + 1 < n) c[index + 1] = (c[index + 1] ?? 0) + high
    }
  }
}

/**
 * Gives C, from A row by row and B row by row. Pauses every few hundred thousand multiply-adds and yields the part that is done, 0 to 1, so
 * that the caller can let its host breathe or stop.
 */
export function* multiplyMatrices(
  program: Product,
  a: Entries,
  b: Entries,
): Generator<number, Int32Array, void> {
  const { m, k, n } = program
  const c = new Int32Array(m * n)
  const depthLimit = Math.min(k, depthMax)
  const columnLimit = Math.min(4 * Math.ceil(n / 4), columnsPerBlock)
  const rowLimit = Math.min(4 * Math.ceil(m / 4), rowsPerBlock)
  const packedRows = new Float64Array(rowLimit * depthLimit)
  const packedColumns = new Float64Array((columnLimit * depthLimit) / 2)
  const sums = new Float64Array(8)

  let done = 0
  for (let column0 = 0; column0 < n; column0 += columnLimit) {
    const columns = Math.min(columnLimit, n - column0)
    for (let inner0 = 0; inner0 < k; inner0 += depthLimit) {
      const depth = Math.min(depthLimit, k - inner0)
      packColumns(packedColumns, b, n, column0, inner0, depth, columns)
      for (let row0 = 0; row0 < m; row0 += rowLimit) {
        const rows = Math.min(rowLimit, m - row0)
        packRows(packedRows, a, program, row0, inner0, depth, rows)
        for (let column = 0; column < columns; column += 4) {
          for (let row = 0; row < rows; row += 4) {
            multiply(sums, packedRows, row * depth, packedColumns, (column * depth) / 2, depth)
            addSums(c, sums, program, row0 + row, column0 + column)
          }
          done += rows * Math.min(4, columns - column) * depth
          yield done / (m * k * n)
        }
      }
    }
  }
  return c
}
