/** What operators do: dead letters, the mode of dispatch, and draining workers. Each act is in the audit log before it is done. */
import {
  ApiError,
  type AuditAction,
  type DeadLetter,
  type DeadLetterPage,
  type DispatchOrder,
  type DispatchView,
  type RequeueOrder,
  type WorkerOrder,
  type WorkerView,
} from '@shardy/api'
import { type DispatchMode, explainIdle, reputationOf, revivalsMax, type TaskRecord } from '@shardy/dispatch'
import { deliveriesPerTaskMax, type TaskId, type TimeMs, type WorkerId } from '@shardy/protocol'
import type { Actor } from '../access/audit.ts'
import type { Services } from '../orchestrator.ts'
import { dispatchModeOperation } from '../tasks/dispatchMode.ts'
import { viewEvent } from './taskEvents.ts'
import {
  defaults,
  forgetTask,
  insufficientFunds,
  refuseBeingChecked,
  refuseLiveCampaign,
  settle,
} from './tasks.ts'
import { findTask, viewTask } from './taskView.ts'
import { isQuarantined } from './workers.ts'

async function viewDeadLetter(services: Services, task: TaskRecord): Promise<DeadLetter> {
  return {
    requesterId: task.spec.requesterId,
    revivals: task.revivals,
    task: await viewTask(services, task),
    history: task.history.flatMap((_, index) => viewEvent(task, index + 1) ?? []),
  }
}

async function foundDeadLetter(services: Services, task: TaskRecord): Promise<readonly DeadLetter[]> {
  try {
    return [await viewDeadLetter(services, task)]
  } catch (error) {
    if (error instanceof ApiError && error.problem.code === 'unknownTask') return []
    throw error
  }
}

async function deadTask(services: Services, taskId: string): Promise<TaskRecord> {
  const task = await findTask(services, taskId as TaskId)
  if (task === undefined) {
    const detail = `there is no task ${taskId}`
    throw new ApiError('unknownTask', { detail, field: 'taskId', value: taskId })
  }
  if (task.status === 'dead') return task
  const detail = `task ${taskId} is ${task.status}`
  throw new ApiError('taskNotDead', { detail, field: 'taskId', value: taskId })
}

export async function listDeadLetters(
  services: Services,
  { limit = '50', cursor }: { readonly limit?: string; readonly cursor?: string },
): Promise<DeadLetterPage> {
  const page = await services.archive.deadLetters(Number(limit), cursor)
  const deadLetters: DeadLetter[] = []
  // One that was put back to work or purged meanwhile is a dead letter no more.
  for (const task of page.tasks)
    if (task.status === 'dead') deadLetters.push(...(await foundDeadLetter(services, task)))
  return { deadLetters, ...(page.nextCursor && { nextCursor: page.nextCursor }) }
}

export async function getDeadLetter(services: Services, taskId: string): Promise<DeadLetter> {
  return viewDeadLetter(services, await deadTask(services, taskId))
}

/** In turn with whoever forgets it or submits under its key. */
export async function requeueDeadLetter(
  services: Services,
  taskId: string,
  { timeoutMs = defaults.timeoutMs }: RequeueOrder,
  by: Actor,
): Promise<DeadLetter> {
  const { audit, bookkeeper, clock, taskTurns } = services
  return taskTurns.take(taskId as TaskId, async () => {
    const task = await deadTask(services, taskId)
    const { requesterId, rewardMicroCredit, campaignId } = task.spec
    if (campaignId !== undefined) {
      // Its item has a result or another attempt, and what a second life costs is in no budget.
      throw new ApiError(
        'campaignTask',
        `task ${taskId} belongs to campaign ${campaignId}, which decides about it`,
      )
    }
    if (task.revivals >= revivalsMax || task.deliveries.length >= deliveriesPerTaskMax) {
      const bound = `${revivalsMax} revivals and ${deliveriesPerTaskMax} deliveries`
      const value = `${task.revivals} revivals and ${task.deliveries.length} deliveries`
      const detail = `task ${taskId} has had ${value}; a task may have ${bound}`
      throw new ApiError('revivalsSpent', { detail, field: 'taskId', value, bound })
    }
    // Its reward went back to the requester when it died.
    const unfunded = bookkeeper.reserve(requesterId, rewardMicroCredit)
    if (unfunded !== undefined) throw insufficientFunds(unfunded)
    try {
      await audit.append({ action: 'taskRequeued', subject: taskId, detail: `for ${timeoutMs} ms`, by })
      const deadlineMs = (clock.nowMs() + timeoutMs) as TimeMs
      await settle(services, { kind: 'requeue', task, deadlineMs })
    } finally {
      bookkeeper.release(requesterId, rewardMicroCredit)
    }
    return viewDeadLetter(services, (await findTask(services, task.spec.taskId)) ?? task)
  })
}

export async function purgeDeadLetter(services: Services, taskId: string, by: Actor): Promise<void> {
  const task = await deadTask(services, taskId)
  const { requesterId } = task.spec
  refuseLiveCampaign(services, task)
  refuseBeingChecked(services, task)
  await services.audit.append({
    action: 'taskPurged',
    subject: taskId,
    detail: `of requester ${requesterId}`,
    by,
  })
  await forgetTask(services, task)
}

const modes = {
  pause: 'paused',
  resume: 'running',
  drain: 'draining',
} as const satisfies Readonly<Record<DispatchOrder, DispatchMode>>
const modeActions = {
  pause: 'dispatchPaused',
  resume: 'dispatchResumed',
  drain: 'dispatchDrained',
} as const satisfies Readonly<Record<DispatchOrder, AuditAction>>

export async function operateDispatch(
  services: Services,
  order: DispatchOrder,
  by: Actor,
): Promise<DispatchView> {
  const mode = modes[order]
  await services.modeTurns.take('mode', async () => {
    // Kept first, and then never refused for want of room: a restart would find another mode than the one in force.
    if (services.dispatcher.isClosed()) throw new ApiError('shuttingDown', 'nothing was changed')
    await services.audit.append({ action: modeActions[order], by }, [dispatchModeOperation(mode)])
    if (services.dispatcher.isClosed()) {
      throw new ApiError('shuttingDown', 'it is kept, and in force once the orchestrator has started again')
    }
    await settle(services, { kind: 'operate', mode }, 'owed')
  })
  return viewDispatch(services)
}

const classesShownMax = 100
const waitingScannedMax = 1_024

/** The oldest among those that are looked at, which are all but in a very long queue. */
function oldestOf(
  tasks: Iterable<{ readonly spec: { readonly submittedAtMs: TimeMs } }>,
): number | undefined {
  let oldest: number | undefined
  let scanned = 0
  for (const { spec } of tasks) {
    oldest = Math.min(oldest ?? spec.submittedAtMs, spec.submittedAtMs)
    if (++scanned === waitingScannedMax) break
  }
  return oldest
}

export function viewDispatch({ clock, dispatcher }: Services): DispatchView {
  const state = dispatcher.state()
  const nowMs = clock.nowMs()
  const waiting = [...state.waitingClasses].filter(({ queue }) => queue.size > 0)
  waiting.sort((left, right) => right.queue.size - left.queue.size)
  const classes = waiting.slice(0, classesShownMax).map((each): DispatchView['classes'][number] => {
    const { kind, tierMin, features, payloadBytes, memoryBytes, queue } = each
    const oldest = oldestOf(queue.waiting())
    return {
      kind,
      tierMin,
      features: [...features],
      payloadBytes,
      memoryBytes,
      waiting: queue.size,
      ...(oldest !== undefined && { oldestWaitingMs: Math.max(0, nowMs - oldest) }),
    }
  })
  let [draining, quarantined] = [0, 0]
  for (const worker of state.workers.values()) {
    if (worker.draining) draining++
    if (worker.quarantined) quarantined++
  }
  return {
    mode: state.mode,
    liveTasks: state.tasks.size,
    queuedInputs: dispatcher.queued(),
    classes,
    workers: { connected: state.workers.size, idle: state.idle.length, draining, quarantined },
  }
}

export function viewWorker(services: Services, id: string): WorkerView {
  const { bookkeeper, dispatcher, gateway } = services
  const state = dispatcher.state()
  const workerId = id as WorkerId
  const worker = state.workers.get(workerId)
  const standing = state.standings.get(workerId)
  if (worker === undefined && standing === undefined) throw unknownWorker(id, 'has ever worked here')
  const idle = worker && explainIdle(state, worker)
  return {
    workerId,
    connected: worker !== undefined,
    draining: worker?.draining ?? false,
    quarantined: isQuarantined(worker, standing),
    banned: standing?.conduct.isBanned ?? false,
    ...gateway.facts(workerId),
    ...(worker && { presence: worker.presence, profile: profileOf(worker.profile) }),
    inFlight: worker?.held.size ?? 0,
    ...(idle && {
      idle: { text: idle.text, constraints: idle.constraints.map(({ constraint }) => constraint) },
    }),
    ...(standing && {
      standing: {
        firstSeenMs: standing.firstSeenMs,
        accepted: standing.acceptedCount,
        disagreed: standing.disagreedCount,
        wrong: standing.wrongCount,
        lost: standing.lostCount,
        rejected: standing.rejectedCount,
        corrupted: standing.corruptedCount,
        offences: standing.conduct.offences,
      },
    }),
    reputation: reputationOf(state, workerId),
    lockedMicroCredit: String(bookkeeper.book.slashable(workerId)),
  }
}

type Profile = NonNullable<WorkerView['profile']>

function profileOf(
  profile: Omit<Profile, 'kinds' | 'features'> & {
    readonly kinds: Readonly<Profile['kinds']>
    readonly features: Readonly<Profile['features']>
  },
): Profile {
  const { kinds, tier, operationsPerSecond, hiddenPermille, memoryBytes, slots, features, region, operator } =
    profile
  return {
    kinds: [...kinds],
    tier,
    operationsPerSecond,
    hiddenPermille,
    memoryBytes,
    slots,
    features: [...features],
    region,
    operator,
  }
}

export async function operateWorker(
  services: Services,
  id: string,
  order: WorkerOrder,
  by: Actor,
): Promise<WorkerView> {
  const workerId = id as WorkerId
  if (!services.dispatcher.state().workers.has(workerId)) throw unknownWorker(id, 'is connected')
  const draining = order === 'drain'
  await services.audit.append({ action: draining ? 'workerDrained' : 'workerUndrained', subject: id, by })
  await settle(services, { kind: 'drainWorker', workerId, draining })
  return viewWorker(services, id)
}

function unknownWorker(workerId: string, what: string): ApiError {
  const detail = `no worker ${workerId} ${what}`
  return new ApiError('unknownWorker', { detail, field: 'workerId', value: workerId })
}
