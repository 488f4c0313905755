/** A task as requesters see it: plain JSON, bigints as decimal text, with what it is waiting for in words. */

import { ApiError, type TaskView } from '@shardy/api'
import { decodeWork, factsOf } from '@shardy/compute/work'
import {
  type DeliveryRecord,
  explainWaiting,
  isEnded,
  type TaskRecord,
  type TaskSpec,
} from '@shardy/dispatch'
import { type DeliveryId, describeVerify, type ProgramId, proofWords, type TaskId } from '@shardy/protocol'
import type { Services } from '../orchestrator.ts'
import { restsOn } from './verification.ts'

/** Programs are read again for a few words about them; many tasks run few programs. */
const summaries = new Map<ProgramId, string>()
const summariesMax = 10_000

async function summaryOf(task: TaskSpec): Promise<string> {
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

/** The record of a task, live or ended. What is told of it must be durable: see `settled`. */
export async function findTask(
  { dispatcher, archive }: Services,
  taskId: TaskId,
): Promise<TaskRecord | undefined> {
  return dispatcher.state().tasks.get(taskId) ?? archive.task(taskId)
}

/** As it is decided now, once that is durable. */
export async function viewTask(services: Services, task: TaskRecord): Promise<TaskView> {
  const view = await viewIfThere(services, task, true)
  if (view !== undefined) return view
  const { taskId } = task.spec
  const detail = `task ${taskId} was forgotten while it was looked at`
  throw new ApiError('unknownTask', { detail, field: 'taskId', value: taskId })
}

/** Each explanation looks at many workers, and all of a page are made in one go. */
const explainedMax = 16

/** A page of tasks. What was forgotten meanwhile is left out; only the first that wait are explained. */
export async function viewTasks(services: Services, tasks: readonly TaskRecord[]): Promise<TaskView[]> {
  let explained = 0
  const views = tasks.map((task) => {
    const explains = !isEnded(task.status) && explained++ < explainedMax
    return viewIfThere(services, task, explains)
  })
  return (await Promise.all(views)).flatMap((view) => view ?? [])
}

/** Undefined when it has been forgotten. */
async function viewIfThere(
  services: Services,
  { spec }: TaskRecord,
  explains: boolean,
): Promise<TaskView | undefined> {
  const { archive, dispatcher } = services
  const program = await summaryOf(spec)
  const live = dispatcher.state().tasks.get(spec.taskId)
  // Looked at before the wait: meanwhile more is decided, and nobody is told what a crash could take back.
  const view = live && look(services, live, program, explains)
  await dispatcher.caughtUp()
  if (view !== undefined) return view
  const ended = await archive.task(spec.taskId)
  return ended && look(services, ended, program, false)
}

function look(
  { dispatcher, gateway }: Services,
  task: TaskRecord,
  program: string,
  explains: boolean,
): TaskView {
  const { spec } = task
  const state = dispatcher.state()
  const live = explains ? state.tasks.get(spec.taskId) : undefined
  const waiting = live && explainWaiting(state, live)
  const { verify, proof, priority, keepOutput, inputDigest, inputLength, outputLength } = spec
  return {
    taskId: spec.taskId,
    kind: spec.kind,
    program,
    programId: spec.programId,
    seed: String(spec.seed),
    input: { digest: inputDigest, length: inputLength },
    verify: describeVerify(verify),
    proof,
    proofSays: proofWords[proof].short,
    priority,
    rewardMicroCredit: String(spec.rewardMicroCredit),
    output: keepOutput ? 'keep' : 'digest',
    status: task.status,
    submittedAtMs: spec.submittedAtMs,
    deadlineMs: task.deadlineMs,
    outputLength,
    deliveries: task.deliveries.map((each) => viewDelivery(each, gateway.permille)),
    ...(waiting && {
      waitingFor: waiting.text,
      constraints: waiting.constraints.map(({ constraint }) => constraint),
    }),
    ...(task.decidedAtMs !== undefined && { decidedAtMs: task.decidedAtMs }),
    ...(task.outputDigest && { outputDigest: task.outputDigest }),
    ...(task.deadReason && { deadReason: task.deadReason }),
    ...(task.basis && { basis: task.basis, rests: restsOn(task) }),
    ...(task.checkedBy && { checkedBy: task.checkedBy }),
  }
}
