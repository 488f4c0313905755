/** What this page has done since it was opened, over all its sessions: a bounded list and exact sums. */
import type { HistoryEntry, Totals, WorkerView } from '@shardy/worker'

export interface WorkRecord {
  /** Newest first. */
  readonly entries: readonly HistoryEntry[]
  readonly totals: Totals
}

const entriesMax = 200
const nothing: Totals = { accepted: 0, unpaid: 0, rejected: 0, cancelled: 0, rewardMicroCredit: 0n }

function add(left: Totals, right: Totals): Totals {
  return {
    accepted: left.accepted + right.accepted,
    unpaid: left.unpaid + right.unpaid,
    rejected: left.rejected + right.rejected,
    cancelled: left.cancelled + right.cancelled,
    rewardMicroCredit: left.rewardMicroCredit + right.rewardMicroCredit,
  }
}

type Done = Pick<WorkerView, 'history' | 'totals'>

export function createRecord() {
  let kept: WorkRecord = { entries: [], totals: nothing }
  let last: { readonly of: Done; readonly record: WorkRecord } | undefined

  function combine({ history, totals }: Done): WorkRecord {
    return {
      entries: [...history, ...kept.entries].slice(0, entriesMax),
      totals: add(kept.totals, totals),
    }
  }

  return {
    /** Takes over what an ended session did. */
    keep(ended: Done): void {
      kept = combine(ended)
      last = undefined
    },
    /** The whole record with the running session's part; the same object until that changes. */
    with(running: Done | undefined): WorkRecord {
      if (running === undefined) return kept
      if (last?.of.history !== running.history || last.of.totals !== running.totals) {
        last = { of: running, record: combine(running) }
      }
      return last.record
    },
  }
}
