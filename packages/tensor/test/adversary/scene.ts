/**
 * The program that the adversary is given, with every kind of node a check treats differently: a grouped convolution with
 * padding, products from either side, a batch of them with B transposed, u8 and i8 operands, operations of one entry each,
 * a product that is itself an output, and outputs that are replayed.
 */
import { type Digest, encodeHex } from '@shardy/protocol'
import type { Node } from '../../src/operations/index.ts'
import { operandsOf } from '../../src/operations/index.ts'
import {
  type Blobs,
  evaluateNode,
  joinOutputs,
  readConstants,
  readInputs,
} from '../../src/program/evaluate.ts'
import { inferProgram } from '../../src/program/inference.ts'
import { type Program, tensorType } from '../../src/program/program.ts'
import { createEntries, type Entries, type Tensor, tensorBytes } from '../../src/tensor.ts'
import type { Value } from '../../src/value.ts'
import { sha256 } from '../sha256.ts'

/** The nodes by name. */
export const at = {
  convolution: 0,
  bias: 1,
  channels: 2,
  lookup: 3,
  fold: 4,
  first: 5,
  narrow: 6,
  second: 7,
  result: 8,
  positive: 9,
  left: 10,
  right: 11,
  scores: 12,
  small: 13,
  last: 14,
} as const

const firstNode = 8

/** Bytes without a pattern, the same in every run. */
export function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index += 32) {
    bytes.set(
      sha256(Uint8Array.of(seed, index & 255, index >> 8)).subarray(0, Math.min(32, length - index)),
      index,
    )
  }
  return bytes
}

export function digestOf(bytes: Uint8Array): Digest {
  return encodeHex(sha256(bytes)) as Digest
}

function words(...entries: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(entries).buffer)
}

export interface Weights {
  readonly convolution: Uint8Array
  readonly first: Uint8Array
  readonly second: Uint8Array
}

export const weights: Weights = {
  convolution: noise(3 * 3 * 3, 1),
  first: noise(15 * 15, 2),
  second: noise(15 * 15, 3),
}
export const input = noise(5 * 5 * 3, 25)
export const otherInput = noise(5 * 5 * 3, 5)
const table = noise(256, 6)

export function programOf({ convolution, first, second }: Weights): Program {
  const weight = (shape: readonly number[], bytes: Uint8Array) => {
    return { type: tensorType('i8', shape), digest: digestOf(bytes) }
  }
  const value = (node: number) => firstNode + node
  const nodes: Node[] = [
    {
      op: 'conv2d',
      x: 0,
      w: 1,
      strideH: 1,
      strideW: 1,
      padTop: 1,
      padLeft: 1,
      padBottom: 1,
      padRight: 1,
      dilationH: 1,
      dilationW: 1,
      groups: 3,
      padValue: 9,
    },
    { op: 'bias', x: value(at.convolution), b: 2 },
    { op: 'requantizeChannels', x: value(at.bias), multipliers: 3, shifts: 4, zeroPoint: -5, to: 'i8' },
    { op: 'lookup', x: value(at.channels), table: 5 },
    { op: 'reshape', x: value(at.lookup), shape: [5, 15] },
    { op: 'matmul', a: value(at.fold), b: 6, transposeB: false },
    { op: 'requantize', x: value(at.first), multiplier: 1, shift: 9, zeroPoint: 128, to: 'u8' },
    { op: 'matmul', a: value(at.narrow), b: 7, transposeB: true },
    { op: 'requantize', x: value(at.second), multiplier: 3, shift: 9, zeroPoint: 4, to: 'i8' },
    { op: 'relu', x: value(at.result) },
    { op: 'reshape', x: value(at.result), shape: [5, 3, 5] },
    { op: 'reshape', x: value(at.positive), shape: [5, 3, 5] },
    { op: 'matmul', a: value(at.left), b: value(at.right), transposeB: true },
    { op: 'requantize', x: value(at.scores), multiplier: 5, shift: 11, zeroPoint: 0, to: 'i8' },
    { op: 'relu', x: value(at.small) },
  ]
  return {
    inputs: [tensorType('i8', [1, 5, 5, 3])],
    constants: [
      weight([3, 3, 3, 1], convolution),
      { type: tensorType('i32', [3], { min: -9_999, max: 9_999 }), data: words(-7_000, 0, 5_000) },
      { type: tensorType('i32', [3]), data: words(70, 100, 90) },
      { type: tensorType('u8', [3], { min: 0, max: 62 }), data: Uint8Array.of(15, 16, 15) },
      { type: tensorType('i8', [256]), data: table },
      weight([15, 15], first),
      weight([15, 15], second),
    ],
    nodes,
    outputs: [value(at.scores), value(at.result), value(at.last)],
  }
}

export function blobsOf({ convolution, first, second }: Weights): Blobs {
  return new Map([convolution, first, second].map((bytes) => [digestOf(bytes), bytes]))
}

export const program = programOf(weights)
export const blobs = blobsOf(weights)

export interface Execution {
  /** The values of the nodes. */
  readonly nodes: readonly Tensor[]
  readonly output: Uint8Array
}

/** What a node's value is replaced by; later nodes follow from it. */
export type Lies = Readonly<Partial<Record<number, (honest: Tensor, operands: readonly Tensor[]) => Tensor>>>

/** Runs the program by the reference, with some nodes telling lies. */
export function execute(lies: Lies = {}, given: Uint8Array = input, held: Weights = weights): Execution {
  const run = programOf(held)
  const { values } = inferProgram(run)
  const inputs = readInputs(run, given)
  const constants = readConstants(run, blobsOf(held))
  if (!inputs.ok || !constants.ok) throw new Error('the scene does not fit')
  const tensors: Tensor[] = [...inputs.value, ...constants.value]
  for (const [index, node] of run.nodes.entries()) {
    const operands = operandsOf(node).map((operand) => tensors[operand] as Tensor)
    const honest = evaluateNode(run, index, operands, values[tensors.length] as Value)
    tensors.push(lies[index]?.(honest, operands) ?? honest)
  }
  return { nodes: tensors.slice(firstNode), output: joinOutputs(run, tensors) }
}

export function change(
  tensor: Tensor,
  image: (entry: number, index: number, all: Entries) => number,
): Tensor {
  const { dtype, shape, data } = tensor
  const entries = createEntries(dtype, data.length)
  data.forEach((entry, index) => {
    entries[index] = image(entry, index, data)
  })
  return { dtype, shape, data: entries }
}

export function bytesOf(tensor: Tensor): Uint8Array {
  return tensorBytes(tensor).slice()
}

/** The interval that inference gives a node. */
export function rangeOf(node: number): { readonly min: number; readonly max: number } {
  const { min, max } = inferProgram(program).values[firstNode + node] as Value
  return { min, max }
}

/** Where the outputs begin. */
export const offsets = { scores: 0, result: 180, last: 255 } as const
