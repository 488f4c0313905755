/**
 * `npx bun simulation/src/main.ts`: `--seed N` runs one and shows its last events where it fails, `--seeds A..B` runs many,
 * `--planted [NAME]` looks for the planted bugs, `--json` answers with one line of JSON.
 */
import { plants } from './planted/index.ts'
import { type Failure, simulate } from './simulate.ts'
import { type Search, search, sigmasMax, sweep } from './sweep.ts'

const usage = 'npx bun simulation/src/main.ts [--seed N | --seeds A..B] [--planted [NAME]] [--every] [--json]'
/** So many seeds are looked at for a planted bug. */
const plantedSeedsMax = 5_000

interface Asked {
  readonly firstSeed: number
  readonly lastSeed: number
  readonly isOne: boolean
  readonly planted: string | undefined
  readonly looksAtAll: boolean
  readonly isJson: boolean
}

function read(words: readonly string[]): Asked | undefined {
  let [firstSeed, lastSeed, isOne] = [1, 100, false]
  let planted: string | undefined
  let [looksAtAll, isJson] = [false, false]
  for (let index = 0; index < words.length; index++) {
    const word = words[index]
    const next = words[index + 1] ?? ''
    if (word === '--json') isJson = true
    else if (word === '--every') looksAtAll = true
    else if (word === '--planted') {
      planted = next.startsWith('-') ? '' : next
      if (planted !== '') index++
    } else if (word === '--seed' && /^\d+$/.test(next)) {
      firstSeed = lastSeed = Number(next)
      isOne = true
      index++
    } else if (word === '--seeds' && /^\d+\.\.\d+$/.test(next)) {
      ;[firstSeed = 1, lastSeed = 1] = next.split('..').map(Number)
      index++
    } else return undefined
  }
  if (planted !== undefined && !isOne && !words.includes('--seeds')) lastSeed = plantedSeedsMax
  return { firstSeed, lastSeed, isOne, planted, looksAtAll, isJson }
}

function show({ seed, step, invariant, detail, events }: Failure): void {
  for (const event of events) console.error(event)
  console.error(`\nseed ${seed}, step ${step}: ${invariant}\n${detail}`)
  console.error(`again: npx bun simulation/src/main.ts --seed ${seed}`)
}

function runOne({ firstSeed, isJson }: Asked, name: string | undefined): number {
  const plant = plants.find((each) => each.name === name)
  const outcome = simulate(firstSeed, plant, true)
  if (outcome.failure !== undefined) show(outcome.failure)
  else console.error(`seed ${firstSeed}: ${outcome.steps} steps, everything holds`)
  if (isJson) console.log(JSON.stringify({ ...outcome, failure: outcome.failure ?? null }))
  return outcome.failure === undefined ? 0 : 1
}

function runMany({ firstSeed, lastSeed, isJson }: Asked): number {
  const startedMs = performance.now()
  const found = sweep(firstSeed, lastSeed, ({ seed, failure }) => {
    if (failure !== undefined) {
      console.error(`seed ${seed}, step ${failure.step}: ${failure.invariant}: ${failure.detail}`)
    }
    if (seed % 100 === 0) console.error(`… seed ${seed}`)
  })
  const [first] = found.failures
  // Again, with what happened before it.
  const shown = first && simulate(first.seed, undefined, true).failure
  if (shown !== undefined) show(shown)
  const seedsPerSecond = (1_000 * found.seeds) / (performance.now() - startedMs)
  const { seeds, failures, counts, steps, adaptive, adaptiveSigmas } = found
  const isBounded = adaptiveSigmas <= sigmasMax
  if (!isBounded)
    console.error(`under adaptive, bad value lies ${adaptiveSigmas.toFixed(1)} sigmas above its bound`)
  const figures = {
    seeds,
    failed: failures.length,
    seedsPerSecond,
    steps,
    ...counts,
    adaptive,
    adaptiveSigmas,
  }
  if (isJson) console.log(JSON.stringify(figures))
  else console.log(`${seeds} seeds, ${failures.length} failed, ${seedsPerSecond.toFixed(1)} a second`)
  return failures.length === 0 && isBounded ? 0 : 1
}

function runPlanted({ firstSeed, lastSeed, planted, looksAtAll, isJson }: Asked): number {
  const chosen = plants.filter(({ name }) => planted === '' || name === planted)
  const results: Search[] = []
  for (const plant of chosen) {
    const result = search(plant, firstSeed, lastSeed, !looksAtAll)
    results.push(result)
    const { first, found, seeds } = result
    const how = first && `first by seed ${first.seed} at step ${first.step}: ${first.invariant}`
    console.error(`${plant.name.padEnd(20)} ${found} of ${seeds} seeds${how === undefined ? '' : `, ${how}`}`)
  }
  const missed = results.filter(({ found }) => found === 0).map(({ plant }) => plant.name)
  if (missed.length > 0) console.error(`not found: ${missed.join(', ')}`)
  if (isJson) {
    const line = results.map(({ plant: { name, what }, seeds, found, first }) => {
      return { name, what, seeds, found, seed: first?.seed ?? null, invariant: first?.invariant ?? null }
    })
    console.log(JSON.stringify({ planted: line }))
  }
  return missed.length === 0 && chosen.length > 0 ? 0 : 1
}

function main(words: readonly string[]): number {
  const asked = read(words)
  const isUnknown = asked?.planted && !plants.some(({ name }) => name === asked.planted)
  if (asked === undefined || isUnknown) {
    console.error(`${usage}\nNAME is one of: ${plants.map(({ name }) => name).join(', ')}`)
    return 2
  }
  if (asked.isOne) return runOne(asked, asked.planted)
  return asked.planted === undefined ? runMany(asked) : runPlanted(asked)
}

process.exitCode = main(Bun.argv.slice(2))
