/** A worker's events as lines for a person at a terminal: what happened, to which task, and what it brought. */
import type { DeliveryId, TaskId } from '@shardy/protocol'
import { describeReason, type WorkerEvent } from '@shardy/worker'
import { formatCredits } from './credits.ts'

export interface EventLogAdapters {
  readonly print: (line: string) => void
  readonly nowMs: () => number
}

function short(id: TaskId | string): string {
  return id.slice(0, 8)
}

export function createEventLog(
  { print, nowMs }: EventLogAdapters,
  url: string,
): (event: WorkerEvent) => void {
  const startedMs = new Map<DeliveryId, number>()
  let earned = 0n

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
      case 'lost':
        startedMs.clear()
        return print(`Not connected: ${describeReason(event.reason)}; trying again in ${event.retryMs} ms`)
      case 'stopped':
        startedMs.clear()
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
        const sum = `+${formatCredits(rewardMicroCredit)}, ${formatCredits(earned)} since the start`
        return print(`Task ${short(event.taskId)}: accepted, ${sum}`)
      }
    }
  }
}
