/**
 * One cell of a chain, laid open: a row before and after one segment, each with its way to the root (docs/spec/benchmark.md,
 * N9 and N10). What comes from a worker is anything, so a cell is read before a step of it is computed again.
 */
import {
  blob,
  type Decoded,
  type Digest,
  encodeHex,
  field,
  hex,
  type Infer,
  list,
  merkleLeaf,
  merkleRootFromPath,
  message,
  optional,
  type Sha256,
  whole,
} from '@shardy/protocol'
import { type Benchmark, checkpointsMax, rowsMax, segmentsOf, startOf, widths } from './parameters.ts'
import { baseOf, markRow } from './state.ts'

export interface Cell {
  readonly segment: number
  readonly row: number
}

/** Cells are counted segment by segment, and by row within one. */
export function cellAt({ rows }: Benchmark, index: number): Cell {
  return { segment: Math.floor(index / rows), row: index % rows }
}

export function cellIndex({ rows }: Benchmark, { segment, row }: Cell): number {
  return segment * rows + row
}

const openedRowMessage = message('OpenedRow', {
  state: field(1, blob(widths[1])),
  /** From the row to its checkpoint, and from the checkpoint to the root. */
  rowPath: field(2, list(hex<Digest>(32), Math.log2(rowsMax))),
  checkpointPath: field(3, list(hex<Digest>(32), Math.log2(checkpointsMax))),
})
export type OpenedRow = Infer<typeof openedRowMessage>

const openingMessage = message('Opening', {
  segment: field(1, whole(0, checkpointsMax - 1)),
  row: field(2, whole(0, rowsMax - 1)),
  /** Absent for the first segment, which begins at the seed. */
  before: field(3, optional(openedRowMessage.codec)),
  after: field(4, openedRowMessage.codec),
})
export type Opening = Infer<typeof openingMessage>

export function encodeOpening(opening: Opening): Uint8Array {
  return openingMessage.encode(opening)
}

export function decodeOpening(bytes: Uint8Array): Decoded<Opening> {
  return openingMessage.decode(bytes)
}

export type ReadCell =
  | { readonly ok: true; readonly input: Uint8Array; readonly output: Uint8Array }
  | { readonly ok: false; readonly reason: string }

export interface CellReader {
  /** The row as the segment begins, its mark in it, and as the worker says that the segment ends. */
  read(drawn: Cell, opening: Opening): ReadCell
}

export function createCellReader(benchmark: Benchmark, root: Digest, sha256: Sha256): CellReader {
  const { rows, width } = benchmark
  const segments = segmentsOf(benchmark)
  const start = startOf(benchmark, sha256)
  const base = baseOf(benchmark, start, sha256)

  /** The checkpoint that the row belongs to, if its ways lead to the root. */
  function checkpointOf(row: number, segment: number, opened: OpenedRow): Uint8Array | undefined {
    if (opened.state.length !== width) return undefined
    const bytes = (path: readonly Digest[]) => path.map((each) => Uint8Array.fromHex(each))
    const leaf = merkleLeaf(opened.state, sha256)
    const checkpoint = merkleRootFromPath(leaf, row, rows, bytes(opened.rowPath), sha256)
    if (checkpoint === undefined) return undefined
    const above = merkleLeaf(checkpoint, sha256)
    const found = merkleRootFromPath(above, segment, segments, bytes(opened.checkpointPath), sha256)
    return found !== undefined && encodeHex(found) === root ? checkpoint : undefined
  }

  return {
    read({ segment, row }, opening) {
      if (opening.segment !== segment || opening.row !== row) {
        const reason = `row ${opening.row} of segment ${opening.segment} was opened, not row ${row} of segment ${segment}`
        return { ok: false, reason }
      }
      const { before, after } = opening
      const refuse = (side: string) =>
        ({
          ok: false,
          reason: `row ${row} ${side} segment ${segment} is not what the root commits to`,
        }) as const
      if (checkpointOf(row, segment, after) === undefined) return refuse('after')
      if (segment === 0) {
        if (before !== undefined)
          return { ok: false, reason: 'segment 0 begins at the seed, at no checkpoint' }
        const input = base.slice()
        markRow(input, start, 0, row, sha256)
        return { ok: true, input, output: after.state }
      }
      const checkpoint = before && checkpointOf(row, segment - 1, before)
      if (before === undefined || checkpoint === undefined) return refuse('before')
      const input = before.state.slice()
      markRow(input, checkpoint, segment, row, sha256)
      return { ok: true, input, output: after.state }
    },
  }
}

/** So many cells out of 32 bytes that nobody knew before the root had arrived; one may be drawn twice. */
export function drawCells(
  benchmark: Benchmark,
  count: number,
  random: Uint8Array,
  sha256: Sha256,
): readonly Cell[] {
  const cells = benchmark.rows * segmentsOf(benchmark)
  return Array.from({ length: count }, (_, index) => {
    const numbered = new Uint8Array(random.length + 4)
    numbered.set(random)
    new DataView(numbered.buffer).setUint32(random.length, index, true)
    const view = new DataView(sha256(numbered).slice().buffer)
    // 53 bits over at most 2^22 cells: as good as even.
    const drawn = ((view.getUint32(0) >>> 11) * 2 ** 32 + view.getUint32(4)) % cells
    return { segment: Math.floor(drawn / benchmark.rows), row: drawn % benchmark.rows }
  })
}
