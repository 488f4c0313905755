/**
 * Rows brought down to one number each. A workgroup takes a stretch of a row; what long rows leave is taken again until
 * one number is left, so that no invocation walks for long.
 */
import { type Block, type Draft, type Operand, spanOfWords } from '../plan/draft.ts'
import { invocations } from './map.ts'
import { bindKernel, type Params, type Reads } from './module.ts'

/** Entries of a row that one workgroup takes. */
const stretch = 4096

export interface Reduction {
  readonly rows: Block
  readonly columns: number
  /** The type in which a row is gathered, and the text of its neutral element. */
  readonly type: 'i32' | 'vec2i' | 'vec2u'
  readonly neutral: string
  /** Statements of `fn combine(left, right)`. */
  readonly combine: string
  readonly functions?: string
  readonly workPerEntry?: number
}

/** What is read along a row. */
export interface Level {
  readonly reads: Reads
  readonly params?: Params
  /** Statements of `fn load(row: u32, column: u32)`; rows count from the tensor's first, columns from the row's. */
  readonly load: string
  /** The word that is written, from `row` and the row's `total`. */
  readonly word: string
}

function emitLevel(draft: Draft, reduction: Reduction, level: Level, columns: number, each: number): Operand {
  const { rows, type, neutral, combine, functions = '', workPerEntry = 1 } = reduction
  const stretches = Math.ceil(columns / each)
  const count = (rows.to - rows.from) * stretches
  const result = draft.place({ dtype: 'i32', shape: [rows.to - rows.from, stretches] })
  const { span } = spanOfWords(result.region, 0, count)
  const bound = bindKernel(draft, {
    reads: level.reads,
    writes: { result: 'u32' },
    params: { columns, stretches, each, rowsFrom: rows.from, ...level.params },
    workgroupSize: invocations,
    functions: `${functions}
var<workgroup> gathered: array<${type}, ${invocations}>;
fn combine(left: ${type}, right: ${type}) -> ${type} { ${combine} }
fn load(row: u32, column: u32) -> ${type} {
${level.load}
}`,
    main: `  let unit = params.first + group;
  if (unit >= params.end) { return; }
  let row = params.rowsFrom + unit / params.stretches;
  let begin = (unit % params.stretches) * params.each;
  var total = ${neutral};
  for (var column = begin + lane; column < min(begin + params.each, params.columns); column += ${invocations}u) {
    total = combine(total, load(row, column));
  }
  gathered[lane] = total;
  for (var half = ${invocations / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { gathered[lane] = combine(gathered[lane], gathered[lane + half]); }
  }
  if (lane == 0u) {
    total = gathered[0];
    result[unit] = bitcast<u32>(${level.word});
  }`,
  })
  draft.emit({
    ...bound,
    writes: [span],
    from: 0,
    to: count,
    groups: { unitsEach: 1 },
    pace: 'entry',
    workPerUnit: Math.min(columns, each) * workPerEntry,
  })
  return result
}

/** One word for each row of the block; `next` reads what a level left, entry (row, column) of `partial`. */
export function reduceRows(
  draft: Draft,
  reduction: Reduction,
  first: Level,
  next: (partial: Operand) => Level,
): Operand {
  let columns = reduction.columns
  let level = first
  for (;;) {
    const partial = emitLevel(draft, reduction, level, columns, stretch)
    columns = Math.ceil(columns / stretch)
    if (columns === 1) return partial
    level = next(partial)
  }
}

/** The same, for rows that one workgroup takes whole. */
export function reduceShortRows(draft: Draft, reduction: Reduction, level: Level): Operand {
  return emitLevel(draft, reduction, level, reduction.columns, reduction.columns)
}

/** WGSL for where the entry of a level's row and column lies among the partial results before it. */
export const partialIndex = '(row - params.rowsFrom) * params.columns + column'
