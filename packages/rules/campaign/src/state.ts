/**
 * What a campaign is in memory: its record and its open items, of which there are no more than its window. Every item
 * below `next` that is not open has a result on disk, so results are nowhere in memory. The step owns this state and
 * changes it in place.
 */
import type { DurationMs, MicroCredit, RequesterId, TimeMs } from '@shardy/protocol'
import type { CampaignId } from './campaignId.ts'
import { countOf } from './manifest/inputs.ts'
import type { Manifest } from './manifest/manifest.ts'
import type { CampaignEventType, CampaignRecord } from './record.ts'

export interface CampaignPolicy {
  /** Tasks submitted in one step; the rest follow in the next. */
  readonly submitPerStepMax: number
  /** A task of which nothing was heard for so long is asked about. */
  readonly checkEveryMs: DurationMs
  /** Before the second attempt; doubles with each, up to the most. */
  readonly retryMs: DurationMs
  readonly retryMsMax: DurationMs
  /** However long somebody asks for patience. */
  readonly laterMsMax: DurationMs
}

export const defaultPolicy: CampaignPolicy = {
  submitPerStepMax: 256,
  checkEveryMs: 60_000 as DurationMs,
  retryMs: 1_000 as DurationMs,
  retryMsMax: 300_000 as DurationMs,
  laterMsMax: 60_000 as DurationMs,
}

/** What the rules need of a manifest; the program and the inputs stay with the driver. */
export interface Plan {
  readonly total: number
  readonly rewardMicroCredit: MicroCredit
  readonly budgetMicroCredit: MicroCredit
  readonly deadlineMs: TimeMs
  readonly window: number
  readonly attemptsMax: number
  readonly stopAfterFailures: number | undefined
  readonly webhookEvents: readonly CampaignEventType[]
}

export type OpenPhase =
  /** To be submitted when its time has come: another attempt, or put off. */
  | 'waiting'
  /** Submitted, not answered; or, after a restart, not known. */
  | 'submitting'
  | 'live'

export interface OpenState {
  attempt: number
  /** Of its earlier attempts. */
  costMicroCredit: MicroCredit
  phase: OpenPhase
  /** When something was last heard of it or asked about it. */
  heardAtMs: TimeMs
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

export interface CampaignState {
  readonly plan: Plan
  readonly policy: CampaignPolicy
  readonly record: Mutable<CampaignRecord>
  readonly open: Map<number, OpenState>
  /** Open items in phase `waiting`, and when they may be submitted. */
  readonly waiting: Map<number, TimeMs>
  /** How many open items each segment has; no segment with none. */
  readonly openInSegment: Map<number, number>
  /** No later than the first of `waiting`. */
  waitingDueMs: TimeMs
  /** Nothing is submitted before. */
  holdUntilMs: TimeMs
  checkAtMs: TimeMs
  /** The last step submitted as much as one may; there is more to do at once. */
  hasMore: boolean
}

export const neverMs = Number.MAX_SAFE_INTEGER as TimeMs

export function planOf(manifest: Manifest): Plan {
  const { rewardMicroCredit, budgetMicroCredit, deadlineMs, window, stopAfterFailures } = manifest
  return {
    total: countOf(manifest.inputs),
    rewardMicroCredit,
    budgetMicroCredit,
    deadlineMs,
    window,
    attemptsMax: manifest.retriesMax + 1,
    stopAfterFailures,
    webhookEvents: manifest.webhook?.events ?? [],
  }
}

export function stateOf(plan: Plan, policy: CampaignPolicy, record: CampaignRecord): CampaignState {
  for (const [name, value] of Object.entries(policy)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} is ${value}, the least is 1`)
  }
  return {
    plan,
    policy,
    record: { ...record },
    open: new Map(),
    waiting: new Map(),
    openInSegment: new Map(),
    waitingDueMs: neverMs,
    holdUntilMs: 0 as TimeMs,
    checkAtMs: 0 as TimeMs,
    hasMore: false,
  }
}

/** A campaign that does not exist before the input `created`. */
export function newCampaign(
  campaignId: CampaignId,
  requesterId: RequesterId,
  manifest: Manifest,
  policy: CampaignPolicy = defaultPolicy,
): CampaignState {
  return stateOf(planOf(manifest), policy, {
    campaignId,
    requesterId,
    createdAtMs: 0 as TimeMs,
    status: 'running',
    reason: undefined,
    next: 0,
    verified: 0,
    accepted: 0,
    dead: 0,
    refused: 0,
    cancelled: 0,
    spentMicroCredit: 0n as MicroCredit,
    events: 0,
    endedAtMs: undefined,
  })
}

/** When the next `tick` is wanted; at once when that is past. */
export function nextDueMs(state: CampaignState): TimeMs | undefined {
  const { record, plan, open, checkAtMs, waitingDueMs, holdUntilMs, hasMore } = state
  if (record.status === 'ended') return undefined
  if (hasMore) return 0 as TimeMs
  const due: number[] = open.size > 0 ? [checkAtMs] : []
  if (record.status !== 'stopping') due.push(plan.deadlineMs)
  if (record.status === 'running') {
    if (waitingDueMs !== neverMs) due.push(Math.max(waitingDueMs, holdUntilMs))
    if (roomOf(state) > 0) due.push(holdUntilMs)
  }
  return due.length === 0 ? undefined : (Math.min(...due) as TimeMs)
}

/** What open items may still cost together: each keeps the reward of one attempt from when it is opened (spec K8). */
export function reservedOf({ plan, open }: CampaignState): MicroCredit {
  return (plan.rewardMicroCredit * BigInt(open.size)) as MicroCredit
}

/** New items that the budget allows. */
export function affordableOf(state: CampaignState): number {
  const { rewardMicroCredit, budgetMicroCredit } = state.plan
  if (rewardMicroCredit === 0n) return Number.MAX_SAFE_INTEGER
  const left = budgetMicroCredit - state.record.spentMicroCredit - reservedOf(state)
  const count = left / rewardMicroCredit
  return count > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(count)
}

/** New items that window, budget and what is left allow. */
export function roomOf(state: CampaignState): number {
  const { plan, record, open } = state
  const most = Math.min(plan.window - open.size, plan.total - record.next)
  return most <= 0 ? 0 : Math.min(most, affordableOf(state))
}
