/** Which items are submitted (spec K8): those that wait for another attempt first, then new ones, within window and budget. */
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import { segmentOf } from './segment.ts'
import { type CampaignState, neverMs, type OpenState, roomOf } from './state.ts'
import type { Turn } from './turn.ts'

const nothing = 0n as MicroCredit

export function submitMore(turn: Turn): void {
  const { state, atMs } = turn
  const { record, policy } = state
  state.hasMore = false
  if (record.status !== 'running' || state.holdUntilMs > atMs) return
  submitWaiting(turn)
  const count = Math.min(roomOf(state), policy.submitPerStepMax - turn.submitted.length)
  for (let left = count; left > 0; left--) {
    const index = record.next++
    hold(state, index, { attempt: 1, costMicroCredit: nothing, phase: 'submitting', heardAtMs: atMs })
    turn.opened.set(index, { index, attempt: 1, costMicroCredit: nothing })
    turn.submitted.push({ index, attempt: 1 })
  }
  const isFull = turn.submitted.length >= policy.submitPerStepMax
  state.hasMore = isFull && (state.waitingDueMs <= atMs || roomOf(state) > 0)
}

function submitWaiting(turn: Turn): void {
  const { state, atMs } = turn
  if (state.waitingDueMs > atMs) return
  let dueMs = neverMs
  for (const [index, notBeforeMs] of state.waiting) {
    if (notBeforeMs > atMs || turn.submitted.length >= state.policy.submitPerStepMax) {
      if (notBeforeMs < dueMs) dueMs = notBeforeMs
      continue
    }
    const item = state.open.get(index)
    if (item === undefined) throw new Error(`item ${index} waits and is not open`)
    state.waiting.delete(index)
    item.phase = 'submitting'
    item.heardAtMs = atMs
    turn.submitted.push({ index, attempt: item.attempt })
  }
  state.waitingDueMs = dueMs
}

/** Puts an item among the open ones. */
export function hold(state: CampaignState, index: number, item: OpenState): void {
  const segment = segmentOf(index)
  state.open.set(index, item)
  state.openInSegment.set(segment, (state.openInSegment.get(segment) ?? 0) + 1)
}

/** Lets an open item wait until it may be submitted. */
export function wait(state: CampaignState, index: number, item: OpenState, notBeforeMs: TimeMs): void {
  item.phase = 'waiting'
  state.waiting.set(index, notBeforeMs)
  if (notBeforeMs < state.waitingDueMs) state.waitingDueMs = notBeforeMs
}

/** Tasks of which nothing was heard for long are asked about; those of a campaign that stops are cancelled once more. */
export function checkOpen(turn: Turn): void {
  const { state, atMs } = turn
  const { record, policy, open } = state
  if (state.checkAtMs > atMs) return
  state.checkAtMs = (atMs + policy.checkEveryMs) as TimeMs
  const cancelsAgain = record.status === 'stopping' && turn.cancelled.length === 0
  for (const [index, item] of open) {
    if (item.phase === 'waiting' || item.heardAtMs + policy.checkEveryMs > atMs) continue
    item.heardAtMs = atMs
    const asked = { index, attempt: item.attempt }
    turn.checked.push(asked)
    if (cancelsAgain) turn.cancelled.push(asked)
  }
}
