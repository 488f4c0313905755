/** How deliveries end: rejected, cancelled, settled or lost. Each end is written into the history once. */
import {
  type Cancel,
  type Delivery,
  messageLengthMax,
  type RejectReason,
  type Settled,
} from '@shardy/protocol'
import { historyMax } from './bounds.ts'
import type { Ending, HeldDelivery, HistoryEntry, Totals } from './state.ts'
import { change, changeAdmitted, report, send, type Turn } from './turn.ts'
import { wireText } from './wireText.ts'

function count(totals: Totals, ending: Ending): Totals {
  switch (ending.kind) {
    case 'settled':
      return ending.outcome === 'accepted'
        ? {
            ...totals,
            accepted: totals.accepted + 1,
            rewardMicroCredit: totals.rewardMicroCredit + ending.rewardMicroCredit,
          }
        : { ...totals, unpaid: totals.unpaid + 1 }
    case 'rejected':
      return { ...totals, rejected: totals.rejected + 1 }
    case 'cancelled':
      return { ...totals, cancelled: totals.cancelled + 1 }
    case 'unsettled':
    case 'connectionLost':
      return totals
  }
}

function remember(
  turn: Turn,
  { deliveryId, taskId }: Pick<Delivery, 'deliveryId' | 'taskId'>,
  ending: Ending,
): void {
  const entry: HistoryEntry = { deliveryId, taskId, atMs: turn.nowMs, ending }
  const others = turn.state.history.filter((known) => known.deliveryId !== deliveryId)
  change(turn, {
    history: [entry, ...others].slice(0, historyMax),
    totals: count(turn.state.totals, ending),
  })
}

/** Lets go of a delivery wherever it is. */
function release(turn: Turn, { delivery, run, phase }: HeldDelivery): void {
  const deliveries = new Map(turn.state.deliveries)
  deliveries.delete(delivery.deliveryId)
  change(turn, { deliveries })
  if (turn.state.executing === run || phase.kind === 'fetching') turn.effects.push({ kind: 'abort', run })
  const { connection } = turn.state
  if (
    phase.kind === 'awaitingPayload' &&
    connection.kind === 'admitted' &&
    connection.receiving !== undefined
  ) {
    changeAdmitted(turn, { receiving: { ...connection.receiving, wanted: false } })
  }
}

/** Hands a delivery back that was never held. */
export function refuseDelivery(turn: Turn, delivery: Delivery, reason: RejectReason, why: string): void {
  const { deliveryId, taskId } = delivery
  const text = wireText(why, messageLengthMax)
  send(turn, 'reject', { deliveryId, reason, message: text })
  remember(turn, delivery, { kind: 'rejected', reason, text })
  report(turn, { kind: 'rejected', deliveryId, taskId, reason, text })
}

/** Hands a held delivery back. */
export function rejectHeld(turn: Turn, held: HeldDelivery, reason: RejectReason, why: string): void {
  release(turn, held)
  refuseDelivery(turn, held.delivery, reason, why)
}

/** A cancel may cross our answer on the wire: one for a delivery that is not held means nothing. */
export function cancelled(turn: Turn, { deliveryId, reason }: Cancel): void {
  const held = turn.state.deliveries.get(deliveryId)
  if (held === undefined) return
  const { taskId } = held.delivery
  release(turn, held)
  remember(turn, held.delivery, { kind: 'cancelled', reason })
  report(turn, { kind: 'cancelled', deliveryId, taskId, reason })
}

/** The verdict, once per delivery: it may also come for one that was let go, and replaces what was known then. */
export function settled(turn: Turn, { deliveryId, outcome, rewardMicroCredit }: Settled): void {
  const held = turn.state.deliveries.get(deliveryId)
  const known = turn.state.history.find((entry) => entry.deliveryId === deliveryId)
  const taskId = held?.delivery.taskId ?? known?.taskId
  if (taskId === undefined) return
  // Held under an id that has a verdict: it was delivered anew, so this is another verdict, and the lease ends with it.
  if (held !== undefined) release(turn, held)
  else if (known?.ending.kind === 'settled') return
  // It was counted as handed back or cancelled; that it also has a verdict is news only if it was paid or disputed.
  const counted = known?.ending.kind === 'rejected' || known?.ending.kind === 'cancelled'
  if (held === undefined && counted && outcome !== 'accepted' && outcome !== 'disagreed') return
  remember(turn, { deliveryId, taskId }, { kind: 'settled', outcome, rewardMicroCredit })
  report(turn, { kind: 'settled', deliveryId, taskId, outcome, rewardMicroCredit })
}

/** The oldest answered delivery stops waiting for its verdict. */
export function forgetAnswered(turn: Turn, held: HeldDelivery): void {
  release(turn, held)
  remember(turn, held.delivery, { kind: 'unsettled' })
}

/** With the connection every lease is gone. */
export function dropDeliveries(turn: Turn): void {
  for (const held of turn.state.deliveries.values()) {
    release(turn, held)
    remember(turn, held.delivery, {
      kind: held.phase.kind === 'answered' ? 'unsettled' : 'connectionLost',
    })
  }
}
