import { describe, expect, test } from 'bun:test'
import { type MicroCredit, redundancyMax, redundancyMin } from '@shardy/protocol'
import fc from 'fast-check'
import { digestOf } from '../test/identity.ts'
import { newTask } from '../test/scene.ts'
import { commitmentsAreIn, shares, tally } from './agreement.ts'
import type { DeliveryRecord, TaskRecord } from './record.ts'

const task = (redundancy: number): TaskRecord => newTask('t', { redundancy }) as TaskRecord

/** `x` and `y` are answers, everything else a state. */
function deliveries(words: string): readonly DeliveryRecord[] {
  return words
    .split(' ')
    .filter((word) => word !== '')
    .map((word) =>
      word.length === 1 ? { state: 'answered', outputDigest: digestOf(word) } : { state: word },
    ) as DeliveryRecord[]
}

describe('tally', () => {
  const table = [
    { desc: 'nothing yet', redundancy: 2, words: '', wanted: 2 },
    { desc: 'all out', redundancy: 2, words: 'leased computing', pending: 2 },
    { desc: 'an answer and one pending', redundancy: 2, words: 'x committed', pending: 1 },
    { desc: 'revealed is not answered', redundancy: 2, words: 'x revealed', pending: 1 },
    { desc: 'agreement', redundancy: 2, words: 'x x', agreed: 'x' },
    { desc: 'a mismatch wants one more', redundancy: 2, words: 'x y', mismatched: true, wanted: 1 },
    { desc: 'three answers, none alike', redundancy: 2, words: 'x y z', mismatched: true, wanted: 1 },
    { desc: 'the third decides', redundancy: 2, words: 'x y y', mismatched: true, agreed: 'y' },
    { desc: 'what came to nothing does not count', redundancy: 2, words: 'settled x settled', wanted: 1 },
    { desc: 'pending ones may join the largest', redundancy: 3, words: 'x x leased', pending: 1 },
    { desc: 'a minority of one in three', redundancy: 3, words: 'x x y', mismatched: true, wanted: 1 },
    { desc: 'two camps', redundancy: 3, words: 'x x y y leased', mismatched: true, pending: 1 },
    { desc: 'seven alike', redundancy: 7, words: 'x x x x x x x', agreed: 'x' },
    { desc: 'six of seven', redundancy: 7, words: 'x x x x x x', wanted: 1 },
  ]
  for (const { desc, redundancy, words, agreed, mismatched = false, pending = 0, wanted = 0 } of table) {
    test(`${desc}: ${words || 'none'}`, () => {
      expect(tally(task(redundancy), deliveries(words))).toEqual({
        agreed: agreed === undefined ? undefined : digestOf(agreed),
        mismatched,
        pending,
        wanted,
      })
    })
  }
})

describe('commitments are in', () => {
  const table = [
    { words: '', redundancy: 2, expected: false },
    { words: 'committed computing', redundancy: 2, expected: false },
    { words: 'committed committed', redundancy: 2, expected: true },
    { words: 'committed settled', redundancy: 2, expected: false },
    { words: 'revealing revealed', redundancy: 2, expected: true },
    { words: 'x committed', redundancy: 2, expected: true },
    { words: 'x committed leased', redundancy: 3, expected: false },
  ]
  for (const { words, redundancy, expected } of table) {
    test(`${words || 'none'} of ${redundancy}: ${expected}`, () => {
      expect(commitmentsAreIn(task(redundancy), deliveries(words))).toBe(expected)
    })
  }
})

describe('shares', () => {
  test('add up to exactly the reward, and differ by the rest alone', () => {
    const reward = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(reward, fc.integer({ min: redundancyMin, max: redundancyMax }), (micro, count) => {
        const parts = shares(micro as MicroCredit, count)
        expect(parts.length).toBe(count)
        expect(parts.reduce((sum, part) => sum + BigInt(part), 0n)).toBe(micro)
        const [first = 0n as MicroCredit, second = 0n as MicroCredit] = parts
        expect(first - second).toBe((micro % BigInt(count)) as MicroCredit)
        expect(new Set(parts.slice(1)).size).toBeLessThanOrEqual(1)
      }),
    )
  })
})
