/** How large a program is: the bytes that go in and come out (spec T4), its work, and the blobs that it needs. */
import type { Digest, Refusal } from '@shardy/protocol'
import { byteLengthOf } from '../tensor.ts'
import { inferProgram } from './inference.ts'
import type { Program } from './program.ts'

/** Bytes of input that the program takes: its inputs, one after the other (spec T4). */
export function inputLength({ inputs }: Pick<Program, 'inputs'>): number {
  return inputs.reduce((bytes, type) => bytes + byteLengthOf(type), 0)
}

/** Bytes of output that the program makes: its outputs, one after the other. */
export function outputLength(program: Program): number {
  const { values } = inferProgram(program)
  return program.outputs.reduce((bytes, index) => {
    const value = values[index]
    return value === undefined ? bytes : bytes + byteLengthOf(value)
  }, 0)
}

/** How much work the program is, in multiply-adds or steps of like cost. */
export function complexity(program: Program): number {
  return inferProgram(program).work
}

/** Why these bytes cannot be the program's input, if they cannot. Their ranges are looked at by `readInputs`. */
export function refuseInput(program: Program, input: Uint8Array): Refusal | undefined {
  const expected = inputLength(program)
  if (input.length === expected) return undefined
  return { kind: 'wrongLength', field: 'input', expected, actual: input.length }
}

/** The blobs that must be at hand before the program can run, each once. */
export function constantDigests({ constants }: Program): readonly Digest[] {
  return [...new Set(constants.flatMap(({ digest }) => (digest === undefined ? [] : [digest])))]
}
