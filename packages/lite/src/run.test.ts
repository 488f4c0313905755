import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { define } from '../test/definition.ts'
import type { AnyLiteProgram } from './program.ts'
import { beginLite, computeLite } from './run.ts'

const work = fc
  .tuple(fc.uint8Array({ minLength: 8, maxLength: 80 }), fc.integer({ min: 1, max: 12 }), fc.nat())
  .map(([input, rounds, draw]): readonly [AnyLiteProgram, Uint8Array] => {
    const inputLength = input.length
    if (draw % 2 === 0) return [{ kind: 'superLite', inputLength, rounds }, input]
    return [{ kind: 'lite', inputLength, rounds, lanes: 1 + (draw % Math.floor(inputLength / 8)) }, input]
  })

test('is what the definition says, in slices of any size', () => {
  fc.assert(
    fc.property(work, fc.integer({ min: 1, max: 200 }), ([program, input], slice) => {
      const expected = define(program, input)
      expect(computeLite(program, input)).toEqual(expected)
      const run = beginLite(program, input)
      for (let before = -1; run.doneSteps < run.totalSteps; run.advance(slice)) {
        expect(run.doneSteps).toBeGreaterThan(before)
        before = run.doneSteps
      }
      expect(run.doneSteps).toBe(run.totalSteps)
      expect(run.output()).toEqual(expected)
    }),
  )
})

test('there is no output before the end, and no run on another input', () => {
  const program: AnyLiteProgram = { kind: 'superLite', inputLength: 16, rounds: 2 }
  const run = beginLite(program, new Uint8Array(16))
  run.advance(8)
  expect(() => run.output()).toThrow('8 of 32 byte steps')
  expect(() => beginLite(program, new Uint8Array(15))).toThrow('15 bytes, expected 16')
})

/** F7: with a plain pass this holds for every pair, and a round costs one multiplication. */
test('a round is no linear map of the state that its lowest byte chooses', () => {
  const input = Uint8Array.from({ length: 64 }, (_, index) => (index * 91) & 0xff)
  const states: number[] = []
  for (let rounds = 1; rounds <= 3_000; rounds++) {
    const output = computeLite({ kind: 'superLite', inputLength: 64, rounds }, input)
    states.push(new DataView(output.buffer).getUint32(0, true))
  }
  let power = 1
  for (let step = 0; step < 64; step++) power = Math.imul(power, 0x01000193)
  /** By lowest byte of the state before: what a linear map would have as its constant. */
  const constants = new Map<number, Set<number>>()
  for (const [index, state] of states.slice(0, -1).entries()) {
    const constant = ((states[index + 1] as number) - Math.imul(power, state)) | 0
    const known = constants.get(state & 0xff) ?? new Set()
    constants.set(state & 0xff, known.add(constant))
  }
  const distinct = [...constants.values()].reduce((sum, known) => sum + known.size, 0)
  expect(constants.size).toBeGreaterThan(250)
  expect(distinct).toBeGreaterThan(2_990)
})
