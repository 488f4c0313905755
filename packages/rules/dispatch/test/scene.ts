/**
 * Dispatch on a stage: sentences go in, effects come out in words, and after every sentence the invariants hold.
 *
 *   ann joins · submit t quorum(3,2) · ann acks · ann commits x · ann answers x · ann passes · ann fails · ann is paused
 *   ann/bob acks: ann says it about bob's latest delivery. ann@t acks: about the one of task t.
 */
import type { MicroCredit, PresenceState, RejectReason, TimeMs } from '@shardy/protocol'
import { checked, parseVerify } from '@shardy/protocol'
import {
  type Delivery,
  type DispatchMode,
  type DispatchPolicy,
  type DispatchState,
  defaultPolicy,
  type Effect,
  emptyState,
  type Input,
  type NewTask,
  nextDueMs,
  type Profile,
  recover,
  type Stake,
  step,
  type TaskRecord,
} from '../src/index.ts'
import {
  answerOf,
  attestation,
  commitmentOf,
  digestOf,
  nameOf,
  publicKeyOf,
  requesterIdOf,
  saltOf,
  sha256,
  taskIdOf,
  workerIdOf,
} from './identity.ts'
import { assertInvariants } from './invariants.ts'
import { Witness } from './witness.ts'

export const startMs = 1_000_000 as TimeMs
export const secret = new Uint8Array(32).fill(7)

/** Lasts until `startMs` plus an hour, for 1001 millionths, so that the division has a rest. */
export function newTask(name: string, about: Partial<NewTask> = {}): NewTask {
  return {
    taskId: taskIdOf(name),
    requesterId: requesterIdOf('rita'),
    requestDigest: digestOf(`request ${name}`),
    kind: 'program',
    program: Uint8Array.from([1, 2, 3]),
    programId: digestOf('program') as string as NewTask['programId'],
    seed: 7n,
    complexity: 1_000_000,
    inputDigest: digestOf(`input ${name}`),
    inputLength: 1024,
    outputLength: 4096,
    constants: [],
    constantBytes: 0,
    memoryBytes: 8192,
    verify: checked,
    proof: 'none',
    exact: true,
    priority: 0,
    tierMin: 0,
    features: [],
    region: '',
    rewardMicroCredit: 1001n as MicroCredit,
    keepOutput: true,
    deadlineMs: (startMs + 3_600_000) as TimeMs,
    campaignId: undefined,
    campaignItem: 0,
    ...about,
  }
}

export const profile: Profile = {
  kinds: ['program'],
  tier: 1,
  operationsPerSecond: 1_000_000_000,
  hiddenPermille: 500,
  operator: '',
  hardwareClass: 'acme',
  features: [],
  region: '',
  latencyMs: 1,
  payloadBytesMax: 64 * 1024 * 1024,
  memoryBytes: 1 << 30,
  slots: 1,
  prefetch: 0,
  askMicroCredit: 0n as MicroCredit,
}

export type Timeless<T> = T extends unknown ? Omit<T, 'atMs'> : never
type Happening = Timeless<Input>

export class Scene {
  state: DispatchState
  nowMs: TimeMs = startMs
  /** The checks look at everything after every step; a scene of thousands may leave them out for a while. */
  isChecked = true
  /** Whether what may be saved later is. */
  savesAll = true
  stake: Stake = { lockedMicroCredit: 0n as MicroCredit, withdrawingMicroCredit: 0n as MicroCredit }
  readonly witness = new Witness()
  readonly inputs: Input[] = []
  readonly policy: DispatchPolicy
  readonly #latest = new Map<string, Delivery>()
  #epoch = 1

  constructor(policy: Partial<DispatchPolicy> = {}) {
    this.policy = { ...defaultPolicy, ...policy }
    this.state = emptyState({ policy: this.policy, sha256, epoch: 1, secret })
  }

  send(happening: Happening): readonly Effect[] {
    const input = { ...happening, atMs: this.nowMs } as Input
    this.inputs.push(input)
    return this.#take(step(this.state, input))
  }

  #take(effects: readonly Effect[]): readonly Effect[] {
    for (const effect of effects) {
      if (effect.kind !== 'deliver') continue
      const name = nameOf(effect.delivery.workerId)
      this.#latest.set(name, effect.delivery)
      this.#latest.set(`${name} ${effect.task.spec.taskId}`, effect.delivery)
    }
    this.witness.see(this.state, effects, this.savesAll)
    if (!this.isChecked) return effects
    assertInvariants(this.state)
    this.witness.assertBalanced()
    return effects
  }

  /** Every sentence in turn; the effects of the last one in words. */
  play(...sentences: readonly string[]): readonly string[] {
    let effects: readonly Effect[] = []
    for (const sentence of sentences) effects = this.#act(sentence)
    return effects.map(inWords)
  }

  submit(name: string, about: Partial<NewTask> = {}): readonly string[] {
    return this.send({ kind: 'submit', task: newTask(name, about) }).map(inWords)
  }

  join(name: string, about: Partial<Profile> = {}): readonly string[] {
    const [workerId, publicKey] = [workerIdOf(name), publicKeyOf(name)]
    return this.send({ kind: 'workerJoined', workerId, publicKey, profile: { ...profile, ...about } }).map(
      inWords,
    )
  }

  /** Lets time pass and everything fall due in it. */
  wait(forMs: number): readonly Effect[] {
    const untilMs = this.nowMs + forMs
    const effects: Effect[] = []
    for (;;) {
      const dueMs = nextDueMs(this.state)
      if (dueMs === undefined || dueMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, dueMs) as TimeMs
      effects.push(...this.send({ kind: 'tick' }))
    }
    this.nowMs = untilMs as TimeMs
    return effects
  }

  /** The process is killed and comes back with what was saved. */
  restart(records = this.witness.records()): readonly Effect[] {
    const settings = { policy: this.policy, sha256, epoch: ++this.#epoch, secret }
    const { state, effects } = recover(settings, records, this.nowMs)
    this.state = state
    this.witness.restart()
    return this.#take(effects)
  }

  /** As saved. */
  task(name = 't'): TaskRecord {
    const task = this.witness.tasks.get(taskIdOf(name))
    if (task === undefined) throw new Error(`no task ${name}`)
    return task
  }

  /** The state of every delivery of the task, in the order in which they were made. */
  deliveries(name = 't'): readonly string[] {
    return this.task(name).deliveries.map(({ workerId, state, outcome, rewardMicroCredit }) => {
      const paid = rewardMicroCredit > 0n ? ` ${rewardMicroCredit}` : ''
      return `${nameOf(workerId)} ${outcome ?? state}${paid}`
    })
  }

  /** Who got tasks, in order, from effects in words. */
  history(name = 't'): readonly string[] {
    return this.task(name).history.map(({ type, attempt }) => (attempt === 0 ? type : `${type} ${attempt}`))
  }

  deliveryOf(name: string, task?: string): Delivery {
    const delivery = this.#latest.get(task === undefined ? name : `${name} ${taskIdOf(task)}`)
    if (delivery === undefined) throw new Error(`${name} has had no delivery`)
    return delivery
  }

  #act(sentence: string): readonly Effect[] {
    const [subject = '', verb = '', object = ''] = sentence.split(' ')
    switch (subject) {
      case 'submit':
        return this.send({
          kind: 'submit',
          task: newTask(verb, { verify: parseVerify(object || 'checked') ?? checked }),
        })
      case 'cancel':
        return this.send({ kind: 'cancel', taskId: taskIdOf(verb) })
      case 'requeue': {
        const deadlineMs = (this.nowMs + 3_600_000) as TimeMs
        return this.send({ kind: 'requeue', task: this.task(verb), deadlineMs })
      }
      case 'operate':
        return this.send({ kind: 'operate', mode: verb as DispatchMode })
      case 'compare':
        return this.#compare(verb, object)
      case 'wait':
        return this.wait(Number(verb))
      case 'tick':
        return this.send({ kind: 'tick' })
      case 'restart':
        return this.restart()
    }
    const [speaker = '', other] = subject.split(/[/@]/)
    const isAboutTask = subject.includes('@')
    return this.#say(speaker, verb, object, isAboutTask ? speaker : other, isAboutTask ? other : undefined)
  }

  /** `ann,bob|cat`: ann's and bob's are the same, cat's is another. */
  #compare(task: string, said: string): readonly Effect[] {
    const groups = said
      .split('|')
      .flatMap((names, index) =>
        names.split(',').map((name) => ({ deliveryId: this.deliveryOf(name).deliveryId, group: index + 1 })),
      )
    return this.send({ kind: 'compared', taskId: taskIdOf(task), groups })
  }

  #say(speaker: string, verb: string, object: string, other = speaker, task?: string): readonly Effect[] {
    const workerId = workerIdOf(speaker)
    switch (verb) {
      case 'joins': {
        this.join(speaker)
        return this.state.effects
      }
      case 'leaves':
        return this.send({ kind: 'workerLeft', workerId })
      case 'is':
        return this.send({ kind: 'presence', workerId, state: object as PresenceState })
      case 'drains':
        return this.send({ kind: 'drainWorker', workerId, draining: object !== 'off' })
      case 'benchmarks':
        return this.send({
          kind: 'benchmarked',
          workerId,
          askedAtMs: object === '' ? this.nowMs : (Number(object) as TimeMs),
          profile: this.state.workers.get(workerId)?.profile ?? profile,
        })
    }
    const { deliveryId } = this.deliveryOf(other, task)
    const about = { workerId, deliveryId }
    switch (verb) {
      case 'acks':
        return this.send({ kind: 'acked', ...about })
      case 'commits':
        return this.send({
          kind: 'committed',
          ...about,
          commitment: commitmentOf(workerId, deliveryId, answerOf(object)),
        })
      case 'answers': {
        const { stake } = this
        return this.send({
          kind: 'answered',
          ...about,
          ...answerOf(object),
          salt: saltOf(deliveryId),
          attestation,
          stake,
        })
      }
      case 'passes':
        return this.send({ kind: 'checked', ...about, verdict: { kind: 'right', by: 'projection' } })
      case 'fails':
        return this.send({ kind: 'checked', ...about, verdict: { kind: 'wrong', reason: 'a sum is off' } })
      case 'puzzles':
        return this.send({ kind: 'checked', ...about, verdict: { kind: 'unknown', reason: 'no blobs' } })
      case 'corrupts':
        return this.send({ kind: 'corrupted', ...about, detail: 'cut short\u0000é' })
      case 'misses':
        return this.send({ kind: 'unsent', ...about, detail: 'the input could not be read' })
      case 'rejects':
        return this.send({
          kind: 'rejected',
          ...about,
          reason: (object || 'busy') as RejectReason,
          message: 'later',
        })
      default:
        throw new Error(`no verb ${verb}`)
    }
  }
}

export function inWords(effect: Effect): string {
  switch (effect.kind) {
    case 'deliver':
      return `deliver to ${nameOf(effect.delivery.workerId)}`
    case 'closeCommitments':
      return `close ${nameOf(effect.workerId)}`
    case 'cancelDelivery':
      return `cancel ${nameOf(effect.workerId)}: ${effect.reason}`
    case 'check':
      return `check ${nameOf(effect.delivery.workerId)}`
    case 'compare':
      return `compare ${effect.deliveries.map(({ workerId }) => nameOf(workerId)).join(' ')}`
    case 'settle':
      return `settle ${nameOf(effect.workerId)}: ${effect.outcome} ${effect.rewardMicroCredit}`
    case 'publish':
      return `event ${effect.entry.type}`
    case 'book':
      return `book ${effect.entry.kind}`
    case 'offence':
      return `offence ${nameOf(effect.offence.workerId)}: ${effect.offence.consequence.kind}`
    case 'benchmark':
      return `benchmark ${nameOf(effect.workerId)}: ${effect.reason}`
    case 'ignored':
      return `ignored: ${effect.reason}`
    case 'refused':
      return `refused: ${effect.refusal.kind}`
  }
}
