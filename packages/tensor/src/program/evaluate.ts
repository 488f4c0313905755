/**
 * What a program means: the output that its input has, by the reference of each operation. This is what a check replays
 * and what every executor is tested against.
 */
import { type Decoded, type Digest, describeRefusal, type Refusal } from '@shardy/protocol'
import { operationOf } from '../operations/index.ts'
import { byteLengthOf, type Tensor, tensorBytes, tensorFromBytes } from '../tensor.ts'
import type { Value } from '../value.ts'
import { entryOutside, inferProgram } from './inference.ts'
import type { Constant, Program } from './program.ts'
import { refuseInput } from './size.ts'

/** The bytes of blobs that constants name. Whoever fills it has compared the bytes with their digest. */
export type Blobs = ReadonlyMap<Digest, Uint8Array>

export const noBlobs: Blobs = new Map()

/** The inputs as tensors, or why these bytes are no input of the program: their length, or an entry out of range. */
export function readInputs(program: Program, input: Uint8Array): Decoded<readonly Tensor[]> {
  const refusal = refuseInput(program, input)
  if (refusal !== undefined) return { ok: false, refusal }
  const tensors: Tensor[] = []
  let offset = 0
  for (const [index, type] of program.inputs.entries()) {
    const bytes = input.subarray(offset, offset + byteLengthOf(type))
    const outside = entryOutside(type, bytes)
    if (outside !== undefined) {
      const rule = `entry ${outside} is outside the declared ${type.min} to ${type.max}`
      return { ok: false, refusal: { kind: 'inconsistent', field: `input[${index}]`, rule } }
    }
    tensors.push(tensorFromBytes(type, bytes))
    offset += bytes.length
  }
  return { ok: true, value: tensors }
}

function constantBytes({ data, digest }: Constant, blobs: Blobs): Uint8Array | undefined {
  return data ?? (digest === undefined ? undefined : blobs.get(digest))
}

/** The constants as tensors, or which blob is missing, cut short, or holds an entry out of the declared range. */
export function readConstants({ constants }: Program, blobs: Blobs): Decoded<readonly Tensor[]> {
  const tensors: Tensor[] = []
  for (const [index, constant] of constants.entries()) {
    const field = `program.constants[${index}]`
    const refuse = (refusal: Refusal) => ({ ok: false, refusal }) as const
    const { type } = constant
    const bytes = constantBytes(constant, blobs)
    if (bytes === undefined) return refuse({ kind: 'missing', field })
    const expected = byteLengthOf(type)
    if (bytes.length !== expected) {
      return refuse({ kind: 'wrongLength', field, expected, actual: bytes.length })
    }
    const outside = entryOutside(type, bytes)
    if (outside !== undefined) {
      const rule = `entry ${outside} is outside the declared ${type.min} to ${type.max}`
      return refuse({ kind: 'inconsistent', field, rule })
    }
    tensors.push(tensorFromBytes(type, bytes))
  }
  return { ok: true, value: tensors }
}

/** One node by its reference, from operands that are at hand. */
export function evaluateNode(
  program: Program,
  index: number,
  operands: readonly Tensor[],
  result: Value,
): Tensor {
  const node = program.nodes[index]
  if (node === undefined) throw new RangeError(`the program has no node ${index}`)
  return operationOf(node.op).evaluate(node, operands, result)
}

/** Every value of the program: inputs, constants, nodes. Input or blobs that do not fit are a bug of the caller. */
export function evaluateValues(
  program: Program,
  input: Uint8Array,
  blobs: Blobs = noBlobs,
): readonly Tensor[] {
  const { values } = inferProgram(program)
  const inputs = readInputs(program, input)
  if (!inputs.ok) throw new RangeError(describeRefusal(inputs.refusal))
  const constants = readConstants(program, blobs)
  if (!constants.ok) throw new RangeError(describeRefusal(constants.refusal))
  const tensors: Tensor[] = [...inputs.value, ...constants.value]
  for (const [index, node] of program.nodes.entries()) {
    const operands = operationOf(node.op)
      .operandsOf(node)
      .map((operand) => tensors[operand] as Tensor)
    tensors.push(evaluateNode(program, index, operands, values[tensors.length] as Value))
  }
  return tensors
}

/** The outputs' bytes, one after the other. */
export function joinOutputs(program: Program, tensors: readonly (Tensor | undefined)[]): Uint8Array {
  const parts = program.outputs.map((output) => {
    const tensor = tensors[output]
    if (tensor === undefined) throw new Error(`the value ${output} was not kept`)
    return tensorBytes(tensor)
  })
  const output = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    output.set(part, offset)
    offset += part.length
  }
  return output
}

export function evaluate(program: Program, input: Uint8Array, blobs: Blobs = noBlobs): Uint8Array {
  return joinOutputs(program, evaluateValues(program, input, blobs))
}
