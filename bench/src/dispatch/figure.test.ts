// How rounds become figures, and what happens to what cannot be measured.

import { expect, test } from 'bun:test'
import { type Candidate, measuredOf, median, mediansOf, NotMeasured } from './figure.ts'

const quiet = { rounds: 3, progress: () => {} }

function candidate(name: string, values: readonly (number | Error)[], calls: string[] = []): Candidate {
  const left = [...values]
  return {
    name,
    unit: '1/s',
    async measure() {
      calls.push(name)
      const next = left.shift()
      if (next === undefined) throw new Error('was measured too often')
      if (next instanceof Error) throw next
      return { value: next }
    },
  }
}

test.each([
  [[3], 3],
  [[9, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[10, 9, 100], 10],
])('the median of %j is %p', (values, expected) => {
  expect(median(values)).toBe(expected)
})

test('there is no median of nothing', () => {
  expect(() => median([])).toThrow('no values')
})

test('candidates alternate, the median counts, and the spread is told', async () => {
  const calls: string[] = []
  const figures = await mediansOf([candidate('a', [5, 1, 3], calls), candidate('b', [2, 2, 2], calls)], quiet)
  expect(calls).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  expect(figures).toEqual([
    { name: 'a', value: 3, unit: '1/s', why: 'rounds from 1 to 5' },
    { name: 'b', value: 2, unit: '1/s', why: 'rounds from 2 to 2' },
  ])
})

test('what cannot be measured is null with its reason, is told once, and is not tried again', async () => {
  const calls: string[] = []
  const told: string[] = []
  const missing = candidate('missing', [new NotMeasured('notInstalled: no-such-server')], calls)
  const figures = await mediansOf([missing, candidate('b', [1, 1, 1], calls)], {
    rounds: 3,
    progress: (message) => told.push(message),
  })
  expect(figures[0]).toEqual({
    name: 'missing',
    value: null,
    unit: '1/s',
    why: 'notInstalled: no-such-server',
  })
  expect(calls).toEqual(['missing', 'b', 'b', 'b'])
  expect(told.filter((message) => message.includes('notInstalled'))).toHaveLength(1)
})

test('a candidate that fails after good rounds has no figure', async () => {
  const [figure] = await mediansOf([candidate('a', [5, new NotMeasured('failed: it fell over')])], quiet)
  expect(figure).toMatchObject({ value: null, why: 'failed: it fell over' })
})

test('any other error ends the benchmark', async () => {
  await expect(mediansOf([candidate('a', [new Error('a bug')])], quiet)).rejects.toThrow('a bug')
})

test('figures and peers keep apart, reasons are together', () => {
  const ours = [{ name: 'ours', value: 2, unit: '1/s' }]
  const theirs = [{ name: 'theirs', value: null, unit: '1/s', why: 'notInstalled: theirs' }]
  expect(measuredOf(ours, theirs)).toEqual({
    figures: { ours: 2 },
    peers: { theirs: null },
    why: { theirs: 'notInstalled: theirs' },
  })
})
