/**
 * Campaigns in the store (docs/spec/campaign.md K4, K5): how one step's `save` becomes one atomic batch, and how the rows are
 * read back for a restart and for a requester. A result is in one place: a row of its own, or its segment's.
 */
import {
  type CampaignEvent,
  type CampaignId,
  type CampaignRecord,
  campaignEvent,
  campaignRecord,
  type ItemResult,
  itemResult,
  type Manifest,
  manifest as manifestMessage,
  newWebhook,
  type OpenItem,
  openItem,
  packResults,
  resultSegment,
  type Save,
  segmentItems,
  segmentOf,
  unpackResults,
  webhookRecord,
} from '@shardy/campaign'
import {
  blob,
  type Digest,
  encodeHex,
  field,
  type Infer,
  message,
  programBytesMax,
  type RequesterId,
  type TimeMs,
  values,
} from '@shardy/protocol'
import { type Operation, prefixRange, type Store } from '@shardy/storage'
import { idKey, numberKey, type Table } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'

const empty = new Uint8Array(0)
/** Program, template and inline digests, with room for all else. */
const manifestBytesMax = 4 * programBytesMax

/** What was asked: it never changes. */
export const askedCampaign = message('AskedCampaign', {
  manifest: field(1, blob(manifestBytesMax)),
  /** Of the manifest and the secret that came with it: tells a repeat from a conflict. */
  requestDigest: field(2, values.digest),
  programId: field(3, values.programId),
})
export type AskedCampaign = Infer<typeof askedCampaign>

export interface StoredCampaign {
  readonly record: CampaignRecord
  readonly asked: AskedCampaign
  readonly manifest: Manifest
}

export interface CampaignPage {
  readonly campaigns: readonly StoredCampaign[]
  readonly nextCursor: string | undefined
}

export interface CampaignRows {
  /** What a new campaign is beside what its first step saves. */
  created(
    campaignId: CampaignId,
    requesterId: RequesterId,
    atMs: TimeMs,
    asked: AskedCampaign,
  ): Operation<Table>[]
  /** Writes all that a step saves, in one synced batch together with `more`. */
  save(save: Save, webhooks: readonly CampaignEvent[], more?: readonly Operation<Table>[]): Promise<void>
  campaign(campaignId: CampaignId): Promise<StoredCampaign | undefined>
  live(): Promise<readonly CampaignId[]>
  openItems(campaignId: CampaignId): Promise<readonly OpenItem[]>
  /** Newest first; the cursor is where the page before ended. */
  list(requesterId: RequesterId, limit: number, cursor: string | undefined): Promise<CampaignPage>
  /** In order of index, of one segment; those that have one. */
  results(campaignId: CampaignId, segment: number): Promise<readonly ItemResult[]>
  event(campaignId: CampaignId, sequence: number): Promise<CampaignEvent | undefined>
  events(campaignId: CampaignId, after: number, limit: number): Promise<readonly CampaignEvent[]>
}

/** Segments that are packed in the batch in which they became complete; more at once become rows first. */
const packedAtOnceMax = 16

export function itemKey(campaignId: CampaignId, index: number): Uint8Array {
  return withNumber(campaignId, index, 4)
}

export function eventKey(campaignId: CampaignId, sequence: number): Uint8Array {
  return withNumber(campaignId, sequence, 8)
}

/** Big end first, so that numbers sort. */
function withNumber(campaignId: CampaignId, number: number, bytes: 4 | 8): Uint8Array {
  const id = idKey(campaignId)
  const key = new Uint8Array(id.length + bytes)
  key.set(id)
  const view = new DataView(key.buffer)
  if (bytes === 4) view.setUint32(id.length, number)
  else view.setBigUint64(id.length, BigInt(number))
  return key
}

function listKey(requesterId: RequesterId, atMs: TimeMs, campaignId: CampaignId): Uint8Array {
  return idKey(requesterId, encodeHex(numberKey(atMs)), campaignId)
}

export function createCampaignRows(store: Store<Table>): CampaignRows {
  /** One row instead of those that there are, and of those that are just being decided. */
  async function packed(
    campaignId: CampaignId,
    segment: number,
    settled: readonly ItemResult[],
  ): Promise<Operation<Table>[]> {
    const rows = [...(await rowsOf(campaignId, segment)), ...settled]
    rows.sort((left, right) => left.index - right.index)
    const value = resultSegment.encode(packResults(rows))
    const range = rangeOf(campaignId, segment)
    return [
      { kind: 'put', table: 'campaignSegments', key: itemKey(campaignId, segment), value },
      { kind: 'deleteRange', table: 'campaignResults', ...range },
    ]
  }

  function rangeOf(
    campaignId: CampaignId,
    segment: number,
  ): { readonly gte: Uint8Array; readonly lt: Uint8Array } {
    const first = segment * segmentItems
    return { gte: itemKey(campaignId, first), lt: itemKey(campaignId, first + segmentItems) }
  }

  async function rowsOf(campaignId: CampaignId, segment: number): Promise<ItemResult[]> {
    const rows: ItemResult[] = []
    for await (const { value } of store.iterate('campaignResults', rangeOf(campaignId, segment))) {
      rows.push(decodeRecord(itemResult, value))
    }
    return rows
  }

  async function stored(campaignId: CampaignId): Promise<StoredCampaign | undefined> {
    const key = idKey(campaignId)
    const [record, askedBytes] = await Promise.all([
      store.get('campaigns', key),
      store.get('campaignManifests', key),
    ])
    if (record === undefined || askedBytes === undefined) return undefined
    const asked = decodeRecord(askedCampaign, askedBytes)
    return {
      record: decodeRecord(campaignRecord, record),
      asked,
      manifest: decodeRecord(manifestMessage, asked.manifest),
    }
  }

  return {
    created(campaignId, requesterId, atMs, asked) {
      const key = idKey(campaignId)
      return [
        { kind: 'put', table: 'campaignManifests', key, value: askedCampaign.encode(asked) },
        {
          kind: 'put',
          table: 'campaignsByRequester',
          key: listKey(requesterId, atMs, campaignId),
          value: empty,
        },
        { kind: 'put', table: 'liveCampaigns', key, value: empty },
      ]
    },
    async save({ record, opened, settled, complete, events }, webhooks, more = []) {
      const { campaignId } = record
      const key = idKey(campaignId)
      const operations: Operation<Table>[] = [
        ...more,
        { kind: 'put', table: 'campaigns', key, value: campaignRecord.encode(record) },
      ]
      if (record.status === 'ended') operations.push({ kind: 'delete', table: 'liveCampaigns', key })
      for (const item of opened) {
        const value = openItem.encode(item)
        operations.push({ kind: 'put', table: 'campaignItems', key: itemKey(campaignId, item.index), value })
      }
      const packs = new Map<number, ItemResult[]>(
        complete.slice(0, packedAtOnceMax).map((each) => [each, []]),
      )
      for (const result of settled) {
        const own = itemKey(campaignId, result.index)
        operations.push({ kind: 'delete', table: 'campaignItems', key: own })
        const pack = packs.get(segmentOf(result.index))
        if (pack !== undefined) pack.push(result)
        else
          operations.push({
            kind: 'put',
            table: 'campaignResults',
            key: own,
            value: itemResult.encode(result),
          })
      }
      for (const [segment, results] of packs) operations.push(...(await packed(campaignId, segment, results)))
      for (const event of events) {
        const own = eventKey(campaignId, event.sequence)
        operations.push({
          kind: 'put',
          table: 'campaignEvents',
          key: own,
          value: campaignEvent.encode(event),
        })
      }
      for (const event of webhooks) {
        const own = eventKey(campaignId, event.sequence)
        operations.push({
          kind: 'put',
          table: 'webhooks',
          key: own,
          value: webhookRecord.encode(newWebhook(event)),
        })
      }
      await store.write(operations, { sync: true })
      // A campaign that stops may complete very many at once; until they are packed they are read as rows.
      for (const segment of complete.slice(packedAtOnceMax)) {
        await store.write(await packed(campaignId, segment, []), { sync: false })
      }
    },
    campaign: stored,
    async live() {
      const ids: CampaignId[] = []
      for await (const { key } of store.iterate('liveCampaigns')) ids.push(encodeHex(key) as CampaignId)
      return ids
    },
    async openItems(campaignId) {
      const items: OpenItem[] = []
      for await (const { value } of store.iterate('campaignItems', prefixRange(idKey(campaignId)))) {
        items.push(decodeRecord(openItem, value))
      }
      return items
    },
    async list(requesterId, limit, cursor) {
      const own = idKey(requesterId)
      const range = { ...prefixRange(own), reverse: true, ...(cursor && { lt: idKey(requesterId, cursor) }) }
      const keys: Uint8Array[] = []
      for await (const { key } of store.iterate('campaignsByRequester', { ...range, limit: limit + 1 }))
        keys.push(key)
      const shown = keys.slice(0, limit)
      const found = await Promise.all(shown.map((key) => stored(encodeHex(key.subarray(-16)) as CampaignId)))
      const last = keys.length > limit ? shown.at(-1) : undefined
      return {
        campaigns: found.filter((each) => each !== undefined),
        nextCursor: last && encodeHex(last.subarray(own.length)),
      }
    },
    async results(campaignId, segment) {
      const bytes = await store.get('campaignSegments', itemKey(campaignId, segment))
      if (bytes !== undefined) return unpackResults(decodeRecord(resultSegment, bytes))
      const rows = await rowsOf(campaignId, segment)
      // It may have been packed between the two looks.
      const now = await store.get('campaignSegments', itemKey(campaignId, segment))
      return now === undefined ? rows : unpackResults(decodeRecord(resultSegment, now))
    },
    async event(campaignId, sequence) {
      const bytes = await store.get('campaignEvents', eventKey(campaignId, sequence))
      return bytes && decodeRecord(campaignEvent, bytes)
    },
    async events(campaignId, after, limit) {
      const { lt } = prefixRange(idKey(campaignId))
      const events: CampaignEvent[] = []
      const range = { gte: eventKey(campaignId, after + 1), lt, limit }
      for await (const { value } of store.iterate('campaignEvents', range)) {
        events.push(decodeRecord(campaignEvent, value))
      }
      return events
    },
  }
}

/** Where a requester's secret of that name lies. */
export function secretKey(requesterId: RequesterId, nameDigest: Digest): Uint8Array {
  return idKey(requesterId, nameDigest)
}
