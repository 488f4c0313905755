import { describe, expect, test } from 'bun:test'
import { simulate } from './simulation.ts'

/** `SHARDY_SEEDS=first..last` runs those instead. */
const [firstSeed = 0, lastSeed = 1_999] = (process.env.SHARDY_SEEDS ?? '0..1999').split('..').map(Number)

function run(seed: number, checksPurity: boolean) {
  try {
    return simulate(seed, checksPurity)
  } catch (cause) {
    const again = `SHARDY_SEEDS=${seed}..${seed} bun test packages/rules/dispute/test`
    throw new Error(`seed ${seed} failed (again: ${again}): ${Bun.inspect(cause)}`, { cause })
  }
}

describe('two workers of any character and a line that loses, delays and repeats', () => {
  test(`never blame an honest worker, and let no liar go that answers, seeds ${firstSeed} to ${lastSeed}`, () => {
    const kinds: Record<string, number> = {}
    let [disputes, restarts] = [0, 0]
    for (let seed = firstSeed; seed <= lastSeed; seed++) {
      const outcome = run(seed, seed % 50 === 0)
      restarts += outcome.restarts
      for (const { kind } of outcome.ended) {
        disputes++
        kinds[kind] = (kinds[kind] ?? 0) + 1
      }
    }
    if (lastSeed - firstSeed < 1_999) return
    // The schedule must reach every kind of end, or it proves little.
    expect(disputes).toBeGreaterThan(3_000)
    expect(kinds.decided).toBeGreaterThan(1_500)
    expect(kinds.forfeited).toBeGreaterThan(500)
    expect(kinds.undecided).toBeGreaterThan(5)
    expect(kinds.agreed).toBeGreaterThan(100)
    expect(restarts).toBeGreaterThan(1_000)
  }, 120_000)

  test('are the same for the same seed', () => {
    expect(simulate(7)).toEqual(simulate(7))
  })
})
