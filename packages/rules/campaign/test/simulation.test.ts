import { describe, expect, test } from 'bun:test'
import { newCampaign, step } from '../src/index.ts'
import { manifestOf, rangeOf, requesterIdOf } from './identity.ts'
import { simulate } from './simulation.ts'
import { campaignId, World } from './world.ts'

/** `SHARDY_SEEDS=first..last` runs those instead. */
const [firstSeed = 0, lastSeed = 399] = (process.env.SHARDY_SEEDS ?? '0..399').split('..').map(Number)

function run(seed: number) {
  try {
    return simulate(seed)
  } catch (cause) {
    const again = `SHARDY_SEEDS=${seed}..${seed} bun test packages/rules/campaign/test`
    throw new Error(`seed ${seed} failed (again: ${again}): ${Bun.inspect(cause)}`, { cause })
  }
}

describe('a campaign among losses, repeats, pauses and restarts', () => {
  test(`gives every item one result, within budget and window, seeds ${firstSeed} to ${lastSeed}`, () => {
    const reasons: Record<string, number> = {}
    let [items, restarts, repeats, retries] = [0, 0, 0, 0]
    for (let seed = firstSeed; seed <= lastSeed; seed++) {
      const outcome = run(seed)
      reasons[outcome.reason] = (reasons[outcome.reason] ?? 0) + 1
      items += outcome.items
      restarts += outcome.restarts
      repeats += outcome.repeats
      retries += outcome.retries
    }
    if (lastSeed - firstSeed < 399) return
    // The schedule must reach every kind of end, or it proves little.
    for (const reason of ['completed', 'budgetSpent', 'deadline', 'tooManyFailures', 'cancelled']) {
      expect(reasons[reason] ?? 0).toBeGreaterThan(5)
    }
    expect(items).toBeGreaterThan(20_000)
    expect(restarts).toBeGreaterThan(2_000)
    expect(repeats).toBeGreaterThan(1_000)
    expect(retries).toBeGreaterThan(1_000)
  }, 120_000)

  test('is the same for the same seed', () => {
    expect(simulate(7)).toEqual(simulate(7))
  })

  test('gives the same effects for the same inputs', () => {
    const world = new World(manifestOf({ inputs: rangeOf(50) }))
    world.create()
    for (let index = 0; index < 50; index++) world.finish(index, index % 7 === 0 ? 'cancelled' : 'verified')
    const replay = () => {
      const state = newCampaign(campaignId, requesterIdOf('r'), world.manifest)
      return world.inputs.map((input) => step(state, input))
    }
    expect(replay()).toEqual(replay())
  })
})
