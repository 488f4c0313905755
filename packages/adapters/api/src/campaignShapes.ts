/** The shapes of campaigns. A manifest's fields are read, and refused one by one, by the rules of docs/spec/campaign.md. */
import { values } from '@shardy/protocol'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { decimal, digest, taskId, timeMs, words } from './shapes.ts'

const closed = { additionalProperties: false }
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const campaignStatuses = ['running', 'paused', 'stopping', 'ended'] as const
export const campaignReasons = [
  'asked',
  'fundsMissing',
  'completed',
  'budgetSpent',
  'deadline',
  'tooManyFailures',
  'cancelled',
] as const
export const itemStatuses = ['verified', 'accepted', 'dead', 'refused', 'cancelled'] as const
export const campaignEventTypes = [
  'campaign_started',
  'campaign_progress',
  'campaign_paused',
  'campaign_resumed',
  'campaign_stopping',
  'campaign_ended',
] as const

interface Base64 {
  readonly base64: string
}

/** As people write it: what may be left out, and what it then is, stands in docs/spec/campaign.md K1. */
export interface ManifestJson {
  readonly name: string
  readonly work: {
    readonly kind: string
    /** Canonical bytes. */
    readonly program: Base64
    readonly seed?: string
    readonly output?: 'keep' | 'digest'
  }
  /** Exactly one of them. */
  readonly inputs: {
    readonly range?: {
      readonly from?: number
      readonly to: number
      readonly template?: Base64
      readonly offset?: number
    }
    readonly seeds?: { readonly from?: number; readonly to: number; readonly input?: string }
    readonly blobs?: { readonly digests: readonly string[] }
    readonly list?: { readonly digest: string; readonly count: number }
  }
  readonly rewardMicroCredit: string
  readonly budgetMicroCredit: string
  readonly verify?: string
  readonly proof?: string
  readonly priority?: number
  readonly deadlineMs: number
  readonly taskTimeoutMs?: number
  readonly window?: number
  readonly retriesMax?: number
  readonly stopAfterFailures?: number | null
  readonly webhook?: { readonly url: string; readonly events: readonly string[]; readonly secretName: string }
}

export const campaignId = Type.String({ pattern: '^[0-9a-f]{32}$', description: 'campaign id' })

export const campaignOrder = Type.Object(
  {
    manifest: Type.Unsafe<ManifestJson>(
      Type.Object(
        {},
        {
          description:
            'name, work, inputs, rewardMicroCredit, budgetMicroCredit, deadlineMs and more: docs/spec/campaign.md K1. Workers ' +
            'who compute an item see its input',
        },
      ),
    ),
    webhookSecret: Type.Optional(
      Type.String({
        maxLength: 344,
        pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
        description:
          '16 to 256 bytes with which webhooks are signed; kept under the name that the manifest gives, and never shown again. ' +
          'Left out when a secret of that name is kept already',
      }),
    ),
  },
  closed,
)
export type CampaignOrderJson = Static<typeof campaignOrder>

const counts = {
  total: whole,
  open: whole,
  verified: whole,
  accepted: Type.Integer({ minimum: 0, description: 'neither checked, agreed on nor computed again' }),
  dead: whole,
  refused: whole,
  cancelled: whole,
}

export const campaignView = Type.Object({
  campaignId,
  name: Type.String(),
  kind: words(values.taskKinds),
  programId: digest,
  status: words(campaignStatuses),
  reason: Type.Optional(words(campaignReasons)),
  ...counts,
  remaining: Type.Integer({ minimum: 0, description: 'never begun' }),
  window: whole,
  rewardMicroCredit: decimal('the most that one attempt at one item costs, the fee included'),
  budgetMicroCredit: decimal('the most that all of them together cost'),
  spentMicroCredit: decimal('so far'),
  reservedMicroCredit: decimal('kept for the open items'),
  heldUpBy: Type.Optional(
    Type.Object({ kind: words(['window', 'budget', 'overload', 'lastItems']), detail: Type.String() }),
  ),
  itemsPerSecond: Type.Optional(Type.Number({ minimum: 0, description: 'over the last minute' })),
  etaMs: Type.Optional(Type.Integer({ minimum: 0, description: 'at that rate; no promise' })),
  createdAtMs: timeMs,
  deadlineMs: timeMs,
  endedAtMs: Type.Optional(timeMs),
})
export type CampaignView = Static<typeof campaignView>

export const campaignPage = Type.Object({
  campaigns: Type.Array(campaignView),
  nextCursor: Type.Optional(Type.String()),
})
export type CampaignPage = Static<typeof campaignPage>

export const campaignEventView = Type.Object({
  sequence: Type.Integer({ minimum: 1 }),
  atMs: timeMs,
  type: words(campaignEventTypes),
  status: words(campaignStatuses),
  reason: Type.Optional(words(campaignReasons)),
  ...counts,
  spentMicroCredit: decimal('so far'),
})
export type CampaignEventView = Static<typeof campaignEventView>

/** One line of the results. */
export const itemResultView = Type.Object(
  {
    index: whole,
    status: words(itemStatuses),
    attempts: whole,
    taskId: Type.Optional(taskId),
    outputDigest: Type.Optional(digest),
    costMicroCredit: decimal('of all its attempts'),
    code: Type.Optional(Type.String({ maxLength: 32 })),
  },
  closed,
)
export type ItemResultView = Static<typeof itemResultView>
export const isItemResult = (value: unknown): value is ItemResultView => Value.Check(itemResultView, value)

export const webhookPage = Type.Object({
  webhooks: Type.Array(
    Type.Object({
      sequence: Type.Integer({ minimum: 1 }),
      status: words(['pending', 'delivered', 'dead']),
      attempts: whole,
      notBeforeMs: Type.Optional(timeMs),
      last: Type.Optional(Type.String({ description: 'what the last attempt came to' })),
    }),
  ),
})
export type WebhookPage = Static<typeof webhookPage>

/** A row of results in bytes: index (4, little end first), status (its place among the words above), attempts, two zeros, task id (16), output digest (32). */
export const resultRowBytes = 56
/** From which index another request goes on. */
export const nextIndexHeader = 'shardy-next-index'
