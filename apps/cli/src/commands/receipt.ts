import { receiptToJson } from '@shardy/sdk'
import type { Command } from '../command.ts'
import { assertWritable, writeBytesTo } from '../files.ts'
import { count } from '../wording.ts'
import { taskIdOf } from './task.ts'

export const receipt: Command = {
  name: 'receipt',
  summary: 'fetch the receipt of a verified or accepted task',
  operands: ['TASK_ID'],
  options: { to: { value: 'FILE', what: 'write it there instead of to the terminal' } },
  more: '`npx shardy receipt check FILE` checks it without asking anyone.',
  async run({ requester, operands, options }) {
    const taskId = taskIdOf(operands)
    const file = options.text('to')
    if (file !== undefined) await assertWritable(file)
    const view = receiptToJson(await requester.receipt(taskId))
    const text = JSON.stringify(view, undefined, 2)
    if (file === undefined) return { json: view, text }
    await writeBytesTo(file, `${text}\n`)
    const { length } = view.deliveries.filter(({ answer }) => answer !== undefined)
    return {
      json: { taskId, file },
      text:
        `The receipt is in ${file}: ${count(length, 'signed answer')}, and the orchestrator's signature over the whole.\n` +
        `Next:\n  npx shardy receipt check ${file} --check       # the quickest way to know that the answer is right\n` +
        `  npx shardy receipt check ${file} --recompute   # computes it here as well`,
    }
  },
}
