/**
 * A program under construction. Inference runs for each part as it is added, so that a refusal comes at its author's line;
 * values get their final numbers, inputs before constants before nodes, when all of them are known.
 */
import { encodeHex, programBytesMax, type Refusal } from '@shardy/protocol'
import { type Node, operationOf } from '../operations/index.ts'
import { encodeProgram } from '../program/encoding.ts'
import { nodePath, tryInferProgram } from '../program/inference.ts'
import { parseProgram } from '../program/parse.ts'
import type { Constant, Program, TensorType } from '../program/program.ts'
import { tensorFromBytes } from '../tensor.ts'
import type { Value } from '../value.ts'
import { ProgramError } from './programError.ts'

/** A value of the draft. */
export interface Source {
  readonly value: Value
  readonly list: 'inputs' | 'constants' | 'nodes'
  /** Its place in its list. */
  readonly index: number
}

/** A node once the number of each operand is known. */
export type NodeMaker = (numberOf: (operand: Source) => number) => Node

export interface Draft {
  readonly inputs: TensorType[]
  readonly constants: Constant[]
  readonly nodes: NodeMaker[]
  /** Constants by all that they are, so that equal ones are carried once. */
  readonly constantsByKey: Map<string, Source>
}

export function createDraft(): Draft {
  return { inputs: [], constants: [], nodes: [], constantsByKey: new Map() }
}

/** What a program of this part alone is refused for, other than for having no outputs. */
function refuseAlone(list: 'inputs' | 'constants', index: number, part: TensorType | Constant): void {
  const parsed = parseProgram({ outputs: [], [list]: [part] })
  if (parsed.ok || parsed.refusal.field === 'program.outputs') return
  const { refusal } = parsed
  const field = refusal.field.replace(`${list}[0]`, `${list}[${index}]`)
  throw new ProgramError({ ...refusal, field })
}

export function addInput({ inputs }: Draft, type: TensorType): Source {
  const index = inputs.length
  refuseAlone('inputs', index, type)
  inputs.push(type)
  return { value: type, list: 'inputs', index }
}

export function addConstant({ constants, constantsByKey }: Draft, constant: Constant): Source {
  const index = constants.length
  refuseAlone('constants', index, constant)
  const { type, data, digest } = constant
  const { dtype, shape, min, max } = type
  const key = [dtype, shape, min, max, data === undefined ? digest : `0x${encodeHex(data)}`].join(' ')
  const equal = constantsByKey.get(key)
  if (equal !== undefined) return equal
  constants.push(constant)
  const value = data === undefined ? type : { ...type, known: tensorFromBytes(type, data).data }
  const source = { value, list: 'constants', index } as const
  constantsByKey.set(key, source)
  return source
}

/** The attributes that the node's encoding refuses, if any. */
function brokenAttributes(node: Node): string | undefined {
  try {
    operationOf(node.op).message.encode(node)
    return undefined
  } catch (thrown) {
    if (thrown instanceof TypeError || thrown instanceof RangeError) return thrown.message
    throw thrown
  }
}

export function addNode({ nodes }: Draft, make: NodeMaker): Source {
  const index = nodes.length
  const operands: Source[] = []
  const node = make((operand) => operands.push(operand) - 1)
  const refuse = (rule: string): never => {
    throw new ProgramError({ kind: 'inconsistent', field: nodePath(index, node), rule })
  }
  const attributes = brokenAttributes(node)
  if (attributes !== undefined) return refuse(attributes)
  const operation = operationOf(node.op)
  const values = operation.operandsOf(node).flatMap((operand) => operands[operand]?.value ?? [])
  const result = operation.infer(node, values)
  if ('broken' in result) return refuse(result.broken)
  nodes.push(make)
  return { value: result, list: 'nodes', index }
}

/** The program. Only now is it known whether all of it together is within the limits. */
export function finishDraft({ inputs, constants, nodes }: Draft, outputs: readonly Source[]): Program {
  const first = { inputs: 0, constants: inputs.length, nodes: inputs.length + constants.length }
  const numberOf = ({ list, index }: Source) => first[list] + index
  const program: Program = {
    inputs: [...inputs],
    constants: [...constants],
    nodes: nodes.map((make) => make(numberOf)),
    outputs: outputs.map(numberOf),
  }
  const refusal = refuseWhole(program)
  if (refusal !== undefined) throw new ProgramError(refusal)
  return program
}

function refuseWhole(program: Program): Refusal | undefined {
  const inference = tryInferProgram(program)
  if (!inference.ok) return inference.refusal
  const { length } = encodeProgram(program)
  if (length <= programBytesMax) return undefined
  return { kind: 'tooLong', field: 'program', limit: programBytesMax, actual: length }
}
