/**
 * A network from one seed: workers of many characters, a schedule of what happens, a virtual clock, checks that take their
 * time, and a process that is killed now and then and comes back with what it had saved. First faults, with the
 * invariants after every step; then only honest workers, and every task must end.
 */
import type { TaskId, TimeMs, WorkerId } from '@shardy/protocol'
import {
  type Delivery,
  type DispatchPolicy,
  type DispatchState,
  type Effect,
  emptyState,
  type Input,
  isEnded,
  nextDueMs,
  recover,
  step,
} from '../src/index.ts'
import {
  type Actor,
  askedToReveal,
  characters,
  createActor,
  isNear,
  type Later,
  received,
  rightAnswer,
} from './actor.ts'
import { Broken } from './broken.ts'
import { digestOfState } from './digest.ts'
import { publicKeyOf, sha256, taskIdOf } from './identity.ts'
import { assertInvariants } from './invariants.ts'
import { createRandom, type Random } from './random.ts'
import { secret, startMs, type Timeless } from './scene.ts'
import { drawPolicy, drawTask } from './schedule.ts'
import { Witness } from './witness.ts'

const faultyStepsMax = 260
const healingStepsMax = 5_000

export interface Outcome {
  readonly policy: DispatchPolicy
  readonly inputs: readonly Input[]
  readonly digest: string
  readonly restarts: number
  readonly offences: number
  readonly ends: Readonly<Record<string, number>>
}

export function simulate(seed: number, { restarts = true } = {}): Outcome {
  const world = new World(createRandom(seed), restarts)
  world.breakThings()
  world.heal()
  return world.outcome()
}

interface Pending {
  readonly atMs: number
  readonly input: Timeless<Input>
}

class World {
  readonly #witness = new Witness()
  readonly #policy: DispatchPolicy
  readonly #actors = new Map<WorkerId, Actor>()
  readonly #given: Delivery[] = []
  readonly #inputs: Input[] = []
  readonly #random: Random
  readonly #canRestart: boolean
  #pending: Pending[] = []
  #state: DispatchState
  #nowMs: number = startMs
  #steps = 0
  #restarts = 0
  #submitted = 0
  #epoch = 1
  #isHealing = false

  constructor(random: Random, canRestart: boolean) {
    this.#random = random
    this.#canRestart = canRestart
    this.#policy = drawPolicy(random)
    this.#state = emptyState({ policy: this.#policy, sha256, epoch: 1, secret })
    const count = 4 + random.below(8)
    for (let index = 0; index < count; index++) {
      const character = random.chance(0.4) ? 'honest' : random.pick(characters)
      const actor = createActor(`${character} ${index}`, character, random)
      this.#actors.set(actor.workerId, actor)
      this.#later({ afterMs: random.below(5_000), input: joining(actor) })
    }
  }

  breakThings(): void {
    for (let index = 8 + this.#random.below(18); index > 0; index--) {
      this.#later({ afterMs: this.#random.below(40_000), input: this.#newSubmission() })
    }
    while (this.#steps < faultyStepsMax) {
      this.#advance()
      if (this.#random.chance(0.03)) this.#disturb()
    }
  }

  /** Whoever was there leaves; enough honest workers come; nothing more goes wrong. */
  heal(): void {
    this.#isHealing = true
    // Checks are ours, and still come back.
    this.#pending = this.#pending.filter(({ input }) => input.kind === 'checked' || input.kind === 'compared')
    this.#post({ kind: 'operate', mode: 'running' })
    for (const { workerId } of [...this.#state.workers.values()]) this.#post({ kind: 'workerLeft', workerId })
    this.#actors.clear()
    const promised = this.#ableToEnd()
    for (const hardwareClass of ['acme', 'other']) {
      for (let index = 0; index < 9; index++) {
        const made = createActor(`${hardwareClass} healer ${index}`, 'honest', this.#random)
        const fit = { operator: '', tier: 3, slots: 4, payloadBytesMax: 1_000_000, hardwareClass }
        const actor = { ...made, profile: { ...made.profile, ...fit } }
        this.#actors.set(actor.workerId, actor)
        this.#post(joining(actor))
      }
    }
    for (let count = 0; this.#state.tasks.size > 0 || this.#state.audits.size > 0; count++) {
      if (count === healingStepsMax) throw new Broken('tasks never end', [...this.#state.tasks.keys()])
      this.#advance()
    }
    for (const taskId of promised) {
      const task = this.#witness.tasks.get(taskId)
      if (task?.status !== 'verified' && task?.status !== 'accepted')
        throw new Broken('a task that could end well did not', task)
    }
    this.#witness.assertBalanced()
    const { deliveries, classes, waitingClasses, due } = this.#state
    if (deliveries.size + classes.size + waitingClasses.size > 0 || due.first() !== undefined) {
      throw new Broken('something is left of ended tasks')
    }
    for (const standing of this.#state.standings.values()) {
      if (standing.exposureMicroCredit !== 0n) throw new Broken('stake is at risk for nothing', standing)
    }
  }

  outcome(): Outcome {
    const ends: Record<string, number> = {}
    for (const { status } of this.#witness.tasks.values()) ends[status] = (ends[status] ?? 0) + 1
    return {
      policy: this.#policy,
      inputs: this.#inputs,
      digest: digestOfState(this.#state),
      restarts: this.#restarts,
      offences: this.#witness.offences.length,
      ends,
    }
  }

  /** Tasks with the time and the attempts to end well, when nobody lies. */
  #ableToEnd(): readonly TaskId[] {
    return [...this.#state.tasks.values()]
      .filter(({ deadlineMs, deliveries, attemptsSpent, spec }) => {
        const left = this.#policy.attemptsMax - deliveries.length + attemptsSpent
        // A lie that a healed network has still to find may take a few more.
        return deadlineMs > this.#nowMs + 600_000 && left >= spec.verify.replicas + 3 + deliveries.length
      })
      .map(({ spec }) => spec.taskId)
  }

  #newSubmission(): Timeless<Input> {
    return { kind: 'submit', task: drawTask(this.#random, `t${this.#submitted++}`, this.#nowMs) }
  }

  #later({ afterMs, input }: Later): void {
    this.#pending.push({ atMs: this.#nowMs + afterMs, input })
  }

  /** The next message arrives, or the next thing falls due. */
  #advance(): void {
    const dueMs = nextDueMs(this.#state)
    let next: Pending | undefined
    for (const each of this.#pending) if (next === undefined || each.atMs < next.atMs) next = each
    if (next !== undefined && (dueMs === undefined || next.atMs <= dueMs || this.#random.chance(0.05))) {
      this.#pending.splice(this.#pending.indexOf(next), 1)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.#post(next.input)
    } else {
      this.#nowMs = Math.max(this.#nowMs, dueMs ?? this.#nowMs + 1_000)
      this.#post({ kind: 'tick' })
    }
  }

  #disturb(): void {
    const random = this.#random
    const actor = random.pick([...this.#actors.values()])
    const { workerId } = actor
    switch (random.below(9)) {
      case 0:
        return this.#restart()
      case 1:
        return this.#post({ kind: 'workerLeft', workerId })
      case 2:
        return this.#post({
          kind: 'presence',
          workerId,
          state: random.pick(['available', 'hidden', 'paused', 'leaving']),
        })
      case 3:
        return this.#post({ kind: 'cancel', taskId: taskIdOf(`t${random.below(this.#submitted)}`) })
      case 4:
        // A session that replaces one that is still there.
        return this.#post(joining(actor))
      case 5:
        return this.#later({ afterMs: 0, input: this.#newSubmission() })
      case 6: {
        const live = [...this.#state.tasks.values()]
        return live.length === 0 ? undefined : this.#post({ kind: 'submit', task: random.pick(live).spec })
      }
      case 7:
        this.#later({ afterMs: 3_000, input: { kind: 'operate', mode: 'running' } })
        this.#later({ afterMs: 5_000, input: { kind: 'drainWorker', workerId, draining: false } })
        this.#post({ kind: 'drainWorker', workerId, draining: true })
        return this.#post({ kind: 'operate', mode: random.pick(['paused', 'draining']) })
      case 8: {
        const dead = [...this.#witness.tasks.values()].find(({ status }) => status === 'dead')
        const deadlineMs = (this.#nowMs + 86_400_000) as TimeMs
        return dead && this.#post({ kind: 'requeue', task: dead, deadlineMs })
      }
    }
  }

  #post(input: Timeless<Input>): void {
    const dated = { ...input, atMs: this.#nowMs } as Input
    this.#inputs.push(dated)
    this.#steps++
    const effects = step(this.#state, dated)
    // Killed before anything is saved: it never happened. Killed after: nobody was told.
    const fate = this.#isHealing || !this.#canRestart ? 1 : this.#random.below(800)
    if (fate === 0) return this.#restart()
    this.#take(effects, fate !== 799)
    if (fate === 799) this.#restart()
    const left = input.kind === 'workerLeft' || (input.kind === 'presence' && input.state === 'leaving')
    if (left && !this.#isHealing) this.#comeBack(input.workerId)
  }

  #comeBack(workerId: WorkerId): void {
    const actor = this.#actors.get(workerId)
    if (actor !== undefined) this.#later({ afterMs: this.#random.below(20_000), input: joining(actor) })
  }

  #take(effects: readonly Effect[], isCarriedOut: boolean): void {
    this.#witness.see(this.#state, effects, this.#random.chance(0.5))
    assertInvariants(this.#state)
    if (isCarriedOut)
      for (const effect of effects) for (const later of this.#react(effect)) this.#later(later)
  }

  #react(effect: Effect): readonly Later[] {
    const random = this.#random
    switch (effect.kind) {
      case 'deliver': {
        this.#given.push(effect.delivery)
        const actor = this.#actors.get(effect.delivery.workerId)
        return actor === undefined ? [] : received(actor, effect.delivery, this.#given, random)
      }
      case 'closeCommitments': {
        const [actor, delivery] = [
          this.#actors.get(effect.workerId),
          this.#state.deliveries.get(effect.deliveryId),
        ]
        return actor === undefined || delivery === undefined ? [] : askedToReveal(actor, delivery, random)
      }
      case 'check': {
        const { workerId, deliveryId, outputDigest, task } = effect.delivery
        const isRight = !task.spec.exact || outputDigest === rightAnswer(effect.delivery)
        const verdict =
          !this.#isHealing && random.chance(0.05)
            ? ({ kind: 'unknown', reason: 'no blobs' } as const)
            : isRight
              ? ({ kind: 'right', by: 'projection' } as const)
              : ({ kind: 'wrong', reason: 'a sum is off' } as const)
        return [{ afterMs: random.below(2_000), input: { kind: 'checked', workerId, deliveryId, verdict } }]
      }
      case 'compare': {
        const groups = effect.deliveries.map(({ deliveryId, workerId }, index) => {
          const actor = this.#actors.get(workerId)
          return { deliveryId, group: actor === undefined || isNear(actor) ? 1 : index + 2 }
        })
        return [
          {
            afterMs: random.below(500),
            input: { kind: 'compared', taskId: effect.task.spec.taskId, groups },
          },
        ]
      }
      case 'benchmark': {
        const actor = this.#actors.get(effect.workerId)
        if (actor === undefined) return []
        return [
          {
            afterMs: random.below(5_000),
            input: {
              kind: 'benchmarked',
              workerId: actor.workerId,
              profile: actor.profile,
              askedAtMs: this.#state.atMs,
            },
          },
        ]
      }
      case 'settle': {
        const actor = this.#actors.get(effect.workerId)
        if (actor !== undefined && effect.outcome === 'accepted') actor.answers++
        return []
      }
      case 'book': {
        if (effect.entry.kind !== 'verdict') return []
        this.#assertSound(effect.entry.taskId)
        return []
      }
      default:
        return []
    }
  }

  /** Whatever the workers did, a check lets no wrong answer of an exact kind pass. */
  #assertSound(taskId: ReturnType<typeof taskIdOf>): void {
    const task = this.#witness.tasks.get(taskId)
    if (task === undefined || !isEnded(task.status)) throw new Broken('a verdict was not saved', taskId)
    const { spec, basis, outputDigest } = task
    if (basis !== 'checked' || !spec.exact) return
    const right = rightAnswer({ task: { spec } } as unknown as Delivery)
    if (outputDigest !== right) throw new Broken('a wrong answer passed its check', task)
  }

  /** Connections are gone; of what was on its way to the process most is lost, and some arrives in the new life. */
  #restart(): void {
    if (!this.#canRestart) return
    this.#restarts++
    const random = this.#random
    this.#pending = this.#pending.filter(({ input }) => input.kind === 'submit' || random.chance(0.2))
    const settings = { policy: this.#policy, sha256, epoch: ++this.#epoch, secret }
    const recovered = recover(settings, this.#witness.records(), this.#nowMs as TimeMs)
    this.#state = recovered.state
    this.#witness.restart()
    this.#take(recovered.effects, true)
    for (const workerId of this.#actors.keys()) this.#comeBack(workerId)
  }
}

function joining({ name, workerId, profile }: Actor): Timeless<Input> {
  return { kind: 'workerJoined', workerId, publicKey: publicKeyOf(name), profile }
}
