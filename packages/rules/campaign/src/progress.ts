/** How far a campaign is, and the one thing that holds it up, if anything does. */
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import type { CampaignReason, CampaignStatus, ItemStatus } from './record.ts'
import { affordableOf, type CampaignState, reservedOf } from './state.ts'

/** Why nothing new is submitted at the moment. */
export type HeldUpBy =
  | { readonly kind: 'window'; readonly window: number }
  | { readonly kind: 'budget'; readonly leftMicroCredit: MicroCredit }
  | { readonly kind: 'overload'; readonly untilMs: TimeMs }
  /** Every item has been opened; the last are computed. */
  | { readonly kind: 'lastItems' }

export interface CampaignProgress extends Readonly<Record<ItemStatus, number>> {
  readonly status: CampaignStatus
  readonly reason: CampaignReason | undefined
  readonly total: number
  readonly open: number
  /** Never opened; of an ended campaign: never tried. */
  readonly remaining: number
  readonly spentMicroCredit: MicroCredit
  /** Kept for the open items. */
  readonly reservedMicroCredit: MicroCredit
  readonly budgetMicroCredit: MicroCredit
  readonly heldUpBy: HeldUpBy | undefined
}

export function progressOf(state: CampaignState, atMs: TimeMs): CampaignProgress {
  const { record, plan, open } = state
  const { status, reason, verified, accepted, dead, refused, cancelled, spentMicroCredit } = record
  return {
    status,
    reason,
    total: plan.total,
    open: open.size,
    remaining: plan.total - record.next,
    verified,
    accepted,
    dead,
    refused,
    cancelled,
    spentMicroCredit,
    reservedMicroCredit: reservedOf(state),
    budgetMicroCredit: plan.budgetMicroCredit,
    heldUpBy: status === 'running' ? heldUpBy(state, atMs) : undefined,
  }
}

function heldUpBy(state: CampaignState, atMs: TimeMs): HeldUpBy | undefined {
  const { record, plan, open, holdUntilMs } = state
  if (holdUntilMs > atMs) return { kind: 'overload', untilMs: holdUntilMs }
  if (record.next === plan.total) return { kind: 'lastItems' }
  if (open.size >= plan.window) return { kind: 'window', window: plan.window }
  if (affordableOf(state) > 0) return undefined
  const left = plan.budgetMicroCredit - record.spentMicroCredit - reservedOf(state)
  return { kind: 'budget', leftMicroCredit: left as MicroCredit }
}
