/**
 * Disputes as a pure function: `step(state, input) → { state, effects }`. The switch is its table of contents. What a
 * dispute waits for is over as soon as its window has closed, whether or not a tick came first.
 */
import type { TimeMs } from '@shardy/protocol'
import { takeHalves } from './bisection.ts'
import { noteMissing, takeDigest, takeLeaves } from './execution.ts'
import type { Input } from './input.ts'
import { checkSignature, open } from './opening.ts'
import type { DisputeState, DisputeTools } from './state.ts'
import { ask, closeTurn, ignore, openTurn, put, type Step, type Turn } from './turn.ts'
import { expire, forget } from './verdict.ts'

export function createStep(tools: DisputeTools): (state: DisputeState, input: Input) => Step {
  return (state, input) => {
    const turn = openTurn(state, input.atMs, tools)
    decide(turn, input)
    return closeTurn(turn)
  }
}

function decide(turn: Turn, input: Input): void {
  switch (input.kind) {
    case 'open':
      return open(turn, input)
    case 'tick':
      return tick(turn)
    default:
      return reply(turn, input)
  }
}

type Reply = Exclude<Input, { readonly kind: 'open' | 'tick' }>

function reply(turn: Turn, input: Reply): void {
  const found = turn.state.open.get(input.disputeId)
  if (found !== undefined && found.dueMs <= turn.atMs) expire(turn, found)
  const dispute = turn.state.open.get(input.disputeId)
  if (dispute === undefined) {
    return ignore(turn, turn.state.ended.has(input.disputeId) ? 'ended' : 'unknownDispute')
  }
  switch (input.kind) {
    case 'signatureChecked':
      return checkSignature(turn, dispute, input)
    case 'halvesShown':
      return takeHalves(turn, dispute, input)
    case 'leavesShown':
      return takeLeaves(turn, dispute, input)
    case 'reexecuted':
      return takeDigest(turn, dispute, input)
    case 'blobsMissing':
      return noteMissing(turn, dispute, input)
  }
}

/** Every dispute is looked at: there are no more open ones, and no more ended ones, than the policy allows. */
function tick(turn: Turn): void {
  const { atMs, state } = turn
  for (const dispute of state.open.values()) {
    if (dispute.dueMs <= atMs) expire(turn, dispute)
    else if (dispute.askAtMs <= atMs) {
      const asked = { ...dispute, askAtMs: (atMs + state.policy.askEveryMs) as TimeMs }
      put(turn, asked)
      ask(turn, asked)
    }
  }
  for (const { disputeId, forgetAtMs } of state.ended.values()) {
    if (forgetAtMs <= atMs) forget(turn, disputeId)
  }
}
