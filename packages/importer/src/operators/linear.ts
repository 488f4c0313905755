/** Conv, Gemm and MatMul, real and in integers. */
import { floatOf, intOf } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import type { Constant, Integers, Lowered, Real } from '../lower/lowered.ts'
import { codeOf, type Quantization } from '../lower/quantization.ts'
import { asCodes, requantized } from '../lower/real.ts'
import type { Scene } from '../lower/scene.ts'
import { weightsOf } from '../lower/weights.ts'
import { type OnnxTensor, sizeOf, tensorOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { addedConstant } from './affine.ts'
import { combined } from './broadcast.ts'
import { convLayer, imageOf, matmulLayer, rowsOf } from './layers.ts'
import {
  constantAt,
  floats,
  given,
  integersAt,
  madeReal,
  numbersOf,
  type Operands,
  type Operator,
  realAt,
  requiredConstant,
  requireFloat,
  scalarAt,
  scalarOf,
} from './operator.ts'
import { convolved, multiplied, type Product } from './products.ts'
import { channelCodes } from './quantized.ts'
import { windowAttributes } from './window.ts'

function rounded({ shape, data }: Product): OnnxTensor {
  return floats(shape, Float32Array.from(data))
}

function withChannelBias(product: Product, bias: ArrayLike<number> | undefined): Product {
  if (bias === undefined) return product
  const { shape, data } = product
  const [, channels = 1] = shape
  const area = sizeOf(shape.slice(2))
  const sums = data.map((sum, index) => sum + (bias[Math.floor(index / area) % channels] ?? 0))
  return { shape, data: sums }
}

const groupsOf = (node: GraphNode) => intOf(node, 'group', 1)

/** One real number for each output, from a constant that has as many. */
function biasOf(
  node: GraphNode,
  constant: Constant | undefined,
  outputs: number,
): readonly number[] | undefined {
  if (constant === undefined) return undefined
  const { shape } = constant.tensor
  if (shape.length === 1 && shape[0] === outputs) return numbersOf(constant.tensor)
  return refuse('inconsistent', node.label, `has a bias [${shape.join(',')}] for ${outputs} outputs`)
}

function convReal(
  scene: Scene,
  node: GraphNode,
  operand: Real,
  weights: Constant,
  bias: readonly number[] | undefined,
): Real {
  const { label } = node
  const codes = asCodes(scene, operand, label)
  const { x, layout } = imageOf(scene, node, codes, weights, groupsOf(node))
  const { shape } = weights.tensor
  const bytes = weightsOf(weights, 0, x.scales[0] ?? 1, bias, label)
  return convLayer(scene, node, layout, { x, weights: bytes, shape, axis: 0, bias })
}

export const conv: Operator = {
  attributes: [...windowAttributes, 'group'],
  operands: [2, 3],
  evaluate(node, operands) {
    const [x, w] = [given(node, operands, 0), given(node, operands, 1)]
    requireFloat(node, x)
    return rounded(withChannelBias(convolved(node, x, w, groupsOf(node)), operands[2]?.data))
  },
  lower(scene, node, operands) {
    const weights = requiredConstant(node, operands, 1)
    const bias = biasOf(node, constantAt(node, operands, 2), weights.tensor.shape[0] ?? 0)
    return convReal(scene, node, realAt(node, operands, 0), weights, bias)
  },
}

function productReal(
  scene: Scene,
  node: GraphNode,
  operand: Real,
  weights: Constant,
  axis: 0 | 1,
  bias: readonly number[] | undefined,
  factor = 1,
): Real {
  const { label } = node
  const { shape } = weights.tensor
  if (shape.length !== 2) {
    refuse('unsupported', label, `has weights [${shape.join(',')}]; a matrix is understood`)
  }
  const x = rowsOf(scene, asCodes(scene, operand, label), label)
  const bytes = weightsOf(weights, axis, (x.scales[0] ?? 1) * Math.abs(factor), bias, label)
  const scaled = { ...bytes, scales: bytes.scales.map((scale) => scale * factor) }
  return matmulLayer(scene, node, { x, weights: scaled, shape, axis, bias })
}

function transposed({ dtype, shape, data }: OnnxTensor): OnnxTensor {
  const [rows = 0, columns = 0] = shape
  const turned = Array.from({ length: data.length }, (_, index) => {
    return data[(index % rows) * columns + Math.floor(index / rows)] as number
  })
  return tensorOf(dtype, [columns, rows], turned)
}

export const gemm: Operator = {
  attributes: ['alpha', 'beta', 'transA', 'transB'],
  operands: [2, 3],
  evaluate(node, operands) {
    const [a, b, c] = [given(node, operands, 0), given(node, operands, 1), operands[2]]
    requireFloat(node, a)
    const left = intOf(node, 'transA', 0) === 0 ? a : transposed(a)
    const right = intOf(node, 'transB', 0) === 0 ? b : transposed(b)
    const alpha = floatOf(node, 'alpha', 1)
    const { shape, data } = multiplied(node, left, right)
    const product = floats(
      shape,
      Float32Array.from(data, (sum) => alpha * sum),
    )
    if (c === undefined) return product
    const beta = floatOf(node, 'beta', 1)
    return combined(node, product, c, (x, y) => x + beta * y)
  },
  lower(scene, node, operands) {
    const { label } = node
    if (intOf(node, 'transA', 0) !== 0) refuse('unsupported', label, 'transposes its computed operand')
    const weights = requiredConstant(node, operands, 1)
    const axis = intOf(node, 'transB', 0) === 0 ? 1 : 0
    const outputs = weights.tensor.shape[axis] ?? 0
    const [alpha, beta] = [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)]
    if (alpha === 0) refuse('unsupported', label, 'has alpha 0')
    const c = constantAt(node, operands, 2)?.tensor
    const isRow = c?.data.length === outputs && (c.shape.at(-1) ?? 1) === outputs
    const bias = isRow ? numbersOf(c).map((entry) => beta * entry) : undefined
    const x = realAt(node, operands, 0)
    const product = productReal(scene, node, x, weights, axis, bias, alpha)
    if (c === undefined || isRow) return product
    const rest = floats(
      c.shape,
      Float32Array.from(c.data, (entry) => beta * entry),
    )
    return addedConstant(scene, node, product, rest)
  },
}

export const matmul: Operator = {
  attributes: [],
  operands: [2, 2],
  evaluate(node, operands) {
    const [a, b] = [given(node, operands, 0), given(node, operands, 1)]
    requireFloat(node, a)
    return rounded(multiplied(node, a, b))
  },
  lower(scene, node, operands) {
    const weights = requiredConstant(node, operands, 1)
    return productReal(scene, node, realAt(node, operands, 0), weights, 1, undefined)
  },
}

/** Integers with their zero point, as real numbers of scale 1. */
function asReal(integers: Integers, zeroPoint: number): Real {
  const { term, order, folded } = integers
  return madeReal({ term, order, folded, scales: [1], zeroPoint })
}

function asIntegers({ term, order, folded }: Real): Integers {
  return { kind: 'integers', term, order, folded }
}

/** Numbers less their zero points, which stand along one axis or are one. */
function centred(tensor: OnnxTensor, zeroPoints: OnnxTensor | undefined, axis: number): OnnxTensor {
  if (zeroPoints === undefined) return tensor
  const inner = sizeOf(tensor.shape.slice(axis + 1))
  const data = Float64Array.from(tensor.data, (entry, index) => {
    return entry - (zeroPoints.data[Math.floor(index / inner) % zeroPoints.data.length] as number)
  })
  return { dtype: 'f64', shape: tensor.shape, data }
}

function integerProduct({ shape, data }: Product): OnnxTensor {
  return tensorOf('i32', shape, data)
}

/** Integer weights as codes: their scales, if any, and zero points for each output or for all. */
function codedWeights(
  node: GraphNode,
  operands: Operands<Lowered>,
  index: number,
  axis: number,
  scales: Constant | undefined,
  zeroPoints: Constant | undefined,
): Constant {
  const { tensor } = requiredConstant(node, operands, index)
  const codes = channelCodes(node, tensor, scales?.tensor, zeroPoints?.tensor, axis)
  return { kind: 'constant', tensor, codes }
}

/** A zero point of the input: one number, and the same for every row. */
function inputZeroPoint(node: GraphNode, operands: Operands<Lowered>, index: number): number {
  const tensor = constantAt(node, operands, index)?.tensor
  if (tensor === undefined) return 0
  if (tensor.data.length !== 1) {
    refuse('inexact', node.label, 'has a zero point for each row of its input; one for all is understood')
  }
  return scalarOf(node, tensor, index)
}

export const convInteger: Operator = {
  attributes: [...windowAttributes, 'group'],
  operands: [2, 4],
  evaluate(node, operands) {
    const x = centred(given(node, operands, 0), operands[2], 0)
    const w = centred(given(node, operands, 1), operands[3], 0)
    return integerProduct(convolved(node, x, w, groupsOf(node)))
  },
  lower(scene, node, operands) {
    const weights = codedWeights(node, operands, 1, 0, undefined, constantAt(node, operands, 3))
    const x = asReal(integersAt(node, operands, 0), inputZeroPoint(node, operands, 2))
    return asIntegers(convReal(scene, node, x, weights, undefined))
  },
}

export const matmulInteger: Operator = {
  attributes: [],
  operands: [2, 4],
  evaluate(node, operands) {
    const x = centred(given(node, operands, 0), operands[2], 0)
    const w = centred(given(node, operands, 1), operands[3], 1)
    return integerProduct(multiplied(node, x, w))
  },
  lower(scene, node, operands) {
    const weights = codedWeights(node, operands, 1, 1, undefined, constantAt(node, operands, 3))
    const x = asReal(integersAt(node, operands, 0), inputZeroPoint(node, operands, 2))
    return asIntegers(productReal(scene, node, x, weights, 1, undefined))
  },
}

/** x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point: the order of both QLinear operators. */
interface QLinear {
  readonly x: Real
  readonly weights: Constant
  readonly target: Quantization
}

function qLinearOf(node: GraphNode, operands: Operands<Lowered>, axis: number): QLinear {
  const scale = (index: number) => {
    const value = scalarAt(node, operands, index) ?? given<number>(node, [], index)
    return value > 0 ? value : refuse('unsupported', node.label, `has the scale ${value}`)
  }
  const { term, order, folded } = integersAt(node, operands, 0)
  const zeroPoint = inputZeroPoint(node, operands, 2)
  const x = madeReal({ term, order, folded, scales: [scale(1)], zeroPoint })
  const weights = codedWeights(
    node,
    operands,
    3,
    axis,
    requiredConstant(node, operands, 4),
    constantAt(node, operands, 5),
  )
  return { x, weights, target: targetOf(node, operands, scale(6)) }
}

function targetOf(node: GraphNode, operands: Operands<Lowered>, scale: number): Quantization {
  const { tensor } = requiredConstant(node, operands, 7)
  const zeroPoint = scalarOf(node, tensor, 7)
  const { dtype } = tensor
  if (dtype !== 'i8' && dtype !== 'u8') return refuse('unsupported', node.label, `makes ${dtype}`)
  return { dtype, scale, zeroPoint }
}

function evaluateQLinear(
  node: GraphNode,
  operands: Operands<OnnxTensor>,
  weightAxis: number,
  axis: number,
  product: (x: OnnxTensor, w: OnnxTensor) => Product,
): OnnxTensor {
  const at = (index: number) => given(node, operands, index)
  const { shape, data } = product(centred(at(0), at(2), 0), centred(at(3), at(5), weightAxis))
  const weightScales = at(4).data
  const inner = sizeOf(shape.slice(axis + 1))
  const [scale, zero] = [scalarOf(node, at(6), 6), at(7)]
  const target: Quantization = {
    dtype: zero.dtype === 'i8' ? 'i8' : 'u8',
    scale,
    zeroPoint: scalarOf(node, zero, 7),
  }
  const codes = Float64Array.from(data, (sum, index) => {
    const channel = Math.floor(index / inner) % weightScales.length
    return codeOf(sum * scalarOf(node, at(1), 1) * (weightScales[channel] as number), target)
  })
  return tensorOf(target.dtype, shape, codes)
}

export const qLinearConv: Operator = {
  attributes: [...windowAttributes, 'group'],
  operands: [8, 9],
  evaluate(node, operands) {
    return evaluateQLinear(node, operands, 0, 1, (x, w) =>
      withChannelBias(convolved(node, x, w, groupsOf(node)), operands[8]?.data),
    )
  },
  lower(scene, node, operands) {
    const { x, weights, target } = qLinearOf(node, operands, 0)
    const outputs = weights.tensor.shape[0] ?? 0
    const units = biasOf(node, constantAt(node, operands, 8), outputs)
    const scales = weights.codes?.scales ?? [1]
    // Back to real numbers, of which the layer makes the very same integers again.
    const bias = units?.map((entry, output) => {
      return entry * (x.scales[0] ?? 1) * ((scales.length > 1 ? scales[output] : scales[0]) ?? 1)
    })
    const sums = convReal(scene, node, x, weights, bias)
    return asIntegers(requantized(scene, sums, target, node.label))
  },
}

export const qLinearMatmul: Operator = {
  attributes: [],
  operands: [8, 8],
  evaluate(node, operands) {
    const { shape } = given(node, operands, 0)
    return evaluateQLinear(node, operands, 1, shape.length - 1, (x, w) => multiplied(node, x, w))
  },
  lower(scene, node, operands) {
    const { x, weights, target } = qLinearOf(node, operands, 1)
    const sums = productReal(scene, node, x, weights, 1, undefined)
    return asIntegers(requantized(scene, sums, target, node.label))
  },
}
