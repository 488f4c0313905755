/**
 * A campaign as a function of its inputs: `step(state, input) → effects`. The state is the step's own and changes in
 * place, because a million items pass through it; the same inputs give the same effects everywhere (spec K13).
 */
import type { Effect } from './effect.ts'
import type { Input } from './input.ts'
import { segmentItems } from './limits.ts'
import { checkOpen, submitMore } from './opening.ts'
import type { CampaignReason } from './record.ts'
import { segmentOf } from './segment.ts'
import { giveUp, takeAnswer, takeEnd } from './settling.ts'
import { affordableOf, type CampaignState } from './state.ts'
import { closeTurn, ignore, openTurn, type Turn, tell } from './turn.ts'

export function step(state: CampaignState, input: Input): readonly Effect[] {
  const turn = openTurn(state, input.atMs)
  decide(turn, input)
  if (state.record.status !== 'ended') review(turn)
  return closeTurn(turn)
}

function decide(turn: Turn, input: Input): void {
  switch (input.kind) {
    case 'created':
      return create(turn)
    case 'tasksAnswered':
      for (const answer of input.answers) takeAnswer(turn, answer)
      if (turn.lacksFunds && turn.state.record.status === 'running') pause(turn, 'fundsMissing')
      return
    case 'tasksEnded':
      for (const end of input.ends) takeEnd(turn, end)
      return
    case 'pause':
      return turn.state.record.status === 'running' ? pause(turn, 'asked') : ignore(turn, alreadyIs(turn))
    case 'resume':
      return turn.state.record.status === 'paused' ? resume(turn) : ignore(turn, alreadyIs(turn))
    case 'cancel':
      return canStop(turn) ? stop(turn, 'cancelled') : ignore(turn, alreadyIs(turn))
    case 'recovered':
    case 'tick':
      return
  }
}

function alreadyIs({ state }: Turn): 'ended' | 'stopping' | 'alreadyPaused' | 'running' {
  const { status } = state.record
  return status === 'paused' ? 'alreadyPaused' : status
}

function canStop({ state }: Turn): boolean {
  return state.record.status === 'running' || state.record.status === 'paused'
}

function create(turn: Turn): void {
  const { state, atMs } = turn
  if (state.record.events > 0) return ignore(turn, 'alreadyCreated')
  state.record.createdAtMs = atMs
  state.checkAtMs = atMs
  tell(turn, 'campaign_started')
}

/** Nothing more is submitted, in this step already; tasks that live go on, and what they come to is taken. */
function pause(turn: Turn, reason: 'asked' | 'fundsMissing'): void {
  const { record } = turn.state
  record.status = 'paused'
  record.reason = reason
  tell(turn, 'campaign_paused')
}

function resume(turn: Turn): void {
  const { record } = turn.state
  record.status = 'running'
  record.reason = undefined
  tell(turn, 'campaign_resumed')
}

/** Live tasks are cancelled; the campaign has ended when each has said how it ended. */
function stop(turn: Turn, reason: CampaignReason): void {
  const { record, open, waiting } = turn.state
  record.status = 'stopping'
  record.reason = reason
  for (const index of waiting.keys()) {
    const item = open.get(index)
    if (item !== undefined) giveUp(turn, index, item)
  }
  for (const [index, { attempt }] of open) turn.cancelled.push({ index, attempt })
  tell(turn, 'campaign_stopping')
}

/** After every input: does it stop, what is submitted, has it ended. */
function review(turn: Turn): void {
  const { state, atMs } = turn
  const { record, plan, open } = state
  if (canStop(turn)) {
    const { stopAfterFailures, total, deadlineMs } = plan
    const isComplete = record.next === total && open.size === 0
    if (isComplete) return end(turn, 'completed')
    if (record.dead + record.refused >= (stopAfterFailures ?? total + 1)) stop(turn, 'tooManyFailures')
    else if (deadlineMs <= atMs) stop(turn, 'deadline')
  }
  checkOpen(turn)
  submitMore(turn)
  if (open.size > 0) return
  if (record.status === 'stopping') return end(turn, record.reason ?? 'cancelled')
  if (record.status === 'running' && affordableOf(state) === 0) end(turn, 'budgetSpent')
}

function end(turn: Turn, reason: CampaignReason): void {
  const { record, plan } = turn.state
  record.status = 'ended'
  record.reason = reason
  record.endedAtMs = turn.atMs
  // The segment that was never filled has all the results that it will ever have.
  if (record.next < plan.total && record.next % segmentItems !== 0) turn.complete.push(segmentOf(record.next))
  turn.state.hasMore = false
  tell(turn, 'campaign_ended')
}
