/** A task as requesters see it: plain JSON, bigints as decimal text, with what it is waiting for in words. */

import type { TaskView } from '@shardy/api'
import { decodeWork, factsOf } from '@shardy/compute/work'
import { type DeliveryRecord, explainWaiting, isEnded, type TaskRecord } from '@shardy/dispatch'
import type { DeliveryId, ProgramId, TaskId } from '@shardy/protocol'
import type { Services } from '../orchestrator.ts'

/** Programs are read again for a few words about them; many tasks run few programs. */
const summaries = new Map<ProgramId, string>()
const summariesMax = 10_000

async function summaryOf(task: TaskRecord): Promise<string> {
  const known = summaries.get(task.programId)
  if (known !== undefined) return known
  // Reading a large program takes a tenth of a second, and a page of them is not to hold up everybody else.
  await new Promise<void>((resolve) => setImmediate(resolve))
  const decoded = decodeWork(task.kind, task.program)
  if (!decoded.ok) throw new Error(`task ${task.taskId} holds a broken program: ${decoded.reason}`)
  const { summary } = factsOf(decoded.work)
  if (summaries.size >= summariesMax) summaries.clear()
  summaries.set(task.programId, summary)
  return summary
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
    // Not before the verdict: a requester that also computes must not read another's answer here.
    ...(outcome && outputDigest && { outputDigest }),
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

/** Of what is committed now, whatever was known of the task when the request began. */
export async function viewTask(services: Services, known: TaskRecord): Promise<TaskView> {
  const { archive, clock, dispatcher, gateway } = services
  const state = dispatcher.state()
  const live = state.tasks.get(known.taskId)
  const task = live ?? (isEnded(known.status) ? known : ((await archive.task(known.taskId)) ?? known))
  const deliveries = live
    ? live.deliveryIds.map((id) => state.deliveries.get(id)).filter((each) => each !== undefined)
    : await archive.deliveries(task)
  const waitingFor = live && explainWaiting(state, live, clock.nowMs())
  return {
    taskId: task.taskId,
    kind: task.kind,
    program: await summaryOf(task),
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
      .map((each) => viewDelivery(each, gateway.permille)),
    ...(waitingFor && { waitingFor }),
    ...(task.decidedAtMs !== undefined && { decidedAtMs: task.decidedAtMs }),
    ...(task.outputDigest && { outputDigest: task.outputDigest }),
    ...(task.deadReason && { deadReason: task.deadReason }),
  }
}
