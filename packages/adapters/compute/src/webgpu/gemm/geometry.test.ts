import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Geometry, parametersOf, rangesOf, spansOf } from './geometry.ts'
import type { OperandLayout } from './layout.ts'

const layout = fc.constantFrom<OperandLayout>('rows', 'packed')
const geometries: fc.Arbitrary<Geometry> = fc
  .record({
    batch: fc.integer({ min: 1, max: 5 }),
    m: fc.integer({ min: 1, max: 1200 }),
    steps: fc.integer({ min: 1, max: 20 }),
    n: fc.integer({ min: 1, max: 1200 }),
    sharedB: fc.boolean(),
    transposeB: fc.boolean(),
    left: layout,
    right: layout,
    operandEntryBytes: fc.constantFrom<1 | 4>(1, 4),
    outputEntryBytes: fc.constantFrom<1 | 4>(1, 4),
  })
  .map(({ batch, m, steps, n, sharedB, transposeB, left, right, ...bytes }) => ({
    shape: { batch, m, k: 64 * steps, n, sharedB, transposeB },
    layouts: { left, right },
    ...bytes,
  }))

const limits = { maxStorageBufferBindingSize: 4 * 2 ** 20 }
const kernel = { tileRows: 128, tileColumns: 64, stepBytes: 64 }
const constants = { multiplier: 0, shift: 0, zeroPoint: 0 }

describe('ranges', () => {
  test('cover each entry once, in order', () => {
    fc.assert(
      fc.property(geometries, fc.integer({ min: 1, max: 2 ** 30 }), (geometry, work) => {
        const { batch, m, n } = geometry.shape
        const ranges = rangesOf(geometry, limits, work)
        const entries = ranges.map(({ batches, rows, columns }) => batches * rows * columns)
        expect(entries.reduce((sum, count) => sum + count, 0)).toBe(batch * m * n)
        const corners = ranges.map((range) => [range.firstBatch, range.firstRow, range.firstColumn])
        const order = corners.toSorted(
          (one, other) =>
            (one[0] ?? 0) - (other[0] ?? 0) ||
            (one[1] ?? 0) - (other[1] ?? 0) ||
            (one[2] ?? 0) - (other[2] ?? 0),
        )
        expect(corners).toEqual(order)
        expect(new Set(corners.map((corner) => corner.join())).size).toBe(ranges.length)
        for (const range of ranges) {
          expect(range.firstBatch + range.batches).toBeLessThanOrEqual(batch)
          expect(range.firstRow + range.rows).toBeLessThanOrEqual(m)
          expect(range.firstColumn + range.columns).toBeLessThanOrEqual(n)
        }
      }),
    )
  })

  test('bind what a device can bind, and the kernel stays inside it', () => {
    fc.assert(
      fc.property(geometries, fc.integer({ min: 1, max: 2 ** 30 }), (geometry, work) => {
        for (const range of rangesOf(geometry, limits, work)) {
          const { left, right, output, ...perColumn } = spansOf(geometry, range)
          for (const span of [left, right, output]) {
            expect((span?.offset ?? 1) % 256).toBe(0)
            expect(span?.size).toBeLessThanOrEqual(limits.maxStorageBufferBindingSize)
          }
          for (const span of Object.values(perColumn)) expect(span.offset % 256).toBe(0)
          const told = parametersOf(geometry, kernel, range, constants)
          const last = (batches: number, perBatch: number, rows: number, pitch: number) =>
            (batches - 1) * perBatch + (rows - 1) * pitch
          const lastOut =
            told.outBase + last(range.batches, told.outBatch, range.rows, told.outPitch) + range.columns - 1
          expect((lastOut + 1) * geometry.outputEntryBytes).toBeLessThanOrEqual(output?.size ?? 0)
          const { m, n } = geometry.shape
          const first = (range.firstBatch * m + range.firstRow) * n + range.firstColumn
          expect((output?.offset ?? 0) + told.outBase * geometry.outputEntryBytes).toBe(
            first * geometry.outputEntryBytes,
          )
          const isPacked = geometry.layouts.left === 'packed'
          const unit = isPacked ? 4096 : 16
          const rows = isPacked ? Math.ceil(range.rows / 128) : range.rows
          const lastLeft =
            told.leftBase + last(range.batches, told.leftBatch, rows, told.leftPitch) + told.leftPitch - 1
          expect((lastLeft + 1) * unit).toBeLessThanOrEqual(left?.size ?? 0)
        }
      }),
    )
  })

  test('a small product is one range, a slow one is cut to about the work that was asked for', () => {
    const geometry: Geometry = {
      shape: { batch: 1, m: 1024, k: 1024, n: 1024, sharedB: true, transposeB: false },
      layouts: { left: 'rows', right: 'packed' },
      operandEntryBytes: 1,
      outputEntryBytes: 4,
    }
    expect(rangesOf(geometry, limits)).toHaveLength(1)
    expect(rangesOf(geometry, limits, 2 ** 28)).toHaveLength(4)
    // No smaller than 128 rows by 256 columns.
    expect(rangesOf(geometry, limits, 1)).toHaveLength(8 * 4)
  })

  test('a product whose smallest part cannot be bound is refused', () => {
    const geometry: Geometry = {
      shape: { batch: 1, m: 128, k: 65_536, n: 256, sharedB: true, transposeB: false },
      layouts: { left: 'rows', right: 'packed' },
      operandEntryBytes: 1,
      outputEntryBytes: 4,
    }
    expect(() => rangesOf(geometry, { maxStorageBufferBindingSize: 2 ** 20 })).toThrow(
      expect.objectContaining({ kind: 'beyondLimits' }),
    )
  })
})
