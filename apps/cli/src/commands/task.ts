/** Commands about one task or all of them. */
import { taskStatuses } from '@shardy/protocol'
import type { TaskView } from '@shardy/sdk'
import type { Command } from '../command.ts'
import { Failure } from '../failure.ts'
import { assertWritable, writeBytesTo } from '../files.ts'
import { follow } from '../following.ts'
import { describeTask } from '../taskReport.ts'
import { bytes, count, duration, printable, table } from '../wording.ts'
import { ended } from './submitMatmul.ts'

const taskOperand = 'TASK_ID'

/** Before anything is sent: a slip of the pen need not travel. */
export function taskIdOf([word = '']: readonly string[]): string {
  if (/^[0-9a-f]{32}$/.test(word)) return word
  throw new Failure('usage', `'${word}' is no task id; one has 32 characters 0-9 and a-f`, {
    next: '`npx shardy list` shows the tasks there are.',
  })
}

export const wait: Command = {
  name: 'wait',
  summary: 'wait until a task has ended, saying what it waits for',
  operands: [taskOperand],
  options: { to: { value: 'FILE', what: 'write the output there' } },
  async run(call) {
    const taskId = taskIdOf(call.operands)
    const file = call.options.text('to')
    if (file !== undefined) await assertWritable(file)
    // Asked first, so that a wrong id or address is told at once.
    await call.requester.get(taskId)
    return ended(call, await follow(call, taskId))
  },
}

export const get: Command = {
  name: 'get',
  summary: 'show one task',
  operands: [taskOperand],
  options: {},
  async run({ requester, operands }) {
    const task = await requester.get(taskIdOf(operands))
    return { json: task, text: describeTask(task) }
  },
}

const limitMax = 200

function statusOf(word: string | undefined): TaskView['status'] | undefined {
  const status = taskStatuses.find((each) => each === word)
  if (word === undefined || status !== undefined) return status
  throw new Failure('usage', `--status is '${word}'; it must be one of ${taskStatuses.join(', ')}`)
}

export const list: Command = {
  name: 'list',
  summary: 'show your tasks, newest first',
  operands: [],
  options: {
    status: { value: 'STATUS', what: `only tasks that are ${taskStatuses.join(', ')}` },
    limit: { value: 'N', what: `at most so many, 1 to ${limitMax}; 20 unless given` },
    cursor: { value: 'CURSOR', what: 'go on where an earlier list ended' },
  },
  async run({ requester, options, world }) {
    const status = statusOf(options.text('status'))
    const cursor = options.text('cursor')
    const limit = options.whole('limit', 1, limitMax) ?? 20
    const page = await requester.list({ limit, ...(status && { status }), ...(cursor && { cursor }) })
    if (page.tasks.length === 0) {
      const none = status === undefined ? 'No tasks yet.' : `No tasks that are ${status}.`
      return { json: page, text: `${none}\nNext:\n  npx shardy submit matmul --size 64 --wait` }
    }
    const rows = page.tasks.map((task) => [
      task.taskId,
      task.status,
      printable(task.program),
      `${duration(world.nowMs() - task.submittedAtMs)} ago`,
    ])
    const shown = table([['TASK_ID', 'STATUS', 'PROGRAM', 'SUBMITTED'], ...rows])
    return { json: page, text: `${shown}${moreAfter(page.nextCursor)}` }
  },
}

/** The cursor is the server's own text in a line that people copy into a shell: only plain ones are shown. */
function moreAfter(cursor: string | undefined): string {
  if (cursor === undefined) return ''
  return `\nThere are more${/^[\w=-]+$/.test(cursor) ? `:\n  npx shardy list --cursor ${cursor}` : '.'}`
}

export const cancel: Command = {
  name: 'cancel',
  summary: 'cancel a task that has not ended',
  operands: [taskOperand],
  options: {},
  async run({ requester, operands }) {
    const task = await requester.cancel(taskIdOf(operands))
    return { json: task, text: describeTask(task) }
  },
}

export const forget: Command = {
  name: 'forget',
  summary: 'forget an ended task and let go of its input and output',
  operands: [taskOperand],
  options: {},
  async run({ requester, operands }) {
    const taskId = taskIdOf(operands)
    await requester.forget(taskId)
    return { json: { taskId, forgotten: true }, text: `Task ${taskId} is forgotten.` }
  },
}

export const output: Command = {
  name: 'output',
  summary: 'write the agreed output to a file',
  operands: [taskOperand],
  options: { to: { value: 'FILE', what: 'where to; int32 little-endian, row by row' } },
  async run({ requester, operands, options, progress }) {
    const taskId = taskIdOf(operands)
    const file = options.text('to')
    if (file === undefined) throw new Failure('usage', '--to FILE is missing')
    await assertWritable(file)
    const content = await requester.output(taskId, {
      onProgress: (received) => progress.show(`downloading the output: ${bytes(received)}`),
    })
    progress.clear()
    await writeBytesTo(file, content)
    const size = count(content.length, 'byte')
    return {
      json: { taskId, file, length: content.length },
      text: `${size} of agreed output are in ${file}.`,
    }
  },
}
