/**
 * From two different roots to the first node at which the traces differ (spec B7–B11). In each round both sides show
 * the hashes of the two halves of the subtree that they differ in; the left half is followed where it differs, so that
 * everything to the left of where the dispute ends is agreed.
 */
import { merkleSplit, traceNodeHash } from '@shardy/protocol'
import type { InputOf } from './input.ts'
import { dependenciesOf } from './outline.ts'
import {
  type DisputeRecord,
  type DisputeSide,
  disputedNode,
  type Halves,
  sideNames,
  workerOf,
} from './record.ts'
import { enter, ignore, outlineOf, put, type Turn } from './turn.ts'

/** Waits for the halves of the subtree under dispute; where there is none or it is a leaf, for what comes next. */
export function bisect(turn: Turn, dispute: DisputeRecord): void {
  const { a, b, from, to } = dispute
  if (a.hash !== b.hash && to - from > 1) return enter(turn, dispute, 'bisecting')
  const { nodes } = dependenciesOf(outlineOf(turn, dispute), disputedNode(dispute))
  enter(turn, dispute, nodes.length > 0 ? 'showing' : 'executing')
}

export function takeHalves(
  turn: Turn,
  dispute: DisputeRecord,
  { workerId, from, to, halves }: InputOf<'halvesShown'>,
): void {
  const name = sideNames.find((each) => workerOf(dispute[each]) === workerId)
  if (name === undefined) return ignore(turn, 'notAParty')
  if (dispute.phase !== 'bisecting') return ignore(turn, 'notAsked')
  if (from !== dispute.from || to !== dispute.to) return ignore(turn, 'otherRound')
  const side = dispute[name]
  if (side.halves !== undefined) return ignore(turn, 'alreadyShown')
  const { disputeId } = dispute
  if (traceNodeHash(halves.left, halves.right, turn.tools.sha256) !== side.hash) {
    turn.effects.push({ kind: 'revealRefused', disputeId, workerId, flaw: 'wrongHalves' })
    return
  }
  const shown: DisputeRecord = { ...dispute, [name]: { ...side, halves } }
  const { a, b } = shown
  if (a.halves !== undefined && b.halves !== undefined) descend(turn, shown, a.halves, b.halves)
  else put(turn, shown)
}

function descend(turn: Turn, dispute: DisputeRecord, ofA: Halves, ofB: Halves): void {
  const { a, b, from, to, rounds } = dispute
  const middle = from + merkleSplit(to - from)
  const goesLeft = ofA.left !== ofB.left
  const follow = (side: DisputeSide, { left, right }: Halves): DisputeSide => ({
    ...side,
    hash: goesLeft ? left : right,
    beside: [goesLeft ? right : left, ...side.beside],
    halves: undefined,
  })
  bisect(turn, {
    ...dispute,
    a: follow(a, ofA),
    b: follow(b, ofB),
    from: goesLeft ? from : middle,
    to: goesLeft ? middle : to,
    rounds: rounds + 1,
  })
}
