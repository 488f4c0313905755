/**
 * One campaign in a bad world, from one seed: tasks end in any way and order, ends are lost, late and repeated, answers
 * too, the owner pauses and resumes, and the process dies between any two effects. Then the world heals, and the
 * campaign has to end with one result for every item that it opened.
 */
import type { TaskId } from '@shardy/protocol'
import type { TaskEnd } from '../src/index.ts'
import { Broken } from './broken.ts'
import { after, credits, manifestOf, rangeOf } from './identity.ts'
import { createRandom, type Random } from './random.ts'
import { later, World } from './world.ts'

export interface Outcome {
  readonly reason: string
  readonly items: number
  readonly restarts: number
  readonly repeats: number
  readonly retries: number
  readonly record: unknown
}

const turnsMax = 20_000

function worldOf(random: Random): World {
  const count = random.pick([1, 3, 40, 300, 1_024, 1_500])
  const world = new World(
    manifestOf({
      inputs: rangeOf(count),
      window: random.pick([1, 2, 10, 64]),
      budgetMicroCredit: credits(random.pick([10, 95, 10 * count, 100 * count])),
      retriesMax: random.pick([0, 1, 3]),
      stopAfterFailures: random.pick([undefined, undefined, 1, 5]),
      deadlineMs: after(random.pick([30_000, 10 ** 9, 10 ** 9])),
    }),
  )
  world.answer = (item) => {
    if (random.chance(0.02)) return { ...item, kind: 'later', retryAfterMs: later(random.below(5_000)) }
    if (random.chance(0.005)) return { ...item, kind: 'refused', code: 'inputMissing' }
    if (random.chance(0.002)) return { ...item, kind: 'fundsMissing' }
    return { ...item, kind: 'accepted' }
  }
  return world
}

const endOf = (random: Random): TaskEnd['status'] =>
  random.pick([
    'verified',
    'verified',
    'verified',
    'accepted',
    'dead',
    random.chance(0.1) ? 'cancelled' : 'dead',
  ])

export function simulate(seed: number): Outcome {
  const random = createRandom(seed)
  const world = worldOf(random)
  let [restarts, repeats] = [0, 0]
  let isHealed = false
  const said: TaskEnd[] = []

  const restart = (): void => {
    restarts++
    world.restart()
  }
  const guarded = (act: () => void): void => {
    if (!isHealed && random.chance(0.1)) world.effectsLeft = random.below(5)
    act()
    if (world.effectsLeft < Number.POSITIVE_INFINITY) restart()
  }
  const tell = (ends: readonly TaskEnd[]): void =>
    guarded(() => {
      world.post({ kind: 'tasksEnded', atMs: world.atMs, ends })
    })
  const endSome = (): void => {
    const ends: TaskEnd[] = []
    for (let count = 1 + random.below(8); count > 0 && world.live.size > 0; count--) {
      const taskId = random.pick([...world.live].slice(0, 70)) as TaskId
      const end = world.endTask(taskId, endOf(random), BigInt(random.below(11)))
      said.push(end)
      if (isHealed || random.chance(0.85)) ends.push(end)
    }
    if (ends.length > 0) tell(ends)
  }

  guarded(() => world.create())
  for (let turn = 0; turn < turnsMax && world.record?.status !== 'ended'; turn++) {
    isHealed = turn > 400
    const choice = isHealed ? random.pick([0, 1]) : random.below(12)
    if (choice <= 5 && choice !== 1) endSome()
    else if (choice === 1) guarded(() => world.tick(random.pick([1, 100, 5_000, 60_000])))
    else if (choice === 6) guarded(() => world.say('pause'))
    else if (choice === 7 || choice === 8) guarded(() => world.say('resume'))
    else if (choice === 9 && said.length > 0) {
      repeats++
      tell([random.pick(said), random.pick(said)])
    } else if (choice === 10 && random.chance(0.2)) restart()
    else if (choice === 11 && random.chance(0.01)) guarded(() => world.say('cancel'))
    if (isHealed && world.record?.status === 'paused') world.say('resume')
  }
  if (world.record?.status !== 'ended') throw new Broken('no progress in a healed world', world.record)
  // What was saved last is what a reader sees; what was never said to it changes nothing.
  tell(said)
  world.checkEnded()
  const results = [...world.results.values()]
  return {
    reason: String(world.record.reason),
    items: results.length,
    restarts,
    repeats,
    retries: results.filter(({ attempts }) => attempts > 1).length,
    record: world.record,
  }
}
