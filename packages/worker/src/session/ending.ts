/** How deliveries end: rejected, cancelled, settled or lost. Each end is written into the history once. */
import {
  type Cancel,
  type Delivery,
  messageLengthMax,
  type RejectReason,
  type Settlement,
  type Settlements,
} from '@shardy/protocol'
import { remember } from './history.ts'
import { dropSmall, smallCancelled, smallSettled } from './small/ending.ts'
import type { Ending, HeldDelivery } from './state.ts'
import { change, changeAdmitted, report, send, type Turn } from './turn.ts'
import { wireText } from './wireText.ts'

function rememberOne(
  turn: Turn,
  { deliveryId, taskId, proof }: Pick<Delivery, 'deliveryId' | 'taskId' | 'proof'>,
  summary: string | undefined,
  ending: Ending,
) {
  remember(turn, [{ deliveryId, taskId, summary, proof: proof?.kind ?? 'none', ending }])
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
  handBack(turn, delivery, undefined, reason, why)
}

function handBack(
  turn: Turn,
  delivery: Delivery,
  summary: string | undefined,
  reason: RejectReason,
  why: string,
): void {
  const { deliveryId, taskId } = delivery
  const text = wireText(why, messageLengthMax)
  send(turn, 'reject', { deliveryId, reason, message: text })
  rememberOne(turn, delivery, summary, { kind: 'rejected', reason, text })
  report(turn, { kind: 'rejected', deliveryId, taskId, reason, text })
}

/** Hands a held delivery back. */
export function rejectHeld(turn: Turn, held: HeldDelivery, reason: RejectReason, why: string): void {
  release(turn, held)
  handBack(turn, held.delivery, held.facts.summary, reason, why)
}

/** A cancel may cross our answer on the wire: one for a delivery that is not held means nothing. */
export function cancelled(turn: Turn, cancel: Cancel): void {
  if (smallCancelled(turn, cancel)) return
  const { deliveryId, reason } = cancel
  const held = turn.state.deliveries.get(deliveryId)
  if (held === undefined) return
  const { taskId } = held.delivery
  release(turn, held)
  rememberOne(turn, held.delivery, held.facts.summary, { kind: 'cancelled', reason })
  report(turn, { kind: 'cancelled', deliveryId, taskId, reason })
}

/** Verdicts, one per delivery. */
export function settled(turn: Turn, { settlements }: Settlements): void {
  for (const settlement of smallSettled(turn, settlements)) settleOne(turn, settlement)
}

/** A verdict may also come for what was let go, and replaces what was known then. */
function settleOne(turn: Turn, { deliveryId, outcome, rewardMicroCredit }: Settlement): void {
  const held = turn.state.deliveries.get(deliveryId)
  const known = turn.state.history.find((entry) => entry.deliveryId === deliveryId)
  const taskId = held?.delivery.taskId ?? known?.taskId
  if (taskId === undefined) return
  // Held under an id that has a verdict: it was delivered anew, so this is another verdict, and the lease ends with it.
  if (held !== undefined) release(turn, held)
  else if (known?.ending.kind === 'settled') return
  // It was counted as handed back or cancelled; that it also has a verdict is news only if it was paid or found wrong.
  const counted = known?.ending.kind === 'rejected' || known?.ending.kind === 'cancelled'
  const isNews = outcome === 'accepted' || outcome === 'disagreed' || outcome === 'wrong'
  if (held === undefined && counted && !isNews) return
  const summary = held?.facts.summary ?? known?.summary
  const proof = held?.delivery.proof?.kind ?? known?.proof ?? 'none'
  const ending: Ending = { kind: 'settled', outcome, rewardMicroCredit }
  remember(turn, [{ deliveryId, taskId, summary, proof, ending }])
  report(turn, { kind: 'settled', deliveryId, taskId, outcome, rewardMicroCredit })
}

/** The oldest answered delivery stops waiting for its verdict. */
export function forgetAnswered(turn: Turn, held: HeldDelivery): void {
  release(turn, held)
  rememberOne(turn, held.delivery, held.facts.summary, { kind: 'unsettled' })
}

/** With the connection every lease is gone. */
export function dropDeliveries(turn: Turn): void {
  dropSmall(turn)
  for (const held of turn.state.deliveries.values()) {
    release(turn, held)
    rememberOne(turn, held.delivery, held.facts.summary, {
      kind: held.phase.kind === 'answered' ? 'unsettled' : 'connectionLost',
    })
  }
}
