/** `submit`, for every kind of order: sends it, and waits for its end where that was asked for. */
import type { Call, Command, Outcome } from '../command.ts'
import { ended } from '../ending.ts'
import { assertWritable } from '../files.ts'
import { follow } from '../following.ts'
import type { Order, OrderKind } from '../order.ts'
import { lite } from '../orders/lite.ts'
import { matmul } from '../orders/matmul.ts'
import { program } from '../orders/program.ts'
import { shader } from '../orders/shader.ts'
import { describeTask } from '../taskReport.ts'
import { bytes } from '../wording.ts'

async function submitted(call: Call, { send, before }: Order): Promise<Outcome> {
  const { options, progress } = call
  const file = options.text('to')
  // Before anything long is done: an output that could not be written would be computed for nothing.
  if (file !== undefined) await assertWritable(file)
  const task = await send((sent, total) => progress.show(`uploading: ${bytes(sent)} of ${bytes(total)}`))
  progress.clear()
  const said = before === undefined ? '' : `${before}\n`
  if (!options.has('wait')) return { json: task, text: `${said}${describeTask(task)}` }
  progress.show(`task ${task.taskId} submitted`)
  return ended(call, await follow(call, task.taskId), before)
}

const submitOf = ({ name, summary, operands, options, more, example, read }: OrderKind): Command => ({
  name: `submit ${name}`,
  summary: `have ${summary}`,
  operands,
  options,
  more,
  example: `submit ${example} --wait`,
  run: async (call) => submitted(call, await read(call)),
})

export const submitCommands: readonly Command[] = [matmul, program, shader, lite].map(submitOf)
