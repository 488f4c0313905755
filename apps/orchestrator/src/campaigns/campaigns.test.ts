/** The driver over a store that can be lost at any write, with a dispatch that outlives it. */
import { describe, expect, test } from 'bun:test'
import { type CampaignId, type ItemResult, segmentItems } from '@shardy/campaign'
import { sha256 } from '@shardy/crypto/native'
import type { Store } from '@shardy/storage'
import { createCampaignWorld, manifestOf, orderOf, requesterId, turn } from '../../test/campaignWorld.ts'
import { createFailingStore } from '../../test/failingStore.ts'
import { openMemoryStore } from '../../test/network.ts'
import type { Table } from '../tables.ts'
import type { Campaigns } from './campaigns.ts'

type World = Awaited<ReturnType<typeof createCampaignWorld>>

async function begin(campaigns: Campaigns, changes = {}): Promise<CampaignId> {
  const { campaign } = await campaigns.create(orderOf(manifestOf(changes)))
  return campaign.state.record.campaignId
}

/** Lets tasks end and time pass until the campaign has ended, or it died. */
async function toEnd(
  world: World,
  campaigns: Campaigns,
  id: CampaignId,
  isDead = () => false,
  endsAtOnce = 10_000,
): Promise<void> {
  for (let rounds = 0; rounds < 2_000 && !isDead(); rounds++) {
    await turn()
    if ((await campaigns.find(id))?.state.record.status === 'ended') return
    world.tasks.endSome(campaigns, endsAtOnce)
    await turn()
    world.clock.advance(700)
  }
  if (!isDead()) throw new Error('it does not end')
}

async function resultsOf(campaigns: Campaigns, id: CampaignId, count: number): Promise<ItemResult[]> {
  const all: ItemResult[] = []
  for (let segment = 0; segment * segmentItems < count; segment++) {
    all.push(...(await campaigns.rows.results(id, segment)))
  }
  return all
}

async function rowsIn(store: Store<Table>, table: Table): Promise<number> {
  let count = 0
  for await (const _ of store.iterate(table)) count++
  return count
}

describe('a campaign', () => {
  test('runs to its end, and each item has one result', async () => {
    const world = await createCampaignWorld()
    const store = await openMemoryStore()
    const campaigns = world.open(store)
    const id = await begin(campaigns, { inputs: { range: { to: 2_500 } }, window: 100 })
    await toEnd(world, campaigns, id)
    const found = await campaigns.find(id)
    expect(found?.state.record).toMatchObject({ status: 'ended', reason: 'completed', verified: 2_500 })
    expect(found?.running).toBeUndefined()
    const results = await resultsOf(campaigns, id, 2_500)
    expect(results.map(({ index }) => index)).toEqual(Array.from({ length: 2_500 }, (_, index) => index))
    expect(await rowsIn(store, 'campaignSegments')).toBe(3)
    await campaigns.close()
    for (const table of [
      'campaignItems',
      'campaignResults',
      'liveCampaigns',
      'campaignHolds',
      'references',
    ] as const) {
      expect([table, await rowsIn(store, table)]).toEqual([table, 0])
    }
  })

  test('is the same when it is asked for again, and a conflict when something else is', async () => {
    const world = await createCampaignWorld()
    const campaigns = world.open(await openMemoryStore())
    const first = await campaigns.create(orderOf(manifestOf()))
    const again = await campaigns.create(orderOf(manifestOf()))
    expect([first.isNew, again.isNew]).toEqual([true, false])
    expect(again.campaign.state.record.campaignId).toBe(first.campaign.state.record.campaignId)
    for (const other of [
      orderOf(manifestOf({ window: 7 })),
      orderOf(manifestOf(), { secretDigest: 'other' }),
    ]) {
      await expect(campaigns.create(other)).rejects.toMatchObject({
        problem: { code: 'idempotencyConflict' },
      })
    }
    expect((await campaigns.list(requesterId, 10, undefined)).campaigns).toHaveLength(1)
  })

  test('that is refused leaves nothing behind', async () => {
    const world = await createCampaignWorld()
    const store = await openMemoryStore()
    const campaigns = world.open(store)
    const admit = () => Promise.reject(new Error('no'))
    await expect(campaigns.create(orderOf(manifestOf(), { admit }))).rejects.toThrow('no')
    await expect(begin(campaigns, { deadlineMs: 999_999 })).rejects.toMatchObject({
      problem: { code: 'invalidField', field: 'manifest.deadlineMs' },
    })
    const program = { base64: Uint8Array.of(1, 2, 3).toBase64() }
    await expect(begin(campaigns, { work: { kind: 'superLite', program } })).rejects.toMatchObject({
      problem: { code: 'invalidField', field: 'manifest.work.program' },
    })
    expect(await rowsIn(store, 'campaigns')).toBe(0)
    expect([...campaigns.running()]).toEqual([])
  })

  test('is one of too many while it is still looked at', async () => {
    const world = await createCampaignWorld()
    const campaigns = world.open(await openMemoryStore())
    const gate = Promise.withResolvers<void>()
    const admit = () => gate.promise.then(() => [])
    const one = (key: number) => campaigns.create(orderOf(manifestOf(), { idempotencyKey: `${key}`, admit }))
    const asked = Promise.allSettled(Array.from({ length: 40 }, (_, key) => one(key)))
    await turn()
    gate.resolve()
    const refused = (await asked).flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
    expect(refused).toHaveLength(8)
    expect(refused[0]).toMatchObject({ problem: { code: 'tooManyCampaigns' } })
    expect([...campaigns.running()]).toHaveLength(32)
  })

  test('of which there are too many is refused', async () => {
    const world = await createCampaignWorld()
    const campaigns = world.open(await openMemoryStore())
    const one = (key: number) => campaigns.create(orderOf(manifestOf(), { idempotencyKey: `${key}` }))
    for (let key = 0; key < 32; key++) await one(key)
    await expect(one(32)).rejects.toMatchObject({ problem: { code: 'tooManyCampaigns' } })
  })

  test('that is paused submits nothing more, not even what was on its way', async () => {
    const world = await createCampaignWorld()
    const campaigns = world.open(await openMemoryStore())
    const gate = Promise.withResolvers<void>()
    world.tasks.gate = gate.promise
    const id = await begin(campaigns, { inputs: { range: { to: 5_000 } }, window: 1_000 })
    await campaigns.command(id, 'pause')
    gate.resolve()
    for (let rounds = 0; rounds < 20; rounds++) {
      await turn()
      world.clock.advance(700)
    }
    expect(world.tasks.submissions).toBe(0)
    world.tasks.endSome(campaigns, 10_000)
    await turn()
    expect((await campaigns.find(id))?.state.record.status).toBe('paused')
    await campaigns.command(id, 'resume')
    await toEnd(world, campaigns, id)
    expect((await campaigns.find(id))?.state.record.verified).toBe(5_000)
  })

  test('that is cancelled ends when its tasks have, and a word to it then is late', async () => {
    const world = await createCampaignWorld()
    const campaigns = world.open(await openMemoryStore())
    const id = await begin(campaigns, { inputs: { range: { to: 5_000 } }, window: 50 })
    await turn()
    await campaigns.command(id, 'cancel')
    await toEnd(world, campaigns, id)
    expect((await campaigns.find(id))?.state.record).toMatchObject({ reason: 'cancelled', cancelled: 50 })
    expect(await campaigns.command(id, 'pause')).toBeUndefined()
    expect(world.tasks.live.size).toBe(0)
  })

  test('of a list holds its blobs, and lets go of them at its end', async () => {
    const world = await createCampaignWorld()
    const store = await openMemoryStore()
    const campaigns = world.open(store)
    const digests = new Uint8Array(32 * 3_000)
    for (let place = 0; place < 3_000; place++)
      digests.set(sha256(Uint8Array.of(place & 255, place >> 8)), place * 32)
    const digest = await world.blobs.putUnknown(digests)
    const id = await begin(campaigns, { inputs: { list: { digest, count: 3_000 } }, window: 500 })
    while ((await rowsIn(store, 'references')) < 1_000) await turn()
    await toEnd(world, campaigns, id)
    await campaigns.close()
    // Closed in the middle of letting go: the next start goes on with it.
    const next = world.open(store)
    await next.start()
    while ((await rowsIn(store, 'campaignHolds')) > 0) await turn()
    expect(await rowsIn(store, 'references')).toBe(0)
  })
})

/** Some die and are tried again, one dies for good, and the budget is spent before the end. */
const eventful = {
  inputs: { range: { to: 40 } },
  window: 6,
  retriesMax: 1,
  rewardMicroCredit: '100',
  budgetMicroCredit: '3500',
  stopAfterFailures: null,
  webhook: {
    url: 'https://example.org/hook',
    events: ['campaign_started', 'campaign_ended'],
    secretName: 's',
  },
}

async function lifeWith(crashAt: number, isWritten: boolean) {
  const world = await createCampaignWorld({ submitPerStepMax: 4 })
  world.tasks.budget = 3_500n
  world.tasks.fate = ({ index, attempt }) =>
    index === 7 || (index % 5 === 0 && attempt === 1) ? 'attemptsExhausted' : undefined
  const disk = await openMemoryStore()
  let writes = 0
  let dead = false
  const store = createFailingStore(disk)
  store.onWrite = async (batch) => {
    if (dead) throw new Error('dead already')
    if (++writes !== crashAt) return
    dead = true
    if (isWritten) await disk.write(batch, { sync: true })
    throw new Error('power is gone')
  }
  const before = world.open(store, () => {
    dead = true
  })
  const first = await begin(before, eventful).catch(() => undefined)
  if (first !== undefined) await toEnd(world, before, first, () => dead, 2)
  await before.close()
  if (!dead) return { writes, world }
  const after = world.open(disk)
  await after.start()
  // A requester who heard nothing asks again with the same key.
  const id = await begin(after, eventful)
  await toEnd(world, after, id)
  return { writes, world, after, id, disk }
}

test('a crash at any write loses no item, pays none twice, and keeps to the budget', async () => {
  const { writes } = await lifeWith(0, false)
  expect(writes).toBeGreaterThan(20)
  for (let crashAt = 1; crashAt <= writes; crashAt++) {
    for (const isWritten of [false, true]) {
      const { world, after, id, disk } = await lifeWith(crashAt, isWritten)
      if (after === undefined || id === undefined || disk === undefined) continue
      const record = (await after.find(id))?.state.record
      if (record === undefined) throw new Error('the campaign is gone')
      const results = await resultsOf(after, id, record.next)
      expect(results.map(({ index }) => index)).toEqual(
        Array.from({ length: record.next }, (_, index) => index),
      )
      expect(record.spentMicroCredit).toBe(world.tasks.spent as never)
      expect(record.spentMicroCredit).toBeLessThanOrEqual(3_500n)
      expect(results.filter(({ status }) => status === 'verified')).toHaveLength(
        world.tasks.verifiedItems.size,
      )
      expect(world.tasks.live.size).toBe(0)
      const events = await after.rows.events(id, 0, 1_000)
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, place) => place + 1))
      // Of those that were asked for, each is queued in the batch of its event.
      expect(await rowsIn(disk, 'webhooks')).toBe(2)
      await after.close()
    }
  }
}, 60_000)
