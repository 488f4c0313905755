/** How small deliveries end: handed back, cancelled, settled or lost. Each is remembered once, and told of by number. */
import {
  type BatchDelivery,
  type Cancel,
  messageLengthMax,
  type RejectReason,
  type Settlement,
} from '@shardy/protocol'
import { type Ended, remember } from '../history.ts'
import { report, send, type Turn } from '../turn.ts'
import { wireText } from '../wireText.ts'
import { isOpen, move, type SmallDelivery } from './work.ts'

/** One that was never held. */
export interface Refused {
  readonly delivery: Pick<BatchDelivery, 'deliveryId' | 'taskId' | 'proof'>
  readonly summary: string | undefined
  readonly reason: RejectReason
  readonly why: string
}

export function refuseSmall(turn: Turn, refused: readonly Refused[]): void {
  const [first] = refused
  if (first === undefined) return
  const ended = refused.map(({ delivery, summary, reason, why }): Ended => {
    const { deliveryId, taskId, proof } = delivery
    const text = wireText(why, messageLengthMax)
    send(turn, 'reject', { deliveryId, reason, message: text })
    const ending = { kind: 'rejected', reason, text } as const
    return { deliveryId, taskId, summary, proof: proof?.kind ?? 'none', ending }
  })
  remember(turn, ended)
  const { reason, why } = first
  report(turn, {
    kind: 'smallRejected',
    count: refused.length,
    reason,
    text: wireText(why, messageLengthMax),
  })
}

function namesOf({ delivery, program }: SmallDelivery): Omit<Ended, 'ending'> {
  const { deliveryId, taskId, proof } = delivery
  return { deliveryId, taskId, summary: program.facts.summary, proof: proof?.kind ?? 'none' }
}

/** Hands back what is held. */
export function rejectSmall(
  turn: Turn,
  batch: readonly SmallDelivery[],
  reason: RejectReason,
  why: string,
): void {
  const held = batch.filter(({ phase }) => phase !== 'gone')
  for (const item of held) move(turn.state.small, item, 'gone')
  refuseSmall(
    turn,
    held.map(({ delivery, program }) => ({ delivery, summary: program.facts.summary, reason, why })),
  )
}

/** Hands back all that is still to be computed. Answers and commitments are kept, they cost nothing more. */
export function rejectOpenSmall(turn: Turn, reason: RejectReason, why: string): void {
  abortRun(turn)
  rejectSmall(turn, [...turn.state.small.held.values()].filter(isOpen), reason, why)
}

function abortRun({ state, effects }: Turn): void {
  const { executing, small } = state
  if (executing !== undefined && small.runs.has(executing)) effects.push({ kind: 'abort', run: executing })
}

/** False when no small delivery of that name is held. */
export function smallCancelled(turn: Turn, { deliveryId, reason }: Cancel): boolean {
  const item = turn.state.small.held.get(deliveryId)
  if (item === undefined) return false
  const { taskId } = item.delivery
  move(turn.state.small, item, 'gone')
  remember(turn, [{ ...namesOf(item), ending: { kind: 'cancelled', reason } }])
  report(turn, { kind: 'cancelled', deliveryId, taskId, reason })
  return true
}

/** Those of them that are of small deliveries in hand are taken; gives the others back. */
export function smallSettled(turn: Turn, settlements: readonly Settlement[]): readonly Settlement[] {
  const { small } = turn.state
  const others: Settlement[] = []
  const ended: Ended[] = []
  let accepted = 0
  let earned = 0n
  for (const settlement of settlements) {
    const { deliveryId, outcome, rewardMicroCredit } = settlement
    const item = small.held.get(deliveryId)
    if (item === undefined) {
      others.push(settlement)
      continue
    }
    if (outcome === 'accepted') {
      accepted++
      earned += rewardMicroCredit
    }
    move(small, item, 'gone')
    ended.push({ ...namesOf(item), ending: { kind: 'settled', outcome, rewardMicroCredit } })
  }
  if (ended.length === 0) return others
  remember(turn, ended)
  report(turn, {
    kind: 'smallSettled',
    accepted,
    unpaid: ended.length - accepted,
    rewardMicroCredit: earned,
  })
  return others
}

/** The oldest of those that are answered stop waiting for their verdict. */
export function forgetSmall(turn: Turn, count: number): void {
  if (count <= 0) return
  const ended: Ended[] = []
  for (const item of turn.state.small.held.values()) {
    if (ended.length === count) break
    if (item.phase !== 'answered') continue
    move(turn.state.small, item, 'gone')
    ended.push({ ...namesOf(item), ending: { kind: 'unsettled' } })
  }
  remember(turn, ended)
}

/** With the connection every lease is gone. What the executor has is thrown away when it comes. */
export function dropSmall(turn: Turn): void {
  const { small } = turn.state
  abortRun(turn)
  const ended = Array.from(small.held.values(), (item): Ended => {
    const kind = item.phase === 'answered' ? 'unsettled' : 'connectionLost'
    move(small, item, 'gone')
    return { ...namesOf(item), ending: { kind } }
  })
  remember(turn, ended)
  small.queue = []
  small.taken = 0
  small.runs.clear()
  small.signing.clear()
  small.noDeadlineBeforeMs = Number.POSITIVE_INFINITY
}
