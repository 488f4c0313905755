/**
 * What the tasks compute: products of 8×8 int8 matrices with the answers that the definition gives, made once and shared by all
 * runs, and a float work whose honest answers differ a little from device to device.
 */
import type { Request } from '@shardy/app-orchestrator/parts'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex, type ProgramId, programIdOf } from '@shardy/protocol'
import { encodeProgram, evaluate, matmulProgram } from '@shardy/tensor'
import { createRandom } from './random.ts'

export const digestOf = (bytes: Uint8Array): Digest => encodeHex(sha256(bytes)) as Digest

export interface Answer {
  readonly output: Uint8Array
  readonly outputDigest: Digest
}

export const answerOf = (output: Uint8Array): Answer => ({ output, outputDigest: digestOf(output) })

export interface Work {
  readonly kind: 'program' | 'shader'
  readonly exact: boolean
  readonly program: Uint8Array
  readonly programId: ProgramId
  readonly facts: Request['facts']
  readonly input: Uint8Array
  readonly inputDigest: Digest
  readonly right: Answer
}

const size = 8
const examples = 64
const random = createRandom(8)
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256))

const facts = (inputLength: number, outputLength: number, complexity: number): Request['facts'] => ({
  inputLength,
  outputLength,
  complexity,
  memoryBytes: inputLength + outputLength,
  constants: [],
  constantBytes: 0,
  summary: '',
})

const product = matmulProgram({ m: size, k: size, n: size })
const productBytes = encodeProgram(product)

export const products: readonly Work[] = Array.from({ length: examples }, () => {
  const input = bytes(2 * size * size)
  return {
    kind: 'program',
    exact: true,
    program: productBytes,
    programId: programIdOf('program', productBytes, sha256),
    facts: facts(input.length, 4 * size * size, size ** 3),
    input,
    inputDigest: digestOf(input),
    right: answerOf(new Uint8Array(evaluate(product, input))),
  }
})

const floatsPerOutput = 8

/** Nobody runs it: only the floats that it gives count here. */
export const floatWorks: readonly Work[] = Array.from({ length: examples }, () => {
  const input = bytes(32)
  const floats = Float32Array.from({ length: floatsPerOutput }, () => random.between(1, 1_000) / 7)
  return {
    kind: 'shader',
    exact: false,
    program: Uint8Array.of(1),
    programId: programIdOf('shader', Uint8Array.of(1), sha256),
    facts: facts(input.length, 4 * floatsPerOutput, 512),
    input,
    inputDigest: digestOf(input),
    right: answerOf(new Uint8Array(floats.buffer)),
  }
})

/** As another device of the same class gives it: its last bits differ. */
export function nearly({ output }: Answer, device: number): Answer {
  const copy = output.slice()
  const view = new DataView(copy.buffer)
  for (let at = 0; at < copy.length; at += 4) {
    view.setFloat32(at, view.getFloat32(at, true) * (1 + (device % 3) * 2 ** -22), true)
  }
  return answerOf(copy)
}

/** The prime of the field that products are projected in: what differs by it looks the same there. */
export const projectionPrime = 2 ** 31 - 1

/** Wrong by a multiple of that prime, and still an i32: what a check passes that forgets the range of its numbers. */
export function congruent({ output }: Answer): Answer {
  const copy = output.slice()
  const view = new DataView(copy.buffer)
  const first = view.getInt32(0, true)
  view.setInt32(0, first < 0 ? first + projectionPrime : first - projectionPrime, true)
  return answerOf(copy)
}

export function isCongruent(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  const [one, other] = [left, right].map(
    ({ buffer, byteOffset, length }) => new DataView(buffer, byteOffset, length),
  )
  for (let at = 0; at + 4 <= left.length; at += 4) {
    const difference = (one?.getInt32(at, true) ?? 0) - (other?.getInt32(at, true) ?? 0)
    if (difference % projectionPrime !== 0) return false
  }
  return true
}

/** Wrong in a way that whoever agreed on the same number gives too. */
export function agreedLie({ right, facts: { outputLength } }: Work, number: number): Answer {
  const output = new Uint8Array(outputLength)
  new DataView(output.buffer).setFloat32(0, 1 + number + (right.output[0] ?? 0), true)
  return answerOf(output)
}
