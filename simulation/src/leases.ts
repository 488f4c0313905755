/** What must hold of the state after every step: who has what, what is due, and that nobody is forgotten. */
import { type DispatchState, isEnded } from '@shardy/dispatch'
import { demand } from './violation.ts'

type Task = DispatchState['tasks'] extends Map<unknown, infer T> ? T : never
type Delivery = Task['deliveries'][number]
type Worker = DispatchState['workers'] extends Map<unknown, infer W> ? W : never

/** How late the clock's tick may be: behind a slow disk, a commit waits for the one before it. */
const slackMs = 5_000

export function examineLeases(state: DispatchState): void {
  let open = 0
  for (const task of state.tasks.values()) open += examineTask(state, task)
  demand(open === state.deliveries.size, 'deliveriesAreOfLiveTasks', () => {
    return `${open} are open in tasks, ${state.deliveries.size} are known`
  })
  for (const worker of state.workers.values()) examineWorker(worker)
  let flows = 0
  for (const { liveTasks } of state.flows.values()) flows += liveTasks
  demand(
    flows === state.tasks.size,
    'requestersAreCounted',
    () => `${flows} live tasks of ${state.tasks.size}`,
  )
}

function examineTask(state: DispatchState, task: Task): number {
  const { taskId, verify } = task.spec
  let open = 0
  let pending = 0
  let isAsking = task.comparing
  for (let index = 0; index < task.deliveries.length; index++) {
    const delivery = task.deliveries[index] as Delivery
    examineHistory(task, delivery, index)
    if (delivery.state === 'settled') continue
    open++
    demand(state.deliveries.get(delivery.deliveryId) === delivery, 'deliveriesAreOfLiveTasks', () => {
      return `${delivery.deliveryId} of ${taskId} is ${delivery.state} and not known`
    })
    if (delivery.check === 'asked') isAsking = true
    if (delivery.state !== 'answered') {
      pending++
      examineLease(state, task, delivery)
    }
  }
  demand(!isEnded(task.status), 'endedTasksAreGone', () => `task ${taskId} is ${task.status}`)
  demand(task.dueIndex >= 0 && task.dueAtMs <= task.deadlineMs, 'deadlinesAreKept', () => `task ${taskId}`)
  demand(task.agreeing >= verify.agreeing, 'quorumIsAsAsked', () => `task ${taskId} wants ${task.agreeing}`)
  demand(pending > 0 || task.wants > 0 || isAsking, 'nobodyIsForgotten', () => {
    return `task ${taskId} is ${task.status} and neither waits for a worker nor is with one`
  })
  const waits = task.wants > 0 && task.notBeforeMs + slackMs < state.atMs
  demand(
    !waits || task.place !== 'none',
    'nobodyIsForgotten',
    () => `task ${taskId} wants a worker in no queue`,
  )
  return open
}

/** No worker has a task twice, but for one that lost it through no doing of its own; nor have two of one known operator. */
function examineHistory(task: Task, delivery: Delivery, index: number): void {
  for (let earlier = 0; earlier < index; earlier++) {
    const other = task.deliveries[earlier] as Delivery
    const { taskId } = task.spec
    if (other.workerId === delivery.workerId) {
      const isExcused = other.excused && lostByRestart(task, earlier)
      demand(isExcused, 'neverTheSameWorkerTwice', () => `${delivery.workerId} has task ${taskId} again`)
    } else if (delivery.operator !== '' && other.operator === delivery.operator) {
      const counts = (each: Delivery) => each.outcome === undefined || each.outcome === 'accepted'
      demand(
        !counts(other) || !counts(delivery),
        'operatorsCountOnce',
        () => `${delivery.operator} has task ${taskId} twice`,
      )
    }
  }
}

function lostByRestart({ history }: Task, index: number): boolean {
  return history.some(
    ({ type, attempt, detail }) =>
      type === 'lost' && attempt === index + 1 && detail === 'the orchestrator restarted',
  )
}

function examineLease(state: DispatchState, task: Task, delivery: Delivery): void {
  const { worker, workerId, deliveryId, dueMs } = delivery
  const isHeld = worker !== undefined && state.workers.get(workerId) === worker && worker.held.has(delivery)
  demand(isHeld, 'leasesHaveHolders', () => `${deliveryId} is out with ${workerId}, who does not hold it`)
  if (delivery.state === 'committed') return
  demand(task.dueAtMs <= dueMs, 'leasesEnd', () => `${deliveryId} is due and nobody will look`)
  // A task whose time ran out while nobody was there is given out once more before that is noticed.
  const endMs = Math.max(dueMs, delivery.leasedAtMs)
  demand(endMs + slackMs >= state.atMs, 'leasesEnd', () => {
    return `${deliveryId} is ${delivery.state}, ${state.atMs - dueMs} ms over its time, ${state.atMs - delivery.leasedAtMs} ms old`
  })
}

function examineWorker({ workerId, held, computing, profile, heldBytes }: Worker): void {
  const isIdle = held.size === 0 && computing === 0 && heldBytes === 0
  if (isIdle) return
  let counted = 0
  let bytes = 0
  const tasks = new Set<Task>()
  for (const delivery of held as unknown as ReadonlySet<Delivery>) {
    if (delivery.state === 'leased' || delivery.state === 'computing') counted++
    bytes += delivery.task.spec.outputLength
    tasks.add(delivery.task)
    demand(
      delivery.state !== 'settled',
      'leasesHaveHolders',
      () => `${workerId} holds ${delivery.deliveryId}, which is settled`,
    )
  }
  demand(tasks.size === held.size, 'oneLeasePerTaskAndWorker', () => `${workerId} has a task twice`)
  const room = profile.slots + profile.prefetch
  demand(counted <= room, 'oneLeasePerSlot', () => `${workerId} has ${counted} in ${room} places`)
  demand(
    counted === computing,
    'oneLeasePerSlot',
    () => `${workerId} computes ${counted} and is said to do ${computing}`,
  )
  demand(
    bytes === heldBytes,
    'oneLeasePerSlot',
    () => `${workerId} holds ${bytes} bytes and is said to hold ${heldBytes}`,
  )
}
