/**
 * One node on one core, fast: the same bytes as its definition in `@shardy/tensor`. Heavy operations pause now and then;
 * what has no fast form here runs by its definition.
 */
import {
  type Entries,
  evaluateNode,
  type Node,
  type Program,
  stridesOf,
  type Tensor,
  type Value,
} from '@shardy/tensor'
import type { Kernels } from '../wasm/kernels.ts'
import {
  runArithmetic,
  runBias,
  runClamp,
  runConvert,
  runLookup,
  runRequantize,
  runRequantizeChannels,
} from './elements.ts'
import { concatenate, copyView } from './layout.ts'
import { runPool } from './pooling.ts'
import { type Multiplier, runConv2d, runMatmul, type Work } from './products.ts'
import { runNorm, runSoftmax } from './rows.ts'

/** Operands of a node that inference accepted, by their place. */
function operandAt(operands: readonly Tensor[], index: number): Tensor {
  const tensor = operands[index]
  if (tensor === undefined) throw new RangeError(`there is no operand ${index}`)
  return tensor
}

function lightEntries(
  { elements }: Kernels,
  node: Exclude<Node, { op: 'matmul' | 'conv2d' }>,
  operands: readonly Tensor[],
  result: Value,
): Entries | undefined {
  const x = operandAt(operands, 0)
  const y = () => operandAt(operands, 1)
  const { shape } = result
  switch (node.op) {
    case 'bias':
      return runBias(x, y())
    case 'requantize':
      return runRequantize(elements, node, x, result)
    case 'requantizeChannels':
      return runRequantizeChannels(elements, node, [x, y(), operandAt(operands, 2)], result)
    case 'add':
    case 'subtract':
    case 'multiply':
      return runArithmetic(node.op, x, y(), result)
    case 'relu':
      return runClamp(x, 0, 2 ** 31 - 1)
    case 'clamp':
      return runClamp(x, node.min, node.max)
    case 'lookup':
      return runLookup(x, y(), result)
    case 'softmax':
      return runSoftmax(x, y())
    case 'rmsNorm':
    case 'layerNorm':
      return runNorm(node, x, y(), result)
    case 'reshape':
      return x.data.slice()
    case 'convert':
      return runConvert(x, result)
    case 'concat':
      return concatenate(operands, node.axis, shape)
    case 'transpose': {
      const along = stridesOf(x.shape)
      return copyView(x, { shape, offset: 0, strides: node.permutation.map((axis) => along[axis] ?? 0) })
    }
    case 'slice': {
      const along = stridesOf(x.shape)
      const offset = node.starts.reduce((sum, start, axis) => sum + start * (along[axis] ?? 0), 0)
      const strides = along.map((stride, axis) => stride * (node.steps[axis] ?? 1))
      return copyView(x, { shape, offset, strides })
    }
    case 'maxPool':
    case 'averagePool':
      return runPool(node, x, result)
    default:
      return undefined
  }
}

export function* runNode(
  kernels: Kernels,
  multiplier: Multiplier,
  program: Program,
  index: number,
  operands: readonly Tensor[],
  result: Value,
): Work {
  const node = program.nodes[index]
  if (node === undefined) throw new RangeError(`the program has no node ${index}`)
  const pair = () => [operandAt(operands, 0), operandAt(operands, 1)] as const
  if (node.op === 'matmul') return yield* runMatmul(multiplier, node, pair(), result)
  if (node.op === 'conv2d') return yield* runConv2d(multiplier, node, pair(), result)
  const data = lightEntries(kernels, node, operands, result)
  const { dtype, shape } = result
  return data === undefined ? evaluateNode(program, index, operands, result) : { dtype, shape, data }
}
