import { payloadBytesMax, redundancyMax, redundancyMin, rewardMicroCreditMax } from '@shardy/protocol'
import { describeProgram, inputLength } from '@shardy/tensor'
import type { Command } from '../command.ts'
import { Failure } from '../failure.ts'
import { assertWritable, readBytesFrom } from '../files.ts'
import { follow } from '../following.ts'
import { readBlobs, readProgram } from '../programs.ts'
import { describeTask } from '../taskReport.ts'
import { bytes } from '../wording.ts'
import { ended } from './submitMatmul.ts'

export const submitProgram: Command = {
  name: 'submit program',
  summary: 'have any exact program run',
  operands: ['PROGRAM'],
  options: {
    input: { value: 'FILE', what: "the program's inputs, one after the other" },
    blobs: { value: 'FOLDER', what: 'where the blobs that the program names lie, each under its digest' },
    redundancy: {
      value: 'R',
      what: `how many distinct workers must agree, ${redundancyMin} to ${redundancyMax}; 2 unless given`,
    },
    reward: { value: 'MICRO', what: 'what they share, in millionths of a test credit; 1000 unless given' },
    wait: { what: 'wait until the task has ended' },
    to: { value: 'FILE', what: "with --wait: write the program's outputs there, one after the other" },
  },
  more:
    'PROGRAM is a file of canonical bytes, or JSON: `npx shardy program show` says what one means.\n' +
    'Workers that compute a task see its input and its weights: do not submit secrets.',

  async run(call) {
    const { operands, options, requester, progress } = call
    const [name = ''] = operands
    const program = await readProgram(name)
    const redundancy = options.whole('redundancy', redundancyMin, redundancyMax)
    const reward = options.decimal('reward', rewardMicroCreditMax)
    const file = options.text('to')
    if (file !== undefined && !options.has('wait')) {
      throw new Failure('usage', '--to needs --wait: there is no output before the task has ended')
    }
    const inputFile = options.text('input')
    if (inputFile === undefined) {
      const next = `Give a file of ${inputLength(program)} bytes: the ${describeProgram(program)} takes so many.`
      throw new Failure('usage', '--input is missing', { next })
    }
    const input = await readBytesFrom(inputFile, payloadBytesMax)
    if (input.length !== inputLength(program)) {
      const wanted = `the ${describeProgram(program)} takes ${inputLength(program)}`
      throw new Failure('usage', `--input: ${inputFile} has ${input.length} bytes; ${wanted}`)
    }
    const blobs = await readBlobs(program, options.text('blobs'))
    if (file !== undefined) await assertWritable(file)
    const task = await requester.submitProgram({
      program,
      input,
      blobs,
      ...(redundancy !== undefined && { redundancy }),
      ...(reward !== undefined && { rewardMicroCredit: String(reward) }),
      onProgress: (sent, total) => progress.show(`uploading: ${bytes(sent)} of ${bytes(total)}`),
    })
    progress.clear()
    if (!options.has('wait')) return { json: task, text: describeTask(task) }
    progress.show(`task ${task.taskId} submitted`)
    return ended(call, await follow(call, task.taskId))
  },
}
