/** A task in words. */
import type { TaskView } from '@shardy/sdk'
import { activity } from './following.ts'
import { bytes, credits, duration, printable, table } from './wording.ts'

const deadReasons = {
  deadline: 'its deadline passed',
  attemptsExhausted: 'too many workers failed at it',
} as const

function headline(task: TaskView): string {
  const { taskId, status, submittedAtMs, decidedAtMs, deadReason, verify } = task
  const took = decidedAtMs === undefined ? '' : ` after ${duration(decidedAtMs - submittedAtMs)}`
  switch (status) {
    case 'verified':
      return `Task ${taskId} is verified${took}: ${verdict(task)}.`
    case 'accepted':
      return `Task ${taskId} is accepted, NOT verified${took}: ${verdict(task)}.`
    case 'dead':
      return `Task ${taskId} died${took}: ${deadReason === undefined ? 'no reason is given' : deadReasons[deadReason]}.`
    case 'cancelled':
      return `Task ${taskId} was cancelled${took}.`
    default:
      return `Task ${taskId} is ${activity(task)}. It was asked for with --verify ${printable(verify)}.`
  }
}

/** What the verdict rests on, as the orchestrator says it. */
function verdict({ rests }: TaskView): string {
  return rests === undefined ? 'the orchestrator does not say why' : printable(rests)
}

const outcomeWords: Readonly<Record<string, string>> = { wrong: 'wrong: checked, and not the answer' }

function workerLines({ deliveries }: TaskView): string {
  const rows = deliveries.map(({ workerId, state, outcome, rewardMicroCredit, permille }) => {
    const paid = BigInt(rewardMicroCredit)
    const progress = permille === undefined ? '' : ` ${Math.floor(permille / 10)} %`
    const now = outcome === undefined ? `${state}${progress}` : (outcomeWords[outcome] ?? outcome)
    return ['  worker', workerId, now, paid > 0n ? `paid ${credits(paid)} test credits` : 'not paid']
  })
  return rows.length === 0 ? '' : `\n${printableLines(table(rows))}`
}

const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

export function describeTask(task: TaskView): string {
  const { program, input, outputDigest, outputLength, output, rewardMicroCredit } = task
  const result = outputDigest === undefined ? '' : `\n  output  ${outputDigest}  (${bytes(outputLength)})`
  const what = `${printable(program)}, ${credits(BigInt(rewardMicroCredit))} test credits to share`
  const proof = task.proof === 'none' ? '' : `\n  proof   ${task.proof}: ${printable(task.proofSays)}`
  const facts = `\n  input   ${input.digest}  (${bytes(input.length)})${result}${proof}`
  return `${printableLines(headline(task))}\n  ${what}${facts}${workerLines(task)}${nextSteps(task, output)}`
}

function nextSteps({ taskId, status }: TaskView, output: TaskView['output']): string {
  if (status === 'verified' || status === 'accepted') {
    const fetch = output === 'keep' ? `\n  npx shardy output ${taskId} --to output.bin` : ''
    const check = '\n  npx shardy receipt check receipt.json --check'
    const fetchReceipt = `\n  npx shardy receipt ${taskId} --to receipt.json`
    return `\nNext:${fetch}${fetchReceipt}${check}`
  }
  return status === 'waiting' || status === 'running' ? `\nNext:\n  npx shardy wait ${taskId}` : ''
}
