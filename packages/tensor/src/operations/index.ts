/**
 * The closed table of the language (spec T10): an operation is its number in a node's bytes, for ever. A new one goes to
 * the end; a changed meaning is a new operation.
 */
import type { Operation } from '../operation.ts'
import { argmax } from './argmax.ts'
import { add, multiply, subtract } from './arithmetic.ts'
import { bias } from './bias.ts'
import { clamp, relu } from './clamp.ts'
import { concat } from './concat.ts'
import { conv2d } from './conv2d.ts'
import { convert } from './convert.ts'
import { ema } from './ema.ts'
import { gather } from './gather.ts'
import { lookup } from './lookup.ts'
import { matmul } from './matmul.ts'
import { layerNorm, rmsNorm } from './norm.ts'
import { averagePool, maxPool } from './pooling.ts'
import { requantize, requantizeChannels } from './requantize.ts'
import { reshape } from './reshape.ts'
import { rotary } from './rotary.ts'
import { slice } from './slice.ts'
import { softmax } from './softmax.ts'
import { topK } from './topK.ts'
import { transpose } from './transpose.ts'

export const operations = {
  matmul,
  conv2d,
  bias,
  requantize,
  requantizeChannels,
  add,
  subtract,
  multiply,
  relu,
  clamp,
  lookup,
  softmax,
  rmsNorm,
  layerNorm,
  rotary,
  gather,
  transpose,
  reshape,
  slice,
  concat,
  maxPool,
  averagePool,
  argmax,
  topK,
  ema,
  convert,
} as const

type Operations = typeof operations
export type OperationName = keyof Operations
type NodeIn<O> = O extends Operation<infer Node> ? Node : never

/** One operation of a program, with its operands as indices of earlier values. */
export type Node = { [Name in OperationName]: NodeIn<Operations[Name]> }[OperationName]
export type NodeFor<Name extends OperationName> = NodeIn<Operations[Name]>

export const operationNames = Object.keys(operations) as readonly OperationName[]

/** The one place where a node meets the operation of its name; the types of a union cannot follow that. */
export function operationOf(op: OperationName): Operation<Node> {
  return operations[op] as unknown as Operation<Node>
}

/** Their results are checked by projection against a claimed tensor; everything else is replayed. */
export const heavyOperations: ReadonlySet<OperationName> = new Set<OperationName>(['matmul', 'conv2d'])

/** The values that a node takes, by their index. */
export function operandsOf(node: Node): readonly number[] {
  return operationOf(node.op).operandsOf(node)
}
