import { redundancyMax, redundancyMin } from '@shardy/protocol'
import type { TaskView } from '@shardy/sdk'
import type { Call, Command, Outcome } from '../command.ts'
import { Failure } from '../failure.ts'
import { assertWritable, writeBytesTo } from '../files.ts'
import { follow } from '../following.ts'
import { readMatrices, readShape } from '../matrices.ts'
import { describeTask } from '../taskReport.ts'
import { bytes } from '../wording.ts'

const rewardMax = 2n ** 63n - 1n

export const submitMatmul: Command = {
  name: 'submit matmul',
  summary: 'have two int8 matrices multiplied, exactly',
  operands: [],
  options: {
    size: { value: 'N', what: 'N × N matrices; or:' },
    m: { value: 'M', what: 'rows of A and C' },
    k: { value: 'K', what: 'columns of A, rows of B' },
    n: { value: 'N', what: 'columns of B and C' },
    a: { value: 'FILE', what: 'A: M × K bytes, one signed byte for each entry, row by row' },
    b: { value: 'FILE', what: 'B: K × N bytes likewise' },
    seed: { value: 'NUMBER', what: 'random matrices, the same ones for the same number' },
    redundancy: {
      value: 'R',
      what: `how many distinct workers must agree, ${redundancyMin} to ${redundancyMax}; 2 unless given`,
    },
    reward: { value: 'MICRO', what: 'what they share, in millionths of a test credit; 1000 unless given' },
    wait: { what: 'wait until the task has ended' },
    to: { value: 'FILE', what: 'with --wait: write C there, int32 little-endian, row by row' },
  },
  more: 'Workers that compute a task see its matrices: do not submit secrets.',

  async run(call) {
    const { options, requester, progress } = call
    const shape = readShape(options)
    const redundancy = options.whole('redundancy', redundancyMin, redundancyMax)
    const reward = options.decimal('reward', rewardMax)
    const file = options.text('to')
    if (file !== undefined && !options.has('wait')) {
      throw new Failure('usage', '--to needs --wait: there is no output before the task has ended')
    }
    const { a, b, origin } = await readMatrices(options, shape)
    if (file !== undefined) await assertWritable(file)
    const task = await requester.submitMatmul({
      ...shape,
      a,
      b,
      ...(redundancy !== undefined && { redundancy }),
      ...(reward !== undefined && { rewardMicroCredit: String(reward) }),
      onProgress: (sent, total) => progress.show(`uploading the input: ${bytes(sent)} of ${bytes(total)}`),
    })
    progress.clear()
    const submitted = `Matrices ${origin}.`
    if (!options.has('wait')) return { json: task, text: `${submitted}\n${describeTask(task)}` }
    progress.show(`task ${task.taskId} submitted`)
    return ended(call, await follow(call, task.taskId), submitted)
  },
}

/** How a wait ends: only a verified task is a success. */
export async function ended(call: Call, task: TaskView, before?: string): Promise<Outcome> {
  const file = call.options.text('to')
  const isVerified = task.status === 'verified'
  const written = isVerified && file !== undefined ? `\nThe output is in ${file}.` : ''
  if (isVerified && file !== undefined) await writeBytesTo(file, await call.requester.output(task.taskId))
  return {
    exit: isVerified ? 'done' : 'notVerified',
    json: task,
    text: `${before === undefined ? '' : `${before}\n`}${describeTask(task)}${written}`,
  }
}
