/** One step in the making: what is to be saved, then done. The campaign's state is changed as it goes. */
import type { TimeMs } from '@shardy/protocol'
import type { Effect, IgnoredReason } from './effect.ts'
import {
  type CampaignEvent,
  type CampaignEventType,
  type ItemAttempt,
  type ItemResult,
  type OpenItem,
  settledOf,
} from './record.ts'
import type { CampaignState } from './state.ts'

export interface Turn {
  readonly state: CampaignState
  readonly atMs: TimeMs
  readonly percentBefore: number
  readonly opened: Map<number, OpenItem>
  readonly settled: ItemResult[]
  readonly complete: number[]
  readonly events: CampaignEvent[]
  readonly submitted: ItemAttempt[]
  readonly cancelled: ItemAttempt[]
  readonly checked: ItemAttempt[]
  readonly ignored: Effect[]
  /** Somebody said that the requester's money does not cover a task. */
  lacksFunds: boolean
  /** The record says something else than before. */
  isChanged: boolean
}

function percentOf({ record, plan }: CampaignState): number {
  return Math.floor((100 * settledOf(record)) / plan.total)
}

export function openTurn(state: CampaignState, atMs: TimeMs): Turn {
  return {
    state,
    atMs,
    percentBefore: percentOf(state),
    opened: new Map(),
    settled: [],
    complete: [],
    events: [],
    submitted: [],
    cancelled: [],
    checked: [],
    ignored: [],
    lacksFunds: false,
    isChanged: false,
  }
}

export function ignore(turn: Turn, reason: IgnoredReason, index?: number): void {
  turn.ignored.push({ kind: 'ignored', reason, index })
}

export function tell(turn: Turn, type: CampaignEventType): void {
  const { state, atMs } = turn
  const { record } = state
  record.events++
  turn.isChanged = true
  const { campaignId, status, reason, verified, accepted, dead, refused, cancelled, spentMicroCredit } =
    record
  turn.events.push({
    campaignId,
    sequence: record.events,
    atMs,
    type,
    status,
    reason,
    total: state.plan.total,
    open: state.open.size,
    verified,
    accepted,
    dead,
    refused,
    cancelled,
    spentMicroCredit,
  })
}

export function closeTurn(turn: Turn): readonly Effect[] {
  const { state, opened, settled, complete, events, submitted, cancelled, checked, ignored } = turn
  if (percentOf(state) > turn.percentBefore && state.record.status !== 'ended')
    tell(turn, 'campaign_progress')
  const effects: Effect[] = []
  if (turn.isChanged || opened.size > 0 || settled.length > 0) {
    const record = { ...state.record }
    effects.push({ kind: 'save', record, opened: [...opened.values()], settled, complete, events })
  }
  if (cancelled.length > 0) effects.push({ kind: 'cancelItems', items: cancelled })
  if (submitted.length > 0) effects.push({ kind: 'submitItems', items: submitted })
  if (checked.length > 0) effects.push({ kind: 'checkItems', items: checked })
  for (const event of events) {
    effects.push({ kind: 'publish', event })
    if (state.plan.webhookEvents.includes(event.type)) effects.push({ kind: 'webhook', event })
  }
  return ignored.length === 0 ? effects : [...effects, ...ignored]
}
