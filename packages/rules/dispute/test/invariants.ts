/** What must be true of every state and every step. */
import { merkleSplit, traceNodeHash } from '@shardy/protocol'
import { type DisputeRecord, type DisputeState, type Effect, nextDueMs } from '../src/index.ts'
import { Broken } from './broken.ts'
import { sha256 } from './identity.ts'
import { outline } from './program.ts'

export function assertInvariants(state: DisputeState, effects: readonly Effect[]): void {
  const { open, ended, policy } = state
  if (open.size > policy.openMax || open.size + ended.size > policy.endedMax)
    throw new Broken('too many disputes')
  for (const [disputeId, dispute] of open) {
    if (dispute.disputeId !== disputeId || ended.has(disputeId))
      throw new Broken('an open dispute has ended', dispute)
    assertDispute(dispute)
  }
  const next = nextDueMs(state)
  if ((next === undefined) !== (open.size + ended.size === 0))
    throw new Broken('something will never fall due')
  effects.forEach((effect, index) => {
    if (effect.kind !== 'save') return
    if (index !== 0) throw new Broken('something is done before it is saved', effects)
    const { records, forgotten } = effect
    if (records.some(({ disputeId }) => forgotten.includes(disputeId)))
      throw new Broken('what is forgotten is saved')
  })
}

function assertDispute(dispute: DisputeRecord): void {
  const { a, b, phase, from, to, rounds, outcome, program } = dispute
  if (phase === 'ended' || outcome !== undefined) throw new Broken('an ended dispute is open', dispute)
  if (a.party.statement.workerId >= b.party.statement.workerId)
    throw new Broken('the sides are out of order', dispute)
  const count = outline(program)?.nodes.length ?? 0
  for (const side of [a, b]) {
    if (side.beside.length !== rounds) throw new Broken('a way down was not kept', dispute)
    if (climb(side.hash, side.beside, from, to, count) !== side.party.statement.traceRoot) {
      throw new Broken('the subtree does not lead to the signed root', dispute)
    }
    if (phase !== 'verifying' && !side.isSigned) throw new Broken('an unsigned result is disputed', dispute)
  }
  const isOnePlace = a.hash === b.hash ? from === 0 && to === count : to - from >= 1
  if (!isOnePlace || to > count) throw new Broken('the dispute is about nothing', dispute)
  if (phase === 'bisecting' && (a.hash === b.hash || to - from < 2))
    throw new Broken('nothing to bisect', dispute)
  if (phase === 'bisecting' && a.halves !== undefined && b.halves !== undefined)
    throw new Broken('a round is over', dispute)
}

/** The root that a subtree leads to. */
function climb(
  hash: DisputeRecord['a']['hash'],
  beside: DisputeRecord['a']['beside'],
  from: number,
  to: number,
  count: number,
): string {
  const turns: boolean[] = []
  let [low, high] = [0, count]
  while (low !== from || high !== to) {
    const middle = low + merkleSplit(high - low)
    const isLeft = from < middle
    turns.unshift(isLeft)
    if (isLeft) high = middle
    else low = middle
  }
  return beside.reduce(
    (below, other, index) =>
      turns[index] ? traceNodeHash(below, other, sha256) : traceNodeHash(other, below, sha256),
    hash,
  )
}
