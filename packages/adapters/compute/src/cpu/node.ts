/**
 * One node on one core, fast: the same bytes as its definition in `@shardy/tensor`. Every operation pauses now and then, so
 * that no single node holds the thread.
 */
import { type Node, type Program, stridesOf, type Tensor, type Value } from '@shardy/tensor'
import type { Kernels } from '../wasm/kernels.ts'
import { runEma } from './average.ts'
import { runArithmetic, runBias, runClamp, runConvert, runLookup } from './elements.ts'
import { concatenate, copyView, gatherRows } from './layout.ts'
import type { Multiplier } from './multiplier.ts'
import { runPool } from './pooling.ts'
import { runConv2d, runMatmul, type Work } from './products.ts'
import { runArgmax, runTopK } from './ranking.ts'
import { runRequantize, runRequantizeChannels } from './requantization.ts'
import { runRotary } from './rotary.ts'
import { runNorm, runSoftmax } from './rows.ts'
import type { Steps } from './steps.ts'

/** Operands of a node that inference accepted, by their place. */
function operandAt(operands: readonly Tensor[], index: number): Tensor {
  const tensor = operands[index]
  if (tensor === undefined) throw new RangeError(`there is no operand ${index}`)
  return tensor
}

function lightSteps(
  { elements }: Kernels,
  node: Exclude<Node, { op: 'matmul' | 'conv2d' }>,
  operands: readonly Tensor[],
  result: Value,
): Steps {
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
    case 'argmax':
      return runArgmax(x)
    case 'topK':
      return runTopK(node, x, result)
    case 'ema':
      return runEma(node, x)
    case 'rotary':
      return runRotary(node, [x, y(), operandAt(operands, 2)])
    case 'gather':
      return gatherRows(x, y())
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
  const { dtype, shape } = result
  return { dtype, shape, data: yield* lightSteps(kernels, node, operands, result) }
}
