/** A task as requesters see it: plain JSON, bigints as decimal text, with what it is waiting for in words. */

import type { TaskView } from '@shardy/api'
import {
  type DeliveryRecord,
  type DispatchState,
  explainWaiting,
  isEnded,
  type TaskRecord,
} from '@shardy/dispatch'
import type { DeliveryId, TaskId } from '@shardy/protocol'
import { decodeProgram, type Program } from '@shardy/tensor'
import type { Services } from '../orchestrator.ts'

function programOf(task: TaskRecord): Program {
  const decoded = decodeProgram(task.program)
  if (!decoded.ok) throw new Error(`task ${task.taskId} holds a broken program`, { cause: decoded.refusal })
  return decoded.value
}

type DeliveryView = TaskView['deliveries'][number]

function viewDelivery(
  delivery: DeliveryRecord,
  permille: (id: DeliveryId) => number | undefined,
): DeliveryView {
  const { deliveryId, workerId, state, outcome, outputDigest, leasedAtMs, deadlineMs } = delivery
  const done = permille(deliveryId)
  return {
    deliveryId,
    workerId,
    state,
    leasedAtMs,
    deadlineMs,
    rewardMicroCredit: String(delivery.rewardMicroCredit),
    ...(outcome && { outcome }),
    ...(outputDigest && { outputDigest }),
    ...(done !== undefined && { permille: done }),
  }
}

/** The committed record of a task, live or ended. */
export async function findTask(
  { dispatcher, archive }: Services,
  taskId: TaskId,
): Promise<TaskRecord | undefined> {
  return dispatcher.state().tasks.get(taskId) ?? archive.task(taskId)
}

export async function viewTask(services: Services, task: TaskRecord): Promise<TaskView> {
  const state: DispatchState = services.dispatcher.state()
  const live = task.deliveryIds.map((id) => state.deliveries.get(id))
  const deliveries = isEnded(task.status)
    ? await services.archive.deliveries(task)
    : live.filter((each): each is DeliveryRecord => each !== undefined)
  const waitingFor = isEnded(task.status) ? undefined : explainWaiting(state, task, services.clock.nowMs())
  return {
    taskId: task.taskId,
    kind: task.kind,
    program: programOf(task),
    programId: task.programId,
    seed: String(task.seed),
    input: { digest: task.inputDigest, length: task.inputLength },
    redundancy: task.redundancy,
    rewardMicroCredit: String(task.rewardMicroCredit),
    output: task.keepOutput ? 'keep' : 'digest',
    status: task.status,
    submittedAtMs: task.submittedAtMs,
    deadlineMs: task.deadlineMs,
    outputLength: task.outputLength,
    deliveries: [...deliveries]
      .sort((left, right) => left.leasedAtMs - right.leasedAtMs)
      .map((each) => viewDelivery(each, services.gateway.permille)),
    ...(waitingFor && { waitingFor }),
    ...(task.decidedAtMs !== undefined && { decidedAtMs: task.decidedAtMs }),
    ...(task.outputDigest && { outputDigest: task.outputDigest }),
    ...(task.deadReason && { deadReason: task.deadReason }),
  }
}
