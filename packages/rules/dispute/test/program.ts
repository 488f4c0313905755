/**
 * A language for tests, as small as a dispute allows: a node's bytes are a hash of what it takes, stretched to its length.
 * Programs are JSON; a constant is bytes in the program, or a blob named by its digest.
 */
import type { Digest } from '@shardy/protocol'
import type { Outline, ProgramOutline, Question } from '../src/index.ts'
import { digestOf, sha256 } from './identity.ts'
import type { Random } from './random.ts'

export interface TestProgram {
  readonly inputs: readonly number[]
  readonly constants: readonly { readonly hex?: string; readonly digest?: Digest }[]
  readonly nodes: readonly { readonly operands: readonly number[]; readonly byteLength: number }[]
  readonly outputs: readonly number[]
}

export const encodeProgram = (program: TestProgram): Uint8Array => Buffer.from(JSON.stringify(program))

function decodeProgram(bytes: Uint8Array): TestProgram | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
}

export const outline: Outline = (bytes): ProgramOutline | undefined => {
  const program = decodeProgram(bytes)
  return (
    program && {
      inputCount: program.inputs.length,
      constants: program.constants.map(({ digest }) => digest),
      nodes: program.nodes,
      outputs: program.outputs,
    }
  )
}

/** What node `index` gives. */
function evaluate(index: number, operands: readonly Uint8Array[], byteLength: number): Uint8Array {
  const seed = sha256(
    Buffer.concat([Buffer.of(index, index >> 8), ...operands.map((bytes) => sha256(bytes))]),
  )
  const bytes = new Uint8Array(byteLength)
  for (let at = 0; at < byteLength; at += 32) {
    bytes.set(sha256(Buffer.concat([seed, Buffer.of(at, at >> 8)])).subarray(0, byteLength - at), at)
  }
  return bytes
}

export type Blobs = Map<Digest, Uint8Array>

export function putBlob(blobs: Blobs, bytes: Uint8Array): Digest {
  const digest = digestOf(bytes)
  blobs.set(digest, bytes)
  return digest
}

function inputsOf(program: TestProgram, input: Uint8Array): readonly Uint8Array[] {
  let from = 0
  return program.inputs.map((length) => {
    from += length
    return input.subarray(from - length, from)
  })
}

/** Every node's bytes; `lie` may replace what a node gives before later nodes take it. */
export function run(
  program: TestProgram,
  input: Uint8Array,
  blobs: Blobs,
  lie: (node: number, bytes: Uint8Array) => Uint8Array = (_, bytes) => bytes,
): { readonly nodes: readonly Uint8Array[]; readonly output: Uint8Array } {
  const constants = program.constants.map(({ hex, digest }) =>
    digest === undefined ? Uint8Array.fromHex(hex ?? '') : (blobs.get(digest) ?? new Uint8Array(0)),
  )
  const values = [...inputsOf(program, input), ...constants]
  const from = values.length
  program.nodes.forEach(({ operands, byteLength }, node) => {
    const taken = operands.map((value) => values[value] ?? new Uint8Array(0))
    values.push(lie(node, evaluate(node, taken, byteLength)))
  })
  const output = Buffer.concat(program.outputs.map((value) => values[value] ?? new Uint8Array(0)))
  return { nodes: values.slice(from), output: Uint8Array.from(output) }
}

/** The digest that a question asks for, or which blobs it lacks. */
export function answer(
  question: Question,
  blobs: Blobs,
): { readonly digest?: Digest; readonly missing: Digest[] } {
  const missing = question.blobs.filter((digest) => !blobs.has(digest))
  const program = decodeProgram(question.program)
  if (missing.length > 0 || program === undefined) return { missing }
  const values: (Uint8Array | undefined)[] = [
    ...inputsOf(program, blobs.get(question.inputDigest) ?? new Uint8Array(0)),
    ...program.constants.map(({ hex, digest }) =>
      digest === undefined ? Uint8Array.fromHex(hex ?? '') : blobs.get(digest),
    ),
  ]
  const from = values.length
  for (const { node, digest } of question.values) values[from + node] = blobs.get(digest)
  const need = (value: number): Uint8Array => {
    const bytes = values[value]
    if (bytes === undefined) throw new Error(`the question does not give value ${value}`)
    return bytes
  }
  const { node } = question
  if (node === undefined) return { digest: digestOf(Buffer.concat(program.outputs.map(need))), missing }
  const { operands, byteLength } = program.nodes[node] ?? { operands: [], byteLength: 0 }
  return { digest: digestOf(evaluate(node, operands.map(need), byteLength)), missing }
}

/** Of `count` nodes that take whatever came before them. */
export function randomProgram(random: Random, count: number, blobs: Blobs): TestProgram {
  const inputs = Array.from({ length: 1 + random.below(2) }, () => 4 + random.below(40))
  const constants = Array.from({ length: random.below(3) }, () => {
    const bytes = Uint8Array.from({ length: 8 }, () => random.below(256))
    return random.chance(0.5)
      ? { hex: Buffer.from(bytes).toString('hex') }
      : { digest: putBlob(blobs, bytes) }
  })
  const nodesFrom = inputs.length + constants.length
  const nodes = Array.from({ length: count }, (_, node) => ({
    operands: Array.from({ length: 1 + random.below(3) }, () => {
      const own = nodesFrom + node
      return random.chance(0.6) ? own - 1 - random.below(Math.min(own, 3)) : random.below(own)
    }),
    byteLength: 1 + random.below(80),
  }))
  const last = nodesFrom + count - 1
  const outputs = random.chance(0.6)
    ? [last]
    : Array.from({ length: 1 + random.below(3) }, () => random.below(last + 1))
  return { inputs, constants, nodes, outputs }
}
