/**
 * A network from one seed: workers of many characters, a schedule of what happens, a virtual clock, and a process that
 * is killed now and then and comes back with what it had saved. First faults, with the invariants after every step;
 * then only honest workers, and every task must end.
 */
import type { DurationMs, MicroCredit, TimeMs, WorkerId } from '@shardy/protocol'
import {
  createStep,
  type DispatchPolicy,
  type DispatchState,
  defaultPolicy,
  type Effect,
  emptyState,
  type Input,
  nextDueMs,
  recover,
  type Step,
} from '../src/index.ts'
import {
  type Actor,
  characters,
  createActor,
  joining,
  type Later,
  react,
  type Sight,
  type Timeless,
} from './actor.ts'
import { Broken } from './broken.ts'
import { sha256, taskIdOf } from './identity.ts'
import { assertInvariants } from './invariants.ts'
import { assertPure } from './purity.ts'
import { createRandom, type Random } from './random.ts'
import { newTask, startMs } from './scene.ts'
import { Witness } from './witness.ts'

const faultyStepsMax = 300
const healingStepsMax = 5_000

export interface Outcome {
  readonly steps: number
  readonly restarts: number
  readonly verified: number
  readonly dead: number
  readonly cancelled: number
}

interface Pending {
  readonly atMs: number
  readonly input: Timeless<Input>
}

export function simulate(seed: number, checksPurity = false): Outcome {
  const world = new World(createRandom(seed), checksPurity)
  world.breakThings()
  world.heal()
  return world.outcome()
}

class World {
  private readonly witness = new Witness()
  private readonly step = createStep(sha256)
  private readonly policy: DispatchPolicy
  private readonly actors = new Map<WorkerId, Actor>()
  private readonly sight: Sight = { commitments: new Map(), deliveries: [] }
  private pending: Pending[] = []
  private state: DispatchState
  private nowMs: number = startMs
  private steps = 0
  private restarts = 0
  private submitted = 0
  private isHealing = false
  private readonly random: Random
  private readonly checksPurity: boolean

  constructor(random: Random, checksPurity: boolean) {
    this.random = random
    this.checksPurity = checksPurity
    this.policy = {
      ...defaultPolicy,
      attemptsMax: 4 + random.below(28),
      liveTasksMax: 8 + random.below(20),
      leaseMsMin: (4_000 + random.below(15_000)) as DurationMs,
      revealMs: (1_000 + random.below(5_000)) as DurationMs,
    }
    this.state = emptyState(this.policy)
    const count = 3 + random.below(7)
    for (let index = 0; index < count; index++) {
      const character = random.chance(0.4) ? 'honest' : random.pick(characters)
      this.add(createActor(`${character} ${index}`, character))
    }
  }

  private add(actor: Actor): void {
    this.actors.set(actor.workerId, actor)
    this.later({ afterMs: this.random.below(5_000), input: joining(actor, this.random) })
  }

  breakThings(): void {
    for (let index = 8 + this.random.below(18); index > 0; index--) {
      this.later({ afterMs: this.random.below(40_000), input: this.newSubmission() })
    }
    while (this.steps < faultyStepsMax) {
      this.advance()
      if (this.random.chance(0.03)) this.disturb()
    }
  }

  /** Whoever was there leaves; enough honest workers come; nothing more goes wrong. */
  heal(): void {
    this.isHealing = true
    this.pending = []
    for (const { workerId } of this.state.workers.values()) this.post({ kind: 'workerLeft', workerId })
    this.actors.clear()
    const promised = this.ableToEnd()
    for (let index = 0; index < 9; index++) {
      const actor = createActor(`healer ${index}`, 'honest')
      this.actors.set(actor.workerId, actor)
      this.post({
        ...joining(actor, this.random),
        ...{ payloadBytesMax: 1_000_000, slots: 4 },
      } as Timeless<Input>)
    }
    for (let count = 0; this.state.tasks.size > 0; count++) {
      if (count === healingStepsMax) throw new Broken('tasks never end', [...this.state.tasks.values()])
      this.advance()
    }
    for (const taskId of promised) {
      const task = this.witness.archive.tasks.get(taskId)
      if (task?.status !== 'verified') throw new Broken('a task that could be verified was not', task)
    }
    this.witness.assertBalanced()
    const { due, ready, deliveries } = this.state
    if (ready.size > 0 || deliveries.size > 0) throw new Broken('something is left of ended tasks')
    if ([...due.values()].some(({ kind }) => kind !== 'search'))
      throw new Broken('something is due for nobody')
  }

  /** Tasks with the time and the attempts for agreement, when nobody lies. */
  private ableToEnd(): readonly string[] {
    return [...this.state.tasks.values()]
      .filter(
        ({ deadlineMs, redundancy, deliveryIds }) =>
          deadlineMs > this.nowMs + 600_000 && this.policy.attemptsMax - deliveryIds.length >= redundancy,
      )
      .map(({ taskId }) => taskId)
  }

  outcome(): Outcome {
    const count = (status: string): number =>
      [...this.witness.archive.tasks.values()].filter((task) => task.status === status).length
    return {
      steps: this.steps,
      restarts: this.restarts,
      verified: count('verified'),
      dead: count('dead'),
      cancelled: count('cancelled'),
    }
  }

  private newSubmission(): Timeless<Input> {
    const { random } = this
    const deadlineMs = (this.nowMs + (random.chance(0.2) ? 30_000 : 86_400_000)) as TimeMs
    const task = newTask(`t${this.submitted++}`, {
      redundancy: random.chance(0.7) ? 2 : 2 + random.below(6),
      rewardMicroCredit: BigInt(random.below(1_000)) as MicroCredit,
      complexity: random.below(5_000_000),
      outputLength: random.chance(0.2) ? 50_000 : 400,
      keepOutput: random.chance(0.5),
      deadlineMs,
    })
    return { kind: 'submit', task }
  }

  private later({ afterMs, input }: Later): void {
    this.pending.push({ atMs: this.nowMs + afterMs, input })
  }

  /** The next message arrives, or the next thing falls due. */
  private advance(): void {
    const dueMs = nextDueMs(this.state)
    const next = this.pending.reduce<Pending | undefined>(
      (first, each) => (first === undefined || each.atMs < first.atMs ? each : first),
      undefined,
    )
    if (next !== undefined && (dueMs === undefined || next.atMs <= dueMs || this.random.chance(0.05))) {
      this.pending.splice(this.pending.indexOf(next), 1)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      this.post(next.input)
    } else {
      this.nowMs = Math.max(this.nowMs, dueMs ?? this.nowMs + 1_000)
      this.post({ kind: 'tick' })
    }
  }

  private disturb(): void {
    const { random } = this
    const workerId = random.pick([...this.actors.keys()])
    switch (random.below(7)) {
      case 0:
        return this.restart()
      case 1:
        return this.post({ kind: 'workerLeft', workerId })
      case 2:
        return this.post({
          kind: 'presence',
          workerId,
          state: random.pick(['available', 'hidden', 'paused', 'leaving']),
        })
      case 3:
        return this.post({ kind: 'cancel', taskId: taskIdOf(`t${random.below(this.submitted)}`) })
      case 4: {
        // A session that replaces one that is still there.
        const actor = this.actors.get(workerId)
        return actor && this.post(joining(actor, random))
      }
      case 5:
        return this.later({ afterMs: 0, input: this.newSubmission() })
      case 6: {
        const live = [...this.state.tasks.values()]
        return live.length === 0 ? undefined : this.post({ kind: 'submit', task: random.pick(live) })
      }
    }
  }

  private post(input: Timeless<Input>): void {
    const dated = { ...input, atMs: this.nowMs } as Input
    const { step, state } = this
    const made = this.checksPurity ? assertPure(state, () => step(state, dated)) : step(state, dated)
    this.steps++
    // Killed before anything is saved: it never happened. Killed after: nobody was told.
    const fate = this.isHealing ? 1 : this.random.below(1_000)
    if (fate === 0) return this.restart()
    this.take(made, fate === 999 ? [] : made.effects)
    if (fate === 999) this.restart()
    if (input.kind === 'committed') this.sight.commitments.set(input.deliveryId, input.commitment)
    const left = input.kind === 'workerLeft' || (input.kind === 'presence' && input.state === 'leaving')
    if (left && !this.isHealing) this.comeBack(input.workerId)
  }

  private comeBack(workerId: WorkerId): void {
    const actor = this.actors.get(workerId)
    if (actor === undefined) return
    this.later({ afterMs: this.random.below(20_000), input: joining(actor, this.random) })
  }

  private take({ state, effects }: Step, performed: readonly Effect[]): void {
    this.witness.see(effects)
    assertInvariants(state)
    this.state = state
    for (const effect of performed) {
      if (effect.kind === 'deliver') this.sight.deliveries.push(effect.delivery)
      const workerId =
        effect.kind === 'deliver'
          ? effect.delivery.workerId
          : 'workerId' in effect
            ? effect.workerId
            : undefined
      const actor = workerId === undefined ? undefined : this.actors.get(workerId)
      if (actor === undefined) continue
      for (const later of react(actor, effect, this.sight, this.random)) this.later(later)
    }
  }

  /** Connections are gone; of what was on its way to the process most is lost, and some arrives in the new life. */
  private restart(): void {
    this.restarts++
    this.pending = this.pending.filter(({ input }) => input.kind === 'submit' || this.random.chance(0.2))
    const recovered = recover(this.policy, this.witness.archive.records(), this.nowMs as TimeMs, sha256)
    this.take(recovered, recovered.effects)
    for (const workerId of this.actors.keys()) this.comeBack(workerId)
  }
}
