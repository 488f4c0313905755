import { describe, expect, test } from 'bun:test'
import { type MicroCredit, quorum, replicasMax } from '@shardy/protocol'
import fc from 'fast-check'
import { addDeliveries, liveTask } from '../test/liveTask.ts'
import { commitmentsAreIn, largestGroup, missing, needed, shares, tally } from './agreement.ts'
import type { Task } from './task.ts'

function taskWith(words: string, replicas: number, agreeing: number, exact = true): Task {
  const task = liveTask('t', { verify: quorum(replicas, agreeing), exact })
  addDeliveries(task, words)
  return task
}

describe('tally', () => {
  const table = [
    { desc: 'nothing yet', words: '', n: 2, k: 2, pending: 0, largest: 0, needed: 2, missing: 2 },
    { desc: 'all out', words: 'leased computing', n: 2, k: 2, pending: 2, largest: 0, needed: 0, missing: 0 },
    {
      desc: 'revealing is not answered',
      words: 'x revealing',
      n: 2,
      k: 2,
      pending: 1,
      largest: 1,
      needed: 0,
      missing: 0,
    },
    { desc: 'agreement', words: 'x x', n: 2, k: 2, pending: 0, largest: 2, needed: 0, missing: 0 },
    {
      desc: 'a mismatch wants one more',
      words: 'x y',
      n: 2,
      k: 2,
      pending: 0,
      largest: 1,
      needed: 1,
      missing: 1,
    },
    {
      desc: 'what came to nothing does not count',
      words: 'settled x settled',
      n: 2,
      k: 2,
      pending: 0,
      largest: 1,
      needed: 1,
      missing: 1,
    },
    {
      desc: 'pending ones may join the largest',
      words: 'x y leased',
      n: 2,
      k: 2,
      pending: 1,
      largest: 1,
      needed: 0,
      missing: 0,
    },
    {
      desc: 'as many as asked for at first',
      words: 'x',
      n: 3,
      k: 2,
      pending: 0,
      largest: 1,
      needed: 1,
      missing: 2,
    },
    {
      desc: 'two camps of three',
      words: 'x x y y leased',
      n: 3,
      k: 3,
      pending: 1,
      largest: 2,
      needed: 0,
      missing: 0,
    },
    { desc: 'six of seven', words: 'x x x x x x', n: 7, k: 7, pending: 0, largest: 6, needed: 1, missing: 1 },
  ]
  for (const { desc, words, n, k, ...expected } of table) {
    test(`${desc}: ${words || 'none'}`, () => {
      const task = taskWith(words, n, k)
      const found = tally(task)
      expect({
        pending: found.pending,
        largest: largestGroup(found).length,
        needed: needed(task, found),
        missing: missing(task, found),
      }).toEqual(expected)
    })
  }

  test('floats are equal in one group, exact answers by their bits alone', () => {
    expect(tally(taskWith('x1 y1 z2', 3, 2, false)).groups.map(({ length }) => length)).toEqual([2, 1])
    expect(tally(taskWith('x y', 3, 2, false)).groups).toHaveLength(2)
    expect(tally(taskWith('x1 y1', 3, 2)).groups).toHaveLength(2)
  })
})

describe('commitments are in', () => {
  const table = [
    { words: '', n: 2, k: 2, expected: false },
    { words: 'committed computing', n: 2, k: 2, expected: false },
    { words: 'committed committed', n: 2, k: 2, expected: true },
    { words: 'committed settled', n: 2, k: 2, expected: false },
    { words: 'revealing revealing', n: 2, k: 2, expected: true },
    { words: 'x committed', n: 2, k: 2, expected: true },
    { words: 'committed committed leased', n: 3, k: 2, expected: false },
    { words: 'committed committed', n: 3, k: 2, expected: true },
  ]
  for (const { words, n, k, expected } of table) {
    test(`${words || 'none'} of quorum(${n},${k}): ${expected}`, () => {
      expect(commitmentsAreIn(taskWith(words, n, k))).toBe(expected)
    })
  }
})

test('shares add up to exactly the reward, and differ by the rest alone', () => {
  const reward = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
  fc.assert(
    fc.property(reward, fc.integer({ min: 1, max: replicasMax }), (micro, count) => {
      const parts = shares(micro as MicroCredit, count)
      expect(parts.length).toBe(count)
      expect(parts.reduce((sum, part) => sum + BigInt(part), 0n)).toBe(micro)
      const [first = 0n as MicroCredit, second = first] = parts
      expect(BigInt(first - second)).toBe(count === 1 ? 0n : micro % BigInt(count))
      expect(new Set(parts.slice(1)).size).toBeLessThanOrEqual(1)
    }),
  )
})
