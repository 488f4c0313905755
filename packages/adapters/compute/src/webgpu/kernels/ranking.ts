/**
 * argmax and topK (spec T42, T43). Entries are compared as i32 keys, which for u32 have the top bit turned. topK merges
 * sorted runs of indices, twice as long each time: an entry's place in the merged run is its own and the number of
 * entries of the other run that come before it. Runs keep no more than the k entries that can still count.
 */
import { type NodeFor, sizeOf } from '@shardy/tensor'
import { type Draft, type Operand, rowBlocks, spanOfWords, windowBytes } from '../plan/draft.ts'
import { invocations, map } from './map.ts'
import { bindKernel } from './module.ts'
import { partialIndex, reduceRows } from './reduction.ts'

function key({ dtype }: Operand, index: string): string {
  return dtype === 'u32' ? `xAt(${index}) ^ i32(-2147483647 - 1)` : `xAt(${index})`
}

export function emitArgmax(
  draft: Draft,
  _node: NodeFor<'argmax'>,
  [x]: readonly [Operand],
  result: Operand,
): void {
  const columns = x.shape.at(-1) ?? 1
  for (const rows of rowBlocks(draft, sizeOf(x.shape) / columns, 8 + Math.ceil(columns / 256))) {
    const params = { rowLength: columns }
    const found = reduceRows(
      draft,
      {
        rows,
        columns,
        // A key and its column. The neutral element comes after every entry.
        type: 'vec2i',
        neutral: 'vec2i(-2147483647 - 1, 2147483647)',
        combine: 'return select(right, left, left.x > right.x || (left.x == right.x && left.y < right.y));',
      },
      {
        reads: { x },
        params,
        load: `  return vec2i(${key(x, 'row * params.rowLength + column')}, i32(column));`,
        word: 'total.y',
      },
      (partial) => ({
        reads: { x, partial },
        params,
        load: `  let found = partialAt(${partialIndex});
  return vec2i(${key(x, 'row * params.rowLength + u32(found)')}, found);`,
        word: 'total.y',
      }),
    )
    map(draft, {
      reads: { found },
      params: { rowsFrom: rows.from },
      result,
      entries: rows,
      entry: '  return foundAt(i - params.rowsFrom);',
    })
  }
}

interface Runs {
  /** Entries of a row that a run covers, and how many of them it keeps. */
  readonly width: number
  readonly kept: number
  readonly count: number
}

function runsOf(columns: number, k: number, width: number): Runs {
  return { width, kept: Math.min(width, k), count: Math.ceil(columns / width) }
}

/** Merges neighbours; without a source, runs are single entries. */
function emitMerge(
  draft: Draft,
  x: Operand,
  rows: { readonly from: number; readonly to: number },
  source: Operand | undefined,
  runs: Runs,
  merged: Runs,
): Operand {
  const columns = x.shape.at(-1) ?? 1
  const rowCount = rows.to - rows.from
  const result = draft.place({ dtype: 'i32', shape: [rowCount, merged.count * merged.kept] })
  const { span } = spanOfWords(result.region, 0, rowCount * merged.count * merged.kept)
  const count = rowCount * runs.count * runs.kept
  const bound = bindKernel(draft, {
    reads: { x, ...(source === undefined ? {} : { source }) },
    writes: { result: 'u32' },
    params: {
      columns,
      rowsFrom: rows.from,
      width: runs.width,
      kept: runs.kept,
      runs: runs.count,
      mergedKept: merged.kept,
      mergedRuns: merged.count,
    },
    workgroupSize: invocations,
    functions: `
fn columnAt(row: u32, run: u32, member: u32) -> u32 {
  return ${source === undefined ? 'run' : 'bitcast<u32>(sourceAt((row * params.runs + run) * params.kept + member))'};
}
fn keyAt(row: u32, column: u32) -> i32 { return ${key(x, '(params.rowsFrom + row) * params.columns + column')}; }
fn lengthOf(run: u32) -> u32 { return min(params.kept, params.columns - run * params.width); }`,
    main: `  let unit = params.first + ${invocations}u * group + lane;
  if (unit >= params.end) { return; }
  let member = unit % params.kept;
  let run = (unit / params.kept) % params.runs;
  let row = unit / (params.kept * params.runs);
  if (member >= lengthOf(run)) { return; }
  let column = columnAt(row, run, member);
  let own = keyAt(row, column);
  var rank = member;
  let other = run ^ 1u;
  if (other < params.runs) {
    // Of equal keys those of the left run come first.
    let isLeft = other > run;
    var low = 0u;
    var high = lengthOf(other);
    while (low < high) {
      let middle = (low + high) / 2u;
      let theirs = keyAt(row, columnAt(row, other, middle));
      if (theirs > own || (theirs == own && !isLeft)) { low = middle + 1u; } else { high = middle; }
    }
    rank += low;
  }
  if (rank < params.mergedKept) {
    result[(row * params.mergedRuns + run / 2u) * params.mergedKept + rank] = column;
  }`,
  })
  draft.emit({
    ...bound,
    writes: [span],
    from: 0,
    to: count,
    groups: { unitsEach: invocations },
    pace: 'entry',
    workPerUnit: 1 + Math.ceil(Math.log2(runs.kept + 1)),
  })
  return result
}

/** Entries that the merges of one row leave at most: the last run of a merge may be half empty. */
function mergedMax(columns: number, k: number): number {
  let most = 0
  for (let width = 2; ; width *= 2) {
    const { count, kept } = runsOf(columns, k, width)
    most = Math.max(most, count * kept)
    if (width >= columns) return most
  }
}

export function emitTopK(
  draft: Draft,
  { k, result: wanted }: NodeFor<'topK'>,
  [x]: readonly [Operand],
  result: Operand,
): void {
  const columns = x.shape.at(-1) ?? 1
  const bytesPerRow = 4 * mergedMax(columns, k)
  const rows = sizeOf(x.shape) / columns
  if (Math.min(rows, 4) * bytesPerRow > windowBytes(draft.limits)) {
    draft.refuse(
      `sorting rows of ${columns} entries needs ${bytesPerRow} bytes for each, the device's maxStorageBufferBindingSize is ${draft.limits.maxStorageBufferBindingSize}`,
    )
  }
  for (const block of rowBlocks(draft, rows, bytesPerRow)) {
    let indices: Operand | undefined
    let width = 1
    while (indices === undefined || width < columns) {
      indices = emitMerge(draft, x, block, indices, runsOf(columns, k, width), runsOf(columns, k, 2 * width))
      width *= 2
    }
    const index = 'indicesAt(i - params.before)'
    const values = wanted === 'values'
    map(draft, {
      reads: values ? { x, indices } : { indices },
      params: { before: block.from * k, columns, k },
      result,
      entries: { from: block.from * k, to: block.to * k },
      entry: values ? `  return xAt((i / params.k) * params.columns + u32(${index}));` : `  return ${index};`,
    })
  }
}
