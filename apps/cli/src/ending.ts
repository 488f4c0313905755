/** How a task ended: for a person, for the shell, and its output in a file. */
import type { TaskView } from '@shardy/sdk'
import type { Call, Outcome } from './command.ts'
import type { Exit } from './exit.ts'
import { writeBytesTo } from './files.ts'
import { describeTask } from './taskReport.ts'

/** How a wait ends, for the shell: a task that is accepted has an output, and nobody checked it. */
export function exitOf({ status }: TaskView): Exit {
  if (status === 'verified') return 'done'
  return status === 'accepted' ? 'accepted' : 'notVerified'
}

export async function ended(call: Call, task: TaskView, before?: string): Promise<Outcome> {
  const file = call.options.text('to')
  const hasOutput = task.status === 'verified' || task.status === 'accepted'
  const isWritten = hasOutput && file !== undefined
  if (isWritten) await writeBytesTo(file, await call.requester.output(task.taskId))
  return {
    exit: exitOf(task),
    json: task,
    text: `${before === undefined ? '' : `${before}\n`}${describeTask(task)}${isWritten ? `\nThe output is in ${file}.` : ''}`,
  }
}
