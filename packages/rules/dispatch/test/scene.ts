/**
 * Dispatch on a stage: sentences go in, effects come out in words, and after every sentence the invariants hold, the
 * saved rows decode to themselves, and the step has changed nothing but what it returned.
 *
 *   ann joins · submit t · ann acks · ann commits x · ann reveals x · ann answers x · ann rejects · ann leaves
 *   ann/bob acks: ann says it about bob's latest delivery. bob commits ann:x: a copy of what ann would commit to.
 */
import type { DurationMs, MicroCredit, PublicKey, TaskKind, TimeMs, WorkerId } from '@shardy/protocol'
import {
  createStep,
  type DeliveryRecord,
  type DispatchPolicy,
  type DispatchState,
  defaultPolicy,
  type Effect,
  emptyState,
  type Input,
  type NewTask,
  nextDueMs,
  recover,
  type Step,
  type TaskRecord,
} from '../src/index.ts'
import { Archive } from './archive.ts'
import { Broken } from './broken.ts'
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
import { assertPure } from './purity.ts'

export const startMs = 1_000_000 as TimeMs
/** Lasts until `startMs` plus an hour, for two workers and 1001 millionths, so that the division has a rest. */
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
    redundancy: 2,
    rewardMicroCredit: 1001n as MicroCredit,
    keepOutput: true,
    deadlineMs: (startMs + 3_600_000) as TimeMs,
    ...about,
  }
}

export interface Profile {
  readonly kinds: readonly TaskKind[]
  readonly operationsPerSecond: number
  readonly payloadBytesMax: number
  readonly slots: number
}

const profile: Profile = {
  kinds: ['program'],
  operationsPerSecond: 1_000_000,
  payloadBytesMax: 1_000_000,
  slots: 1,
}

type Timeless<T> = T extends unknown ? Omit<T, 'atMs'> : never

export class Scene {
  state: DispatchState
  nowMs: TimeMs = startMs
  /** The checks look at everything after every step; a scene of thousands may leave them out for a while. */
  isChecked = true
  readonly archive = new Archive()
  private readonly step = createStep(sha256)
  private readonly latest = new Map<WorkerId, DeliveryRecord>()
  private readonly policy: DispatchPolicy

  constructor(policy: Partial<DispatchPolicy> = {}) {
    this.policy = { ...defaultPolicy, ...policy }
    this.state = emptyState(this.policy)
  }

  send(input: Timeless<Input>): readonly Effect[] {
    const dated = { ...input, atMs: this.nowMs } as Input
    const step = (): Step => this.step(this.state, dated)
    return this.take(this.isChecked ? assertPure(this.state, step) : step())
  }

  private take({ state, effects }: Step): readonly Effect[] {
    const isFirst = effects.findIndex(({ kind }) => kind === 'save') <= 0
    if (!isFirst || effects.filter(({ kind }) => kind === 'save').length > 1) {
      throw new Broken('what justifies an effect is saved before it', effects)
    }
    for (const effect of effects) {
      if (effect.kind === 'save') this.archive.save(effect.rows)
      if (effect.kind === 'deliver') this.latest.set(effect.delivery.workerId, effect.delivery)
    }
    this.state = state
    if (this.isChecked) assertInvariants(state)
    return effects
  }

  /** Every sentence in turn; the effects of the last one in words. */
  play(...sentences: readonly string[]): readonly string[] {
    let effects: readonly Effect[] = []
    for (const sentence of sentences) effects = this.act(sentence)
    return effects.filter(({ kind }) => kind !== 'save').map(inWords)
  }

  submit(name: string, about: Partial<NewTask> = {}): readonly string[] {
    return this.send({ kind: 'submit', task: newTask(name, about) })
      .filter(({ kind }) => kind !== 'save')
      .map(inWords)
  }

  join(name: string, about: Partial<Profile> = {}): readonly Effect[] {
    const workerId = workerIdOf(name)
    const publicKey: PublicKey = publicKeyOf(name)
    return this.send({ kind: 'workerJoined', workerId, publicKey, ...profile, ...about })
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
  restart(): readonly Effect[] {
    return this.take(recover(this.policy, this.archive.records(), this.nowMs, sha256))
  }

  task(name = 't'): TaskRecord {
    const task = this.archive.tasks.get(taskIdOf(name))
    if (task === undefined) throw new Error(`no task ${name}`)
    return task
  }

  /** The state of every delivery of the task, in the order in which they were made. */
  deliveries(name = 't'): readonly string[] {
    return this.archive
      .deliveriesOf(this.task(name))
      .map(({ workerId, state, outcome, rewardMicroCredit }) => {
        const paid = rewardMicroCredit > 0n ? ` ${rewardMicroCredit}` : ''
        return `${nameOf(workerId)} ${outcome ?? state}${paid}`
      })
  }

  events(name = 't'): readonly string[] {
    return (this.archive.events.get(taskIdOf(name)) ?? []).map(({ type }) => type)
  }

  standing(name: string): string {
    const standing = this.archive.standings.get(workerIdOf(name))
    if (standing === undefined) throw new Error(`nobody knows ${name}`)
    const { acceptedCount, disagreedCount, earnedMicroCredit } = standing
    return `${acceptedCount} accepted, ${disagreedCount} disagreed, ${earnedMicroCredit} earned`
  }

  deliveryOf(name: string): DeliveryRecord {
    const delivery = this.latest.get(workerIdOf(name))
    if (delivery === undefined) throw new Error(`${name} has had no delivery`)
    return delivery
  }

  private act(sentence: string): readonly Effect[] {
    const [subject = '', verb = '', object = ''] = sentence.split(' ')
    switch (subject) {
      case 'submit':
        return this.send({ kind: 'submit', task: newTask(verb) })
      case 'cancel':
        return this.send({ kind: 'cancel', taskId: taskIdOf(verb) })
      case 'wait':
        return this.wait(Number(verb) as DurationMs)
      case 'tick':
        return this.send({ kind: 'tick' })
      case 'restart':
        return this.restart()
    }
    const [speaker = '', other] = subject.split('/')
    return this.say(speaker, verb, object, other)
  }

  private say(speaker: string, verb: string, object: string, other = speaker): readonly Effect[] {
    const workerId = workerIdOf(speaker)
    switch (verb) {
      case 'joins':
        return this.join(speaker)
      case 'leaves':
        return this.send({ kind: 'workerLeft', workerId })
      case 'is':
        return this.send({ kind: 'presence', workerId, state: object as 'available' })
    }
    const { deliveryId } = this.deliveryOf(other)
    const about = { workerId, deliveryId }
    const answer = answerOf(object)
    switch (verb) {
      case 'acks':
        return this.send({ kind: 'acked', ...about })
      case 'commits': {
        const [author, said] = object.includes(':') ? object.split(':') : [speaker, object]
        const of = author === speaker ? about : this.deliveryOf(author ?? '')
        const commitment = commitmentOf(of.workerId, of.deliveryId, answerOf(said ?? ''))
        return this.send({ kind: 'committed', ...about, commitment })
      }
      case 'reveals':
        return this.send({ kind: 'revealed', ...about, ...answer, salt: saltOf(deliveryId) })
      case 'answers':
        return this.send({ kind: 'answered', ...about, ...answer, attestation })
      case 'corrupts':
        return this.send({ kind: 'corrupted', ...about, detail: 'cut short' })
      case 'rejects':
        return this.send({ kind: 'rejected', ...about, reason: 'busy', message: 'later' })
      default:
        throw new Error(`no verb ${verb}`)
    }
  }
}

export function inWords(effect: Effect): string {
  switch (effect.kind) {
    case 'save':
      return 'save'
    case 'deliver':
      return `deliver to ${nameOf(effect.delivery.workerId)}`
    case 'closeCommitments':
      return `close ${nameOf(effect.workerId)}`
    case 'cancelDelivery':
      return `cancel ${nameOf(effect.workerId)}: ${effect.reason}`
    case 'settle':
      return `settle ${nameOf(effect.workerId)}: ${effect.outcome} ${effect.rewardMicroCredit}`
    case 'publish':
      return `event ${effect.event.type}`
    case 'ignored':
      return `ignored: ${effect.reason}`
    case 'refused':
      return `refused: ${effect.refusal.kind}`
  }
}
