/**
 * Reads a program out of anything, JSON for instance: the same fields as `Program`, where a type may leave out its range,
 * a node its attributes that are zero, and where a constant's data is hex; or the short form of the plain product,
 * `{ op: 'matmul', m, k, n }`. What is not one is refused by its place, with the value and the rule.
 */
import { type Decoded, decodeHex, type Refusal } from '@shardy/protocol'
import { matmulProgram } from '../builder/matmulProgram.ts'
import { firstAttribute, valuesMax } from '../operation.ts'
import { type OperationName, operationNames, operations } from '../operations/index.ts'
import { type Dtype, dtypeFacts } from '../tensor.ts'
import { rankMax } from '../value.ts'
import { decodeProgram, writeProgram } from './encoding.ts'
import { outputsMax, tryInferProgram } from './inference.ts'
import type { Program } from './program.ts'

type Json = Readonly<Record<string, unknown>>

class Misshapen extends Error {
  readonly refusal: Refusal

  constructor(field: string, rule: string, refusal: Refusal = { kind: 'inconsistent', field, rule }) {
    super(rule)
    this.refusal = refusal
  }
}

function missing(field: string): Misshapen {
  return new Misshapen(field, 'is missing', { kind: 'missing', field })
}

function describe(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`
  if (Array.isArray(value)) return 'a list'
  return value === null ? 'null' : typeof value
}

function record(value: unknown, path: string, names: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Misshapen(path, `is ${describe(value)}, expected an object`)
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) throw new Misshapen(path, `has the unknown field ${describe(name)}`)
  }
  return value as Json
}

function listOf(value: unknown, path: string, limit: number): readonly unknown[] {
  if (value === undefined) throw missing(path)
  if (!Array.isArray(value)) throw new Misshapen(path, `is ${describe(value)}, expected a list`)
  if (value.length > limit) throw new Misshapen(path, `has ${value.length} entries, the limit is ${limit}`)
  return value
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(dtypeFacts, value)
}

function parseType(value: unknown, path: string): Json {
  const { dtype, shape, min, max } = record(value, path, ['dtype', 'shape', 'min', 'max'])
  if (!isDtype(dtype)) {
    throw new Misshapen(`${path}.dtype`, `is ${describe(dtype)}, expected i8, u8, i32 or u32`)
  }
  const facts = dtypeFacts[dtype]
  const [low, high] = [min === undefined ? facts.min : min, max === undefined ? facts.max : max]
  return { dtype, shape: listOf(shape, `${path}.shape`, rankMax), min: low, max: high }
}

function parseConstant(value: unknown, path: string): Json {
  const { type, data, digest } = record(value, path, ['type', 'data', 'digest'])
  const parsed = { type: parseType(type, `${path}.type`) }
  if (data === undefined) return { ...parsed, digest }
  const bytes = typeof data === 'string' ? decodeHex(data) : data
  if (!(bytes instanceof Uint8Array))
    throw new Misshapen(`${path}.data`, `is ${describe(data)}, expected hex`)
  return { ...parsed, data: bytes, digest }
}

function parseNode(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null) {
    throw new Misshapen(path, `is ${describe(value)}, expected an object`)
  }
  const node = value as Json
  const op = operationNames.find((name) => name === node.op)
  if (op === undefined) throw new Misshapen(`${path}.op`, `is ${describe(node.op)}, which is no operation`)
  return completed(node, op, `${path}.${op}`)
}

/** An attribute that is left out has the value that its absence has in bytes. An operand is never left out. */
function completed(node: Json, op: OperationName, path: string): Json {
  const complete: Record<string, unknown> = { ...node }
  for (const { name, number, codec } of operations[op].message.fields) {
    if (node[name] !== undefined) continue
    if (number < firstAttribute || codec.absent === undefined) throw missing(`${path}.${name}`)
    complete[name] = codec.absent.value
  }
  return complete
}

/** Every field that was given must have come through: what an encoder ignores or bends is not what its author meant. */
function firstLost(given: unknown, kept: unknown, path: string): string | undefined {
  if (given === undefined) return undefined
  if (given instanceof Uint8Array) return undefined
  if (typeof given !== 'object' || given === null) return Object.is(given, kept) ? undefined : path
  if (typeof kept !== 'object' || kept === null) return path
  for (const [name, content] of Object.entries(given)) {
    const at = Array.isArray(given) ? `${path}[${name}]` : `${path}.${name}`
    const own = Object.hasOwn(kept, name) ? (kept as Json)[name] : undefined
    const lost = firstLost(content, own, at)
    if (lost !== undefined) return lost
  }
  return undefined
}

/** Encodes each part alone first, so that a refusal can say where it is. */
function refuseValues(program: Program): void {
  const blank: Program = { inputs: [], constants: [], nodes: [], outputs: [] }
  const attempt = (path: string, part: Partial<Program>) => {
    try {
      writeProgram({ ...blank, ...part })
    } catch (thrown) {
      if (thrown instanceof TypeError || thrown instanceof RangeError)
        throw new Misshapen(path, thrown.message)
      throw thrown
    }
  }
  program.inputs.forEach((type, index) => {
    attempt(`program.inputs[${index}]`, { inputs: [type] })
  })
  program.constants.forEach((constant, index) => {
    attempt(`program.constants[${index}]`, { constants: [constant] })
  })
  program.nodes.forEach((node, index) => {
    attempt(`program.nodes[${index}].${node.op}`, { nodes: [node] })
  })
  attempt('program.outputs', { outputs: program.outputs })
  attempt('program', program)
}

const sizeMax = 2 ** 31 - 1

/** The short form of a plain product. */
function parseProduct(value: object): Program {
  const { op, ...sizes } = record(value, 'program', ['op', 'm', 'k', 'n'])
  if (op !== 'matmul') throw new Misshapen('program.op', `is ${describe(op)}, expected 'matmul'`)
  const [m, k, n] = (['m', 'k', 'n'] as const).map((name) => {
    const size = sizes[name]
    if (typeof size === 'number' && Number.isInteger(size) && size >= 1 && size <= sizeMax) return size
    throw new Misshapen(`program.${name}`, `is ${describe(size)}, expected a whole number from 1 on`)
  })
  return matmulProgram({ m: m ?? 0, k: k ?? 0, n: n ?? 0 })
}

function inferred(program: Program): Decoded<Program> {
  const inference = tryInferProgram(program)
  return inference.ok ? { ok: true, value: program } : inference
}

export function parseProgram(value: unknown): Decoded<Program> {
  try {
    if (typeof value === 'object' && value !== null && 'op' in value) return inferred(parseProduct(value))
    const given = record(value, 'program', ['inputs', 'constants', 'nodes', 'outputs'])
    const each = (name: string, parse: (part: unknown, path: string) => Json) =>
      listOf(given[name] === undefined ? [] : given[name], `program.${name}`, valuesMax).map((part, index) =>
        parse(part, `program.${name}[${index}]`),
      )
    const shaped = {
      inputs: each('inputs', parseType),
      constants: each('constants', parseConstant),
      nodes: each('nodes', parseNode),
      outputs: listOf(given.outputs, 'program.outputs', outputsMax),
    } as unknown as Program
    refuseValues(shaped)
    const decoded = decodeProgram(writeProgram(shaped))
    if (!decoded.ok) return decoded
    const lost = firstLost(shaped, decoded.value, 'program')
    if (lost !== undefined) throw new Misshapen(lost, 'is not a field or value that this operation has')
    return decoded
  } catch (thrown) {
    if (thrown instanceof Misshapen) return { ok: false, refusal: thrown.refusal }
    throw thrown
  }
}
