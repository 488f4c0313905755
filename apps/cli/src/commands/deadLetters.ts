/** Tasks of anybody that died: shown, put back to work, forgotten. They take an operator's key. */
import type { DeadLetter } from '@shardy/sdk'
import type { Command } from '../command.ts'
import { describeTask } from '../taskReport.ts'
import { readTimeout } from '../terms.ts'
import { duration, printable, short, table } from '../wording.ts'
import { eachOf, taskIdOf } from './task.ts'

const limitMax = 200

const idsOf = (operands: readonly string[]): string[] => [
  ...new Set(operands.map((word) => taskIdOf([word]))),
]

/** The cursor is the server's own text in a line that people copy into a shell: only plain ones are shown. */
function moreAfter(cursor: string | undefined): string {
  if (cursor === undefined) return ''
  const isPlain = /^[0-9a-f]+$/.test(cursor)
  return `\nThere are more${isPlain ? `:\n  npx shardy dead-letters list --cursor ${cursor}` : '.'}`
}

function listing(name: string): Command {
  return {
    name,
    summary: 'list everybody’s tasks that died',
    operands: [],
    options: {
      limit: { value: 'N', what: `at most so many, 1 to ${limitMax}; 20 unless given` },
      cursor: { value: 'TASK_ID', what: 'those behind that one' },
    },
    example: 'dead-letters list --limit 50',
    async run({ operator, options, world }) {
      const limit = options.whole('limit', 1, limitMax) ?? 20
      const given = options.text('cursor')
      const cursor = given === undefined ? undefined : taskIdOf([given])
      const page = await operator.deadLetters({ limit, cursor })
      if (page.deadLetters.length === 0) {
        const text =
          page.nextCursor === undefined
            ? 'No task has died.'
            : `No dead letters here; more may follow.${moreAfter(page.nextCursor)}`
        return { json: page, text }
      }
      const rows = page.deadLetters.map(({ task, requesterId, revivals }) => [
        task.taskId,
        task.deadReason ?? '-',
        String(task.deliveries.length),
        String(revivals),
        short(requesterId),
        printable(task.program),
        `${duration(world.nowMs() - (task.decidedAtMs ?? task.submittedAtMs))} ago`,
      ])
      const head = ['TASK_ID', 'REASON', 'DELIVERIES', 'REVIVALS', 'REQUESTER', 'PROGRAM', 'DIED']
      return { json: page, text: `${table([head, ...rows])}${moreAfter(page.nextCursor)}` }
    },
  }
}

export const deadLetters = listing('dead-letters')
export const deadLettersList = listing('dead-letters list')

function describeHistory({ history }: DeadLetter): string {
  const rows = history.map(({ atMs, type, workerId, detail }) => [
    `  ${new Date(atMs).toISOString()}`,
    type,
    workerId === undefined ? '' : `worker ${short(workerId)}`,
    printable(detail ?? ''),
  ])
  return table(rows)
}

export const deadLettersShow: Command = {
  name: 'dead-letters show',
  summary: 'show one of them, with everything that happened to it',
  operands: ['TASK_ID'],
  options: {},
  example: 'dead-letters show 0123456789abcdef0123456789abcdef',
  async run({ operator, operands }) {
    const letter = await operator.deadLetter(taskIdOf(operands))
    return { json: letter, text: `${describeTask(letter.task)}\nHistory:\n${describeHistory(letter)}` }
  },
}

export const deadLettersRequeue: Command = {
  name: 'dead-letters requeue',
  summary: 'put dead tasks back to work; their rewards are put in escrow again',
  operands: ['TASK_ID…'],
  options: {
    timeout: { value: 'TIME', what: 'until the new deadline, such as 90s, 10min or 2h; 10min unless given' },
  },
  example: 'dead-letters requeue 0123456789abcdef0123456789abcdef --timeout 1h',
  async run({ operator, operands, options }) {
    const timeoutMs = readTimeout(options)
    const order = timeoutMs === undefined ? {} : { timeoutMs }
    return eachOf(idsOf(operands), (taskId) => operator.requeue(taskId, order), 'waits again')
  },
}

export const deadLettersPurge: Command = {
  name: 'dead-letters purge',
  summary: 'forget dead tasks for good, with their histories and blobs',
  operands: ['TASK_ID…'],
  options: {},
  example: 'dead-letters purge 0123456789abcdef0123456789abcdef',
  run: ({ operator, operands }) =>
    eachOf(idsOf(operands), (taskId) => operator.purge(taskId), 'is forgotten'),
}
