/** Waits for a task's end while saying what it waits for. */
import { parseVerify } from '@shardy/protocol'
import type { EventView, Requester, TaskView } from '@shardy/sdk'
import type { Call } from './command.ts'
import { count, printable, short } from './wording.ts'

/** How often the task is asked what it waits for. */
const lookMs = 1_000

/** What a task that has not ended is doing. */
export function activity(task: TaskView): string {
  const { status, waitingFor, deliveries } = task
  const { agreeing = 1 } = parseVerify(task.verify) ?? {}
  const answers = deliveries.filter(({ state }) => state === 'answered').length
  const open = deliveries.filter(({ state, outcome }) => outcome === undefined && state !== 'answered')
  const done = open.flatMap(({ permille }) =>
    permille === undefined ? [] : [`${Math.floor(permille / 10)} %`],
  )
  const parts = [
    status === 'waiting' ? 'waiting' : `running on ${count(open.length, 'worker')}`,
    ...(done.length > 0 ? [done.join(' and ')] : []),
    ...(answers > 0 ? [`${answers} of ${agreeing} answers are in`] : []),
    ...(waitingFor === undefined ? [] : [waitingFor]),
    // Common on a first day, and mended in a second.
    ...(waitingFor?.includes('more worker')
      ? ['to add one, open the worker page, or `npm start -- --providers 2`']
      : []),
  ]
  return parts.join('; ')
}

/** The events that a person wants to hear of. */
function news({ type, workerId, detail }: EventView): string | undefined {
  const who = workerId === undefined ? 'a worker' : `worker ${short(workerId)}`
  switch (type) {
    case 'delivered':
      return `${who} has it`
    case 'answered':
      return `${who} answered`
    case 'rejected':
      return `${who} handed it back${detail === undefined ? '' : `: ${detail}`}`
    case 'lost':
      return `${who} was lost; another one gets it`
    case 'corrupted':
      return `the answer of ${who} came damaged; it is tried again`
    case 'consensus_mismatch':
      return 'the answers differ; who is right is found out'
    case 'wrong':
      return `the answer of ${who} was checked and is wrong; another one gets it`
    case 'audited':
      return 'the answer was drawn for a check'
    case 'replicated':
      return 'others are asked as well, and must agree'
    case 'requeued':
      return 'an operator put it back to work'
    default:
      return undefined
  }
}

export async function follow(call: Call, taskId: string): Promise<TaskView> {
  const { requester, progress, world } = call
  call.onInterrupt(`The task goes on. \`npx shardy wait ${taskId}\` waits for it again.`)
  let isOver = false
  const look = (): void => {
    say(requester, taskId, (text) => {
      if (!isOver) progress.show(text)
    })
  }
  const stop = world.every(lookMs, look)
  look()
  try {
    return await requester.wait(taskId, {
      signal: world.signal,
      onEvent: (event) => {
        const text = news(event)
        if (text !== undefined) progress.show(`task ${short(taskId)} ${text}`)
      },
    })
  } finally {
    isOver = true
    stop()
    progress.clear()
  }
}

/** Nothing is lost when one look fails: the waiting itself notices what is wrong. */
function say(requester: Requester, taskId: string, show: (text: string) => void): void {
  requester.get(taskId).then(
    (task) => {
      if (task.status !== 'waiting' && task.status !== 'running') return
      show(`task ${short(taskId)} ${printable(activity(task))}`)
    },
    () => {},
  )
}
