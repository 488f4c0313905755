/**
 * One run: an orchestrator that dies and comes back, workers of all characters, requesters, and between them a network and a disk
 * that fail. First everything goes wrong, then everything heals, and all that was asked for has to come to its end.
 */
import { drainMicrotasks } from 'bun:jsc'
import { taskIdOf } from '@shardy/app-orchestrator/parts'
import { sha256 } from '@shardy/crypto/native'
import type { Digest, MicroCredit, PublicKey, TaskId, TaskStatus, WorkerId } from '@shardy/protocol'
import { type Character, characters } from './character.ts'
import { createDisk, type Disk } from './disk.ts'
import { type Asked, type Host, openHost } from './host.ts'
import type { FromWorker, ToWorker } from './message.ts'
import { Network } from './network.ts'
import { Oracle } from './oracle.ts'
import type { Planted } from './plant.ts'
import { createRandom, type Random } from './random.ts'
import { askSomething } from './requesters.ts'
import { Schedule } from './schedule.ts'
import { Violation } from './violation.ts'
import type { Answer } from './work.ts'
import { profileOf, SimWorker } from './worker.ts'

const tasksMin = 200
const burst = 110
const faultyMs = 90_000
const healingMsMax = 3_600_000
const stepsMax = 60_000
const eventsKept = 120

export interface Counts {
  tasks: number
  faults: number
  crashes: number
  verified: number
  accepted: number
  dead: number
  cancelled: number
}

export class World {
  readonly schedule = new Schedule()
  readonly oracle = new Oracle()
  readonly counts: Counts = {
    tasks: 0,
    faults: 0,
    crashes: 0,
    verified: 0,
    accepted: 0,
    dead: 0,
    cancelled: 0,
  }
  /** The last things that happened, for whoever reads a failure; kept where it was asked for. */
  readonly events: string[] = []
  readonly #random: Random
  readonly #network: Network
  readonly #planted: Planted
  readonly #traces: boolean
  readonly #workers: SimWorker[] = []
  readonly #byId = new Map<WorkerId, SimWorker>()
  readonly #shown = new Map<TaskId, Map<Digest, Answer>>()
  #disk: Disk | undefined
  #host: Host | undefined
  /** Counts processes; what an earlier one still wants to do is not done. */
  #generation = 0
  #present = new Map<WorkerId, number>()
  #failure: unknown
  #isHealed = false
  #isFunding = false
  #open = 0
  #numbers = new Map<Character, number>()

  constructor(seed: number, planted: Planted, traces: boolean) {
    this.#random = createRandom(seed)
    this.#network = new Network(this.schedule, this.#random)
    this.#planted = planted
    this.#traces = traces
  }

  run(): void {
    createDisk(this.schedule, this.#random).then((disk) => {
      this.#disk = disk
    })
    drainMicrotasks()
    this.#start(true)
    this.#gather()
    this.#askAll()
    this.#planFaults()
    this.#runUntil(faultyMs)
    this.#heal()
    const endMs = this.schedule.nowMs + healingMsMax
    while (!this.#isOver()) {
      if (this.schedule.nowMs > endMs) throw new Violation('progress', this.#whatIsLeft())
      this.#stepOnce(endMs + 1)
    }
    // What is still on its way arrives, and what may be written later is.
    this.#runUntil(60_000)
    const { host } = this
    this.#settle(this.oracle.opened(host).then(() => this.oracle.finished(host)))
  }

  note(text: string): void {
    if (!this.#traces) return
    this.events.push(`${(this.schedule.nowMs - 1_700_000_000_000).toString().padStart(7)} ${text}`)
    if (this.events.length > eventsKept) this.events.shift()
  }

  get host(): Host {
    if (this.#host === undefined) throw new Violation('progress', 'the orchestrator does not come up')
    return this.#host
  }

  #settle(work: Promise<void>): void {
    let isDone = false
    work.then(
      () => {
        isDone = true
      },
      (error: unknown) => this.#broken(error),
    )
    drainMicrotasks()
    if (this.#failure !== undefined) throw this.#failure
    if (!isDone) throw new Error('what was waited for did not end')
  }

  #runUntil(forMs: number): void {
    const untilMs = this.schedule.nowMs + forMs
    while (this.#stepOnce(untilMs)) {}
  }

  #stepOnce(untilMs: number): boolean {
    const goesOn = this.schedule.step(untilMs)
    if (this.#failure !== undefined) throw this.#failure
    this.oracle.examineAudits(this.schedule.nowMs)
    if (this.schedule.steps > stepsMax)
      throw new Violation('progress', `${stepsMax} steps: ${this.#whatIsLeft()}`)
    return goesOn
  }

  #broken(error: unknown): void {
    this.#failure ??= error
  }

  #isOver(): boolean {
    const host = this.#host
    if (host === undefined || this.#open > 0) return false
    const { tasks, audits } = host.dispatcher.state()
    return tasks.size === 0 && audits.size === 0
  }

  #whatIsLeft(): string {
    const tasks = [...(this.#host?.dispatcher.state().tasks.values() ?? [])]
    const [first] = tasks
    const about =
      first && `${first.spec.taskId} is ${first.status}: ${first.history.map(({ type }) => type).join(' ')}`
    return `${this.#open} asked and not taken, ${tasks.length} live; ${about ?? ''}`
  }

  // The orchestrator's process.

  #start(isFirst = false): void {
    const generation = ++this.#generation
    const isAlive = (): boolean => this.#generation === generation
    const disk = this.#disk as Disk
    this.note('the orchestrator starts')
    openHost({
      schedule: this.schedule,
      disk,
      random: this.#random,
      oracle: this.oracle,
      planted: this.#planted,
      isAlive,
      send: (workerId, message) => this.#toWorker(workerId, message),
      ended: (taskId, status) => this.#ended(taskId, status),
      broken: (error) => this.#broken(error),
    })
      .then(async (host) => {
        if (!isAlive()) return
        if (!isFirst) await this.oracle.opened(host)
        this.#host = host
        if (isFirst) await this.#deposit(host)
        for (const worker of this.#workers) this.#connect(worker)
      })
      .catch((error: unknown) => this.#broken(error))
  }

  #crash(): void {
    if (this.#isFunding || (this.#host === undefined && this.counts.crashes > 0)) return
    this.note('the orchestrator dies')
    this.counts.crashes++
    this.oracle.died()
    this.#generation++
    this.#host = undefined
    this.#present = new Map()
    for (const worker of this.#workers) worker.drop()
    this.#disk?.crash().catch((error: unknown) => this.#broken(error))
    this.schedule.after(this.#random.pick([1, 500, 15_000]), () => this.#start())
  }

  /** It does not die meanwhile: whether a deposit that was not answered counts, nobody could say. */
  async #deposit({ bookkeeper }: Host): Promise<void> {
    this.#isFunding = true
    const posted: Promise<void>[] = []
    for (const { workerId } of this.#workers) {
      if (!this.#random.chance(0.6)) continue
      const amount = BigInt(this.#random.pick([2_000, 20_000, 60_000])) as MicroCredit
      this.oracle.deposited(amount)
      const entry = { kind: 'deposit', source: 'issuance', requesterId: undefined, workerId, amount } as const
      posted.push(bookkeeper.postAlone([entry]))
    }
    await Promise.all(posted)
    this.#isFunding = false
  }

  #ended(taskId: TaskId, status: TaskStatus): void {
    this.note(`task ${taskId} is ${status}`)
    if (status === 'waiting' || status === 'running') return
    this.counts[status]++
    if (status !== 'dead' || this.#isHealed || !this.#random.chance(0.5)) return
    this.schedule.after(this.#random.below(2_500), () => {
      this.counts.faults++
      this.#host?.requeue(taskId, 6 * 3_600_000).catch((error: unknown) => this.#broken(error))
    })
  }

  // Workers and their sessions.

  #gather(): void {
    const random = this.#random
    const cast: Character[] = ['honest', 'honest', 'honest', 'honest']
    for (let count = random.between(6, 12); count > 0; count--) {
      const character = random.pick(characters)
      cast.push(character)
      if (character === 'colluding' || character === 'farm' || character === 'hiddenFarm')
        cast.push(character, character)
    }
    for (const character of cast) this.#hire(character)
  }

  #hire(character: Character, operator = character === 'farm' ? 'farm' : ''): SimWorker {
    const index = this.#workers.length + 1
    const number = this.#numbers.get(character) ?? 0
    this.#numbers.set(character, number + 1)
    const workerId = index.toString(16).padStart(64, '0') as WorkerId
    const publicKey = Uint8Array.from({ length: 65 }, (_, at) => (at === 0 ? 4 : index)) as PublicKey
    const profile = profileOf(character, this.#random, operator)
    const worker = new SimWorker({ workerId, publicKey, number }, character, profile, {
      schedule: this.schedule,
      random: this.#random,
      shown: this.#shown,
      workOf: (taskId) => this.oracle.workOf(taskId),
      say: (from, message) => this.#toHost(from, message),
      quit: (from) => this.#disconnect(from),
      benchmarked: (from) => this.#host?.benchmarked(from.workerId, from.profile),
      answering: (from, deliveryId, taskId, answer) => {
        this.oracle.answered(from.workerId, deliveryId, taskId, answer.outputDigest)
        let answers = this.#shown.get(taskId)
        if (answers === undefined) {
          answers = new Map()
          this.#shown.set(taskId, answers)
        }
        answers.set(answer.outputDigest, answer)
      },
    })
    this.#workers.push(worker)
    this.#byId.set(workerId, worker)
    return worker
  }

  #connect(worker: SimWorker): void {
    this.schedule.after(this.#random.below(2_000), () => {
      const host = this.#host
      if (host === undefined || worker.session !== 0) return
      worker.session = ++worker.sessions
      this.#present.set(worker.workerId, worker.session)
      this.note(`${worker.character} ${worker.workerId.slice(-2)} joins`)
      host.joined(worker.workerId, worker.publicKey, worker.profile)
    })
  }

  /** The host hears of it a while later. */
  #disconnect(worker: SimWorker): void {
    const { session, workerId } = worker
    if (session === 0) return
    this.note(`${worker.character} ${workerId.slice(-2)} is gone`)
    worker.drop()
    this.schedule.after(this.#isHealed ? 10 : this.#random.below(10_000), () => {
      if (this.#present.get(workerId) !== session) return
      this.#present.delete(workerId)
      this.#host?.left(workerId)
    })
    this.#connect(worker)
  }

  #toWorker(workerId: WorkerId, message: ToWorker): void {
    const worker = this.#byId.get(workerId)
    const session = this.#present.get(workerId)
    if (worker === undefined || session === undefined) return
    this.note(
      `→ ${worker.character} ${workerId.slice(-2)}: ${message.kind} ${'deliveryId' in message ? message.deliveryId : ''}`,
    )
    this.#network.carry(() => {
      if (worker.session === session) worker.take(message)
    })
  }

  #toHost(worker: SimWorker, message: FromWorker): void {
    const { session, workerId } = worker
    this.#network.carry(() => {
      if (this.#present.get(workerId) !== session) return
      this.note(
        `← ${worker.character} ${workerId.slice(-2)}: ${message.kind} ${'deliveryId' in message ? message.deliveryId : ''}`,
      )
      this.#host?.said(workerId, message)
    })
  }

  // Requesters.

  #askAll(): void {
    const random = this.#random
    // A long queue at times: who is always served last has to be seen waiting.
    const queued = random.chance(0.08) ? 250 : 0
    const count = tasksMin + queued + random.below(30)
    this.counts.tasks = count
    this.#open = count
    for (let number = 0; number < count; number++) {
      const asked = askSomething(random, number)
      const taskId = taskIdOf(asked.requesterId, asked.key, sha256)
      this.oracle.asked(taskId, asked.work, asked.requesterId)
      const whenMs = number < burst + queued ? random.below(6_000) : random.below(faultyMs)
      this.schedule.after(whenMs, () => this.#ask(asked, true))
      if (random.chance(0.1))
        this.schedule.after(whenMs + random.below(40_000), () => this.#ask(asked, false))
      if (random.chance(0.08)) {
        this.schedule.after(whenMs + random.below(8_000), () => this.#host?.cancel(taskId))
      }
    }
  }

  /** Until an answer comes: with the same key, so that it stays one task. */
  #ask(asked: Asked, isFirst: boolean): void {
    let isAnswered = false
    const again = (): void => {
      if (isAnswered) return
      isAnswered = true
      this.schedule.after(1_000 + this.#random.below(4_000), () => this.#ask(asked, isFirst))
    }
    const host = this.#host
    if (host === undefined) return again()
    this.schedule.after(12_000, again)
    host.submit(asked).then(
      (taskId) => {
        if (this.#host !== host) return
        if (taskId === undefined) return again()
        this.oracle.promised(taskId)
        if (isAnswered || (!this.#isHealed && this.#random.chance(0.05))) return
        isAnswered = true
        if (isFirst) this.#open--
      },
      (error: unknown) => {
        if (this.#host === host) this.#broken(error)
      },
    )
  }

  // What goes wrong.

  #planFaults(): void {
    const random = this.#random
    const faults = 5 + random.below(8)
    if (random.chance(0.8)) this.#plan(() => this.#crash())
    for (let count = 0; count < faults; count++) this.#plan(() => this.#fault())
  }

  #plan(act: () => void): void {
    const { schedule } = this
    // Many things happen early, when there is most to lose.
    const withinMs = this.#random.chance(0.5) ? 10_000 : faultyMs - 1
    schedule.after(this.#random.below(withinMs), () => {
      this.counts.faults++
      act()
    })
  }

  #fault(): void {
    const random = this.#random
    const worker = random.pick(this.#workers)
    const disk = this.#disk as Disk
    switch (random.below(8)) {
      case 0:
        return this.#crash()
      case 1:
      case 2:
        return this.#disconnect(worker)
      case 3:
        this.note('the network changes')
        return this.#network.worsen()
      case 4:
        disk.slowness = random.pick([0, 2, 40, 400])
        return this.note(`the disk takes up to ${disk.slowness} ms`)
      case 5:
        worker.pause(random.pick(['hidden', 'paused', 'available']))
        return this.note(`${worker.character} ${worker.workerId.slice(-2)} pauses or hides`)
      case 6:
        return this.#host?.drain(worker.workerId, random.chance(0.5))
      default:
        // Its identity is used from elsewhere: a session replaces another.
        worker.drop()
        return this.#connect(worker)
    }
  }

  #heal(): void {
    this.note('everything heals')
    this.#isHealed = true
    this.#network.heal()
    ;(this.#disk as Disk).slowness = 1
    for (const worker of this.#workers) {
      if (worker.session === 0) this.#connect(worker)
      else worker.pause('available')
      this.#host?.drain(worker.workerId, false)
    }
    for (let count = 0; count < 14; count++) {
      const worker = this.#hire('honest')
      Object.assign(worker.profile, { hardwareClass: count % 2 === 0 ? 'one' : 'other' })
      this.#connect(worker)
    }
  }
}
