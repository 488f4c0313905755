/**
 * What a dispute (docs/spec/dispute.md) asks of exact programs: their outline, a worker's trace, and the execution of the one
 * node that two traces part at, from blobs alone. How a node is computed comes in: by its definition, or by kernels that the
 * conformance suite holds to it.
 */
import type { Outline, Question } from '@shardy/dispute'
import { type Digest, encodeHex, type Sha256, type TraceLeaf } from '@shardy/protocol'
import {
  type Blobs,
  byteLengthOf,
  decodeProgram,
  entryOutside,
  evaluateNode,
  inferProgram,
  joinOutputs,
  operandsOf,
  type Program,
  readConstants,
  readInputs,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
  type Value,
} from '@shardy/tensor'
import type { ComputeNode } from '@shardy/tensor/check'
import type { Execution } from './executor.ts'

function nodesFrom({ inputs, constants }: Program): number {
  return inputs.length + constants.length
}

export const outlineOf: Outline = (bytes) => {
  const decoded = decodeProgram(bytes)
  if (!decoded.ok) return undefined
  const program = decoded.value
  const { values } = inferProgram(program)
  return {
    inputCount: program.inputs.length,
    constants: program.constants.map(({ digest }) => digest),
    nodes: program.nodes.map((node, index) => ({
      operands: operandsOf(node),
      byteLength: byteLengthOf(values[nodesFrom(program) + index] as Value),
    })),
    outputs: program.outputs,
  }
}

/** The values that a worker has to keep so as to answer for every node. */
export function tracedValues(program: Program): readonly number[] {
  return program.nodes.map((_, index) => nodesFrom(program) + index)
}

/** The leaves of the trace of an execution that kept `tracedValues`. */
export function traceOf(program: Program, { kept }: Execution, sha256: Sha256): readonly TraceLeaf[] {
  return tracedValues(program).map((value, node) => {
    const bytes = kept.get(value)
    if (bytes === undefined) throw new RangeError(`the value ${value} was not kept`)
    return { node, byteLength: bytes.length, digest: encodeHex(sha256(bytes)) as Digest }
  })
}

/**
 * The bytes that a question asks for, or nothing when it cannot be executed: a blob is not among those given, or is none that
 * the program could give. The caller has compared blobs and digests.
 */
export function executeQuestion(
  question: Question,
  blobs: Blobs,
  compute: ComputeNode = evaluateNode,
): Uint8Array | undefined {
  const decoded = decodeProgram(question.program)
  if (!decoded.ok || question.blobs.some((digest) => !blobs.has(digest))) return undefined
  const program = decoded.value
  const { values } = inferProgram(program)
  const first = nodesFrom(program)
  const tensors = new Map<number, Tensor>()
  const input = blobs.get(question.inputDigest)
  const inputs = input && readInputs(program, input)
  if (inputs?.ok) for (const [index, tensor] of inputs.value.entries()) tensors.set(index, tensor)
  // Only those that the node takes need be here.
  for (const [index, constant] of program.constants.entries()) {
    const read = readConstants({ ...program, constants: [constant] }, blobs)
    if (read.ok) tensors.set(program.inputs.length + index, read.value[0] as Tensor)
  }
  for (const { node, digest } of question.values) {
    const tensor = readValue(values[first + node] as Value, blobs.get(digest))
    if (tensor !== undefined) tensors.set(first + node, tensor)
  }
  if (question.node === undefined) {
    if (program.outputs.some((output) => !tensors.has(output))) return undefined
    return joinOutputs(
      program,
      Array.from(values, (_, index) => tensors.get(index)),
    )
  }
  const node = program.nodes[question.node]
  if (node === undefined) return undefined
  const operands = operandsOf(node).map((operand) => tensors.get(operand))
  if (operands.some((tensor) => tensor === undefined)) return undefined
  const result = values[first + question.node] as Value
  return tensorBytes(compute(program, question.node, operands as Tensor[], result))
}

/** Two liars may agree on bytes that no program gives: of another length, or outside what was inferred. */
function readValue(value: Value, bytes: Uint8Array | undefined): Tensor | undefined {
  if (bytes === undefined || bytes.length !== byteLengthOf(value)) return undefined
  return entryOutside(value, bytes) === undefined ? tensorFromBytes(value, bytes) : undefined
}
