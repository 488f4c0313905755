/**
 * Where the parts of a product lie: which bytes of each buffer a range needs, and how the kernel is told. Bindings begin
 * at multiples of 256 bytes, so what is bound may begin a little before the range.
 */
import { ComputeError } from '../../executor.ts'
import type { BindingName } from './epilogue.ts'
import { gridOf } from './grid.ts'
import type { KernelText } from './kernel.ts'
import { depthTiles, type OperandLayout, packedTileBytes, rowTiles, tileBytes, tileRows } from './layout.ts'
import type { Parameters } from './parameters.ts'
import type { Range, Shape } from './product.ts'

export interface Geometry {
  readonly shape: Shape
  readonly layouts: { readonly left: OperandLayout; readonly right: OperandLayout }
  readonly operandEntryBytes: 1 | 4
  readonly outputEntryBytes: 1 | 4
}

/** Bytes of a buffer, from an offset that may be bound. */
export interface Span {
  readonly offset: number
  readonly size: number
}

interface Located {
  readonly span: Span
  /** In tiles or vectors, as the layout counts. */
  readonly base: number
  readonly pitch: number
  readonly batch: number
}

type Size = Pick<Range, 'batches' | 'rows' | 'columns'>

const bindingAlignment = 256
/** Columns of a range begin at multiples of this, so that even lists of bytes for each column can be bound there. */
const columnGrain = 256
const rowGrain = tileRows
const batchesMax = 65_535

interface DeviceLimits {
  readonly maxStorageBufferBindingSize: number
}

function located(geometry: Geometry, side: 'left' | 'right', range: Range): Located {
  const { shape, layouts, operandEntryBytes } = geometry
  const { k } = shape
  const [all, first, count] =
    side === 'left' ? [shape.m, range.firstRow, range.rows] : [shape.n, range.firstColumn, range.columns]
  const isShared = side === 'right' && shape.sharedB
  const [firstBatch, batches] = isShared ? [0, 1] : [range.firstBatch, range.batches]
  if (layouts[side] === 'packed') {
    const pitch = depthTiles(k, operandEntryBytes)
    const batch = rowTiles(all) * pitch
    const offset = (firstBatch * batch + (first / tileRows) * pitch) * tileBytes
    const size = ((batches - 1) * batch + rowTiles(count) * pitch) * tileBytes
    return { span: { offset, size }, base: 0, pitch, batch: isShared ? 0 : batch }
  }
  const rowBytes = k * operandEntryBytes
  const begin = (firstBatch * all + first) * rowBytes
  const offset = alignDown(begin)
  const size = begin - offset + ((batches - 1) * all + count) * rowBytes
  return {
    span: { offset, size },
    base: (begin - offset) / 16,
    pitch: rowBytes / 16,
    batch: isShared ? 0 : (all * rowBytes) / 16,
  }
}

function alignDown(byte: number): number {
  return byte - (byte % bindingAlignment)
}

function outputSpan({ shape: { m, n }, outputEntryBytes }: Geometry, range: Range): Span & { base: number } {
  const first = (range.firstBatch * m + range.firstRow) * n + range.firstColumn
  const end =
    ((range.firstBatch + range.batches - 1) * m + range.firstRow + range.rows - 1) * n +
    range.firstColumn +
    range.columns
  const offset = alignDown(first * outputEntryBytes)
  const size = 4 * Math.ceil((end * outputEntryBytes - offset) / 4)
  return { offset, size, base: first - offset / outputEntryBytes }
}

/** What is bound of each buffer for a range. The column sums lie behind the packed tiles of B. */
export function spansOf(geometry: Geometry, range: Range): Partial<Record<BindingName, Span>> {
  const { offset, size } = outputSpan(geometry, range)
  const { firstColumn, columns } = range
  const shifts = { offset: firstColumn, size: 4 * Math.ceil(columns / 4) }
  return {
    left: located(geometry, 'left', range).span,
    right: located(geometry, 'right', range).span,
    output: { offset, size },
    sums: sumsSpan(geometry, range),
    bias: { offset: 4 * firstColumn, size: 4 * columns },
    multipliers: { offset: 4 * firstColumn, size: 4 * columns },
    shifts,
  }
}

function sumsSpan({ shape: { batch, k, n, sharedB }, operandEntryBytes }: Geometry, range: Range): Span {
  const matrices = sharedB ? 1 : batch
  const padded = rowTiles(n) * tileRows
  const [firstBatch, batches] = sharedB ? [0, 1] : [range.firstBatch, range.batches]
  return {
    offset:
      matrices * packedTileBytes(n, k, operandEntryBytes) + 4 * (firstBatch * padded + range.firstColumn),
    size: 4 * ((batches - 1) * padded + rowTiles(range.columns) * tileRows),
  }
}

export type EpilogueConstants = Pick<Parameters, 'multiplier' | 'shift' | 'zeroPoint'>

export function parametersOf(
  geometry: Geometry,
  kernel: Pick<KernelText, 'tileRows' | 'tileColumns' | 'stepBytes'>,
  range: Range,
  constants: EpilogueConstants,
): Parameters {
  const { shape, operandEntryBytes } = geometry
  const left = located(geometry, 'left', range)
  const right = located(geometry, 'right', range)
  const rowTileCount = Math.ceil(range.rows / kernel.tileRows)
  const columnTileCount = Math.ceil(range.columns / kernel.tileColumns)
  return {
    rows: range.rows,
    columns: range.columns,
    steps: (depthTiles(shape.k, operandEntryBytes) * 32) / kernel.stepBytes,
    rowTiles: rowTileCount,
    columnTiles: columnTileCount,
    width: gridOf(rowTileCount, columnTileCount).width,
    leftPitch: left.pitch,
    leftBase: left.base,
    leftBatch: left.batch,
    rightPitch: right.pitch,
    rightBase: right.base,
    rightBatch: right.batch,
    sumsBatch: shape.sharedB ? 0 : rowTiles(shape.n) * tileRows,
    outPitch: shape.n,
    outBase: outputSpan(geometry, range).base,
    outBatch: shape.m * shape.n,
    ...constants,
  }
}

/** Ranges that bind no more than the device can and have about so many multiply-adds, of whole batches or tiles. */
export function rangesOf(
  geometry: Geometry,
  limits: DeviceLimits,
  multiplyAddsMax = Number.POSITIVE_INFINITY,
): readonly Range[] {
  const { batch, m, k, n } = geometry.shape
  const fits = (size: Size): boolean => {
    const { left, right, output } = spansOf(geometry, { firstBatch: 0, firstRow: 0, firstColumn: 0, ...size })
    // Parts that begin elsewhere may bind a little more than this one.
    const isWhole = size.batches === batch && size.rows === m && size.columns === n
    const room = limits.maxStorageBufferBindingSize - (isWhole ? 0 : bindingAlignment)
    return [left, right, output].every((span) => span !== undefined && span.size <= room)
  }
  const work = (size: Size): number => size.batches * size.rows * size.columns * k
  const suits = (size: Size): boolean => fits(size) && work(size) <= multiplyAddsMax
  const batches = largest(Math.min(batch, batchesMax), 1, (count) =>
    suits({ batches: count, rows: m, columns: n }),
  )
  const rows = batches > 1 ? m : largest(m, rowGrain, (count) => suits({ batches, rows: count, columns: n }))
  const columns =
    rows > rowGrain ? n : largest(n, columnGrain, (count) => suits({ batches, rows, columns: count }))
  if (!fits({ batches, rows, columns })) {
    const message = `a product of ${m} × ${k} × ${n} needs bindings beyond the device's ${limits.maxStorageBufferBindingSize} bytes`
    throw new ComputeError('beyondLimits', message)
  }
  const ranges: Range[] = []
  for (const [firstBatch, batchCount] of cuts(batch, batches))
    for (const [firstRow, rowCount] of cuts(m, rows))
      for (const [firstColumn, columnCount] of cuts(n, columns))
        ranges.push({
          firstBatch,
          batches: batchCount,
          firstRow,
          rows: rowCount,
          firstColumn,
          columns: columnCount,
        })
  return ranges
}

/** The whole, or else the largest multiple of the grain that suits, or else one grain. */
function largest(whole: number, grain: number, suits: (count: number) => boolean): number {
  if (suits(whole)) return whole
  let [low, high] = [1, Math.ceil(whole / grain)]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (suits(Math.min(whole, middle * grain))) low = middle
    else high = middle - 1
  }
  return Math.min(whole, low * grain)
}

function* cuts(whole: number, part: number): Generator<readonly [number, number]> {
  for (let first = 0; first < whole; first += part) yield [first, Math.min(part, whole - first)]
}
