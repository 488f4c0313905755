/**
 * What must hold, whatever happens. It knows what the run knows, the right answers above all, and outlives every crash: what was
 * promised by one process binds the next.
 */
import {
  type Bookkeeper,
  type Changes,
  type Checker,
  type Dispatcher,
  offenceRecord,
  type Payloads,
  payloadKey,
  type Table,
} from '@shardy/app-orchestrator/parts'
import { type DispatchState, type Effect, isEnded, type TaskRecord, taskRecord } from '@shardy/dispatch'
import { type BookEntry, feeOf } from '@shardy/ledger'
import {
  type DeliveryId,
  type Digest,
  type EventType,
  encodeHex,
  finalEventTypes,
  type RequesterId,
  type TaskId,
  type TaskStatus,
  type WorkerId,
} from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import { AdaptiveTally } from './adaptiveTally.ts'
import { Fairness } from './fairness.ts'
import { examineLeases } from './leases.ts'
import { bookParameters, grantMicroCredit } from './settings.ts'
import { examineVerdict, type Verdict } from './verdicts.ts'
import { demand } from './violation.ts'
import { digestOf, type Work } from './work.ts'

/** What of a process is looked at. */
interface Process {
  readonly dispatcher: Dispatcher
  readonly bookkeeper: Bookkeeper
  readonly payloads: Payloads
  readonly checker: Checker
  readonly store: Store<Table>
}

export class Oracle {
  readonly adaptive = new AdaptiveTally()
  /** What is being committed, for a planted bug that needs to know. */
  saving: Changes = nothing
  readonly fairness = new Fairness()
  readonly #works = new Map<TaskId, Work>()
  /** Tasks whose id was given to their requester. */
  readonly #promised = new Set<TaskId>()
  /** Tasks that somebody was told have ended, and how. */
  readonly #told = new Map<
    TaskId,
    { readonly status: TaskStatus; readonly outputDigest: Digest | undefined }
  >()
  readonly #deliveryIds = new Set<DeliveryId>()
  readonly #wrong = new Map<DeliveryId, WorkerId>()
  readonly #wrongWorkers = new Set<WorkerId>()
  /** Offences of each worker that are on disk for certain. */
  readonly #offences = new Map<WorkerId, number>()
  /** Whether an offence costs more than the work. */
  readonly #isCostly = new Map<DeliveryId, boolean>()
  readonly #requesters = new Set<RequesterId>()
  /** Wrong answers whose task ended while they were being checked: the audit goes on. */
  readonly #audited = new Map<DeliveryId, number>()
  readonly #convicting = new Map<DeliveryId, number>()
  #deposits = 0n

  asked(taskId: TaskId, work: Work, requesterId: RequesterId): void {
    this.#works.set(taskId, work)
    this.#requesters.add(requesterId)
  }

  promised(taskId: TaskId): void {
    this.#promised.add(taskId)
  }

  deposited(amount: bigint): void {
    this.#deposits += amount
  }

  workOf(taskId: TaskId): Work {
    const work = this.#works.get(taskId)
    demand(work !== undefined, 'noTaskFromNowhere', () => `nobody asked for task ${taskId}`)
    return work
  }

  /** A worker has put its name under an answer. */
  answered(workerId: WorkerId, deliveryId: DeliveryId, taskId: TaskId, outputDigest: Digest): void {
    const work = this.workOf(taskId)
    if (!work.exact || outputDigest === work.right.outputDigest) return
    this.#wrong.set(deliveryId, workerId)
    this.#wrongWorkers.add(workerId)
  }

  /** An operator gives a dead task another life. */
  requeueing(taskId: TaskId): void {
    this.#told.delete(taskId)
  }

  logged(event: string, error: unknown, fields: unknown): void {
    // Without its output, which a crash has taken, an answer cannot be looked at; the task goes on without it.
    if (event === 'answerNotChecked' || event === 'answersNotCompared') return
    demand(false, 'nothingFails', () => `${event} ${JSON.stringify(fields)}: ${String(error)}`)
  }

  /** A commit is on its way to the disk. */
  commits(changes: Changes, state: DispatchState): void {
    this.saving = changes
    for (const task of changes.tasks) {
      if (!isEnded(task.status)) continue
      const { taskId } = task.spec
      // An audit that goes on after the end adds to the record, and changes nothing of what was told.
      const told = this.#told.get(taskId)
      const isSame =
        told === undefined || (told.status === task.status && told.outputDigest === task.outputDigest)
      demand(isSame, 'endsOnce', () => `task ${taskId} was ${told?.status} and becomes ${task.status}`)
      examineVerdict(task, this.#verdicts)
      this.adaptive.add(task, state, this.workOf(taskId))
    }
    for (const { deliveryId, workerId, consequence } of changes.offences) {
      demand(this.#wrong.get(deliveryId) === workerId, 'nobodyIsAccusedWrongly', () => {
        return `${workerId} is said to have answered ${deliveryId} wrong`
      })
      const isFirst = this.#offences.get(workerId) === undefined
      const isMild = consequence.kind === 'unpaidAndQuarantine' || consequence.kind === 'unpaid'
      demand(!isFirst || isMild, 'firstOffenceIsNotSlashed', () => `${workerId}: ${consequence.kind}`)
      this.#offences.set(workerId, (this.#offences.get(workerId) ?? 0) + 1)
      this.#isCostly.set(deliveryId, !isMild)
      this.#convicting.delete(deliveryId)
    }
  }

  /** What the book is told with it. */
  posting(entries: readonly BookEntry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'slash') {
        const { workerId, deliveryId } = entry
        demand(
          this.#wrongWorkers.has(workerId),
          'honestIsNotSlashed',
          () => `${workerId} always answered right`,
        )
        const isCostly = this.#isCostly.get(deliveryId) === true
        demand(isCostly, 'firstOffenceIsNotSlashed', () => `${workerId} is slashed for ${deliveryId}`)
      } else if (entry.kind === 'verdict') {
        const task = this.saving.tasks.find(({ spec }) => spec.taskId === entry.taskId)
        const accepted = task?.deliveries.filter(({ outcome }) => outcome === 'accepted') ?? []
        const isPaid = ({ deliveryId, rewardMicroCredit }: (typeof accepted)[number]): boolean =>
          entry.payouts.some(
            (payout) => payout.deliveryId === deliveryId && payout.amount === rewardMicroCredit,
          )
        const areThose = entry.payouts.length === accepted.length && accepted.every(isPaid)
        demand(areThose, 'thoseAcceptedArePaid', () => `task ${entry.taskId}`)
      }
    }
  }

  readonly #verdicts: Verdict = {
    workOf: (taskId) => this.workOf(taskId),
    isWrong: (deliveryId) => this.#wrong.has(deliveryId),
  }

  /** What is done now rests on what is durable. */
  performing(effects: readonly Effect[], state: DispatchState): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'deliver': {
          const { deliveryId } = effect.delivery
          demand(
            !this.#deliveryIds.has(deliveryId),
            'deliveryIdsAreNew',
            () => `${deliveryId} is given twice`,
          )
          this.#deliveryIds.add(deliveryId)
          this.fairness.delivered(effect, state)
          break
        }
        case 'closeCommitments':
          this.#examineClosing(effect.deliveryId, state)
          break
        case 'publish': {
          const { task } = effect
          const { taskId } = task.spec
          if (effect.entry.type === 'slashed') break
          if (!isEnded(task.status) || !isFinal(effect.entry.type)) break
          demand(!this.#told.has(taskId), 'endsOnce', () => `task ${taskId} is told to have ended twice`)
          this.#told.set(taskId, { status: task.status, outputDigest: task.outputDigest })
          break
        }
        case 'settle': {
          const audit = state.audits.has(effect.deliveryId)
          const isWrong = this.#wrong.has(effect.deliveryId)
          if (effect.outcome === 'superseded' && audit && isWrong)
            this.#audited.set(effect.deliveryId, state.atMs)
          break
        }
        default:
      }
    }
    examineLeases(state)
  }

  #examineClosing(deliveryId: DeliveryId, state: DispatchState): void {
    const delivery = state.deliveries.get(deliveryId)
    if (delivery === undefined || delivery.state !== 'revealing') return
    const { task } = delivery
    let bound = 0
    for (const { commitment } of task.deliveries) if (commitment !== undefined) bound++
    demand(bound >= task.spec.verify.agreeing, 'commitmentsCloseTogether', () => {
      return `${deliveryId} is asked to show its answer when ${bound} of ${task.spec.verify.agreeing} are bound`
    })
  }

  /** A process has come up on what the one before left. */
  async opened({
    store,
    bookkeeper,
    dispatcher,
  }: Pick<Process, 'store' | 'bookkeeper' | 'dispatcher'>): Promise<void> {
    this.fairness.forget()
    // They go on from here.
    for (const deliveryId of this.#audited.keys()) this.#audited.set(deliveryId, dispatcher.state().atMs)
    const live = await keysOf(store, 'liveTasks')
    const ended = await keysOf(store, 'tasks')
    for (const taskId of live) {
      demand(!ended.has(taskId), 'endsOnce', () => `task ${taskId} is both live and ended`)
      demand(
        !this.#told.has(taskId),
        'toldIsDurable',
        () => `task ${taskId} was told to have ended and is live`,
      )
    }
    for (const taskId of this.#promised) {
      demand(live.has(taskId) || ended.has(taskId), 'acceptedIsNotLost', () => `task ${taskId} is gone`)
    }
    for (const taskId of this.#told.keys()) {
      demand(ended.has(taskId), 'toldIsDurable', () => `task ${taskId} was told to have ended`)
    }
    const { book } = bookkeeper
    demand(book.total() === 0n, 'bookIsZero', () => `it is ${book.total()}`)
    for (const { key } of book.rows()) {
      if (!key.startsWith('escrow/')) continue
      const taskId = key.slice('escrow/'.length) as TaskId
      demand(
        live.has(taskId),
        'escrowIsOfLiveTasks',
        () => `there is an escrow of ${taskId}, which is not live`,
      )
    }
    const escrows = new Set(book.rows().map(({ key }) => key))
    for (const taskId of live) {
      demand(escrows.has(`escrow/${taskId}`), 'liveTasksHaveEscrow', () => `${taskId} has none`)
    }
    // What an offence cost is known from the disk alone.
    this.#offences.clear()
    for await (const { value } of store.iterate('offences')) {
      const decoded = offenceRecord.decode(value)
      if (!decoded.ok) throw new Error('the store holds a broken offence')
      const { workerId } = decoded.value
      this.#offences.set(workerId, (this.#offences.get(workerId) ?? 0) + 1)
    }
  }

  /** The process is gone. What it was checking is checked again by the next one, also where a task had ended. */
  died(): void {
    for (const deliveryId of [...this.#audited.keys(), ...this.#convicting.keys()]) {
      this.#audited.set(deliveryId, Number.POSITIVE_INFINITY)
    }
    this.#convicting.clear()
  }

  /** A check has come to its end. */
  found(deliveryId: DeliveryId, isWrong: boolean, nowMs: number): void {
    if (this.#audited.delete(deliveryId) && isWrong) this.#convicting.set(deliveryId, nowMs)
  }

  /** While nothing dies: an audit whose task has ended still comes to its end. */
  examineAudits(nowMs: number): void {
    for (const [deliveryId, sinceMs] of this.#audited) {
      const isForgotten = nowMs - sinceMs > checkMsMax
      demand(!isForgotten, 'auditsGoOn', () => `nobody looks at ${deliveryId} any more`)
    }
    for (const [deliveryId, sinceMs] of this.#convicting) {
      const isForgotten = nowMs - sinceMs > convictionMsMax
      demand(!isForgotten, 'auditsGoOn', () => `${deliveryId} was found wrong after its task had ended`)
    }
  }

  /** Everything has ended: what is left, and who has what. */
  async finished({ dispatcher, bookkeeper, store, payloads, checker }: Process): Promise<void> {
    const state = dispatcher.state()
    const left = {
      tasks: state.tasks.size,
      deliveries: state.deliveries.size,
      audits: state.audits.size,
      due: state.due.first() === undefined ? 0 : 1,
      held: sum(
        [...state.workers.values()],
        ({ held, computing, busyMs, heldBytes }) => held.size + computing + busyMs + heldBytes,
      ),
      waiting: sum([...state.classes.values()], ({ queue }) => queue.size),
      flows: sum([...state.flows.values()], ({ liveTasks, waiting }) => liveTasks + waiting),
      answerBytes: payloads.answerBytes(),
      checks: checker.waiting(),
      queued: dispatcher.queued(),
      unsaved: state.unsavedTasks.length,
      outbox: bookkeeper.lag(),
    }
    for (const [name, count] of Object.entries(left))
      demand(count === 0, 'everythingDrains', () => `${name}: ${count}`)
    for (const { exposureMicroCredit, workerId } of state.standings.values()) {
      demand(
        exposureMicroCredit === 0n,
        'everythingDrains',
        () => `${workerId} has ${exposureMicroCredit} at risk`,
      )
    }
    const records = new Map<TaskId, TaskRecord>()
    for await (const { key, value } of store.iterate('tasks')) {
      const decoded = taskRecord.decode(value)
      if (!decoded.ok) throw new Error('the store holds a broken task')
      records.set(encodeHex(key) as TaskId, decoded.value)
    }
    for (const taskId of this.#promised) {
      demand(records.has(taskId), 'acceptedIsNotLost', () => `task ${taskId} has not ended`)
    }
    for (const [taskId, { status, outputDigest }] of this.#told) {
      const record = records.get(taskId)
      const isSame = record?.status === status && record.outputDigest === outputDigest
      demand(isSame, 'endsOnce', () => `task ${taskId} was ${status} and is ${record?.status}`)
    }
    await this.#examineOutputs(records, store)
    this.#examineMoney(records, bookkeeper)
  }

  async #examineOutputs(records: ReadonlyMap<TaskId, TaskRecord>, store: Store<Table>): Promise<void> {
    for (const { spec, outputDigest, history } of records.values()) {
      if (outputDigest === undefined || !spec.keepOutput) continue
      const output = await store.get('taskOutputs', payloadKey(spec))
      const isThere = output !== undefined && digestOf(output) === outputDigest
      demand(isThere, 'outputIsKept', () => {
        const life = history.map(({ type, attempt }) => `${type} ${attempt}`).join(', ')
        return `the output of ${spec.taskId} ${output ? 'is another' : 'is not there'}: ${life}`
      })
    }
  }

  /** Each credit: where it came from, and where it lies. */
  #examineMoney(records: ReadonlyMap<TaskId, TaskRecord>, { book }: Bookkeeper): void {
    demand(book.total() === 0n, 'bookIsZero', () => `it is ${book.total()}`)
    const requesters = new Map<RequesterId, bigint>()
    const workers = new Map<WorkerId, bigint>()
    let fees = 0n
    for (const { spec, status, deliveries } of records.values()) {
      const { requesterId, rewardMicroCredit } = spec
      if (status !== 'verified' && status !== 'accepted') continue
      const fee = feeOf(rewardMicroCredit, bookParameters.feePermille)
      fees += fee
      requesters.set(requesterId, (requesters.get(requesterId) ?? 0n) + rewardMicroCredit + fee)
      for (const { workerId, rewardMicroCredit: paid } of deliveries) {
        workers.set(workerId, (workers.get(workerId) ?? 0n) + paid)
      }
    }
    for (const requesterId of this.#requesters) {
      const spent = requesters.get(requesterId) ?? 0n
      const balance = book.balance({ kind: 'requester', requesterId })
      const isRight = balance === grantMicroCredit - spent || (spent === 0n && balance === 0n)
      demand(isRight, 'valueIsConserved', () => `${requesterId} has ${balance} after spending ${spent}`)
    }
    const total = (kind: 'fees' | 'slashed'): bigint => book.balance({ kind })
    demand(total('fees') === fees, 'valueIsConserved', () => `fees are ${total('fees')}, not ${fees}`)
    let earned = 0n
    let held = 0n
    for (const amount of workers.values()) earned += amount
    for (const { key } of book.rows()) {
      const [kind, workerId] = key.split('/') as [string, WorkerId]
      demand(kind !== 'escrow', 'escrowIsOfLiveTasks', () => key)
      if (kind !== 'worker' || workerId === undefined) continue
      for (const place of ['worker', 'vesting', 'stake'] as const)
        held += book.balance({ kind: place, workerId })
    }
    const due = earned + this.#deposits - total('slashed')
    demand(
      held === due,
      'valueIsConserved',
      () => `workers have ${held}; they earned, deposited and lost ${due}`,
    )
  }
}

/** Longer than any check takes here, and longer than it takes to write down what one found. */
const checkMsMax = 300_000
const convictionMsMax = 20_000

const nothing: Changes = {
  tasks: [],
  submitted: new Set(),
  revived: new Set(),
  standings: [],
  entries: [],
  lateAudits: [],
  offences: [],
  published: [],
}

const isFinal = (type: EventType): boolean => finalEventTypes.includes(type)

async function keysOf(store: Store<Table>, table: Table): Promise<Set<TaskId>> {
  const keys = new Set<TaskId>()
  for await (const { key } of store.iterate(table)) keys.add(encodeHex(key) as TaskId)
  return keys
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
