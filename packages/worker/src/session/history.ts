/** What became of deliveries, the newest first, and the sums of all of it. */
import type { Delivery, ProofKind } from '@shardy/protocol'
import { historyMax } from './bounds.ts'
import type { Ending, HistoryEntry, Totals } from './state.ts'
import { change, type Turn } from './turn.ts'

export interface Ended extends Pick<Delivery, 'deliveryId' | 'taskId'> {
  readonly summary: string | undefined
  readonly proof: ProofKind
  readonly ending: Ending
}

/** Whatever was known of these before is replaced; in the sums everything counts. */
export function remember(turn: Turn, ended: readonly Ended[]): void {
  if (ended.length === 0) return
  const ids = new Set(ended.map(({ deliveryId }) => deliveryId))
  const latest = ended
    .slice(-historyMax)
    .map((one): HistoryEntry => ({ ...one, atMs: turn.nowMs }))
    .reverse()
  const others = turn.state.history.filter(({ deliveryId }) => !ids.has(deliveryId))
  change(turn, {
    history: [...latest, ...others].slice(0, historyMax),
    totals: count(turn.state.totals, ended),
  })
}

function count(before: Totals, ended: readonly Ended[]): Totals {
  let { accepted, unpaid, rejected, cancelled, rewardMicroCredit } = before
  for (const { ending } of ended) {
    switch (ending.kind) {
      case 'settled':
        if (ending.outcome === 'accepted') {
          accepted++
          rewardMicroCredit += ending.rewardMicroCredit
        } else {
          unpaid++
        }
        break
      case 'rejected':
        rejected++
        break
      case 'cancelled':
        cancelled++
        break
      case 'unsettled':
      case 'connectionLost':
        break
    }
  }
  return { accepted, unpaid, rejected, cancelled, rewardMicroCredit }
}
