/**
 * Which workers a task can go to (spec D6). What decides here is also what a requester is told who asks why a task
 * waits, and a worker that asks why it gets nothing.
 */
import { proofFeature } from '@shardy/protocol'
import type { DispatchPolicy } from './policy.ts'
import { hasHad, type Task, type TaskClass } from './task.ts'
import { keepsRoom, type Unavailable, unavailable, type Worker } from './worker.ts'

/** What keeps a worker from a whole class of tasks. */
export type ClassUnfit =
  | 'wrongKind'
  | 'tierTooLow'
  | 'featureMissing'
  | 'proofNotMade'
  | 'payloadTooLarge'
  | 'memoryTooSmall'
  | 'paysTooLittle'

/** What keeps it from one task. */
export type TaskUnfit = 'hasHadThisTask' | 'sameOperator' | 'otherHardware' | 'holdsTooMuch' | 'roomIsKept'

export type Unfit = Unavailable | ClassUnfit | TaskUnfit

export function classUnfitness(taskClass: TaskClass, { profile }: Worker): ClassUnfit | undefined {
  if (!profile.kinds.includes(taskClass.kind)) return 'wrongKind'
  if (profile.tier < taskClass.tierMin) return 'tierTooLow'
  for (const feature of taskClass.features) if (!profile.features.includes(feature)) return 'featureMissing'
  if (!makesProof(taskClass, profile.features)) return 'proofNotMade'
  if (taskClass.payloadBytes > profile.payloadBytesMax) return 'payloadTooLarge'
  if (taskClass.memoryBytes > profile.memoryBytes) return 'memoryTooSmall'
  if (profile.askMicroCredit > taskClass.pricePerGiga) return 'paysTooLittle'
  return undefined
}

function makesProof({ proof }: TaskClass, features: readonly string[]): boolean {
  return proof === 'none' || features.includes(proofFeature(proof))
}

/** What keeps it from a task for as long as it holds what it holds; alike for all fresh tasks of a class. */
export function roomUnfitness(
  { outputBytes }: TaskClass,
  wants: number,
  worker: Worker,
  policy: DispatchPolicy,
): TaskUnfit | undefined {
  if (worker.heldBytes + outputBytes > policy.heldBytesMax) return 'holdsTooMuch'
  return wants > 1 && keepsRoom(worker, policy) ? 'roomIsKept' : undefined
}

export function taskUnfitness(task: Task, worker: Worker, policy: DispatchPolicy): TaskUnfit | undefined {
  const room = roomUnfitness(task.taskClass, task.wants, worker, policy)
  if (room !== undefined || task.deliveries.length === 0) return room
  const had = hasHad(task, worker)
  if (had !== undefined) return had === 'worker' ? 'hasHadThisTask' : 'sameOperator'
  if (!task.spec.exact && !isSameHardware(task, worker)) return 'otherHardware'
  return undefined
}

/** Floats differ between devices, so the first that counts decides which kind of device the others have. */
function isSameHardware(task: Task, { profile }: Worker): boolean {
  for (const { outcome, hardwareClass } of task.deliveries) {
    if (outcome === undefined) return hardwareClass === profile.hardwareClass
  }
  return true
}

/** Why a worker cannot take a task now, or undefined when it can. */
export function unfitness(task: Task, worker: Worker, policy: DispatchPolicy): Unfit | undefined {
  return (
    classUnfitness(task.taskClass, worker) ??
    taskUnfitness(task, worker, policy) ??
    unavailable(worker, policy)
  )
}
