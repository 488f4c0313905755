/** A live task and its deliveries as dispatch holds them: the records, mutable, with what is derived from them. */
import type { CheckMechanism, MicroCredit } from '@shardy/protocol'
import type { Queued } from './classQueue.ts'
import type { DeliveryRecord, HistoryEntry, TaskRecord, TaskSpec } from './record.ts'
import type { ClassOf } from './taskClass.ts'
import type { Worker } from './worker.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface Delivery extends Mutable<DeliveryRecord> {
  readonly task: Task
  /** Its place among the task's deliveries, from 0. */
  readonly index: number
  /** While its worker is connected and it is out. */
  worker: Worker | undefined
  /** What it is expected to take its worker, without and with what waits there before it. */
  estimateMs: number
  expectedMs: number
  /** What is known of its answer beyond what the worker says. */
  check: 'unasked' | 'asked' | 'right' | 'wrong' | 'unknown'
  checkedBy: CheckMechanism | undefined
  /** What of its worker's stake an audit of it has put at risk. */
  exposureMicroCredit: MicroCredit
  /** Among the answers of a float task: equal numbers are the same within its tolerance. */
  group: number
}

export type TaskClass = ClassOf<Task>

export interface Task extends Mutable<Omit<TaskRecord, 'spec' | 'deliveries' | 'history'>>, Queued<Task> {
  readonly spec: TaskSpec
  readonly deliveries: Delivery[]
  readonly history: HistoryEntry[]
  readonly taskClass: TaskClass
  /** Deliveries that it wants beyond those it has; 0 keeps it out of every queue. */
  wants: number
  /** Answers that must be equal: as its policy says, or more where an adaptive task was chosen for replication. */
  agreeing: number
  /** Where it stands among what falls due; -1: nowhere. */
  dueIndex: number
  dueAtMs: number
  /** A comparison of its answers is under way. */
  comparing: boolean
  /** What must be on disk before the effects that rest on it: `now`; what may wait: `later`. */
  unsaved: 'no' | 'later' | 'now'
}

/** A record with what is derived from it, which is nothing yet. */
export function newTask(record: TaskRecord, taskClass: TaskClass): Task {
  taskClass.liveTasks++
  return {
    ...record,
    deliveries: [],
    history: [...record.history],
    taskClass,
    wants: 0,
    place: 'none',
    before: undefined,
    after: undefined,
    agreeing: record.spec.verify.agreeing,
    dueIndex: -1,
    dueAtMs: 0,
    comparing: false,
    unsaved: 'no',
  }
}

export function newDelivery(task: Task, record: DeliveryRecord): Delivery {
  const delivery: Delivery = {
    ...record,
    task,
    index: task.deliveries.length,
    worker: undefined,
    estimateMs: 0,
    expectedMs: 0,
    check: 'unasked',
    checkedBy: undefined,
    exposureMicroCredit: 0n as MicroCredit,
    group: 0,
  }
  task.deliveries.push(delivery)
  return delivery
}

/** D6: no worker gets a task twice, nor do two of one operator whose answers would count together. */
export function hasHad(task: Task, worker: Worker): 'worker' | 'operator' | undefined {
  const { operator } = worker.profile
  for (const delivery of task.deliveries) {
    if (delivery.workerId === worker.workerId) {
      if (!delivery.excused) return 'worker'
    } else if (operator !== '' && delivery.operator === operator && countsForAgreement(delivery)) {
      return 'operator'
    }
  }
  return undefined
}

function countsForAgreement({ outcome }: Delivery): boolean {
  return outcome === undefined || outcome === 'accepted'
}
