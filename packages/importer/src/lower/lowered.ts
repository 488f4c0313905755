/**
 * What stands for an ONNX value while a program is written: a constant of the model, integers, or integers that stand for
 * real numbers. Axes may lie in another order than ONNX names them, so that images are channels-last where operations
 * want them so, and are turned back only where somebody looks.
 */
import type { Term } from '@shardy/tensor'
import type { OnnxTensor } from '../onnx/tensor.ts'

/** Weights that came as integers: real = scales[channel] · (code - zeroPoints[channel]) along one axis. */
export interface Codes {
  readonly tensor: OnnxTensor
  readonly scales: readonly number[]
  readonly zeroPoints: readonly number[]
  /** Without it there is one scale for all. */
  readonly axis: number | undefined
}

export interface Constant {
  readonly kind: 'constant'
  /** As real numbers where it was dequantized. */
  readonly tensor: OnnxTensor
  readonly codes: Codes | undefined
}

/** An image whose pixels and channels became one axis: the shape of the term before, and the order of its axes. */
export interface Folded {
  readonly shape: readonly number[]
  readonly order: readonly number[]
}

export interface Arranged {
  readonly term: Term
  /** Axis i of the term is axis order[i] of the ONNX value. */
  readonly order: readonly number[]
  /** Then the last axis of the term is in another order than ONNX has it. */
  readonly folded: Folded | undefined
}

export interface Integers extends Arranged {
  readonly kind: 'integers'
}

export interface Real extends Arranged {
  readonly kind: 'real'
  /** One, or one for each entry of the term's last axis. int32 sums may have several, bytes have one. Never zero. */
  readonly scales: readonly number[]
  /** Zero for sums. */
  readonly zeroPoint: number
  /** The real value is cut to these, which the term is not yet. */
  readonly min: number
  readonly max: number
  /** Which ONNX value it is. */
  readonly name: string
}

export type Lowered = Constant | Integers | Real

export function plainOrder(rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => axis)
}

/** Axis 1, the channels of ONNX, moved to the end. */
export function channelsLast(rank: number): readonly number[] {
  return rank < 3 ? plainOrder(rank) : [0, ...plainOrder(rank).slice(2), 1]
}

export function isOrdered(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((axis, index) => axis === right[index])
}

/** The value's shape as ONNX has it. */
export function shapeOf({ term, order }: Arranged): readonly number[] {
  const shape = new Array<number>(order.length).fill(1)
  for (const [index, axis] of order.entries()) shape[axis] = term.shape[index] ?? 1
  return shape
}

/** Axes longer than 1, in their order: two orders that agree in them hold the same bytes. */
function longAxes(order: readonly number[], sizes: readonly number[]): readonly number[] {
  return order.filter((_, index) => (sizes[index] ?? 1) > 1)
}

/** The term with its axes in the wanted order, by moving entries only if some would move. */
function turned(
  term: Term,
  order: readonly number[],
  wanted: readonly number[],
): { readonly term: Term; readonly hasMoved: boolean } {
  if (isOrdered(order, wanted)) return { term, hasMoved: false }
  const permutation = wanted.map((axis) => order.indexOf(axis))
  const shape = permutation.map((axis) => term.shape[axis] ?? 1)
  const long = longAxes(order, term.shape)
  if (isOrdered(long, longAxes(wanted, shape))) return { term: term.reshape(shape), hasMoved: false }
  return { term: term.transpose(permutation), hasMoved: true }
}

/** Undoes the folding of an image: the last axis as ONNX has it. */
function unfolded({ term, folded }: Arranged): Term {
  if (folded === undefined) return term
  const image = term.reshape(folded.shape)
  return turned(image, folded.order, plainOrder(folded.order.length)).term.reshape(term.shape)
}

/** The same value with its axes in this order, nothing folded. Scales by channel survive only where the last axis stays. */
export function arranged(value: Arranged, wanted: readonly number[]): Arranged {
  const { term } = turned(unfolded(value), value.order, wanted)
  return { term, order: wanted, folded: undefined }
}

/** Whether the term's last axis is another one afterwards. */
export function losesChannels(value: Arranged, wanted: readonly number[]): boolean {
  return value.folded !== undefined || value.order.at(-1) !== wanted.at(-1)
}
