/** QuantizeLinear and DequantizeLinear: where a model says itself how its values are integers. */
import { axisOf, intOf } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import type { Codes, Constant, Lowered } from '../lower/lowered.ts'
import { codeOf, type Quantization } from '../lower/quantization.ts'
import { requantized } from '../lower/real.ts'
import { isFloat, type OnnxTensor, sizeOf, tensorOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import {
  constantAt,
  floats,
  given,
  madeReal,
  type Operands,
  type Operator,
  realAt,
  requiredConstant,
  scalarOf,
} from './operator.ts'

const attributes = ['axis', 'saturate', 'block_size', 'output_dtype', 'precision'] as const

function refuseBlocks(node: GraphNode): void {
  if (intOf(node, 'block_size', 0) !== 0) {
    refuse('inexact', node.label, 'has a scale for each block, which no sum can be taken out of')
  }
}

function refuseScale({ label }: GraphNode, scales: ArrayLike<number>): void {
  const odd = Array.from(scales).find((scale) => !(scale > 0 && Number.isFinite(scale)))
  if (odd !== undefined) refuse('unsupported', label, `has the scale ${odd}, expected a number above 0`)
}

/** How a QuantizeLinear quantizes. Only bytes, and one scale for all. */
export function quantizationAt(
  node: GraphNode,
  scale: OnnxTensor,
  zeroPoint: OnnxTensor | undefined,
): Quantization {
  const { label } = node
  refuseBlocks(node)
  if (scale.data.length !== 1) {
    refuse(
      'inexact',
      label,
      `quantizes a computed value by ${scale.data.length} scales; the next product could not sum them`,
    )
  }
  refuseScale(node, scale.data)
  const code = intOf(node, 'output_dtype', 0)
  const dtype = zeroPoint?.dtype ?? (code === 0 || code === 2 ? 'u8' : code === 3 ? 'i8' : 'f32')
  if (dtype !== 'i8' && dtype !== 'u8')
    return refuse('unsupported', label, `quantizes to ${dtype}, expected i8 or u8`)
  const zero = zeroPoint === undefined ? 0 : scalarOf(node, zeroPoint, 2)
  return { dtype, scale: scalarOf(node, scale, 1), zeroPoint: zero }
}

export const quantizeLinear: Operator = {
  attributes,
  operands: [2, 3],
  evaluate(node, operands) {
    const [x, scale, zeroPoint] = [given(node, operands, 0), given(node, operands, 1), operands[2]]
    const dtype = zeroPoint?.dtype ?? 'u8'
    if (dtype !== 'i8' && dtype !== 'u8') return refuse('unsupported', node.label, `quantizes to ${dtype}`)
    refuseBlocks(node)
    refuseScale(node, scale.data)
    const channel = channelOf(node, x, scale)
    const codes = Float64Array.from(x.data, (entry, index) => {
      const at = channel(index)
      const zero = zeroPoint?.data[at] ?? 0
      return codeOf(entry, { dtype, scale: scale.data[at] as number, zeroPoint: zero })
    })
    return tensorOf(dtype, x.shape, codes)
  },
  lower(scene, node, operands) {
    const scale = requiredConstant(node, operands, 1).tensor
    const target = quantizationAt(node, scale, constantAt(node, operands, 2)?.tensor)
    const { term, order, folded } = requantized(scene, realAt(node, operands, 0), target, node.label)
    return { kind: 'integers', term, order, folded }
  },
}

/** Which scale an entry has. */
function channelOf(node: GraphNode, { shape }: OnnxTensor, scale: OnnxTensor): (index: number) => number {
  const count = scale.data.length
  if (count === 1) return () => 0
  const axis = axisOf(node, intOf(node, 'axis', 1), shape.length)
  if (scale.shape.length !== 1 || shape[axis] !== count) {
    return refuse(
      'inconsistent',
      node.label,
      `has scales [${scale.shape.join(',')}] for axis ${axis} of [${shape.join(',')}]`,
    )
  }
  const inner = sizeOf(shape.slice(axis + 1))
  return (index) => Math.floor(index / inner) % count
}

/** Constant integers with what they stand for. Without scales they stand for themselves. */
export function channelCodes(
  node: GraphNode,
  tensor: OnnxTensor,
  scales: OnnxTensor | undefined,
  zeroPoints: OnnxTensor | undefined,
  axis: number,
): Codes {
  const { label } = node
  if (tensor.dtype !== 'i8' && tensor.dtype !== 'u8') {
    refuse('unsupported', label, `has weights of ${tensor.dtype}, expected i8 or u8`)
  }
  for (const one of [scales, zeroPoints]) {
    if (one === undefined || one.data.length === 1) continue
    if (one.shape.length === 1 && one.data.length === tensor.shape[axis]) continue
    refuse(
      'inexact',
      label,
      `has scales or zero points [${one.shape.join(',')}], expected one, or one for each output`,
    )
  }
  if (scales !== undefined) refuseScale(node, scales.data)
  return {
    tensor,
    scales: scales === undefined ? [1] : Array.from(scales.data),
    zeroPoints: zeroPoints === undefined ? [0] : Array.from(zeroPoints.data),
    axis,
  }
}

function evaluateDequantize(node: GraphNode, operands: Operands<OnnxTensor>): OnnxTensor {
  const [x, scale, zeroPoint] = [given(node, operands, 0), given(node, operands, 1), operands[2]]
  if (isFloat(x.dtype)) return refuse('inconsistent', node.label, 'is given floats')
  refuseBlocks(node)
  refuseScale(node, scale.data)
  const channel = channelOf(node, x, scale)
  const reals = Float32Array.from(x.data, (entry, index) => {
    const at = channel(index)
    return (entry - (zeroPoint?.data[at] ?? 0)) * (scale.data[at] as number)
  })
  return floats(x.shape, reals)
}

/** Weights keep their integers beside the reals. */
function dequantizedConstant(node: GraphNode, operands: Operands<Lowered>): Constant {
  const at = (index: number) => constantAt(node, operands, index)?.tensor
  const tensor = evaluateDequantize(node, [at(0), at(1), at(2)])
  const integers = requiredConstant(node, operands, 0).tensor
  const scale = requiredConstant(node, operands, 1).tensor
  if (integers.dtype !== 'i8' && integers.dtype !== 'u8')
    return { kind: 'constant', tensor, codes: undefined }
  const axis =
    scale.data.length === 1 ? undefined : axisOf(node, intOf(node, 'axis', 1), integers.shape.length)
  const codes = channelCodes(node, integers, scale, at(2), axis ?? 0)
  return { kind: 'constant', tensor, codes: { ...codes, axis } }
}

export const dequantizeLinear: Operator = {
  attributes,
  operands: [2, 3],
  evaluate: evaluateDequantize,
  lower(_scene, node, operands) {
    const { label } = node
    refuseBlocks(node)
    const value = given(node, operands, 0)
    if (value.kind === 'constant') return dequantizedConstant(node, operands)
    if (value.kind === 'real') return refuse('inconsistent', label, 'is given real numbers')
    const scale = requiredConstant(node, operands, 1).tensor
    refuseScale(node, scale.data)
    const zeroPoint = constantAt(node, operands, 2)?.tensor
    const zero = zeroPoint === undefined ? 0 : scalarOf(node, zeroPoint, 2)
    const { term, order, folded } = value
    if (term.dtype === 'i32' && scale.data.length > 1) {
      const axis = axisOf(node, intOf(node, 'axis', 1), order.length)
      const isLast = order.at(-1) === axis && folded === undefined && term.shape.at(-1) === scale.data.length
      if (isLast && zero === 0) return madeReal({ term, order, scales: Array.from(scale.data) })
    }
    if (scale.data.length !== 1) {
      return refuse(
        'inexact',
        label,
        'has a scale for each channel of a computed value, which no product can sum',
      )
    }
    if (term.dtype === 'i32' && zero !== 0)
      return refuse('unsupported', label, `has the zero point ${zero} for int32`)
    return madeReal({ term, order, folded, scales: [scalarOf(node, scale, 1)], zeroPoint: zero })
  },
}
