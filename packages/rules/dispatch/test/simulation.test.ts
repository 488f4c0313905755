import { describe, expect, test } from 'bun:test'
import { simulate } from './simulation.ts'

/** `SHARDY_SEEDS=first..last` runs those instead. */
const [firstSeed = 0, lastSeed = 199] = (process.env.SHARDY_SEEDS ?? '0..199').split('..').map(Number)

function run(seed: number) {
  try {
    return simulate(seed)
  } catch (cause) {
    const again = `SHARDY_SEEDS=${seed}..${seed} bun test packages/rules/dispatch/test`
    throw new Error(`seed ${seed} failed (again: ${again}): ${Bun.inspect(cause)}`, { cause })
  }
}

describe('a network of workers of all kinds', () => {
  test(`keeps every invariant and ends every task, seeds ${firstSeed} to ${lastSeed}`, () => {
    const total: Record<string, number> = {}
    const add = (what: string, count: number): void => {
      total[what] = (total[what] ?? 0) + count
    }
    for (let seed = firstSeed; seed <= lastSeed; seed++) {
      const { ends, restarts, offences } = run(seed)
      for (const [status, count] of Object.entries(ends)) add(status, count)
      add('restarts', restarts)
      add('offences', offences)
    }
    if (lastSeed - firstSeed < 199) return
    // The schedule must reach every kind of end, or it proves little.
    expect(total.verified).toBeGreaterThan(1_000)
    expect(total.accepted).toBeGreaterThan(100)
    expect(total.dead).toBeGreaterThan(50)
    expect(total.cancelled).toBeGreaterThan(10)
    expect(total.restarts).toBeGreaterThan(100)
    expect(total.offences).toBeGreaterThan(100)
  }, 120_000)

  test('is the same network for the same seed', () => {
    const [first, second] = [simulate(7), simulate(7)]
    expect(second.digest).toBe(first.digest)
    expect(second.ends).toEqual(first.ends)
  })
})
