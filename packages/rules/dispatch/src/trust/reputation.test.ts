import { describe, expect, test } from 'bun:test'
import type { DurationMs, TimeMs } from '@shardy/protocol'
import fc from 'fast-check'
import { afterOutcome, newReputation, type ReputationOutcome, score } from './reputation.ts'

const halfLifeMs = 1_000_000 as DurationMs
const at = (ms: number) => ms as TimeMs
const after = (outcomes: readonly ReputationOutcome[]) =>
  outcomes.reduce((sum, outcome) => afterOutcome(sum, outcome, at(0), halfLifeMs), newReputation(at(0)))

describe('reputation', () => {
  const table: readonly [string, readonly ReputationOutcome[], number][] = [
    ['is in the middle at first', [], 1 / 2],
    ['rises with accepted results', ['accepted', 'accepted'], 3 / 4],
    ['falls far for a wrong one', ['accepted', 'accepted', 'wrong'], 3 / 24],
    ['falls a little for a lost one', ['accepted', 'accepted', 'lost'], 3 / 5],
    ['falls a little for a rejected one', ['accepted', 'accepted', 'rejected'], 3 / 5],
    ['falls for a corrupted one', ['accepted', 'accepted', 'corrupted'], 3 / 6],
  ]
  for (const [desc, outcomes, expected] of table) {
    test(desc, () => expect(score(after(outcomes), at(0), halfLifeMs)).toBeCloseTo(expected, 12))
  }

  test('halves in a half-life, and is forgotten at last', () => {
    const reputation = after(['accepted', 'accepted'])
    expect(score(reputation, at(1_000_000), halfLifeMs)).toBeCloseTo(2 / 3, 4)
    expect(score(reputation, at(1e15), halfLifeMs)).toBe(1 / 2)
  })

  test('decays as exp does, and the same in many small steps as in one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000_000 }), (elapsedMs) => {
        const whole = afterOutcome(after(['wrong']), 'accepted', at(elapsedMs), halfLifeMs).wrong
        expect(whole).toBeCloseTo(2 ** (-elapsedMs / halfLifeMs), 4)
        let stepped = after(['wrong'])
        for (let step = 1; step <= 50; step++) {
          stepped = afterOutcome(stepped, 'lost', at(Math.round((elapsedMs * step) / 50)), halfLifeMs)
        }
        expect(stepped.wrong).toBeCloseTo(whole, 4)
      }),
    )
  })

  test('never leaves 0 to 1, and a good outcome never lowers it', () => {
    const outcomes = fc.constantFrom<ReputationOutcome>('accepted', 'wrong', 'lost', 'rejected', 'corrupted')
    fc.assert(
      fc.property(fc.array(fc.tuple(outcomes, fc.nat(3_000_000))), (history) => {
        let reputation = newReputation(at(0))
        let nowMs = 0
        for (const [outcome, elapsedMs] of history) {
          nowMs += elapsedMs
          const before = score(reputation, at(nowMs), halfLifeMs)
          reputation = afterOutcome(reputation, outcome, at(nowMs), halfLifeMs)
          const now = score(reputation, at(nowMs), halfLifeMs)
          expect(now).toBeGreaterThan(0)
          expect(now).toBeLessThan(1)
          if (outcome === 'accepted') expect(now).toBeGreaterThanOrEqual(before)
          else expect(now).toBeLessThanOrEqual(before)
        }
      }),
    )
  })

  test('a clock that goes back decays nothing', () => {
    const early = afterOutcome(after(['accepted']), 'accepted', at(-5), halfLifeMs)
    expect(early).toMatchObject({ accepted: 2, updatedAtMs: at(0) })
  })
})
