import { describe, expect, test } from 'bun:test'
import { plants } from './planted/index.ts'
import { simulate } from './simulate.ts'
import { search } from './sweep.ts'

/** A small sweep; `npx bun simulation/src/main.ts --seeds A..B` runs as many as there is time for. */
const seeds = [1, 2, 3, 4]

/** Where one of the first seeds does not find it, one that does. */
const quick: Readonly<Record<string, number>> = {
  starvation: 8,
  reusedEpoch: 5,
  skippedRangeCheck: 2,
  toldBeforeSaved: 9,
}

describe('an orchestrator that dies, among liars', () => {
  for (const seed of seeds) {
    test(`keeps what it promised, seed ${seed}`, () => {
      const { failure, counts } = simulate(seed)
      expect(failure).toBeUndefined()
      expect(counts.tasks).toBeGreaterThanOrEqual(200)
      expect(counts.faults).toBeGreaterThanOrEqual(5)
    }, 60_000)
  }

  test('does the same again for the same seed', () => {
    expect(simulate(7)).toEqual(simulate(7))
  }, 60_000)
})

describe('a planted bug is found:', () => {
  for (const plant of plants) {
    test(`${plant.name}: ${plant.what}`, () => {
      const seed = quick[plant.name] ?? 1
      const { first } = search(plant, seed, seed + 7, true)
      expect(first?.invariant).toBeString()
    }, 60_000)
  }

  test('there are fifteen of them and more, under names of their own', () => {
    expect(new Set(plants.map(({ name }) => name)).size).toBe(plants.length)
    expect(plants.length).toBeGreaterThanOrEqual(15)
  })
})
