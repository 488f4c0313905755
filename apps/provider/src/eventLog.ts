/** A worker's events as lines for a person at a terminal: what happened, to which task, and what it brought. */
import type { DeliveryId, TaskId } from '@shardy/protocol'
import { describeReason, type WorkerEvent } from '@shardy/worker'
import { formatAmount, formatCredits } from './credits.ts'

export interface EventLogAdapters {
  readonly print: (line: string) => void
  readonly nowMs: () => number
  readonly after: (ms: number, run: () => void) => void
}

const smallEveryMs = 5_000
/** The verdicts of the first ones may still come with them. */
const smallSoonestMs = 1_000

function short(id: TaskId | string): string {
  return id.slice(0, 8)
}

export function createEventLog(
  { print, nowMs, after }: EventLogAdapters,
  url: string,
): (event: WorkerEvent) => void {
  const startedMs = new Map<DeliveryId, number>()
  let earned = 0n
  /** Small tasks since they were last told of. */
  let small = { answered: 0, accepted: 0, unpaid: 0, rewardMicroCredit: 0n }
  let smallTellAtMs = 0
  let willTellSmall = false

  /** They come by thousands a second: one line every few seconds says how many. */
  function tellSmallSoon(): void {
    if (willTellSmall) return
    willTellSmall = true
    after(Math.max(smallSoonestMs, smallTellAtMs - nowMs()), () => {
      willTellSmall = false
      tellSmall()
    })
  }

  function tellSmall(): void {
    const { answered, accepted, unpaid, rewardMicroCredit } = small
    if (answered + accepted + unpaid === 0) return
    small = { answered: 0, accepted: 0, unpaid: 0, rewardMicroCredit: 0n }
    smallTellAtMs = nowMs() + smallEveryMs
    const notPaid = unpaid === 0 ? '' : `, ${unpaid} not paid`
    const sum = `+${formatCredits(rewardMicroCredit)}, ${formatAmount(earned)} since the start`
    print(`Small tasks: ${answered} answered, ${accepted} accepted${notPaid}, ${sum}`)
  }

  function tookMs(deliveryId: DeliveryId): number {
    const ms = nowMs() - (startedMs.get(deliveryId) ?? nowMs())
    startedMs.delete(deliveryId)
    return Math.max(0, Math.round(ms))
  }

  return (event) => {
    switch (event.kind) {
      case 'connecting':
        return print(`Connecting to ${url}`)
      case 'admitted':
        return print(`Admitted by orchestrator ${short(event.orchestratorId)}, waiting for work`)
      case 'measured':
        return print(`Measured by the orchestrator: ${event.text}`)
      case 'idle':
        return print(`No work: ${event.text} (${event.constraint})`)
      case 'benchmark':
        if (event.phase === 'failed') print(`The benchmark could not be run: ${event.text}`)
        return
      case 'smallCommitted':
        return
      case 'smallAnswered':
        small.answered += event.count
        return tellSmallSoon()
      case 'smallSettled':
        small.accepted += event.accepted
        small.unpaid += event.unpaid
        small.rewardMicroCredit += event.rewardMicroCredit
        earned += event.rewardMicroCredit
        return tellSmallSoon()
      case 'smallRejected':
        return print(`Small tasks: ${event.count} handed back, ${event.reason} (${event.text})`)
      case 'lost':
        startedMs.clear()
        tellSmall()
        return print(`Not connected: ${describeReason(event.reason)}; trying again in ${event.retryMs} ms`)
      case 'stopped':
        startedMs.clear()
        tellSmall()
        return print(`Stopped: ${describeReason(event.reason)}`)
      case 'executing':
        startedMs.set(event.deliveryId, nowMs())
        return
      case 'committed':
        return print(`Task ${short(event.taskId)}: computed in ${tookMs(event.deliveryId)} ms and committed`)
      case 'answered': {
        // After a commitment the time was told already.
        const timed = startedMs.has(event.deliveryId)
        return print(
          `Task ${short(event.taskId)}: answered${timed ? ` in ${tookMs(event.deliveryId)} ms` : ''}`,
        )
      }
      case 'rejected':
        startedMs.delete(event.deliveryId)
        return print(`Task ${short(event.taskId)}: handed back, ${event.reason} (${event.text})`)
      case 'cancelled':
        startedMs.delete(event.deliveryId)
        return print(`Task ${short(event.taskId)}: cancelled (${event.reason})`)
      case 'settled': {
        startedMs.delete(event.deliveryId)
        const { outcome, rewardMicroCredit } = event
        if (outcome !== 'accepted') return print(`Task ${short(event.taskId)}: ${outcome}, not paid`)
        earned += rewardMicroCredit
        const sum = `+${formatCredits(rewardMicroCredit)}, ${formatAmount(earned)} since the start`
        return print(`Task ${short(event.taskId)}: accepted, ${sum}`)
      }
    }
  }
}
