import { describe, expect, test } from 'bun:test'
import { simulate } from './simulation.ts'

/** `SHARDY_SEEDS=first..last` runs those instead. */
const [firstSeed = 0, lastSeed = 299] = (process.env.SHARDY_SEEDS ?? '0..299').split('..').map(Number)

function run(seed: number, checksPurity: boolean) {
  try {
    return simulate(seed, checksPurity)
  } catch (cause) {
    const again = `SHARDY_SEEDS=${seed}..${seed} bun test packages/rules/dispatch/test`
    throw new Error(`seed ${seed} failed (again: ${again}): ${Bun.inspect(cause)}`, { cause })
  }
}

describe('a network of workers of all kinds', () => {
  test(`keeps every invariant and ends every task, seeds ${firstSeed} to ${lastSeed}`, () => {
    const total = { verified: 0, dead: 0, cancelled: 0, restarts: 0 }
    for (let seed = firstSeed; seed <= lastSeed; seed++) {
      const outcome = run(seed, seed % 50 === 0)
      total.verified += outcome.verified
      total.dead += outcome.dead
      total.cancelled += outcome.cancelled
      total.restarts += outcome.restarts
    }
    if (lastSeed - firstSeed < 299) return
    // The schedule must reach every kind of end, or it proves little.
    expect(total.verified).toBeGreaterThan(1_000)
    expect(total.dead).toBeGreaterThan(100)
    expect(total.cancelled).toBeGreaterThan(50)
    expect(total.restarts).toBeGreaterThan(100)
  }, 120_000)

  test('is the same network for the same seed', () => {
    expect(simulate(7)).toEqual(simulate(7))
  })
})
