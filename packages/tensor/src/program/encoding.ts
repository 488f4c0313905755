/** The canonical bytes of a program and its id (spec T11, T12): one encoding per program, one program per id. */
import {
  blob,
  choice,
  type Decoded,
  describeRefusal,
  domainPayload,
  encodeHex,
  type Field,
  field,
  integer,
  list,
  message,
  optional,
  type ProgramId,
  programBytesMax,
  type Sha256,
  values,
  whole,
} from '@shardy/protocol'
import { valuesMax } from '../operation.ts'
import { type Node, operationNames, operations } from '../operations/index.ts'
import { dtypes } from '../tensor.ts'
import { rankMax } from '../value.ts'
import { outputsMax, tryInferProgram } from './inference.ts'
import type { Constant, Program } from './program.ts'

const boundMin = -(2 ** 31)
const boundMax = 2 ** 32 - 1

const typeMessage = message('TensorType', {
  dtype: field(1, choice(dtypes)),
  shape: field(2, list(whole(1, 2 ** 31 - 1), rankMax)),
  min: field(3, integer(boundMin, boundMax)),
  max: field(4, integer(boundMin, boundMax)),
})

const constantMessage = message('Constant', {
  type: field(1, typeMessage.codec),
  data: field(2, blob(programBytesMax)),
  digest: field(3, optional(values.digest)),
})

/** A node has one field set, that of its operation; the table's order numbers them from 1. */
const nodeFields: Record<string, Field<unknown>> = Object.fromEntries(
  operationNames.map((name, index) => [
    name,
    field(index + 1, optional(operations[name].message.codec as never)) as Field<unknown>,
  ]),
)

function chosen(node: Readonly<Record<string, unknown>>) {
  return operationNames.filter((name) => node[name] !== undefined)
}

const nodeMessage = message('Node', nodeFields, (node) =>
  chosen(node).length === 1 ? undefined : { field: 'op', rule: 'a node has one operation' },
)

export const programMessage = message('Program', {
  version: field(1, whole(1, 1)),
  inputs: field(2, list(typeMessage.codec, valuesMax)),
  constants: field(3, list(constantMessage.codec, valuesMax)),
  nodes: field(4, list(nodeMessage.codec, valuesMax)),
  outputs: field(5, list(whole(0, valuesMax - 1), outputsMax)),
})

/** The messages of the language, each after those that it contains. */
export const programMessages = [
  typeMessage,
  constantMessage,
  ...operationNames.map((name) => operations[name].message),
  nodeMessage,
  programMessage,
] as const

function toNodeMessage(node: Node): Record<string, unknown> {
  const { op, ...content } = node
  return { ...Object.fromEntries(operationNames.map((name) => [name, undefined])), [op]: content }
}

function fromNodeMessage(record: Readonly<Record<string, unknown>>): Node {
  const [op] = chosen(record)
  if (op === undefined) throw new Error('the message refuses a node without an operation')
  return { op, ...(record[op] as object) } as Node
}

function toConstant({
  type,
  data,
  digest,
}: {
  readonly type: Constant['type']
  readonly data: Uint8Array
  readonly digest: Constant['digest']
}): Constant {
  // Both is refused by inference, with the constant's name.
  if (digest === undefined) return { type, data }
  return data.length === 0 ? { type, digest } : ({ type, digest, data } as unknown as Constant)
}

/** The bytes of anything shaped like a program; whether it is one is for inference to say. */
export function writeProgram({ inputs, constants, nodes, outputs }: Program): Uint8Array {
  return programMessage.encode({
    version: 1,
    inputs,
    constants: constants.map(({ type, data, digest }) => ({ type, data: data ?? new Uint8Array(0), digest })),
    nodes: nodes.map(toNodeMessage),
    outputs,
  })
}

/** For a program that inference accepts; another is a bug of the caller and throws. */
export function encodeProgram(program: Program): Uint8Array {
  const inference = tryInferProgram(program)
  if (!inference.ok) throw new RangeError(describeRefusal(inference.refusal))
  return writeProgram(program)
}

export function decodeProgram(bytes: Uint8Array): Decoded<Program> {
  if (bytes.length > programBytesMax) {
    const refusal = {
      kind: 'tooLong',
      field: 'program',
      limit: programBytesMax,
      actual: bytes.length,
    } as const
    return { ok: false, refusal }
  }
  const decoded = programMessage.decode(bytes)
  if (!decoded.ok) return decoded
  const { inputs, constants, nodes, outputs } = decoded.value
  const program: Program = {
    inputs,
    constants: constants.map(toConstant),
    nodes: nodes.map(fromNodeMessage),
    outputs,
  }
  const inference = tryInferProgram(program)
  return inference.ok ? { ok: true, value: program } : inference
}

export function programId(program: Program, sha256: Sha256): ProgramId {
  return encodeHex(sha256(domainPayload('program', encodeProgram(program)))) as ProgramId
}
