/**
 * The exact int8 product on one thread. B is put into panels once and kept by the caller, a byte per entry; A, C and a
 * part of B stream through the kernels' memory, which holds some twelve MiB of them whatever the shape.
 *
 * Blocks along k are sized for the first-level cache, blocks of rows and of columns for the second.
 */
import { bytesOf, type Instance, KernelError, layOut, requireLength, requireWhole } from './instance.ts'

const tileRows = 3
const panelColumns = 12
/** Bytes of one pair of entries along k in a packed panel of B, and of the same once widened. */
const panelPairBytes = 2 * panelColumns
const widePairBytes = 2 * panelPairBytes

const blockPairsMax = 384
const blockRowsMax = 48
const blockPanelsMax = 64
/** What a product that is done in one go may have of them. */
const smallPairsMax = 96
const smallPanelsMax = 16
/** Blocks along k that lie widened in memory at once. */
const groupBlocksMax = 7

export interface RightShape {
  readonly k: number
  readonly n: number
  /** `rows` is k × n, row by row; `transposed` is n × k, row by row. */
  readonly layout: 'rows' | 'transposed'
}

/** B as the kernel wants it. The bytes may lie in shared memory, and be read by many threads at once. */
export interface PackedRight {
  readonly k: number
  readonly n: number
  readonly bytes: Uint8Array
}

export interface Int8Matmul {
  /** How many bytes B takes when packed: k and n rounded up to pairs and panels. */
  packedLength(shape: { readonly k: number; readonly n: number }): number
  packRight(b: Int8Array, shape: RightShape, bytes?: Uint8Array): PackedRight
  /**
   * Yields the part done, 0 to 1, every few milliseconds; C is complete when it returns. Sums are exact modulo 2^32, so
   * exact wherever they fit 32 bits: up to k = 131,071 for i8, 65,793 for u8. Products may take turns on one instance.
   */
  multiply(
    a: Int8Array | Uint8Array,
    m: number,
    right: PackedRight,
    c?: Int32Array,
  ): Generator<number, Int32Array, void>
  /**
   * The same product at once, of a B that is not packed, where all of it fits one block along k and one of columns;
   * undefined where it does not. Below some hundred rows and columns, turns and copies cost more than the product.
   */
  multiplySmall(
    a: Int8Array | Uint8Array,
    m: number,
    b: Int8Array,
    shape: RightShape,
  ): Int32Array<ArrayBuffer> | undefined
}

export const kMax = 131_071
const sizeMax = 2 ** 31 - 1

/** Cuts `total` into equal parts of at most `most`, each but the last a multiple of `unit`. */
interface Cut {
  readonly count: number
  readonly size: number
}

function cut(total: number, most: number, unit: number): Cut {
  const parts = Math.ceil(total / most)
  const size = Math.ceil(total / parts / unit) * unit
  return { count: Math.ceil(total / size), size }
}

function depthCut(k: number): Cut {
  return cut(Math.ceil(k / 2), blockPairsMax, 1)
}

function requireShape({ k, n }: { readonly k: number; readonly n: number }): void {
  requireWhole('k', k, 1, kMax)
  requireWhole('n', n, 1, sizeMax)
}

function packedLength(shape: { readonly k: number; readonly n: number }): number {
  requireShape(shape)
  return Math.ceil(shape.k / 2) * Math.ceil(shape.n / panelColumns) * panelPairBytes
}

export function createMatmul(instance: Instance): Int8Matmul {
  const { run, bytes, words } = instance
  const packing = layOut(instance, {
    source: 2 * blockPairsMax * blockPanelsMax * panelColumns,
    packed: blockPairsMax * blockPanelsMax * panelPairBytes,
  })
  const groupPairsMax = groupBlocksMax * blockPairsMax
  const at = layOut(instance, {
    rightBytes: blockPairsMax * blockPanelsMax * panelPairBytes,
    right: groupPairsMax * blockPanelsMax * widePairBytes,
    leftBytes: blockRowsMax * groupPairsMax * 2,
    left: blockRowsMax * groupPairsMax * 4,
    sums: blockRowsMax * blockPanelsMax * panelColumns * 4,
  })

  function packRight(b: Int8Array, shape: RightShape, target?: Uint8Array): PackedRight {
    const { k, n, layout } = shape
    const length = packedLength(shape)
    requireLength('b', b.length, k * n)
    const packed = target ?? new Uint8Array(length)
    requireLength('bytes', packed.length, length)
    instance.claim(packing)
    const source = bytesOf(b)
    const panels = Math.ceil(n / panelColumns)
    const depth = depthCut(k)
    for (let block = 0, inner = 0; block < depth.count; block++, inner += 2 * depth.size) {
      const pairs = Math.min(depth.size, Math.ceil(k / 2) - inner / 2)
      const rows = Math.min(2 * pairs, k - inner)
      for (let panel = 0; panel < panels; panel += blockPanelsMax) {
        const count = Math.min(blockPanelsMax, panels - panel)
        const column = panel * panelColumns
        const columns = Math.min(count * panelColumns, n - column)
        const region = bytes.subarray(packing.source, packing.source + 2 * pairs * count * panelColumns)
        if (rows < 2 * pairs || columns < count * panelColumns) region.fill(0)
        if (layout === 'rows') {
          copyRows(region, count * panelColumns, source, inner * n + column, n, rows, columns)
          run.pack_right_rows(packing.source, packing.packed, pairs, count)
        } else {
          copyRows(region, 2 * pairs, source, column * k + inner, k, columns, rows)
          run.pack_right_columns(packing.source, packing.packed, pairs, count)
        }
        const made = count * pairs * panelPairBytes
        const offset = (inner / 2) * panels * panelPairBytes + panel * pairs * panelPairBytes
        packed.set(bytes.subarray(packing.packed, packing.packed + made), offset)
      }
    }
    return { k, n, bytes: packed }
  }

  function* multiply(
    a: Int8Array | Uint8Array,
    m: number,
    right: PackedRight,
    target?: Int32Array,
  ): Generator<number, Int32Array, void> {
    const { k, n } = right
    requireWhole('m', m, 1, sizeMax)
    requireLength('right.bytes', right.bytes.length, packedLength(right))
    requireLength('a', a.length, m * k)
    const c = target ?? new Int32Array(m * n)
    requireLength('c', c.length, m * n)
    const source = bytesOf(a)
    const unsigned = a instanceof Uint8Array ? 1 : 0
    const owner = {}

    const depth = depthCut(k)
    const pairsTotal = Math.ceil(k / 2)
    const panelsTotal = Math.ceil(n / panelColumns)
    const columnsCut = cut(panelsTotal, blockPanelsMax, 1)
    const rowsCut = cut(m, blockRowsMax, tileRows)
    const groups = cut(depth.count, groupBlocksMax, 1)
    const stepsTotal = groups.count * columnsCut.count * rowsCut.count
    let steps = 0

    for (let firstBlock = 0; firstBlock < depth.count; firstBlock += groups.size) {
      const blocks: { offset: number; pairs: number }[] = []
      for (let block = firstBlock; block < Math.min(firstBlock + groups.size, depth.count); block++) {
        const offset = block * depth.size
        blocks.push({ offset, pairs: Math.min(depth.size, pairsTotal - offset) })
      }
      const groupInner = 2 * firstBlock * depth.size
      for (let panel = 0; panel < panelsTotal; panel += columnsCut.size) {
        const panels = Math.min(columnsCut.size, panelsTotal - panel)
        const stride = panels * panelColumns
        const column = panel * panelColumns
        const columns = Math.min(stride, n - column)
        let loaded = false
        for (let row = 0; row < m; row += rowsCut.size) {
          // Another product may have had a turn since, and have used the same memory.
          if (!instance.claim(owner) || !loaded) {
            let wide = at.right
            for (const { offset, pairs } of blocks) {
              const length = panels * pairs * panelPairBytes
              const from = (offset * panelsTotal + panel * pairs) * panelPairBytes
              bytes.set(right.bytes.subarray(from, from + length), at.rightBytes)
              run.widen_right(at.rightBytes, wide, length)
              wide += 2 * length
            }
            loaded = true
          }
          const rows = Math.min(rowsCut.size, m - row)
          const rowPanels = Math.ceil(rows / tileRows)
          const groupDepth = Math.min(k - groupInner, 2 * groups.size * depth.size)
          copyRows(
            bytes.subarray(at.leftBytes),
            groupDepth,
            source,
            row * k + groupInner,
            k,
            rows,
            groupDepth,
          )
          if (firstBlock > 0) {
            for (let line = 0; line < rows; line++) {
              copyWords(words, at.sums / 4 + line * stride, c, (row + line) * n + column, columns)
            }
          }
          let wide = at.right
          for (const { offset, pairs } of blocks) {
            const inner = 2 * offset - groupInner
            const depthHere = Math.min(2 * pairs, groupDepth - inner)
            run.pack_left(at.leftBytes + inner, at.left, rows, depthHere, groupDepth, unsigned)
            run.multiply_block(at.left, wide, at.sums, pairs, rowPanels, panels, stride, offset > 0 ? 1 : 0)
            wide += panels * pairs * widePairBytes
          }
          for (let line = 0; line < rows; line++) {
            copyWords(c, (row + line) * n + column, words, at.sums / 4 + line * stride, columns)
          }
          steps += 1
          if (steps < stepsTotal) yield steps / stepsTotal
        }
      }
    }
    if (steps !== stepsTotal) throw new KernelError('parameter', `${steps} steps were done of ${stepsTotal}`)
    return c
  }

  const small = layOut(instance, {
    source: 2 * smallPairsMax * smallPanelsMax * panelColumns,
    packed: smallPairsMax * smallPanelsMax * panelPairBytes,
    right: smallPairsMax * smallPanelsMax * widePairBytes,
    leftBytes: blockRowsMax * smallPairsMax * 2,
    left: blockRowsMax * smallPairsMax * 4,
    sums: blockRowsMax * smallPanelsMax * panelColumns * 4,
  })

  function multiplySmall(
    a: Int8Array | Uint8Array,
    m: number,
    b: Int8Array,
    shape: RightShape,
  ): Int32Array<ArrayBuffer> | undefined {
    const { k, n, layout } = shape
    requireShape(shape)
    requireWhole('m', m, 1, sizeMax)
    requireLength('a', a.length, m * k)
    requireLength('b', b.length, k * n)
    const pairs = Math.ceil(k / 2)
    const panels = Math.ceil(n / panelColumns)
    if (pairs > smallPairsMax || panels > smallPanelsMax || n < panelColumns) return undefined
    instance.claim(small)
    const stride = panels * panelColumns
    const [lines, width, apart] = layout === 'rows' ? [k, n, stride] : [n, k, 2 * pairs]
    if (apart * lines < 2 * pairs * stride || width < apart) {
      bytes.fill(0, small.source, small.source + 2 * pairs * stride)
    }
    placeRows(bytes, small.source, apart, b, width, lines)
    if (layout === 'rows') run.pack_right_rows(small.source, small.packed, pairs, panels)
    else run.pack_right_columns(small.source, small.packed, pairs, panels)
    run.widen_right(small.packed, small.right, pairs * panels * panelPairBytes)
    const unsigned = a instanceof Uint8Array ? 1 : 0
    const left = bytesOf(a)
    const overhang = stride - n
    const c = new Int32Array(m <= blockRowsMax ? 0 : m * n)
    for (let row = 0; row < m; row += blockRowsMax) {
      const rows = Math.min(blockRowsMax, m - row)
      const isAll = rows === m
      bytes.set(isAll ? left : left.subarray(row * k, (row + rows) * k), small.leftBytes)
      run.pack_left(small.leftBytes, small.left, rows, k, k, unsigned)
      const rowPanels = Math.ceil(rows / tileRows)
      if (overhang > 0) {
        // Rows of C lie side by side, so the last panel writes over the beginning of the next row: it goes first.
        const last = panels - 1
        const right = small.right + last * pairs * widePairBytes
        const sums = small.sums + 4 * last * panelColumns
        run.multiply_block(small.left, right, sums, pairs, rowPanels, 1, n, 0)
        run.multiply_block(small.left, small.right, small.sums, pairs, rowPanels, last, n, 0)
      } else {
        run.multiply_block(small.left, small.right, small.sums, pairs, rowPanels, panels, n, 0)
      }
      const from = small.sums / 4
      if (isAll) return words.slice(from, from + m * n) as Int32Array<ArrayBuffer>
      c.set(words.subarray(from, from + rows * n), row * n)
    }
    return c
  }

  return { packedLength, packRight, multiply, multiplySmall }
}

/** Rows that lie side by side to rows `apart`; entry by entry, since a call for each short row costs more. */
function placeRows(
  target: Uint8Array,
  to: number,
  apart: number,
  source: Int8Array,
  width: number,
  lines: number,
): void {
  if (width === apart) {
    target.set(bytesOf(source), to)
    return
  }
  for (let line = 0, from = 0; line < lines; line++, to += apart) {
    for (let column = 0; column < width; column++) target[to + column] = source[from++] as number
  }
}

/** Rows of `length` bytes, `sourceStride` apart, to rows `targetStride` apart: one copy where they lie side by side. */
function copyRows(
  target: Uint8Array,
  targetStride: number,
  source: Uint8Array,
  from: number,
  sourceStride: number,
  rows: number,
  length: number,
): void {
  if (length === sourceStride && length === targetStride) {
    target.set(source.subarray(from, from + rows * length))
    return
  }
  for (let row = 0; row < rows; row++) {
    copyBytes(target, row * targetStride, source, from + row * sourceStride, length)
  }
}

/** Up to so many entries a loop is faster than a view and the engine's copy. One function for each type: engines compile those better. */
const loopMax = 64

function copyBytes(target: Uint8Array, to: number, source: Uint8Array, from: number, length: number): void {
  if (length > loopMax) return target.set(source.subarray(from, from + length), to)
  for (let index = 0; index < length; index++) target[to + index] = source[from + index] ?? 0
}

function copyWords(target: Int32Array, to: number, source: Int32Array, from: number, length: number): void {
  if (length > loopMax) return target.set(source.subarray(from, from + length), to)
  for (let index = 0; index < length; index++) target[to + index] = source[from + index] ?? 0
}
