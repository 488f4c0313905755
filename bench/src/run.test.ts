// What a person is shown of the figures, and which goals count as met.

import { expect, test } from 'bun:test'
import { meets, table } from './run.ts'

test.each([
  [10, { atLeast: 10 }, true],
  [9.9, { atLeast: 10 }, false],
  [10, { atMost: 10 }, true],
  [10.1, { atMost: 10 }, false],
  [5, { atLeast: 1, atMost: 10 }, true],
  [0, {}, true],
])('%p against %j is %p', (value, goal, met) => {
  expect(meets(value, goal)).toBe(met)
})

test('the table lines figures up with their goals, then the peers', () => {
  const figures = { encodePerSecond: 1_234_567.8, startMs: 12.34, ratio: 1.2345 }
  const goals = { encodePerSecond: { atLeast: 1_000_000 }, startMs: { atMost: 10 }, idleMb: { atMost: 120 } }
  expect(table(figures, { jsonPerSecond: 5 }, goals).split('\n')).toEqual([
    'encodePerSecond      1,234,567.8  ✓ at least 1,000,000',
    'startMs                     12.3  ✗ at most 10',
    'ratio                      1.235',
    'idleMb                         —  ✗ was not measured',
    'peer: jsonPerSecond            5',
  ])
})
