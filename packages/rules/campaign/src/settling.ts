/** What becomes of an item: a result, or another attempt (spec K9). Each gets one result, whatever is said twice. */
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import type { Answered, TaskEnd } from './input.ts'
import { segmentItems } from './limits.ts'
import { wait } from './opening.ts'
import type { ItemAttempt, ItemResult } from './record.ts'
import { segmentOf } from './segment.ts'
import { backoffMs } from './spread.ts'
import type { CampaignState, OpenState } from './state.ts'
import { ignore, type Turn } from './turn.ts'

/** The open item that is spoken of, if this is its attempt. */
function openOf(turn: Turn, { index, attempt }: ItemAttempt): OpenState | undefined {
  const item = turn.state.open.get(index)
  if (item === undefined || item.attempt !== attempt) {
    ignore(turn, item === undefined ? 'notOpen' : 'otherAttempt', index)
    return undefined
  }
  return item
}

export function takeEnd(turn: Turn, end: TaskEnd): void {
  const { state, atMs } = turn
  const { record, plan } = state
  const item = openOf(turn, end)
  if (item === undefined) return
  const { index, attempt } = end
  if (end.costMicroCredit < 0n || end.costMicroCredit > plan.rewardMicroCredit) {
    throw new RangeError(
      `item ${index} cost ${end.costMicroCredit}, kept for it was ${plan.rewardMicroCredit}`,
    )
  }
  record.spentMicroCredit = (record.spentMicroCredit + end.costMicroCredit) as MicroCredit
  item.costMicroCredit = (item.costMicroCredit + end.costMicroCredit) as MicroCredit
  const { costMicroCredit } = item
  turn.isChanged = true
  if (end.status === 'verified' || end.status === 'accepted') {
    const { status, outputDigest } = end
    return settle(turn, { index, status, attempts: attempt, outputDigest, costMicroCredit, code: '' })
  }
  const { status, code } = end
  const isLast = attempt >= plan.attemptsMax || record.status === 'stopping'
  // What the attempt cost came out of what was kept for it, so the next one has to be kept anew.
  if (status === 'cancelled' || isLast || isShort(state)) {
    return settle(turn, { index, status, attempts: attempt, outputDigest: undefined, costMicroCredit, code })
  }
  item.attempt++
  turn.opened.set(index, { index, attempt: item.attempt, costMicroCredit })
  wait(state, index, item, (atMs + backoffMs(state.policy, record.campaignId, index, attempt)) as TimeMs)
}

/** With every open item's reward kept, more than the budget. */
function isShort({ plan, record, open }: CampaignState): boolean {
  return record.spentMicroCredit + plan.rewardMicroCredit * BigInt(open.size) > plan.budgetMicroCredit
}

export function takeAnswer(turn: Turn, answer: Answered): void {
  const { state, atMs } = turn
  const { record, policy } = state
  const item = openOf(turn, answer)
  if (item === undefined) return
  const { index, attempt } = answer
  if (
    item.phase === 'waiting' ||
    (item.phase === 'live' && answer.kind !== 'unknown' && answer.kind !== 'accepted')
  ) {
    return ignore(turn, 'notSubmitting', index)
  }
  item.heardAtMs = atMs
  if (answer.kind === 'accepted') {
    item.phase = 'live'
    // It was being submitted when the campaign stopped.
    if (record.status === 'stopping') turn.cancelled.push({ index, attempt })
    return
  }
  if (answer.kind === 'refused') {
    const { code } = answer
    const { costMicroCredit } = item
    return settle(turn, {
      index,
      status: 'refused',
      attempts: attempt,
      outputDigest: undefined,
      costMicroCredit,
      code,
    })
  }
  if (record.status === 'stopping') return giveUp(turn, index, item)
  if (answer.kind === 'fundsMissing') turn.lacksFunds = true
  if (answer.kind === 'later') {
    const laterMs = Math.max(1, Math.min(answer.retryAfterMs, policy.laterMsMax))
    state.holdUntilMs = Math.max(state.holdUntilMs, atMs + laterMs) as TimeMs
  }
  wait(state, index, item, atMs)
}

/** An item without a task: what its earlier attempts came to, if it had any. */
export function giveUp(turn: Turn, index: number, { attempt, costMicroCredit }: OpenState): void {
  settle(turn, {
    index,
    status: attempt > 1 ? 'dead' : 'cancelled',
    attempts: attempt - 1,
    outputDigest: undefined,
    costMicroCredit,
    code: 'stopped',
  })
}

function settle(turn: Turn, result: ItemResult): void {
  const { state } = turn
  const { record, plan, open, waiting, openInSegment } = state
  const { index, status } = result
  open.delete(index)
  waiting.delete(index)
  turn.opened.delete(index)
  record[status]++
  turn.settled.push(result)
  const segment = segmentOf(index)
  const left = (openInSegment.get(segment) ?? 0) - 1
  if (left < 0) throw new Error(`item ${index} has a result and was not open`)
  if (left > 0) {
    openInSegment.set(segment, left)
    return
  }
  openInSegment.delete(segment)
  if ((segment + 1) * segmentItems <= record.next || record.next === plan.total) turn.complete.push(segment)
}
