/** Commands about the handing out of work as a whole. All but looking take a key that may operate dispatch. */
import type { DispatchOrder, DispatchView } from '@shardy/sdk'
import type { Command } from '../command.ts'
import { bytes, count, duration, printable, table } from '../wording.ts'

const modes: Readonly<Record<DispatchView['mode'], string>> = {
  running: 'Dispatch is running.',
  paused: 'Dispatch is paused: tasks are taken, and nothing is given out.',
  draining: 'Dispatch is draining: no new task is taken, and those that were taken go on.',
}

function describe({ mode, liveTasks, queuedInputs, classes, workers }: DispatchView): string {
  const { connected, idle, draining, quarantined } = workers
  const lines = [
    modes[mode],
    `  tasks    ${count(liveTasks, 'task')} live, ${count(queuedInputs, 'input')} to be decided`,
    `  workers  ${connected} connected, ${idle} idle, ${draining} draining, ${quarantined} quarantined`,
  ]
  if (classes.length === 0) return [...lines, 'No task waits for a worker.'].join('\n')
  const rows = classes.map((each) => [
    String(each.waiting),
    each.oldestWaitingMs === undefined ? '-' : duration(each.oldestWaitingMs),
    each.kind,
    each.tierMin === 0 ? 'any' : String(each.tierMin),
    bytes(each.payloadBytes),
    bytes(each.memoryBytes),
    printable(each.features.join(',')) || '-',
  ])
  const head = ['WAITING', 'OLDEST', 'KIND', 'TIER', 'PAYLOAD', 'MEMORY', 'FEATURES']
  return [...lines, table([head, ...rows])].join('\n')
}

export const dispatchStatus: Command = {
  name: 'dispatch status',
  summary: 'show what waits, by what it asks of workers',
  operands: [],
  options: {},
  more: 'It takes a key that may read metrics.',
  example: 'dispatch status',
  async run({ operator }) {
    const view = await operator.dispatch()
    return { json: view, text: describe(view) }
  },
}

export const dispatch: Command = { ...dispatchStatus, name: 'dispatch', example: 'dispatch' }

const ordered = (order: DispatchOrder, summary: string): Command => ({
  name: `dispatch ${order}`,
  summary,
  operands: [],
  options: {},
  more: 'It takes a key that may operate dispatch, is in the audit log, and lasts until the next order or start.',
  example: `dispatch ${order}`,
  async run({ operator }) {
    const view = await operator.operate(order)
    return { json: view, text: describe(view) }
  },
})

export const dispatchPause = ordered('pause', 'give nothing out until resumed; tasks are still taken')
export const dispatchResume = ordered('resume', 'take tasks and give them out again')
export const dispatchDrain = ordered('drain', 'take no new task, and let the others run out')
