// What a person is shown of the figures, and which goals count as met.

import { expect, test } from 'bun:test'
import { meets, refuseOddFigures, table } from './run.ts'

test.each([
  [10, { atLeast: 10 }, true],
  [9.9, { atLeast: 10 }, false],
  [10, { atMost: 10 }, true],
  [10.1, { atMost: 10 }, false],
  [5, { atLeast: 1, atMost: 10 }, true],
  [0, {}, true],
  [null, {}, false],
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

test('what was not measured stands in the table with its reason', () => {
  const why = { jetstreamPerSecond: 'notInstalled: nats-server is not on PATH' }
  expect(table({ ours: 1 }, { jetstreamPerSecond: null }, {}, why).split('\n')).toEqual([
    'ours                      1',
    'peer: jetstreamPerSecond  —  notInstalled: nats-server is not on PATH',
  ])
})

test.each([
  [null, {}],
  [Number.NaN, { figure: 'a reason does not make it a number' }],
  [Number.POSITIVE_INFINITY, {}],
])('%p with the reasons %j is no figure', (figure, why) => {
  expect(() => refuseOddFigures({ figure }, why)).toThrow('no measurement')
})

test('null with a reason is', () => {
  refuseOddFigures({ figure: null }, { figure: 'notInstalled: redis-server is not on PATH' })
})
