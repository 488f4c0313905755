import { describe, expect, test } from 'bun:test'
import { admit, arrive, only, openDesk, workerId } from '../test/desk.ts'
import type { Candidate } from './candidate.ts'
import { conclude } from './comparison.ts'
import { drop } from './leaving.ts'

const ids = (...indexes: readonly number[]) => new Set(indexes.map((index) => workerId(index)))

function town() {
  const desk = openDesk({ meanIntervalMs: 86_400_000 })
  for (let index = 1; index <= 3; index++) admit(desk, index, 1e9)
  const candidate = desk.state.workers.get(workerId(1)) as Candidate
  const measure = (rate: number, together?: ReadonlySet<ReturnType<typeof workerId>>) => {
    const shown = conclude(desk.state, candidate, rate, together)
    if (candidate.measurement === undefined) throw new Error('not admitted')
    candidate.measurement = { ...candidate.measurement, ...shown }
    return candidate.measurement
  }
  return { desk, candidate, measure }
}

describe('what counts', () => {
  test('far slower together: the rate it showed there, with whom', () => {
    const { measure, candidate } = town()
    const solo = candidate.measurement?.soloOperationsPerSecond ?? 0
    expect(measure(0.59 * solo, ids(1, 2, 3))).toMatchObject({
      operationsPerSecond: 0.59 * solo,
      soloOperationsPerSecond: solo,
      shared: { operationsPerSecond: 0.59 * solo, with: ids(2, 3) },
    })
  })

  test('a little slower: nothing; faster: that', () => {
    const { measure } = town()
    measure(1e9)
    expect(measure(0.6e9, ids(1, 2))).toMatchObject({ operationsPerSecond: 1e9, shared: undefined })
    expect(measure(1.2e9, ids(1, 2))).toMatchObject({ operationsPerSecond: 1.2e9, shared: undefined })
  })

  test('the lowest of several rounds, and what it shows alone does not lift it', () => {
    const { measure } = town()
    measure(1e9)
    expect(measure(0.3e9, ids(1, 2, 3)).operationsPerSecond).toBe(0.3e9)
    expect(measure(0.5e9, ids(1, 2))).toMatchObject({
      operationsPerSecond: 0.3e9,
      shared: { with: ids(2, 3) },
    })
    expect(measure(0.2e9, ids(1, 2))).toMatchObject({ operationsPerSecond: 0.2e9, shared: { with: ids(2) } })
    expect(measure(1e9)).toMatchObject({ operationsPerSecond: 0.2e9, soloOperationsPerSecond: 1e9 })
    expect(measure(0.1e9)).toMatchObject({ operationsPerSecond: 0.1e9 })
  })

  test('until it is fast beside all of those that are still here', () => {
    const { measure, desk } = town()
    measure(1e9)
    measure(0.3e9, ids(1, 2, 3))
    expect(measure(1e9, ids(1, 2)).operationsPerSecond).toBe(0.3e9)
    desk.say({ kind: 'left', workerId: workerId(3) })
    expect(measure(1e9, ids(1, 2))).toMatchObject({ operationsPerSecond: 1e9, shared: undefined })
  })

  test('and fast beside all of them at once is enough', () => {
    const { measure } = town()
    measure(1e9)
    measure(0.3e9, ids(1, 2, 3))
    expect(measure(0.9e9, ids(1, 2, 3))).toMatchObject({ operationsPerSecond: 1e9, shared: undefined })
  })
})

describe('leaving and coming back', () => {
  test('does not wash it off', () => {
    const { desk, measure } = town()
    measure(1e9)
    measure(0.3e9, ids(1, 2))
    desk.say({ kind: 'left', workerId: workerId(1) })
    expect(admit(desk, 1, 1e9).measurement).toMatchObject({
      operationsPerSecond: 0.3e9,
      shared: { with: ids(2) },
    })
  })

  test('nor does a newer connection; but what was cleared stays cleared', () => {
    const { desk, measure } = town()
    measure(1e9)
    measure(0.3e9, ids(1, 2))
    only(arrive(desk, 1), 'ask')
    const { measurement } = admit(desk, 1, 1e9)
    expect(measurement.operationsPerSecond).toBe(0.3e9)
    const again = desk.state.workers.get(workerId(1)) as Candidate
    again.measurement = { ...measurement, ...conclude(desk.state, again, 1e9, ids(1, 2)) }
    drop(desk.state, again)
    expect(admit(desk, 1, 1e9).measurement.shared).toBeUndefined()
  })
})
