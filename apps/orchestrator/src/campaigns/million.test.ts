/** A million items through the driver and a store: what is in memory, and what is not packed yet, never outgrows the window. */
import { expect, test } from 'bun:test'
import { type ItemAttempt, segmentItems, type TaskEnd } from '@shardy/campaign'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex, type MicroCredit } from '@shardy/protocol'
import { openBlobStore } from '@shardy/storage'
import { manifestOf, orderOf, turn } from '../../test/campaignWorld.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { openMemoryStore } from '../../test/network.ts'
import { silentLog } from '../log.ts'
import type { Table } from '../tables.ts'
import { createCampaigns } from './campaigns.ts'
import type { Submitter } from './submitter.ts'

const million = 1_000_000
const window = 2_000

test('a million items', async () => {
  const store = await openMemoryStore()
  const live: ItemAttempt[] = []
  let [liveMax, submitted] = [0, 0]
  const outputDigest = encodeHex(sha256(Uint8Array.of(1))) as Digest
  const submitter: Submitter = {
    taskIdOf: () => '' as never,
    endOf: () => undefined as never,
    async submit(_, items) {
      submitted += items.length
      live.push(...items)
      liveMax = Math.max(liveMax, live.length)
      return { ends: [], answers: items.map((item) => ({ ...item, kind: 'accepted' })) }
    },
    look: async (_, items) => ({ ends: [], answers: items.map((item) => ({ ...item, kind: 'accepted' })) }),
    cancel: async () => {},
  }
  const campaigns = createCampaigns({
    store,
    blobs: await openBlobStore({ kind: 'memory', blobBytesMax: 1024 }),
    keeper: { pinned: (_, act) => act() },
    clock: createManualClock(),
    log: silentLog,
    sha256,
    submitter,
    feePermille: 50,
    proofKinds: () => [],
    webhook: () => {},
    fatal(error) {
      throw error
    },
  })
  const inputs = { range: { to: million } }
  const { campaign } = await campaigns.create(
    orderOf(manifestOf({ inputs, window, budgetMicroCredit: '1000000000' })),
  )
  const { running, state } = campaign
  if (running === undefined) throw new Error('it does not run')

  async function rowsIn(table: Table): Promise<number> {
    let count = 0
    for await (const _ of store.iterate(table)) count++
    return count
  }

  let [openMax, resultRowsMax, openRowsMax] = [0, 0, 0]
  for (let rounds = 0; state.record.status !== 'ended'; rounds++) {
    openMax = Math.max(openMax, state.open.size)
    const ended = live.splice(0, 1_000)
    for (const item of ended) {
      const end: TaskEnd = { ...item, status: 'verified', outputDigest, costMicroCredit: 100n as MicroCredit }
      running.taskEnded(end)
    }
    await turn()
    if (rounds % 256 !== 0) continue
    resultRowsMax = Math.max(resultRowsMax, await rowsIn('campaignResults'))
    openRowsMax = Math.max(openRowsMax, await rowsIn('campaignItems'))
  }
  await running.caughtUp()
  expect(state.record).toMatchObject({
    reason: 'completed',
    verified: million,
    spentMicroCredit: BigInt(million) * 100n,
  })
  expect(submitted).toBe(million)
  expect(openMax).toBeLessThanOrEqual(window)
  expect(liveMax).toBeLessThanOrEqual(window)
  expect(openRowsMax).toBeLessThanOrEqual(window)
  // Segments that hold an open item, and the one that is being filled.
  expect(resultRowsMax).toBeLessThanOrEqual(window + 2 * segmentItems)
  expect(await rowsIn('campaignSegments')).toBe(Math.ceil(million / segmentItems))
  expect(await rowsIn('campaignResults')).toBe(0)
  expect([...campaigns.running()]).toEqual([])
  await campaigns.close()
}, 300_000)
