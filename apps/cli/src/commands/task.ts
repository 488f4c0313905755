/** Commands about one task or all of them. */
import { taskStatuses } from '@shardy/protocol'
import type { TaskView } from '@shardy/sdk'
import type { Call, Command, Outcome } from '../command.ts'
import { ended, exitOf } from '../ending.ts'
import { Failure, failureOf } from '../failure.ts'
import { assertWritable, writeBytesTo } from '../files.ts'
import { follow } from '../following.ts'
import { describeTask } from '../taskReport.ts'
import { bytes, count, duration, printable, table } from '../wording.ts'

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
  summary: 'wait until tasks have ended, saying what they wait for',
  operands: [`${taskOperand}…`],
  options: { to: { value: 'FILE', what: 'of one task: write the output there' } },
  more: 'Of several tasks, 0 says that all are verified; one that is not gives its own code.',
  example: 'wait 0123456789abcdef0123456789abcdef --to output.bin',
  async run(call) {
    const taskIds = [...new Set(call.operands.map((word) => taskIdOf([word])))]
    const [taskId = ''] = taskIds
    const file = call.options.text('to')
    if (file !== undefined && taskIds.length > 1) {
      throw new Failure('usage', '--to takes the output of one task', {
        next: 'Use `npx shardy get TASK_ID --output FILE`.',
      })
    }
    if (file !== undefined) await assertWritable(file)
    if (taskIds.length > 1) return waitForAll(call, taskIds)
    // Asked first, so that a wrong id or address is told at once.
    await call.requester.get(taskId)
    return ended(call, await follow(call, taskId))
  },
}

async function waitForAll(call: Call, taskIds: readonly string[]): Promise<Outcome> {
  const { requester, progress, world } = call
  call.onInterrupt('The tasks go on. `npx shardy list` shows them.')
  const tasks: TaskView[] = []
  progress.show(`waiting for ${count(taskIds.length, 'task')}`)
  for await (const task of requester.waitMany(taskIds, { signal: world.signal })) {
    tasks.push(task)
    progress.show(`${tasks.length} of ${count(taskIds.length, 'task')} ended; the last one is ${task.status}`)
  }
  const exits = tasks.map(exitOf)
  const exit = exits.find((each) => each === 'notVerified') ?? exits.find((each) => each !== 'done') ?? 'done'
  return { exit, json: { tasks }, text: tasks.map(describeTask).join('\n') }
}

export const get: Command = {
  name: 'get',
  summary: 'show one task, and fetch its output',
  operands: [taskOperand],
  options: { output: { value: 'FILE', what: 'write the output there, once it has one' } },
  example: 'get 0123456789abcdef0123456789abcdef --output output.bin',
  async run(call) {
    const { requester, operands, options } = call
    const taskId = taskIdOf(operands)
    const file = options.text('output')
    if (file !== undefined) await assertWritable(file)
    const task = await requester.get(taskId)
    const text = describeTask(task)
    if (file === undefined) return { json: task, text }
    await fetchOutput(call, taskId, file)
    return { json: task, text: `${text}\nThe output is in ${file}.` }
  },
}

async function fetchOutput({ requester, progress }: Call, taskId: string, file: string): Promise<number> {
  const content = await requester.output(taskId, {
    onProgress: (received) => progress.show(`downloading the output: ${bytes(received)}`),
  })
  progress.clear()
  await writeBytesTo(file, content)
  return content.length
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
    all: { what: 'all of them, however many' },
  },
  example: 'list --status waiting --limit 50',
  async run({ requester, options, world, progress }) {
    const status = statusOf(options.text('status'))
    const cursor = options.text('cursor')
    const limit = options.whole('limit', 1, limitMax) ?? 20
    const isAll = options.has('all')
    if (isAll && (options.has('limit') || cursor !== undefined)) {
      throw new Failure('usage', '--all shows everything; leave --limit and --cursor out')
    }
    const query = { limit: isAll ? limitMax : limit, ...(status && { status }) }
    let page = await requester.list({ ...query, ...(cursor && { cursor }) })
    while (isAll && page.nextCursor !== undefined) {
      const { tasks, nextCursor } = page
      progress.show(`${count(tasks.length, 'task')} so far`)
      const next = await requester.list({ ...query, cursor: nextCursor })
      // A server that never comes to an end must not keep us for ever.
      if (next.nextCursor === nextCursor) break
      page = { ...next, tasks: [...tasks, ...next.tasks] }
    }
    if (page.tasks.length === 0) {
      if (page.nextCursor !== undefined) {
        const none = status === undefined ? 'No tasks here' : `No tasks that are ${status} so far`
        return { json: page, text: `${none}; more may follow.${moreAfter(page.nextCursor)}` }
      }
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
  summary: 'cancel tasks that have not ended',
  operands: [`${taskOperand}…`],
  options: {},
  more: 'One that cannot be cancelled does not keep the others from it.',
  example: 'cancel 0123456789abcdef0123456789abcdef',
  async run({ requester, operands }) {
    const taskIds = [...new Set(operands.map((word) => taskIdOf([word])))]
    const [taskId = ''] = taskIds
    if (taskIds.length === 1) {
      const task = await requester.cancel(taskId)
      return { json: task, text: describeTask(task) }
    }
    return eachOf(taskIds, (id) => requester.cancel(id), 'is cancelled')
  },
}

/** Does the same to each, and tells how it went; the first that failed gives the exit code. */
export async function eachOf(
  taskIds: readonly string[],
  act: (taskId: string) => Promise<unknown>,
  done: string,
): Promise<Outcome> {
  const failures: { readonly taskId: string; readonly failure: Failure }[] = []
  const lines: string[] = []
  for (const taskId of taskIds) {
    try {
      await act(taskId)
      lines.push(`Task ${taskId} ${done}.`)
    } catch (error) {
      const failure = failureOf(error)
      // Nobody will answer the next time either.
      if (failure.exit !== 'refused') {
        if (lines.length === 0) throw error
        throw new Failure(failure.exit, `${failure.message}\nBefore that:\n${lines.join('\n')}`, {
          next: failure.next,
          cause: error,
        })
      }
      failures.push({ taskId, failure })
      lines.push(`Task ${taskId}: ${printable(failure.message)}`)
    }
  }
  const failed = failures.map(({ taskId, failure }) => ({ taskId, message: failure.message }))
  const isFailed = new Set(failed.map(({ taskId }) => taskId))
  return {
    exit: failures[0]?.failure.exit ?? 'done',
    json: { done: taskIds.filter((taskId) => !isFailed.has(taskId)), failed },
    text: lines.join('\n'),
  }
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
  summary: 'write the output of a task to a file',
  operands: [taskOperand],
  options: { to: { value: 'FILE', what: 'where to; int32 little-endian, row by row' } },
  async run(call) {
    const taskId = taskIdOf(call.operands)
    const file = call.options.text('to')
    if (file === undefined) throw new Failure('usage', '--to FILE is missing')
    await assertWritable(file)
    const length = await fetchOutput(call, taskId, file)
    return { json: { taskId, file, length }, text: `${count(length, 'byte')} of output are in ${file}.` }
  },
}
