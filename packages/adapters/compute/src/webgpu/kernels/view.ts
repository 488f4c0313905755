/**
 * Operations that only move entries (spec T35, T36, T38, T39) and the broadcast of arithmetic: where in its source the
 * entry of each place lies. Axes that lie in one another are merged first, and bytes that move by fours move as words.
 */
import { type Dtype, dtypeFacts, type NodeFor, type Shape, sizeOf } from '@shardy/tensor'
import type { Draft, Operand } from '../plan/draft.ts'
import { map } from './map.ts'
import type { Params } from './module.ts'

/** The entry at coordinates c lies at offset + Σ c · stride; a stride of 0 repeats along its axis. */
export interface View {
  readonly offset: number
  readonly axes: readonly Axis[]
}

interface Axis {
  readonly size: number
  readonly stride: number
}

function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
}

/** The same entries in the same order with as few axes as it takes. */
function mergeAxes({ offset, axes }: View): View {
  const merged: Axis[] = []
  for (const axis of axes) {
    if (axis.size === 1) continue
    const outer = merged.at(-1)
    if (outer !== undefined && outer.stride === axis.size * axis.stride) {
      merged[merged.length - 1] = { size: outer.size * axis.size, stride: axis.stride }
    } else {
      merged.push(axis)
    }
  }
  return { offset, axes: merged }
}

export function broadcastView(from: Shape, shape: Shape): View {
  const missing = shape.length - from.length
  const strides = stridesOf(from)
  const axes = shape.map((size, axis) => ({
    size,
    stride: (from[axis - missing] ?? 1) === 1 ? 0 : (strides[axis - missing] ?? 0),
  }))
  return mergeAxes({ offset: 0, axes })
}

/** WGSL for the source's index of entry i, with the numbers it needs. Names begin with `prefix`. */
export function viewIndex(
  { offset, axes }: View,
  prefix: string,
): { readonly index: string; readonly params: Params } {
  const params: Record<string, number> = {}
  const terms: string[] = []
  if (offset > 0) {
    params[`${prefix}Offset`] = offset
    terms.push(`params.${prefix}Offset`)
  }
  // From the innermost axis outwards, `rest` counts the entries of the axes that are not yet taken apart.
  let rest = 'i'
  for (const [number, { size, stride }] of axes.toReversed().entries()) {
    const [sizeName, strideName] = [`${prefix}Size${number}`, `${prefix}Stride${number}`]
    const outermost = number === axes.length - 1
    if (stride > 0) {
      const coordinate = outermost ? rest : `(${rest} % params.${sizeName})`
      if (stride > 1) params[strideName] = stride
      terms.push(stride > 1 ? `${coordinate} * params.${strideName}` : coordinate)
    }
    if (!outermost) {
      params[sizeName] = size
      rest = `(${rest} / params.${sizeName})`
    }
  }
  return { index: terms.length === 0 ? '0u' : terms.join(' + '), params }
}

/** Bytes whose runs, steps and offsets are all multiples of four are words, and move four at a time. */
function inWords(dtype: Dtype, view: View): View | undefined {
  const { offset, axes } = view
  const inner = axes.at(-1)
  if (dtypeFacts[dtype].bytes === 4 || inner === undefined || inner.stride !== 1) return undefined
  const outer = axes.slice(0, -1)
  if ([offset, inner.size, ...outer.map(({ stride }) => stride)].some((count) => count % 4 !== 0)) return
  return {
    offset: offset / 4,
    axes: [
      ...outer.map(({ size, stride }) => ({ size, stride: stride / 4 })),
      { size: inner.size / 4, stride: 1 },
    ],
  }
}

function asWords(operand: Operand): Operand {
  return { ...operand, dtype: 'u32', shape: [sizeOf(operand.shape) / 4] }
}

function emitView(draft: Draft, x: Operand, view: View, result: Operand): void {
  const merged = mergeAxes(view)
  const words = inWords(x.dtype, merged)
  // Only whole words of the source are read, so its last ones may be cut off.
  const source =
    words === undefined ? x : { ...x, dtype: 'u32' as const, shape: [Math.ceil(sizeOf(x.shape) / 4)] }
  const { index, params } = viewIndex(words ?? merged, 'x')
  map(draft, {
    reads: { x: source },
    params,
    result: words === undefined ? result : asWords(result),
    entry: `  return xAt(${index});`,
  })
}

export function emitTranspose(
  draft: Draft,
  { permutation }: NodeFor<'transpose'>,
  [x]: readonly [Operand],
  result: Operand,
): void {
  const strides = stridesOf(x.shape)
  const axes = permutation.map((axis) => ({ size: x.shape[axis] ?? 1, stride: strides[axis] ?? 0 }))
  emitView(draft, x, { offset: 0, axes }, result)
}

export function emitSlice(
  draft: Draft,
  { starts, steps }: NodeFor<'slice'>,
  [x]: readonly [Operand],
  result: Operand,
): void {
  const strides = stridesOf(x.shape)
  const axes = result.shape.map((size, axis) => ({
    size,
    stride: (strides[axis] ?? 0) * (steps[axis] ?? 1),
  }))
  const offset = starts.reduce((sum, start, axis) => sum + start * (strides[axis] ?? 0), 0)
  emitView(draft, x, { offset, axes }, result)
}

export function emitGather(
  draft: Draft,
  _node: NodeFor<'gather'>,
  [table, indices]: readonly [Operand, Operand],
  result: Operand,
): void {
  const row = sizeOf(table.shape.slice(1))
  const words = dtypeFacts[table.dtype].bytes === 1 && row % 4 === 0
  map(draft, {
    reads: { table: words ? asWords(table) : table, indices },
    params: { row: words ? row / 4 : row },
    result: words ? asWords(result) : result,
    entry: '  return tableAt(bitcast<u32>(indicesAt(i / params.row)) * params.row + i % params.row);',
  })
}

/** Puts a part of the result into its place, from entry `before` on. */
export function emitPart(draft: Draft, part: Operand, result: Operand, before: number): void {
  map(draft, {
    reads: { part },
    params: { before },
    result,
    entries: { from: before, to: before + sizeOf(part.shape) },
    entry: '  return partAt(i - params.before);',
  })
}

/** Operands that one kernel of a concatenation reads; more of them go to further kernels, which keep what is there. */
function batches(draft: Draft, xs: readonly Operand[]): readonly (readonly Operand[])[] {
  const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize } = draft.limits
  const room = Math.min(maxStorageBuffersPerShaderStage - 1, 7)
  const all: Operand[][] = [[]]
  let taken = 0
  for (const x of xs) {
    const windows = Math.ceil((dtypeFacts[x.dtype].bytes * sizeOf(x.shape)) / maxStorageBufferBindingSize)
    if (taken > 0 && taken + windows > room) {
      all.push([])
      taken = 0
    }
    all.at(-1)?.push(x)
    taken += windows
  }
  return all
}

export function emitConcat(
  draft: Draft,
  { axis }: NodeFor<'concat'>,
  xs: readonly Operand[],
  result: Operand,
): void {
  const runOf = ({ shape }: Operand) => sizeOf(shape.slice(axis))
  const words = dtypeFacts[result.dtype].bytes === 1 && xs.every((x) => runOf(x) % 4 === 0)
  const unit = words ? 4 : 1
  let before = 0
  for (const batch of batches(draft, xs)) {
    const reads: Record<string, Operand> = {}
    const params: Record<string, number> = {
      run: runOf(result) / unit,
      before: before / unit,
    }
    const cases: string[] = []
    for (const [number, x] of batch.entries()) {
      reads[`x${number}n`] = words ? asWords(x) : x
      params[`run${number}`] = runOf(x) / unit
      cases.push(
        `  if (inner < params.run${number}) { return x${number}nAt(outer * params.run${number} + inner); }`,
        `  inner -= params.run${number};`,
      )
      before += runOf(x)
    }
    map(draft, {
      reads,
      params,
      result: words ? asWords(result) : result,
      entry: `  let outer = i / params.run;
  var inner = i % params.run;
  if (inner < params.before) { return oldAt(i); }
  inner -= params.before;
${cases.join('\n')}
  return oldAt(i);`,
    })
  }
}
