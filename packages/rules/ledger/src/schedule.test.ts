import { describe, expect, test } from 'bun:test'
import type { TimeMs } from '@shardy/protocol'
import { schedulePlacesMax } from './parameters.ts'
import { dropDue, dueAfter, dueAmount, type Schedule, takeLast, wait, waiting } from './schedule.ts'

const ms = (value: number) => value as TimeMs

describe('a schedule', () => {
  const dues: readonly { atMs: number; expected: number }[] = [
    { atMs: 0, expected: 1_100 },
    { atMs: 99, expected: 1_100 },
    { atMs: 100, expected: 1_200 },
  ]
  for (const { atMs, expected } of dues) {
    test(`at ${atMs} waits until ${expected}`, () => {
      expect(dueAfter(atMs, 100, 1_000)).toBe(ms(expected))
    })
  }

  test('keeps order whatever comes, and adds what is due together', () => {
    const schedule: Schedule = []
    for (const [dueMs, amount] of [
      [30, 1n],
      [10, 2n],
      [20, 4n],
      [10, 8n],
      [30, 16n],
    ] as const) {
      wait(schedule, ms(dueMs), amount)
    }
    expect(schedule).toEqual([
      { dueMs: ms(10), amount: 10n },
      { dueMs: ms(20), amount: 4n },
      { dueMs: ms(30), amount: 17n },
    ])
    expect([dueAmount(schedule, 9), dueAmount(schedule, 10), dueAmount(schedule, 99)]).toEqual([0n, 10n, 31n])
    dropDue(schedule, 20)
    expect(waiting(schedule)).toBe(17n)
  })

  test('takes from the end, place by place', () => {
    const schedule: Schedule = [
      { dueMs: ms(1), amount: 5n },
      { dueMs: ms(2), amount: 5n },
    ]
    takeLast(schedule, 5n)
    expect(schedule).toEqual([{ dueMs: ms(1), amount: 5n }])
    takeLast(schedule, 3n)
    expect(schedule).toEqual([{ dueMs: ms(1), amount: 2n }])
    expect(() => takeLast(schedule, 3n)).toThrow('1 more than waits')
  })

  test('has a bound, past which an amount waits longer and never shorter', () => {
    const schedule: Schedule = []
    for (let index = 0; index < schedulePlacesMax; index++) wait(schedule, ms(index), 1n)
    wait(schedule, ms(10_000), 3n)
    expect(schedule).toHaveLength(schedulePlacesMax)
    expect(schedule.at(-1)).toEqual({ dueMs: ms(10_000), amount: 4n })
    // The one before moved with it: that is the price of the bound.
    expect(dueAmount(schedule, 9_999)).toBe(BigInt(schedulePlacesMax - 1))
  })
})
