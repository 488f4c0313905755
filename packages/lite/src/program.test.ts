import { describe, expect, test } from 'bun:test'
import { describeRefusal, payloadBytesMax } from '@shardy/protocol'
import fc from 'fast-check'
import { byteStepsMax, lanesMax, roundsMax } from './limits.ts'
import {
  type AnyLiteProgram,
  decodeLite,
  describeLite,
  encodeLite,
  liteOutputLength,
  liteSteps,
  parseLite,
} from './program.ts'

const anyCount = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 31 }),
  fc.constantFrom(0, 1, 3, 4, 7, 8, lanesMax, lanesMax + 1, roundsMax, roundsMax + 1, payloadBytesMax + 1),
)
const anyProgram = fc.oneof(
  fc.record({ kind: fc.constant('superLite' as const), inputLength: anyCount, rounds: anyCount }),
  fc.record({
    kind: fc.constant('lite' as const),
    inputLength: anyCount,
    rounds: anyCount,
    lanes: anyCount,
  }),
)

function isWithin(program: AnyLiteProgram): boolean {
  const { inputLength, rounds } = program
  if (rounds < 1 || inputLength > payloadBytesMax || inputLength * rounds > byteStepsMax) return false
  if (program.kind === 'superLite') return inputLength >= 4
  return program.lanes >= 1 && program.lanes <= lanesMax && inputLength >= 8 * program.lanes
}

test('what is within the bounds is read back, and nothing else is', () => {
  fc.assert(
    fc.property(anyProgram, (program) => {
      const parsed = parseLite(program)
      expect(parsed.ok).toBe(isWithin(program))
      if (!parsed.ok) {
        expect(describeRefusal(parsed.refusal)).toContain('LiteProgram')
        expect(() => encodeLite(program)).toThrow()
        return
      }
      expect(decodeLite(program.kind, encodeLite(program))).toEqual({ ok: true, value: program })
      expect(liteSteps(program)).toBe(program.inputLength * program.rounds)
    }),
  )
})

test('bytes of any kind are refused or are the one encoding', () => {
  const kinds = fc.constantFrom('lite' as const, 'superLite' as const)
  fc.assert(
    fc.property(kinds, fc.uint8Array({ maxLength: 16 }), (kind, bytes) => {
      const decoded = decodeLite(kind, bytes)
      if (decoded.ok) expect(encodeLite(decoded.value)).toEqual(bytes)
    }),
  )
})

describe('counts that no number on the wire can be', () => {
  for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '9' as never]) {
    test(String(count), () => {
      const parsed = parseLite({ kind: 'lite', inputLength: 8, rounds: count, lanes: 1 })
      expect(parsed.ok ? 'accepted' : parsed.refusal).toMatchObject({
        kind: 'outOfRange',
        field: 'LiteProgram.rounds',
      })
    })
  }
})

test('words for a person, and the length of what comes out', () => {
  const single: AnyLiteProgram = { kind: 'superLite', inputLength: 64, rounds: 1 }
  const lanes: AnyLiteProgram = { kind: 'lite', inputLength: 64, rounds: 10, lanes: 2 }
  expect(describeLite(single)).toBe('super-lite hash of 1 round over 64 bytes')
  expect(describeLite(lanes)).toBe('lite hash of 10 rounds over 64 bytes in 2 lanes')
  expect([single, lanes].map(liteOutputLength)).toEqual([4, 16])
})
