/**
 * A value of a program under construction, with a method for every operation that takes one. Where an operand may be a
 * table or a row of numbers, typed entries stand for a constant of that kind.
 */
import type { NodeFor, OperationName } from '../operations/index.ts'
import { type Constant, tensorType } from '../program/program.ts'
import { type Dtype, type Entries, type Shape, tensorBytes } from '../tensor.ts'
import type { Range } from '../value.ts'
import { addConstant, addNode, type Draft, type NodeMaker, type Source } from './draft.ts'
import { addMatmul } from './splitMatmul.ts'

/** What a node says beside its operands. */
type AttributesOf<Name extends OperationName, Operands extends string> = Omit<NodeFor<Name>, 'op' | Operands>
type Pooling = AttributesOf<'maxPool', 'x'>

/** The stride is the window and there is no padding, unless given. */
export type PoolingOptions = Pick<Pooling, 'windowH' | 'windowW'> & Partial<Pooling>
/** Strides, dilations and groups are 1 and there is no padding, unless given. */
export type Conv2dOptions = Partial<AttributesOf<'conv2d', 'x' | 'w'>>
export type RequantizeOptions = Omit<AttributesOf<'requantize', 'x'>, 'zeroPoint'> & {
  readonly zeroPoint?: number
}

/** Another value of the same program, or entries as a constant of one dimension. */
export type Operand = Term | Entries

export interface Term extends Range {
  readonly dtype: Dtype
  readonly shape: Shape

  /** Split into parts that are added up where k is too long for one check. */
  matmul(b: Term, options?: { readonly transposeB?: boolean }): Term
  conv2d(w: Term, options?: Conv2dOptions): Term
  bias(b: Operand): Term
  requantize(options: RequantizeOptions): Term
  requantizeChannels(options: {
    readonly multipliers: Operand
    readonly shifts: Operand
    readonly zeroPoint?: number
    readonly to: RequantizeOptions['to']
  }): Term
  add(y: Operand): Term
  subtract(y: Operand): Term
  multiply(y: Operand): Term
  relu(): Term
  clamp(min: number, max: number): Term
  lookup(table: Operand): Term
  softmax(table: Operand): Term
  rmsNorm(gain: Operand, options?: Partial<AttributesOf<'rmsNorm', 'x' | 'gain'>>): Term
  layerNorm(gain: Operand, options?: Partial<AttributesOf<'layerNorm', 'x' | 'gain'>>): Term
  /** Entries of the tables are taken as rows for the positions of this value. */
  rotary(options: {
    readonly cos: Operand
    readonly sin: Operand
    readonly shift: number
    readonly interleaved?: boolean
  }): Term
  /** Rows of this value, in the order of the indices. */
  gather(indices: Operand): Term
  transpose(permutation: readonly number[]): Term
  reshape(shape: Shape): Term
  slice(options: {
    readonly starts: readonly number[]
    readonly sizes: readonly number[]
    readonly steps?: readonly number[]
  }): Term
  maxPool(options: PoolingOptions): Term
  averagePool(options: PoolingOptions): Term
  argmax(): Term
  topK(k: number, result: NodeFor<'topK'>['result']): Term
  ema(options: AttributesOf<'ema', 'x'>): Term
  convert(to: Dtype): Term
}

/** What stands behind a term; no other program's terms are found. */
const origins = new WeakMap<Term, { readonly draft: Draft; readonly source: Source }>()

export function sourceOf(draft: Draft, term: Term): Source {
  const origin = origins.get(term)
  if (origin?.draft !== draft) throw new Error('an operand belongs to another program')
  return origin.source
}

function dtypeOf(entries: Entries): Dtype {
  if (entries instanceof Int8Array) return 'i8'
  if (entries instanceof Uint8Array) return 'u8'
  return entries instanceof Int32Array ? 'i32' : 'u32'
}

function rangeOf(entries: Entries): Range {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const entry of entries) {
    min = Math.min(min, entry)
    max = Math.max(max, entry)
  }
  return { min, max }
}

/** A constant that travels in the program, declared no wider than its entries are. */
export function constantOf(entries: Entries, shape: Shape, range: Range = rangeOf(entries)): Constant {
  return { type: tensorType(dtypeOf(entries), shape, range), data: tensorBytes({ data: entries }).slice() }
}

export function createTerm(draft: Draft, source: Source): Term {
  const { dtype, shape, min, max } = source.value
  const node = (make: NodeMaker) => createTerm(draft, addNode(draft, make))
  const operand = (given: Operand, constant = (entries: Entries) => constantOf(entries, [entries.length])) =>
    ArrayBuffer.isView(given) ? addConstant(draft, constant(given)) : sourceOf(draft, given)
  const poolingOf = (options: PoolingOptions): Pooling => ({
    strideH: options.windowH,
    strideW: options.windowW,
    padTop: 0,
    padLeft: 0,
    padBottom: 0,
    padRight: 0,
    ...options,
  })
  const arithmetic = (op: 'add' | 'subtract' | 'multiply', y: Operand) => {
    const right = operand(y)
    return node((numberOf) => ({ op, x: numberOf(source), y: numberOf(right) }))
  }
  const norm = (
    op: 'rmsNorm' | 'layerNorm',
    gain: Operand,
    { epsilon = 1, shift = 0 }: { epsilon?: number; shift?: number } = {},
  ) => {
    const gains = operand(gain)
    return node((numberOf) => ({ op, x: numberOf(source), gain: numberOf(gains), epsilon, shift }))
  }

  const term: Term = {
    dtype,
    shape,
    min,
    max,
    matmul: (b, { transposeB = false } = {}) =>
      createTerm(draft, addMatmul(draft, source, sourceOf(draft, b), transposeB)),
    conv2d(w, options = {}) {
      const weights = sourceOf(draft, w)
      return node((numberOf) => ({
        strideH: 1,
        strideW: 1,
        padTop: 0,
        padLeft: 0,
        padBottom: 0,
        padRight: 0,
        dilationH: 1,
        dilationW: 1,
        groups: 1,
        padValue: 0,
        ...options,
        op: 'conv2d',
        x: numberOf(source),
        w: numberOf(weights),
      }))
    },
    bias(b) {
      const biases = operand(b)
      return node((numberOf) => ({ op: 'bias', x: numberOf(source), b: numberOf(biases) }))
    },
    requantize: ({ zeroPoint = 0, multiplier, shift, to }) =>
      node((numberOf) => ({ op: 'requantize', x: numberOf(source), multiplier, shift, zeroPoint, to })),
    requantizeChannels({ multipliers, shifts, zeroPoint = 0, to }) {
      const [factors, counts] = [operand(multipliers), operand(shifts)]
      return node((numberOf) => ({
        op: 'requantizeChannels',
        x: numberOf(source),
        multipliers: numberOf(factors),
        shifts: numberOf(counts),
        zeroPoint,
        to,
      }))
    },
    add: (y) => arithmetic('add', y),
    subtract: (y) => arithmetic('subtract', y),
    multiply: (y) => arithmetic('multiply', y),
    relu: () => node((numberOf) => ({ op: 'relu', x: numberOf(source) })),
    clamp: (least, most) => node((numberOf) => ({ op: 'clamp', x: numberOf(source), min: least, max: most })),
    lookup(table) {
      const entries = operand(table)
      return node((numberOf) => ({ op: 'lookup', x: numberOf(source), table: numberOf(entries) }))
    },
    softmax(table) {
      const weights = operand(table)
      return node((numberOf) => ({ op: 'softmax', x: numberOf(source), table: numberOf(weights) }))
    },
    rmsNorm: (gain, options) => norm('rmsNorm', gain, options),
    layerNorm: (gain, options) => norm('layerNorm', gain, options),
    rotary({ cos, sin, shift, interleaved = false }) {
      const rows = (entries: Entries) => constantOf(entries, [shape.at(-2) ?? 1, (shape.at(-1) ?? 2) / 2])
      const [cosines, sines] = [operand(cos, rows), operand(sin, rows)]
      return node((numberOf) => ({
        op: 'rotary',
        x: numberOf(source),
        cos: numberOf(cosines),
        sin: numberOf(sines),
        shift,
        interleaved,
      }))
    },
    gather(indices) {
      const rows = operand(indices)
      return node((numberOf) => ({ op: 'gather', table: numberOf(source), indices: numberOf(rows) }))
    },
    transpose: (permutation) =>
      node((numberOf) => ({ op: 'transpose', x: numberOf(source), permutation: [...permutation] })),
    reshape: (wanted) => node((numberOf) => ({ op: 'reshape', x: numberOf(source), shape: [...wanted] })),
    slice: ({ starts, sizes, steps = starts.map(() => 1) }) =>
      node((numberOf) => ({
        op: 'slice',
        x: numberOf(source),
        starts: [...starts],
        sizes: [...sizes],
        steps: [...steps],
      })),
    maxPool: (options) => node((numberOf) => ({ ...poolingOf(options), op: 'maxPool', x: numberOf(source) })),
    averagePool: (options) =>
      node((numberOf) => ({ ...poolingOf(options), op: 'averagePool', x: numberOf(source) })),
    argmax: () => node((numberOf) => ({ op: 'argmax', x: numberOf(source) })),
    topK: (k, result) => node((numberOf) => ({ op: 'topK', x: numberOf(source), k, result })),
    ema: ({ alpha, fraction }) => node((numberOf) => ({ op: 'ema', x: numberOf(source), alpha, fraction })),
    convert: (to) => node((numberOf) => ({ op: 'convert', x: numberOf(source), to })),
  }
  origins.set(term, { draft, source })
  return term
}
