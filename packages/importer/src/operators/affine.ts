/** A computed value and a constant: the constant is one number, one for each channel, or a tensor of its own. */
import type { Term } from '@shardy/tensor'
import type { GraphNode } from '../graph.ts'
import { plainOrder, type Real, shapeOf } from '../lower/lowered.ts'
import {
  asSums,
  commonUnits,
  isBytes,
  isUniform,
  magnitudeOf,
  oneScale,
  settled,
  turnedReal,
} from '../lower/real.ts'
import { constantTerm, int32Of, type Scene } from '../lower/scene.ts'
import type { OnnxTensor } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { broadcastShape } from './broadcast.ts'
import { numbersOf } from './operator.ts'

/** How a constant lies over a value. */
type Spread =
  | { readonly kind: 'scalar'; readonly value: number }
  /** One number for each entry of one axis. */
  | { readonly kind: 'channels'; readonly axis: number; readonly values: readonly number[] }
  | { readonly kind: 'tensor' }

function spreadOf({ label }: GraphNode, real: Real, { shape, data }: OnnxTensor): Spread {
  const rank = real.order.length
  const own = shapeOf(real)
  const [first = 0] = data
  const odd = data.find((entry) => !Number.isFinite(entry))
  if (odd !== undefined) refuse('unsupported', label, `has the constant ${odd}`)
  if (data.length === 1 && shape.length <= rank) return { kind: 'scalar', value: first }
  const axes = [...shape.keys()].filter((axis) => (shape[axis] ?? 1) > 1)
  const [only] = axes
  if (axes.length === 1 && only !== undefined && shape.length <= rank) {
    const axis = only + rank - shape.length
    if (own[axis] === shape[only]) return { kind: 'channels', axis, values: Array.from(data) }
  }
  return { kind: 'tensor' }
}

/** The order of axes in which this one comes last; channels of an image come last as elsewhere. */
export function lastOrder(rank: number, axis: number): readonly number[] {
  return [...plainOrder(rank).filter((other) => other !== axis), axis]
}

/** One number for each entry of the last axis of the value, whose axes may have to turn for it. */
function channelwise(
  scene: Scene,
  { label }: GraphNode,
  real: Real,
  spread: Exclude<Spread, { kind: 'tensor' }>,
): { readonly real: Real; readonly values: readonly number[] } {
  if (spread.kind === 'scalar') {
    return { real, values: new Array<number>(real.term.shape.at(-1) ?? 1).fill(spread.value) }
  }
  const { axis, values } = spread
  const isLast = real.order.at(-1) === axis && real.folded === undefined
  const turned = isLast ? real : turnedReal(scene, real, lastOrder(real.order.length, axis), label)
  return { real: turned, values }
}

/** Sums of fewer bits than this are too coarse for a bias in their units. */
const coarseMax = 2 ** 14
const fineFactor = 2 ** 14

export function addedConstant(scene: Scene, node: GraphNode, operand: Real, constant: OnnxTensor): Real {
  const { label } = node
  const spread = spreadOf(node, operand, constant)
  if (spread.kind === 'tensor') return addedTensor(scene, node, operand, constant)
  const { real, values } = channelwise(scene, node, operand, spread)
  const sums = asSums(scene, real, label)
  const isCoarse = magnitudeOf(sums.term) <= coarseMax
  const term = isCoarse ? sums.term.multiply(Int32Array.of(fineFactor)) : sums.term
  const scales = isCoarse ? sums.scales.map((scale) => scale / fineFactor) : sums.scales
  const biases = values.map((value, channel) => {
    return Math.round(value / ((scales.length > 1 ? scales[channel] : scales[0]) ?? 1))
  })
  const row = constantTerm(scene, int32Of(biases, label, 'the constant'), [biases.length])
  return { ...sums, term: term.bias(row), scales }
}

/** A constant with a number for every entry, or for entries of several axes. */
function addedTensor(scene: Scene, node: GraphNode, operand: Real, constant: OnnxTensor): Real {
  const { label } = node
  const shape = shapeOf(operand)
  const rank = shape.length
  if (broadcastShape(node, shape, constant.shape).length > rank) {
    refuse('unsupported', label, `adds [${constant.shape.join(',')}] to [${shape.join(',')}]`)
  }
  const single = oneScale(scene, operand, label)
  const real = turnedReal(scene, single, plainOrder(rank), label)
  const reach = Math.max(...constant.data.map(Math.abs))
  const { terms, unit } = commonUnits(scene, [real], label, reach)
  const [term = real.term] = terms
  const entries = int32Of(
    numbersOf(constant).map((entry) => Math.round(entry / unit)),
    label,
    'the constant',
  )
  return { ...real, term: added(node, term, constantTerm(scene, entries, constant.shape)), ...plain(unit) }
}

const plain = (unit: number) => ({
  scales: [unit],
  zeroPoint: 0,
  min: Number.NEGATIVE_INFINITY,
  max: Number.POSITIVE_INFINITY,
})

/** The smaller operand is repeated over the larger one. */
export function added({ label }: GraphNode, x: Term, y: Term): Term {
  const covers = (large: Term, small: Term) =>
    small.shape.length <= large.shape.length &&
    small.shape.every((size, axis) => {
      return size === 1 || size === large.shape[axis + large.shape.length - small.shape.length]
    })
  if (covers(x, y)) return x.add(y)
  if (covers(y, x)) return y.add(x)
  return refuse(
    'unsupported',
    label,
    `combines [${x.shape.join(',')}] with [${y.shape.join(',')}], where each repeats over the other`,
  )
}

export function multipliedByConstant(
  scene: Scene,
  node: GraphNode,
  operand: Real,
  constant: OnnxTensor,
): Real {
  const { label } = node
  const spread = spreadOf(node, operand, constant)
  if (spread.kind === 'tensor') {
    return refuse('unsupported', label, `multiplies by a constant [${constant.shape.join(',')}]`)
  }
  const settledOperand = settled(scene, operand, label)
  if (spread.kind === 'scalar' && spread.value > 0 && isBytes(settledOperand)) {
    return { ...settledOperand, scales: settledOperand.scales.map((scale) => scale * spread.value) }
  }
  const { real, values } = channelwise(scene, node, settledOperand, spread)
  const sums = asSums(scene, real, label)
  const scales = values.map((value, channel) => {
    const scale = (sums.scales.length > 1 ? sums.scales[channel] : sums.scales[0]) ?? 1
    return value === 0 ? scale : value * scale
  })
  // A scale is never zero, so what is multiplied by zero is made zero.
  const term = values.includes(0)
    ? sums.term.multiply(
        constantTerm(
          scene,
          Int32Array.from(values, (value) => (value === 0 ? 0 : 1)),
          [values.length],
        ),
      )
    : sums.term
  const one = { ...sums, term, scales }
  return isUniform(one) ? { ...one, scales: scales.slice(0, 1) } : one
}
