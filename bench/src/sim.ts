/**
 * How many simulated networks a second one core gets through: each at least 200 tasks over the parts that are served, a dozen
 * workers and liars, crashes, and every invariant after every commit. There is no peer to compare with.
 */
import { sweep } from '@shardy/simulation'
import type { Measured, Progress } from './run.ts'

const warmSeeds = 20
const seeds = 200

export async function run({ progress }: { readonly progress: Progress }): Promise<Measured> {
  progress(`${warmSeeds} seeds to warm up`)
  sweep(1, warmSeeds)
  const startedMs = performance.now()
  const startedCpu = process.cpuUsage()
  const found = sweep(warmSeeds + 1, warmSeeds + seeds, ({ seed }) => {
    if (seed % 50 === 0) progress(`seed ${seed}`)
  })
  const { user, system } = process.cpuUsage(startedCpu)
  const seconds = (performance.now() - startedMs) / 1_000
  const { counts, failures, steps } = found
  return {
    figures: {
      seedsPerSecond: seeds / seconds,
      cpuMillisecondsPerSeed: (user + system) / 1_000 / seeds,
      stepsPerSeed: steps / seeds,
      tasksPerSeed: counts.tasks / seeds,
      faultsPerSeed: counts.faults / seeds,
      failedSeeds: failures.length,
    },
    peers: {},
  }
}
