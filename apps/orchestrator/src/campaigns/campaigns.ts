/**
 * All campaigns of an orchestrator: made from what requesters ask, gone on with after a restart, and told how their tasks end.
 * Those that have not ended are in memory, with no more than their windows; the others are rows.
 */
import { ApiError } from '@shardy/api'
import {
  type CampaignEvent,
  type CampaignId,
  type CampaignPolicy,
  type CampaignState,
  defaultPolicy,
  type Manifest,
  manifest as manifestMessage,
  newCampaign,
  recover,
  refuseDeadline,
} from '@shardy/campaign'
import { isEnded, type Task } from '@shardy/dispatch'
import {
  type Digest,
  domainPayload,
  encodeHex,
  field,
  type MadeProofKind,
  message,
  type RequesterId,
  type Sha256,
  text,
  values,
} from '@shardy/protocol'
import type { BlobStore, Operation, Store } from '@shardy/storage'
import type { BlobKeeper } from '../blobs/keeper.ts'
import type { Clock } from '../clock.ts'
import { pinnedAll } from '../http/operands.ts'
import { refuseUnoffered } from '../http/verification.ts'
import type { Log } from '../log.ts'
import type { Table } from '../tables.ts'
import { createPlaces } from '../telemetry/places.ts'
import { createTurns } from '../turns.ts'
import { type Command, type RunningCampaign, runCampaign } from './campaign.ts'
import { createHolds, namedIn } from './holds.ts'
import { type CampaignPage, type CampaignRows, createCampaignRows, type StoredCampaign } from './rows.ts'
import type { Submitter } from './submitter.ts'
import { type CampaignWork, inManifest, workOf } from './work.ts'

/** A campaign as it is shown. */
export interface FoundCampaign {
  readonly manifest: Manifest
  readonly programId: string
  readonly state: CampaignState
  /** Undefined when it has ended. */
  readonly running: RunningCampaign | undefined
}

export interface CampaignOrder {
  readonly requesterId: RequesterId
  readonly manifest: Manifest
  readonly idempotencyKey: string
  /** What else tells this order from another: the digest of a secret that came with it. */
  readonly secretDigest: string
  /** Looks at everything that takes a look at the world, and throws what the requester is told. What it gives is written with the campaign. */
  admit(work: CampaignWork): Promise<readonly Operation<Table>[]>
}

export interface Campaigns {
  create(order: CampaignOrder): Promise<{ readonly campaign: FoundCampaign; readonly isNew: boolean }>
  /** Goes on with what had not ended; dispatch must be there. */
  start(): Promise<void>
  find(campaignId: CampaignId): Promise<FoundCampaign | undefined>
  list(requesterId: RequesterId, limit: number, cursor: string | undefined): Promise<CampaignPage>
  /** Resolves when it is durable; undefined when there is no such campaign, or it has ended. */
  command(campaignId: CampaignId, kind: 'pause' | 'resume' | 'cancel'): Promise<RunningCampaign | undefined>
  /** A task of a campaign has ended durably. */
  taskEnded(task: Task): void
  /** Its tasks must not be forgotten, nor put back to work. */
  isLive(campaignId: string): boolean
  running(): Iterable<RunningCampaign>
  /** The returned function ends it; undefined when too many listen already. */
  subscribe(
    campaignId: CampaignId,
    listener: (event: CampaignEvent) => void,
    who: string,
  ): (() => void) | undefined
  readonly rows: CampaignRows
  close(): Promise<void>
}

export interface CampaignsParts {
  readonly store: Store<Table>
  readonly blobs: BlobStore
  readonly keeper: Pick<BlobKeeper, 'pinned'>
  readonly clock: Clock
  readonly log: Log
  readonly sha256: Sha256
  readonly submitter: Submitter
  readonly feePermille: number
  /** The kinds of proof that a new campaign may ask for, which change with the keys. */
  proofKinds(): readonly MadeProofKind[]
  readonly policy?: CampaignPolicy
  readonly bounds?: CampaignBounds
  /** An event whose webhook is queued. */
  webhook(event: CampaignEvent): void
  fatal(error: unknown): void
}

export interface CampaignBounds {
  /** That have not ended. */
  readonly liveMax: number
  readonly livePerRequesterMax: number
  readonly listenersMax: number
  readonly listenersPerRequesterMax: number
}

/** A window of 10,000 items takes 3 MB. */
export const defaultBounds: CampaignBounds = {
  liveMax: 256,
  livePerRequesterMax: 32,
  listenersMax: 10_000,
  listenersPerRequesterMax: 2_000,
}

const campaignKey = message('CampaignKey', {
  requesterId: field(1, values.requesterId),
  /** Not the number that a task's key has: the two are never the same bytes. */
  key: field(3, text(128)),
})

const askedContent = message('CampaignAsked', {
  manifest: field(1, values.digest),
  secret: field(2, text(64)),
})

export function createCampaigns(parts: CampaignsParts): Campaigns {
  const {
    store,
    clock,
    log,
    sha256,
    submitter,
    feePermille,
    policy = defaultPolicy,
    bounds = defaultBounds,
  } = parts
  const rows = createCampaignRows(store)
  const holds = createHolds(store, parts.blobs, log)
  const turns = createTurns<CampaignId>()
  const running = new Map<CampaignId, RunningCampaign>()
  const listeners = new Map<CampaignId, Set<(event: CampaignEvent) => void>>()
  const places = createPlaces(bounds.listenersMax, bounds.listenersPerRequesterMax)
  /** On their way to be running, and whose they are. */
  const admitted = new Map<CampaignId, RequesterId>()
  let closed = false

  const digestOf = (bytes: Uint8Array): Digest => encodeHex(sha256(bytes)) as Digest

  function run(work: CampaignWork, state: CampaignState): RunningCampaign {
    const { campaignId, manifest, facts } = work
    const campaign = runCampaign(
      {
        clock,
        submitter,
        save: rows.save,
        publish(event) {
          for (const listener of [...(listeners.get(campaignId) ?? [])]) listener(event)
          if (event.type !== 'campaign_ended') return
          running.delete(campaignId)
          holds.release(campaignId, namedIn(manifest, facts.constants), manifest)
        },
        webhook: parts.webhook,
        fatal: parts.fatal,
      },
      work,
      state,
    )
    running.set(campaignId, campaign)
    return campaign
  }

  function shown({ record, asked, manifest }: StoredCampaign): FoundCampaign {
    return {
      manifest,
      programId: asked.programId,
      state: recover(manifest, record, [], policy),
      running: undefined,
    }
  }

  const shownRunning = (campaign: RunningCampaign): FoundCampaign => ({
    manifest: campaign.work.manifest,
    programId: campaign.work.programId,
    state: campaign.state,
    running: campaign,
  })

  async function find(campaignId: CampaignId): Promise<FoundCampaign | undefined> {
    const live = running.get(campaignId)
    if (live !== undefined) {
      // Nobody is told what a crash could take back.
      await live.caughtUp()
      return live.state.record.events === 0 ? undefined : shownRunning(live)
    }
    const found = await rows.campaign(campaignId)
    return found && shown(found)
  }

  function refuseTooMany(requesterId: RequesterId): void {
    const { liveMax, livePerRequesterMax } = bounds
    const all = [...running.values()].map(({ work }) => work.requesterId)
    for (const [campaignId, whose] of admitted) if (!running.has(campaignId)) all.push(whose)
    const own = all.filter((id) => id === requesterId).length
    const most = own >= livePerRequesterMax ? livePerRequesterMax : liveMax
    if (own < livePerRequesterMax && all.length < liveMax) return
    const bound = `${most} campaigns that have not ended`
    const whose = own >= livePerRequesterMax ? 'you have' : 'there are'
    throw new ApiError('tooManyCampaigns', { detail: `${whose} ${bound}`, bound, retryAfterMs: 60_000 })
  }

  async function keep(work: CampaignWork, order: CampaignOrder): Promise<FoundCampaign> {
    const { campaignId, requesterId, manifest, requestDigest, programId, facts } = work
    const more = await order.admit(work)
    if (closed) throw new ApiError('shuttingDown', 'nothing was changed')
    const asked = { manifest: manifestMessage.encode(manifest), requestDigest, programId }
    const campaign = run(work, newCampaign(campaignId, requesterId, manifest, policy))
    try {
      await campaign.command('created', [
        ...rows.created(campaignId, requesterId, clock.nowMs(), asked),
        ...holds.operations(campaignId, namedIn(manifest, facts.constants)),
        ...more,
      ])
    } catch (cause) {
      throw new ApiError(
        'storageFailed',
        'it may or may not have been taken; the orchestrator is restarting, ask again with the same key',
        { cause },
      )
    }
    holds.hold(campaignId, manifest.inputs.list)
    return shownRunning(campaign)
  }

  async function begin(
    campaignId: CampaignId,
    order: CampaignOrder,
    requestDigest: Digest,
  ): Promise<FoundCampaign> {
    const { requesterId, manifest } = order
    const late = refuseDeadline(manifest, clock.nowMs())
    if (late !== undefined) {
      const { field: name, value, bound } = late
      const at = `manifest.${name}`
      throw new ApiError('invalidField', {
        detail: `${at} is ${value}; it must be ${bound}`,
        field: at,
        value,
        bound,
      })
    }
    refuseTooMany(requesterId)
    admitted.set(campaignId, requesterId)
    try {
      const work = workOf(campaignId, requesterId, manifest, requestDigest, feePermille, sha256)
      inManifest(() => refuseUnoffered(manifest.proof, parts.proofKinds()))
      // From the look at its blobs until they are referred to.
      return await pinnedAll(parts.keeper, namedIn(manifest, work.facts.constants), () => keep(work, order))
    } finally {
      admitted.delete(campaignId)
    }
  }

  return {
    rows,
    find,
    create(order) {
      const { requesterId, manifest, idempotencyKey, secretDigest } = order
      const own = campaignKey.encode({ requesterId, key: idempotencyKey })
      const campaignId = encodeHex(sha256(domainPayload('idempotency', own)).subarray(0, 16)) as CampaignId
      const asked = { manifest: digestOf(manifestMessage.encode(manifest)), secret: secretDigest }
      const requestDigest = digestOf(domainPayload('idempotency', askedContent.encode(asked)))
      // In turn: of two with the same key the later one finds the campaign of the earlier one.
      return turns.take(campaignId, async () => {
        const live = running.get(campaignId)
        const earlier = live?.work.requestDigest ?? (await rows.campaign(campaignId))?.asked.requestDigest
        if (earlier === undefined) {
          return { campaign: await begin(campaignId, order, requestDigest), isNew: true }
        }
        const campaign = earlier === requestDigest ? await find(campaignId) : undefined
        if (campaign !== undefined) return { campaign, isNew: false }
        throw new ApiError('idempotencyConflict', {
          detail: `this key belongs to campaign ${campaignId}, which asked for something else`,
          field: 'idempotency-key',
        })
      })
    },
    async start() {
      for (const campaignId of await rows.live()) {
        const found = await rows.campaign(campaignId)
        if (found === undefined) throw new Error(`campaign ${campaignId} is live and has no rows`)
        const { record, manifest, asked } = found
        const { requesterId } = record
        const work = workOf(campaignId, requesterId, manifest, asked.requestDigest, feePermille, sha256)
        const campaign = run(work, recover(manifest, record, await rows.openItems(campaignId), policy))
        holds.hold(campaignId, manifest.inputs.list)
        campaign.command('recovered').catch(() => {})
      }
      for (const campaignId of await holds.holding()) {
        if (running.has(campaignId)) continue
        const found = await rows.campaign(campaignId)
        if (found === undefined) continue
        const { record, manifest, asked } = found
        const { facts } = workOf(
          campaignId,
          record.requesterId,
          manifest,
          asked.requestDigest,
          feePermille,
          sha256,
        )
        holds.release(campaignId, namedIn(manifest, facts.constants), manifest)
      }
    },
    list: (requesterId, limit, cursor) => rows.list(requesterId, limit, cursor),
    async command(campaignId, kind: Command) {
      const campaign = running.get(campaignId)
      await campaign?.command(kind)
      return campaign
    },
    taskEnded(task) {
      const { campaignId, campaignItem } = task.spec
      const campaign = campaignId === undefined ? undefined : running.get(campaignId as string as CampaignId)
      if (campaign === undefined || !isEnded(task.status)) return
      const { attempt } = campaign.state.open.get(campaignItem) ?? { attempt: 0 }
      if (
        attempt === 0 ||
        submitter.taskIdOf(campaign.work, { index: campaignItem, attempt }) !== task.spec.taskId
      )
        return
      campaign.taskEnded(submitter.endOf(campaign.work, { index: campaignItem, attempt }, task))
    },
    isLive: (campaignId) => running.has(campaignId as CampaignId),
    running: () => running.values(),
    subscribe(campaignId, listener, who) {
      const giveBack = places.take(who)
      if (giveBack === undefined) return undefined
      const those = listeners.get(campaignId) ?? new Set()
      listeners.set(campaignId, those.add(listener))
      return () => {
        if (!those.delete(listener)) return
        giveBack()
        if (those.size === 0) listeners.delete(campaignId)
      }
    },
    async close() {
      closed = true
      await Promise.all([...running.values()].map((campaign) => campaign.close()))
      await holds.close()
    },
  }
}
