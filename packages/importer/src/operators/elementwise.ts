/** Entry by entry: cuts, functions of one byte as tables, and sums and products of two values. */
import { gelu, sigmoid } from '@shardy/tensor'
import { floatOf, textOf } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import { type Integers, type Lowered, plainOrder, type Real, shapeOf } from '../lower/lowered.ts'
import type { Quantization } from '../lower/quantization.ts'
import {
  asCodes,
  asSums,
  byteTable,
  commonUnits,
  isBounded,
  oneScale,
  quantizationOf,
  scaleOf,
  settled,
  turnedReal,
  unbounded,
} from '../lower/real.ts'
import type { Scene } from '../lower/scene.ts'
import { type OnnxTensor, tensorOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { added, addedConstant, multipliedByConstant } from './affine.ts'
import { combined } from './broadcast.ts'
import {
  floats,
  given,
  madeReal,
  type Operands,
  type Operator,
  realAt,
  requireFloat,
  scalarAt,
  scalarOf,
} from './operator.ts'

function mapped({ shape, data }: OnnxTensor, image: (x: number) => number): OnnxTensor {
  return floats(shape, Float32Array.from(data, image))
}

/** Cuts later, when the value is brought to bytes anyway: rounding keeps order, so nothing is lost by waiting. */
function cutBetween(scene: Scene, { label }: GraphNode, value: Real, min: number, max: number): Real {
  // Two cuts are one, unless they leave nothing between them.
  const real = isBounded(value) && (min > value.max || max < value.min) ? settled(scene, value, label) : value
  return { ...real, min: Math.max(real.min, min), max: Math.min(real.max, max) }
}

export const relu: Operator = {
  attributes: [],
  operands: [1, 1],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    requireFloat(node, x)
    return mapped(x, (entry) => Math.max(entry, 0))
  },
  lower: (scene, node, operands) =>
    cutBetween(scene, node, realAt(node, operands, 0), 0, Number.POSITIVE_INFINITY),
}

interface Bounds {
  readonly min: number
  readonly max: number
}

/** Before opset 11 the bounds are attributes. */
function clipBounds(node: GraphNode, low: number | undefined, high: number | undefined): Bounds {
  const isOld = node.opset < 11
  const min = isOld ? floatOf(node, 'min', unbounded.min) : (low ?? unbounded.min)
  const max = isOld ? floatOf(node, 'max', unbounded.max) : (high ?? unbounded.max)
  if (!(min <= max)) refuse('unsupported', node.label, `cuts to ${min} to ${max}, which is no interval`)
  return { min, max }
}

export const clip: Operator = {
  attributes: ['min', 'max'],
  operands: [1, 3],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    requireFloat(node, x)
    const [low, high] = [1, 2].map((index) => {
      const bound = operands[index]
      return bound === undefined ? undefined : scalarOf(node, bound, index)
    })
    const { min, max } = clipBounds(node, low, high)
    return mapped(x, (entry) => Math.min(Math.max(entry, min), max))
  },
  lower(scene, node, operands) {
    const { min, max } = clipBounds(node, scalarAt(node, operands, 1), scalarAt(node, operands, 2))
    return cutBetween(scene, node, realAt(node, operands, 0), min, max)
  },
}

/** A function of one number, by a table. `own` is how its results are quantized if nobody says it. */
function byTable(
  attributes: readonly string[],
  imageOf: (node: GraphNode) => (x: number) => number,
  own?: Quantization,
): Operator {
  return {
    attributes,
    operands: [1, 1],
    evaluate(node, operands) {
      const x = given(node, operands, 0)
      requireFloat(node, x)
      return mapped(x, imageOf(node))
    },
    lower(scene, node, operands) {
      const { label } = node
      const [name = ''] = node.outputs
      const x = asCodes(scene, realAt(node, operands, 0), label)
      const target = scene.targetOf(name) ?? own
      if (target === undefined) {
        return refuse(
          'uncalibrated',
          label,
          `makes '${name}', and nobody has said its range: give calibration data`,
        )
      }
      const table = byteTable(imageOf(node), quantizationOf(x), target, label)
      return { ...x, term: x.term.lookup(table), scales: [target.scale], zeroPoint: target.zeroPoint }
    },
  }
}

const shares: Quantization = { dtype: 'u8', scale: 1 / 255, zeroPoint: 0 }
const balanced: Quantization = { dtype: 'i8', scale: 1 / 127, zeroPoint: 0 }

export const sigmoidOperator = byTable([], () => sigmoid, shares)
/** By the logistic function, so that every engine makes the same table. */
export const tanh = byTable([], () => (x) => 2 * sigmoid(2 * x) - 1, balanced)
export const leakyRelu = byTable(['alpha'], (node) => {
  const alpha = floatOf(node, 'alpha', 0.01)
  return (x) => (x < 0 ? alpha * x : x)
})
export const hardSigmoid = byTable(
  ['alpha', 'beta'],
  (node) => {
    const [alpha, beta] = [floatOf(node, 'alpha', 0.2), floatOf(node, 'beta', 0.5)]
    return (x) => Math.min(Math.max(alpha * x + beta, 0), 1)
  },
  shares,
)
export const hardSwish = byTable([], () => (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1))
export const geluOperator = byTable(['approximate'], (node) => {
  const form = textOf(node, 'approximate', 'none')
  if (form !== 'none') refuse('unsupported', node.label, `approximates by '${form}'`)
  return gelu
})

/** Both with their axes in one order, so that entries stand over entries. */
function aligned(scene: Scene, left: Real, right: Real, label: string): readonly [Real, Real] {
  const isAlike =
    left.order.length === right.order.length && left.folded === undefined && right.folded === undefined
  if (isAlike && left.order.every((axis, index) => axis === right.order[index])) return [left, right]
  // The same number of axes: the left one's order will do for both.
  const order = left.order.length === right.order.length ? left.order : plainOrder(left.order.length)
  const other = left.order.length === right.order.length ? order : plainOrder(right.order.length)
  return [
    turnedReal(scene, oneScale(scene, left, label), order, label),
    turnedReal(scene, oneScale(scene, right, label), other, label),
  ]
}

function sumOf(scene: Scene, node: GraphNode, x: Real, y: Real, isDifference: boolean): Real {
  const [left, right] = aligned(scene, x, y, node.label)
  const { terms, unit } = commonUnits(scene, [left, right], node.label)
  const [one, other] = terms
  if (one === undefined || other === undefined) throw new Error('there are two terms')
  const term = isDifference ? added(node, one, other.multiply(Int32Array.of(-1))) : added(node, one, other)
  const { order } = left.order.length >= right.order.length ? left : right
  return madeReal({ term, order, scales: [unit] })
}

/** int32 with int32, or with a constant: nothing is rounded, and a sum that could overflow is refused. */
function integerSum(node: GraphNode, x: Integers, y: Lowered, isDifference: boolean): Integers {
  const plain = plainOrder(x.order.length)
  const isPlain = (value: Integers) =>
    value.folded === undefined && value.order.every((axis, at) => axis === at)
  if (!isPlain(x) || (y.kind === 'integers' && !isPlain(y)) || y.kind === 'real') {
    return refuse('unsupported', node.label, 'adds integers whose axes were turned')
  }
  const other = y.kind === 'integers' ? y.term : undefined
  if (x.term.dtype !== 'i32' || (other !== undefined && other.dtype !== 'i32')) {
    return refuse('unsupported', node.label, 'adds integers of 8 bits, whose sums wrap')
  }
  if (
    y.kind === 'constant' &&
    y.tensor.data.some((entry) => entry !== Math.trunc(entry) || entry !== (entry | 0))
  ) {
    return refuse('unsupported', node.label, 'adds a constant that is not of 32 bits')
  }
  const row = y.kind === 'constant' ? Int32Array.from(y.tensor.data) : undefined
  const isRow = y.kind === 'constant' && y.tensor.shape.length <= 1
  if (row !== undefined && !isRow) return refuse('unsupported', node.label, 'adds a tensor of integers')
  const operand = other ?? row ?? Int32Array.of(0)
  return { ...x, term: isDifference ? x.term.subtract(operand) : x.term.add(operand), order: plain }
}

function additive(sign: 1 | -1): Operator {
  return {
    attributes: [],
    operands: [2, 2],
    evaluate: (node, operands) => {
      const [x, y] = [given(node, operands, 0), given(node, operands, 1)]
      const sum = combined(node, x, y, (left, right) => left + sign * right)
      return x.dtype === 'f32' ? sum : tensorOf(x.dtype, sum.shape, sum.data)
    },
    lower(scene, node, operands) {
      const [x, y] = [given(node, operands, 0), given(node, operands, 1)]
      if (x.kind === 'integers') return integerSum(node, x, y, sign < 0)
      if (y.kind === 'integers' && sign > 0) return integerSum(node, y, x, false)
      if (y.kind === 'constant') {
        return addedConstant(
          scene,
          node,
          realAt(node, operands, 0),
          mapped(y.tensor, (entry) => sign * entry),
        )
      }
      if (x.kind === 'constant') {
        const right = realAt(node, operands, 1)
        const negated = sign > 0 ? right : negative(scene, right, node.label)
        return addedConstant(scene, node, negated, x.tensor)
      }
      return sumOf(scene, node, x, realAt(node, operands, 1), sign < 0)
    },
  }
}

function negative(scene: Scene, real: Real, label: string): Real {
  const sums = asSums(scene, real, label)
  // Another value: what was said and kept for the one of this name is not true of it.
  return { ...sums, scales: sums.scales.map((scale) => -scale), name: '' }
}

export const add = additive(1)
export const subtract = additive(-1)

function productOf(scene: Scene, node: GraphNode, x: Real, y: Real): Real {
  const { label } = node
  const bytes = [x, y].map((real) => asSums(scene, asCodes(scene, real, label), label))
  const [left, right] = aligned(scene, bytes[0] as Real, bytes[1] as Real, label)
  const isLarger = left.term.shape.length >= right.term.shape.length && sizeAt(left) >= sizeAt(right)
  const [large, small] = isLarger ? [left, right] : [right, left]
  return madeReal({
    term: large.term.multiply(small.term),
    order: large.order,
    scales: [scaleOf(large) * scaleOf(small)],
  })
}

function sizeAt(real: Real): number {
  return shapeOf(real).reduce((product, size) => product * size, 1)
}

function byConstant(
  scene: Scene,
  node: GraphNode,
  operands: Operands<Lowered>,
  image: (x: number) => number,
): Real | undefined {
  const y = given(node, operands, 1)
  if (y.kind !== 'constant') return undefined
  return multipliedByConstant(scene, node, realAt(node, operands, 0), mapped(y.tensor, image))
}

export const multiply: Operator = {
  attributes: [],
  operands: [2, 2],
  evaluate: (node, operands) =>
    combined(node, given(node, operands, 0), given(node, operands, 1), (x, y) => x * y),
  lower(scene, node, operands) {
    const [x, y] = [given(node, operands, 0), given(node, operands, 1)]
    const scaled = x.kind === 'constant' ? [y, x] : operands
    const found = byConstant(scene, node, scaled, (entry) => entry)
    return found ?? productOf(scene, node, realAt(node, operands, 0), realAt(node, operands, 1))
  },
}

export const divide: Operator = {
  attributes: [],
  operands: [2, 2],
  evaluate: (node, operands) =>
    combined(node, given(node, operands, 0), given(node, operands, 1), (x, y) => x / y),
  lower(scene, node, operands) {
    const found = byConstant(scene, node, operands, (entry) => 1 / entry)
    return found ?? refuse('unsupported', node.label, 'divides by a computed value')
  },
}
