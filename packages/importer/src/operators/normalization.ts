/** BatchNormalization, which outside training is a factor and a constant for each channel. */
import { floatOf, intOf } from '../attributes.ts'
import type { GraphNode } from '../graph.ts'
import { sizeOf } from '../onnx/tensor.ts'
import { refuse } from '../refusal.ts'
import { addedConstant, multipliedByConstant } from './affine.ts'
import { floats, given, numbersOf, type Operator, realAt, requiredConstant } from './operator.ts'

interface Affine {
  readonly factors: readonly number[]
  readonly constants: readonly number[]
}

/** scale, bias, mean and variance, in ONNX's order. */
function affineOf(
  node: GraphNode,
  [scale = [], bias = [], mean = [], variance = []]: readonly (readonly number[])[],
): Affine {
  const epsilon = floatOf(node, 'epsilon', 1e-5)
  if (intOf(node, 'training_mode', 0) !== 0) refuse('unsupported', node.label, 'is in training mode')
  if (intOf(node, 'spatial', 1) !== 1) refuse('unsupported', node.label, 'normalizes each pixel by itself')
  if ([bias, mean, variance].some(({ length }) => length !== scale.length)) {
    refuse('inconsistent', node.label, 'has rows of different lengths')
  }
  const factors = scale.map((factor, channel) => factor / Math.sqrt((variance[channel] as number) + epsilon))
  const constants = factors.map((factor, channel) => {
    return (bias[channel] as number) - (mean[channel] as number) * factor
  })
  return { factors, constants }
}

export const batchNormalization: Operator = {
  attributes: ['epsilon', 'momentum', 'training_mode', 'spatial'],
  operands: [5, 5],
  evaluate(node, operands) {
    const x = given(node, operands, 0)
    const rows = [1, 2, 3, 4].map((index) => numbersOf(given(node, operands, index)))
    const { factors, constants } = affineOf(node, rows)
    const inner = sizeOf(x.shape.slice(2))
    if (x.shape[1] !== factors.length) {
      refuse(
        'inconsistent',
        node.label,
        `has ${factors.length} channels, its operand is [${x.shape.join(',')}]`,
      )
    }
    const data = Float32Array.from(x.data, (entry, index) => {
      const channel = Math.floor(index / inner) % factors.length
      return entry * (factors[channel] as number) + (constants[channel] as number)
    })
    return floats(x.shape, data)
  },
  lower(scene, node, operands) {
    const rows = [1, 2, 3, 4].map((index) => numbersOf(requiredConstant(node, operands, index).tensor))
    const { factors, constants } = affineOf(node, rows)
    const real = realAt(node, operands, 0)
    // Along axis 1: the axes behind it are ones.
    const shape = [factors.length, ...new Array<number>(Math.max(real.order.length - 2, 0)).fill(1)]
    const row = (values: readonly number[]) =>
      ({ dtype: 'f64', shape, data: Float64Array.from(values) }) as const
    const scaled = multipliedByConstant(scene, node, real, row(factors))
    return addedConstant(scene, node, scaled, row(constants))
  },
}
