import { expect, test } from 'bun:test'
import { encodeHex, programBytesMax } from '@shardy/protocol'
import fc from 'fast-check'
import { operationNames } from '../src/operations/index.ts'
import { decodeProgram, encodeProgram } from '../src/program/encoding.ts'
import { evaluateValues, readConstants, readInputs } from '../src/program/evaluate.ts'
import { inferProgram } from '../src/program/inference.ts'
import { constantDigests } from '../src/program/size.ts'
import { arbitraryLayers, arbitraryProgram } from './arbitraryProgram.ts'
import type { DrawnProgram } from './drawProgram.ts'
import { sha256 } from './sha256.ts'

/** A program that anybody would accept, with an input and blobs that belong to it; and its values keep to their intervals. */
function expectSound({ program, input, blobs }: DrawnProgram): void {
  const bytes = encodeProgram(program)
  expect(bytes.length).toBeLessThanOrEqual(programBytesMax)
  const decoded = decodeProgram(bytes)
  expect(decoded.ok && decoded.value).toEqual(program)
  expect(readInputs(program, input).ok).toBe(true)
  expect(readConstants(program, blobs).ok).toBe(true)
  for (const digest of constantDigests(program)) {
    expect(encodeHex(sha256(blobs.get(digest) ?? new Uint8Array(0)))).toBe<string>(digest)
  }
  const { values } = inferProgram(program)
  evaluateValues(program, input, blobs).forEach(({ dtype, shape, data }, index) => {
    const value = values[index]
    expect({ dtype, shape }).toEqual({ dtype: value?.dtype as typeof dtype, shape: value?.shape ?? [] })
    for (const entry of data) {
      if (value === undefined || entry < value.min || entry > value.max) {
        throw new Error(`value ${index} has ${entry}, inference promised ${value?.min} to ${value?.max}`)
      }
    }
  })
}

function samples(arbitrary: fc.Arbitrary<DrawnProgram>, count: number): readonly DrawnProgram[] {
  return fc.sample(arbitrary, { numRuns: count, seed: 1 })
}

test('random programs are sound', () => {
  fc.assert(fc.property(arbitraryProgram(), expectSound), { numRuns: 300 })
})

test('random layers are sound', () => {
  fc.assert(fc.property(arbitraryLayers(), expectSound), { numRuns: 100 })
})

test('they use every operation, several inputs, outputs, and both kinds of constants', () => {
  const programs = samples(arbitraryProgram(), 200).map(({ program }) => program)
  const used = new Set(programs.flatMap(({ nodes }) => nodes.map(({ op }) => op)))
  expect(used).toEqual(new Set(operationNames))
  expect(programs.some(({ inputs }) => inputs.length > 2)).toBe(true)
  expect(programs.some(({ outputs }) => outputs.length > 2)).toBe(true)
  const constants = programs.flatMap((program) => program.constants)
  expect(constants.some(({ data }) => data !== undefined)).toBe(true)
  expect(constants.some(({ digest }) => digest !== undefined)).toBe(true)
})

test('layers use all that executors fuse, and show some of it', () => {
  const programs = samples(arbitraryLayers(), 100).map(({ program }) => program)
  const used = new Set(programs.flatMap(({ nodes }) => nodes.map(({ op }) => op)))
  const fused = ['matmul', 'conv2d', 'bias', 'requantize', 'requantizeChannels', 'relu', 'lookup'] as const
  expect(used).toEqual(new Set(fused))
  expect(programs.some(({ outputs }) => outputs.length > 1)).toBe(true)
})

test('a failure shrinks to a small program', () => {
  const isLarge = ({ program }: DrawnProgram) => program.nodes.some(({ op }) => op === 'matmul')
  const { counterexample } = fc.check(
    fc.property(arbitraryProgram(), (drawn) => !isLarge(drawn)),
    { seed: 1, numRuns: 500 },
  )
  const [smallest] = counterexample ?? []
  expect(smallest?.program.nodes.length).toBeLessThanOrEqual(3)
})

test('the same seed draws the same program', () => {
  const [once, again] = [samples(arbitraryProgram(), 5), samples(arbitraryProgram(), 5)]
  expect(once).toEqual(again)
})
