/**
 * Who hears every effect and keeps what is saved, as a driver and its store would, and knows what must be true of them: a
 * delivery settles once, an escrow ends in one verdict that pays exactly or not at all, histories have no gaps, and what is
 * saved decodes to itself.
 */
import type { DeliveryId, Outcome, TaskId, WorkerId } from '@shardy/protocol'
import {
  type BookEffect,
  type Delivery,
  type DispatchMode,
  type DispatchState,
  type Effect,
  isEnded,
  type LateAuditRecord,
  lateAuditOf,
  type Offence,
  type Records,
  type Stake,
  type StandingRecord,
  standingRecord,
  type Task,
  type TaskRecord,
  taskRecord,
} from '../src/index.ts'
import { Broken } from './broken.ts'

type Book<Kind> = Extract<BookEffect, { kind: Kind }>

export class Witness {
  /** As saved. */
  readonly tasks = new Map<TaskId, TaskRecord>()
  readonly standings = new Map<WorkerId, StandingRecord>()
  readonly stakes = new Map<WorkerId, Stake>()
  readonly offences: Offence[] = []
  readonly lateAudits = new Map<DeliveryId, LateAuditRecord>()
  mode: DispatchMode = 'running'
  readonly #escrows = new Map<TaskId, bigint>()
  readonly #given = new Set<DeliveryId>()
  readonly #settled = new Map<DeliveryId, Outcome>()
  readonly #told = new Map<TaskId, number>()
  paidMicroCredit = 0n
  refundedMicroCredit = 0n
  escrowedMicroCredit = 0n

  /** `savesAll`: the driver's time for what may wait has come. */
  see(state: DispatchState, effects: readonly Effect[], savesAll = true): void {
    for (const effect of effects) this.#hear(effect)
    for (const effect of effects) {
      const isSlash = effect.kind === 'book' && effect.entry.kind === 'slash'
      if (isSlash && !effects.some(({ kind }) => kind === 'offence')) {
        throw new Broken('somebody lost its stake without an offence', effect)
      }
    }
    this.mode = state.mode
    for (const { workerId, stake } of state.standings.values()) this.stakes.set(workerId, stake)
    this.#save(state, effects, savesAll)
  }

  /** That a delivery came to nothing need not be saved: after a restart it is found to have been out, and lost again. */
  restart(): void {
    for (const [deliveryId, outcome] of this.#settled) {
      if (outcome === 'lost' || outcome === 'rejected' || outcome === 'corrupted')
        this.#settled.delete(deliveryId)
    }
  }

  records(): Records {
    const { tasks, standings, stakes, mode } = this
    const lateAudits = [...this.lateAudits.values()].map((audit) => {
      return { audit, task: tasks.get(audit.taskId) as TaskRecord }
    })
    return { tasks: tasks.values(), standings: standings.values(), stakes, lateAudits, mode }
  }

  /** What was locked up is paid, given back or still locked up. */
  assertBalanced(): void {
    let open = 0n
    for (const reward of this.#escrows.values()) open += reward
    if (this.escrowedMicroCredit !== this.paidMicroCredit + this.refundedMicroCredit + open) {
      throw new Broken('value is not conserved', this)
    }
  }

  #hear(effect: Effect): void {
    switch (effect.kind) {
      case 'deliver':
        if (this.#given.has(effect.delivery.deliveryId))
          throw new Broken('an id was given twice', effect.delivery)
        this.#given.add(effect.delivery.deliveryId)
        return assertNoWorkerTwice(effect.task)
      case 'closeCommitments':
        return
      case 'settle':
        if (this.#settled.has(effect.deliveryId)) throw new Broken('a delivery was settled twice', effect)
        this.#settled.set(effect.deliveryId, effect.outcome)
        return
      case 'publish': {
        const { taskId } = effect.task.spec
        const told = this.#told.get(taskId) ?? 0
        // What was told and not saved is told again after a restart.
        if (effect.sequence > told + 1) throw new Broken('a history has a gap', effect.entry)
        this.#told.set(taskId, effect.sequence)
        return
      }
      case 'offence':
        this.offences.push(effect.offence)
        return
      case 'book':
        if (effect.entry.kind === 'escrow') this.#escrow(effect.entry)
        else if (effect.entry.kind === 'verdict') this.#verdict(effect.entry)
    }
  }

  #escrow({ taskId, rewardMicroCredit }: Book<'escrow'>): void {
    if (this.#escrows.has(taskId)) throw new Broken('a reward was locked up twice', taskId)
    this.#escrows.set(taskId, rewardMicroCredit)
    this.escrowedMicroCredit += rewardMicroCredit
  }

  #verdict({ taskId, payouts }: Book<'verdict'>): void {
    const reward = this.#escrows.get(taskId)
    if (reward === undefined) throw new Broken('a verdict without an escrow, or a second one', taskId)
    this.#escrows.delete(taskId)
    const paid = payouts.reduce((sum, { rewardMicroCredit }) => sum + rewardMicroCredit, 0n)
    if (payouts.length > 0 && paid !== reward) throw new Broken('not exactly the reward is paid', payouts)
    this.paidMicroCredit += paid
    this.refundedMicroCredit += reward - paid
  }

  #save(state: DispatchState, effects: readonly Effect[], savesAll: boolean): void {
    const promises = effects.some(({ kind }) => kind === 'book' || kind === 'offence')
    const later: Task[] = []
    let saved = false
    for (const task of state.unsavedTasks) {
      if (task.unsaved === 'now' || savesAll) {
        task.unsaved = 'no'
        this.tasks.set(task.spec.taskId, decodedTask(task))
        if (isEnded(task.status)) assertEnd(task)
        saved = true
      } else {
        later.push(task)
      }
    }
    if (promises && !saved) throw new Broken('a promise was made and nothing saved', effects)
    state.unsavedTasks = later
    if (!saved) return
    for (const standing of state.unsavedStandings) {
      this.standings.set(standing.workerId, decodedStanding(standing))
    }
    state.unsavedStandings.clear()
    for (const [deliveryId, { delivery, isDecided }] of state.unsavedAudits) {
      if (isDecided) this.lateAudits.delete(deliveryId)
      else this.lateAudits.set(deliveryId, lateAuditOf(delivery))
    }
    state.unsavedAudits.clear()
  }
}

function assertNoWorkerTwice(task: Task): void {
  const workers = task.deliveries.filter(({ excused }) => !excused).map(({ workerId }) => workerId)
  if (new Set(workers).size < workers.length)
    throw new Broken('a worker had a task twice', task.deliveries.map(inShort))
}

/** What is true of a task that has ended, whatever way it came to its end. */
function assertEnd(task: Task): void {
  const { deliveries, status, basis, deadReason, spec, outputDigest } = task
  const accepted = deliveries.filter(({ outcome }) => outcome === 'accepted')
  const about = deliveries.map(inShort)
  if (deliveries.some(({ state }) => state !== 'settled'))
    throw new Broken('an ended task has open work', about)
  if ((status === 'verified' || status === 'accepted') !== accepted.length > 0)
    throw new Broken(`accepted, yet ${status}`, about)
  if ((status === 'dead') !== (deadReason !== undefined)) throw new Broken('dead without a reason', about)
  if (status === 'accepted' && basis !== 'trusted') throw new Broken('accepted on another basis', about)
  if (status === 'verified' && basis !== 'agreement' && basis !== 'checked')
    throw new Broken('verified on nothing', about)
  if (spec.verify.mode === 'checked' && accepted.length > 0 && basis !== 'checked')
    throw new Broken('checked was not checked', about)
  if (basis === 'agreement' && accepted.length < Math.max(2, spec.verify.agreeing))
    throw new Broken('too few agree', about)
  if (basis === 'checked' && !accepted.some(({ check }) => check === 'right'))
    throw new Broken('nothing was checked', about)
  if (spec.exact && accepted.some((each) => each.outputDigest !== outputDigest))
    throw new Broken('accepted and different', about)
  const operators = accepted.map(({ operator }) => operator).filter((operator) => operator !== '')
  if (new Set(operators).size < operators.length) throw new Broken('one operator agreed with itself', about)
  if (!spec.exact && new Set(accepted.map(({ hardwareClass }) => hardwareClass)).size > 1) {
    throw new Broken('floats of different hardware agreed', about)
  }
}

const inShort = ({ workerId, state, outcome, check }: Delivery): string =>
  `${Buffer.from(workerId.slice(0, 12), 'hex')} ${state} ${outcome} ${check}`

function decodedTask(task: Task): TaskRecord {
  const decoded = taskRecord.decode(taskRecord.encode(task))
  if (!decoded.ok) throw new Broken('a task does not decode', decoded)
  return decoded.value
}

function decodedStanding(standing: StandingRecord): StandingRecord {
  const decoded = standingRecord.decode(standingRecord.encode(standing))
  if (!decoded.ok) throw new Broken('a standing does not decode', decoded)
  return decoded.value
}
