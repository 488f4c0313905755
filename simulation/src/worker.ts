/**
 * A worker as the simulation runs it: it takes deliveries, works on as many as it has slots, commits, shows and answers as its
 * character has it. Its session may end and come back; what it was at is then gone.
 */
import { sha256 } from '@shardy/crypto/native'
import type { Profile } from '@shardy/dispatch'
import {
  commitTo,
  type DeliveryId,
  type MicroCredit,
  type PublicKey,
  type Results,
  type TaskId,
  type WorkerId,
} from '@shardy/protocol'
import { answerAs, type Character, copied, type Shown } from './character.ts'
import type { Described, FromWorker, ToWorker } from './message.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'
import { misplaced, secondForm, signAnswers } from './signing.ts'
import type { Answer, Work } from './work.ts'

export interface WorkerParts {
  readonly schedule: Schedule
  readonly random: Random
  readonly shown: Shown
  workOf(taskId: TaskId): Work
  /** Over the network, to the host, while the session stands. */
  say(worker: SimWorker, message: FromWorker): void
  /** Its session ends, and begins again later. */
  quit(worker: SimWorker): void
  benchmarked(worker: SimWorker): void
  /** It has answered with this, under its name. */
  answering(worker: SimWorker, deliveryId: DeliveryId, taskId: TaskId, answer: Answer): void
}

interface Job {
  readonly deliveryId: DeliveryId
  readonly taskId: TaskId
  readonly described: Described
  readonly commitsFirst: boolean
  readonly salt: string
  answer: Answer | undefined
}

export class SimWorker {
  readonly workerId: WorkerId
  readonly publicKey: PublicKey
  readonly character: Character
  readonly number: number
  readonly profile: Profile
  /** Counts its sessions; 0 while it has none. */
  session = 0
  sessions = 0
  accepted = 0
  readonly #parts: WorkerParts
  #jobs = new Map<DeliveryId, Job>()
  /** What it answered earlier, for whoever says things twice. */
  #said: Results[] = []
  #busyUntilMs = 0
  #paused = false

  constructor(
    identity: { readonly workerId: WorkerId; readonly publicKey: PublicKey; readonly number: number },
    character: Character,
    profile: Profile,
    parts: WorkerParts,
  ) {
    this.workerId = identity.workerId
    this.publicKey = identity.publicKey
    this.number = identity.number
    this.character = character
    this.profile = profile
    this.#parts = parts
  }

  /** Its process, or its connection, is gone, and with it what it was at. */
  drop(): void {
    this.session = 0
    this.#jobs = new Map()
    this.#busyUntilMs = 0
    this.#paused = false
  }

  pause(state: 'available' | 'hidden' | 'paused'): void {
    this.#paused = state === 'paused'
    this.#say({ kind: 'presence', state })
  }

  take(message: ToWorker): void {
    switch (message.kind) {
      case 'deliver':
        return this.#begin(message)
      case 'closed':
        return this.#show(message.deliveryId)
      case 'cancelled':
        this.#jobs.delete(message.deliveryId)
        return
      case 'settled':
        this.#jobs.delete(message.deliveryId)
        if (message.isAccepted) this.accepted++
        return
      case 'benchmark':
        return this.#later(500 + this.#parts.random.below(20_000), () => this.#parts.benchmarked(this))
    }
  }

  #begin({ deliveryId, described, commitsFirst }: Extract<ToWorker, { readonly kind: 'deliver' }>): void {
    const { random, schedule } = this.#parts
    // The network repeats itself.
    if (this.#jobs.has(deliveryId)) return
    if (this.character === 'quitter' && random.chance(0.1)) return this.#parts.quit(this)
    if (this.character === 'rejecter' && random.chance(0.5)) {
      return this.#say({
        kind: 'rejected',
        deliveryId,
        reason: random.pick(['tooLarge', 'deviceLost', 'executionFailed']),
      })
    }
    const { taskId } = described
    const job: Job = { deliveryId, taskId, described, commitsFirst, salt: random.hex(32), answer: undefined }
    this.#jobs.set(deliveryId, job)
    this.#say({ kind: 'acked', deliveryId })
    const isSlow = this.character === 'slow'
    const workMs = (isSlow && random.chance(0.3) ? 20_000 : 0) + 1 + random.below(isSlow ? 2_000 : 60)
    this.#busyUntilMs = Math.max(this.#busyUntilMs, schedule.nowMs) + workMs
    this.#later(this.#busyUntilMs - schedule.nowMs, () => this.#finish(job))
  }

  #finish(job: Job): void {
    if (this.#jobs.get(job.deliveryId) !== job || this.#paused) return
    const { random, shown } = this.#parts
    const { deliveryId, taskId } = job
    const work = this.#parts.workOf(taskId)
    const { number, accepted } = this
    job.answer = answerAs(this.character, { work, taskId, deliveryId, number, accepted, shown, random })
    if (!job.commitsFirst) return this.#answer(job)
    const { outputDigest } = job.answer
    const { workerId } = this
    const commitment = commitTo(
      { workerId, deliveryId, outputDigest, traceRoot: undefined, salt: job.salt },
      sha256,
    )
    this.#say({ kind: 'committed', deliveryId, commitment })
    // Some do not wait for the others.
    if (this.character === 'copying' && random.chance(0.1)) this.#show(deliveryId)
  }

  #show(deliveryId: DeliveryId): void {
    const job = this.#jobs.get(deliveryId)
    if (job?.answer === undefined) return
    // What it has seen meanwhile is not what it committed to.
    if (this.character === 'copying')
      job.answer = copied({ shown: this.#parts.shown, taskId: job.taskId }) ?? job.answer
    this.#answer(job)
  }

  #answer({ deliveryId, taskId, described, answer, commitsFirst, salt }: Job): void {
    if (answer === undefined) return
    const { random } = this.#parts
    const answers = [answer]
    // The digest of one answer, and the bytes of another.
    if (this.character === 'equivocating' && !commitsFirst) answers.push(this.#parts.workOf(taskId).right)
    const results = signAnswers(this, described, answers, commitsFirst ? salt : undefined)
    for (const each of answers) this.#parts.answering(this, deliveryId, taskId, each)
    this.#say({ kind: 'answered', results })
    if (this.character !== 'replaying') return
    this.#said.push(results)
    // Again at once, with the second form of the signature, later, and for another delivery.
    this.#say({ kind: 'answered', results: secondForm(results) })
    this.#later(random.below(40_000), () => this.#say({ kind: 'answered', results: random.pick(this.#said) }))
    const other = random.pick([...this.#jobs.keys()])
    const old = random.pick(this.#said)
    if (other !== deliveryId && random.chance(0.3))
      this.#say({ kind: 'answered', results: misplaced(old, other) })
  }

  #say(message: FromWorker): void {
    if (this.session !== 0) this.#parts.say(this, message)
  }

  /** Unless its session has ended by then. */
  #later(delayMs: number, act: () => void): void {
    const { session } = this
    this.#parts.schedule.after(delayMs, () => {
      if (this.session === session && session !== 0) act()
    })
  }
}

const kinds = ['program', 'shader'] as const

export function profileOf(character: Character, random: Random, operator: string): Profile {
  return {
    kinds,
    tier: random.between(1, 3),
    operationsPerSecond: character === 'slow' ? 1e7 : 1e9,
    hiddenPermille: 300,
    operator,
    hardwareClass: random.chance(0.8) ? 'one' : 'other',
    features: [],
    region: random.pick(['', 'eu', 'us']),
    latencyMs: random.below(100),
    payloadBytesMax: 1 << 20,
    memoryBytes: 1 << 30,
    slots: random.between(1, 2),
    prefetch: random.below(4),
    askMicroCredit: 0n as MicroCredit,
  }
}
