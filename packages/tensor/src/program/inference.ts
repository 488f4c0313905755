/**
 * Inference: walks a program once, before anything runs, and finds for every value its kind, its shape and the interval
 * of its entries; or refuses it, naming the node (spec T5, T6). Executors and checks trust what it accepted.
 */
import { payloadBytesMax, type Refusal } from '@shardy/protocol'
import { valuesMax } from '../operation.ts'
import { type Node, operationOf } from '../operations/index.ts'
import { byteLengthOf, dtypeFacts, tensorFromBytes } from '../tensor.ts'
import { describeType, rankMax, type Value, valueBytesMax } from '../value.ts'
import type { Constant, Program, TensorType } from './program.ts'

export const inputBytesMax = payloadBytesMax
export const outputBytesMax = payloadBytesMax
/** A constant is stored and sent as one blob. */
export const constantBytesMax = payloadBytesMax
/** All values of a program together, constants included: what an executor may have to hold. */
export const programMemoryMax = 2 ** 31
/** Multiply-adds of one program; far below what a double counts exactly. */
export const workMax = 2 ** 46
export const outputsMax = 64

export interface Inferred {
  /** Every value by its index. */
  readonly values: readonly Value[]
  readonly work: number
  /** Bytes of all values together: what an executor holds at most. */
  readonly memoryBytes: number
}

export type Inference = (Inferred & { readonly ok: true }) | { readonly ok: false; readonly refusal: Refusal }

function refuse(field: string, rule: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { kind: 'inconsistent', field, rule } }
}

/** The rule that a declared type breaks. */
function brokenType(type: TensorType, bytesMax: number): string | undefined {
  const { dtype, shape, min, max } = type
  if (shape.length < 1 || shape.length > rankMax) {
    return `has ${shape.length} dimensions, allowed is 1 to ${rankMax}`
  }
  const odd = shape.find((size) => !Number.isInteger(size) || size < 1)
  if (odd !== undefined) return `has the size ${odd}, expected whole numbers from 1 on`
  const bytes = byteLengthOf(type)
  if (bytes > bytesMax) return `${describeType(type)} has ${bytes} bytes, the limit is ${bytesMax}`
  const facts = dtypeFacts[dtype]
  const isRange = Number.isInteger(min) && Number.isInteger(max) && min <= max
  if (!isRange || min < facts.min || max > facts.max) {
    return `the range ${min} to ${max} is none of ${dtype}, which holds ${facts.min} to ${facts.max}`
  }
  return undefined
}

/** The first entry outside the declared range. */
export function entryOutside(type: TensorType, bytes: Uint8Array): number | undefined {
  const facts = dtypeFacts[type.dtype]
  if (type.min === facts.min && type.max === facts.max) return undefined
  const { min, max } = type
  const { data } = tensorFromBytes(type, bytes)
  // A plain loop: inputs may have tens of millions of entries.
  for (let index = 0; index < data.length; index++) {
    const entry = data[index] ?? 0
    if (entry < min || entry > max) return index
  }
  return undefined
}

/** The rule that a constant breaks. */
function brokenConstant({ type, data, digest }: Constant): string | undefined {
  if ((data === undefined) === (digest === undefined)) return 'has data or a digest, one of them'
  const rule = brokenType(type, constantBytesMax)
  if (rule !== undefined || data === undefined) return rule
  const expected = byteLengthOf(type)
  if (data.length !== expected)
    return `${describeType(type)} has ${expected} bytes, the data has ${data.length}`
  const outside = entryOutside(type, data)
  return outside === undefined ? undefined : `entry ${outside} is outside ${type.min} to ${type.max}`
}

/** What node `index` of a program is called in refusals. */
export function nodePath(index: number, { op }: Pick<Node, 'op'>): string {
  return `program.nodes[${index}].${op}`
}

function infer({ inputs, constants, nodes, outputs }: Program): Inference {
  const values: Value[] = []
  let memory = 0
  let work = 0
  let inputBytes = 0
  const count = inputs.length + constants.length + nodes.length
  if (count > valuesMax) return refuse('program', `has ${count} values, the limit is ${valuesMax}`)

  for (const [index, type] of inputs.entries()) {
    const rule = brokenType(type, valueBytesMax)
    if (rule !== undefined) return refuse(`program.inputs[${index}]`, rule)
    inputBytes += byteLengthOf(type)
    values.push(type)
  }
  if (inputBytes > inputBytesMax) {
    return refuse('program.inputs', `the input is ${inputBytes} bytes, the limit is ${inputBytesMax}`)
  }
  for (const [index, constant] of constants.entries()) {
    const rule = brokenConstant(constant)
    if (rule !== undefined) return refuse(`program.constants[${index}]`, rule)
    const { type, data } = constant
    memory += byteLengthOf(type)
    values.push(data === undefined ? type : { ...type, known: tensorFromBytes(type, data).data })
  }
  memory += inputBytes
  for (const [index, node] of nodes.entries()) {
    const path = nodePath(index, node)
    const operation = operationOf(node.op)
    const operands: Value[] = []
    for (const operand of operation.operandsOf(node)) {
      const value = values[operand]
      if (value === undefined) {
        return refuse(path, `takes the value ${operand}, but only the ${values.length} before it exist`)
      }
      operands.push(value)
    }
    const value = operation.infer(node, operands)
    if ('broken' in value) return refuse(path, value.broken)
    memory += byteLengthOf(value)
    work += operation.work(node, operands, value)
    if (memory > programMemoryMax) {
      return refuse(path, `values up to here have ${memory} bytes, the limit is ${programMemoryMax}`)
    }
    if (work > workMax) return refuse(path, `the work up to here is ${work}, the limit is ${workMax}`)
    values.push(value)
  }

  if (outputs.length < 1 || outputs.length > outputsMax) {
    return refuse('program.outputs', `has ${outputs.length} outputs, allowed is 1 to ${outputsMax}`)
  }
  let outputBytes = 0
  for (const [index, output] of outputs.entries()) {
    const value = values[output]
    if (value === undefined || output < inputs.length + constants.length) {
      return refuse(`program.outputs[${index}]`, `${output} is not the value of a node`)
    }
    const before = outputs.indexOf(output)
    if (before < index) {
      return refuse(`program.outputs[${index}]`, `${output} is already program.outputs[${before}]`)
    }
    outputBytes += byteLengthOf(value)
  }
  if (outputBytes > outputBytesMax) {
    return refuse('program.outputs', `the output is ${outputBytes} bytes, the limit is ${outputBytesMax}`)
  }
  return { ok: true, values, work, memoryBytes: memory }
}

/** Programs are immutable, and everything that handles one asks again. */
const known = new WeakMap<Program, Inferred>()

export function tryInferProgram(program: Program): Inference {
  const found = known.get(program)
  if (found !== undefined) return { ok: true, ...found }
  const inference = infer(program)
  if (inference.ok)
    known.set(program, {
      values: inference.values,
      work: inference.work,
      memoryBytes: inference.memoryBytes,
    })
  return inference
}

/** For a program that was parsed or decoded; one that inference refuses is a bug of the caller here. */
export function inferProgram(program: Program): Inferred {
  const inference = tryInferProgram(program)
  if (!inference.ok) throw new RangeError(JSON.stringify(inference.refusal))
  return inference
}
