import { describe, expect, test } from 'bun:test'
import type { Digest, RequesterId } from '@shardy/protocol'
import { openBlobStore } from '@shardy/storage'
import { digestOf, randomBytes } from '../../test/example.ts'
import { createFailingStore } from '../../test/failingStore.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { blobBytesMax, openMemoryStore } from '../../test/network.ts'
import { idKey } from '../tables.ts'
import { type BlobPolicy, openBlobKeeper } from './keeper.ts'

const owner = 'aa'.repeat(32) as RequesterId
const other = 'bb'.repeat(32) as RequesterId
const policy: BlobPolicy = { quotaBytes: 1_000, graceMs: 100, partialMs: 1_000 }
const none: ReadonlySet<Digest> = new Set()

async function open() {
  const store = createFailingStore(await openMemoryStore())
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax })
  const clock = createManualClock()
  const reopen = () => openBlobKeeper(store, blobs, clock, policy)
  return { store, blobs, clock, reopen, keeper: await reopen() }
}

const refer = (digest: Digest) =>
  ({
    kind: 'put',
    table: 'references',
    key: idKey(digest, '00'.repeat(16)),
    value: new Uint8Array(0),
  }) as const

/** How many bytes are charged to somebody. */
function charged(keeper: Awaited<ReturnType<typeof open>>['keeper'], who: RequesterId): number {
  let free = policy.quotaBytes
  while (!keeper.fits(who, free)) free--
  return policy.quotaBytes - free
}

describe('keeping', () => {
  test('the same bytes many times at once charges once, to whoever was first', async () => {
    const { keeper, reopen } = await open()
    const bytes = randomBytes(100)
    const digest = digestOf(bytes)
    await Promise.all([owner, other, owner, other].map((who) => keeper.keep(digest, bytes, who)))
    expect([charged(keeper, owner), charged(keeper, other)]).toEqual([100, 0])
    const again = await reopen()
    expect([charged(again, owner), charged(again, other)]).toEqual([100, 0])
  })

  test('that fails charges nobody, and may be tried again', async () => {
    const { keeper, store } = await open()
    const bytes = randomBytes(100)
    const digest = digestOf(bytes)
    store.fail('diskFull', 'blobs')
    expect(keeper.keep(digest, bytes, owner)).rejects.toThrow('holes')
    await keeper.keep(digest, bytes, owner).catch(() => {})
    expect([charged(keeper, owner), await keeper.length(digest)]).toEqual([0, undefined])
    store.mend()
    await keeper.keep(digest, bytes, owner)
    expect([charged(keeper, owner), await keeper.length(digest)]).toEqual([100, 100])
  })
})

describe('collecting', () => {
  test('leaves what is young, referred to, in use or pinned', async () => {
    const { keeper, store, clock, blobs } = await open()
    const [used, referred, pinned, unneeded, young] = Array.from({ length: 5 }, () => randomBytes(10))
    if (!used || !referred || !pinned || !unneeded || !young) throw new Error('five blobs')
    for (const bytes of [used, referred, pinned, unneeded]) await keeper.keep(digestOf(bytes), bytes, owner)
    await store.write([refer(digestOf(referred))], { sync: true })
    clock.advance(200)
    await keeper.keep(digestOf(young), young, owner)
    await keeper.pinned(digestOf(pinned), async () => {
      expect(await keeper.collect(new Set([digestOf(used)]))).toBe(1)
    })
    for (const bytes of [used, referred, pinned, young]) expect(await keeper.length(digestOf(bytes))).toBe(10)
    expect(await keeper.length(digestOf(unneeded))).toBeUndefined()
    expect(await blobs.has(digestOf(unneeded))).toBe(false)
    expect(charged(keeper, owner)).toBe(40)
  })

  test('who pins a blob that is just going finds it gone', async () => {
    const { keeper, store, clock } = await open()
    const bytes = randomBytes(10)
    const digest = digestOf(bytes)
    await keeper.keep(digest, bytes, owner)
    clock.advance(200)
    let found: Promise<number | undefined> | undefined
    store.onWrite = async (batch) => {
      if (batch.some(({ kind, table }) => kind === 'delete' && table === 'blobs')) {
        found = keeper.pinned(digest, () => keeper.length(digest))
      }
    }
    expect(await keeper.collect(none)).toBe(1)
    expect(await found).toBeUndefined()
  })

  test('bytes that are kept again while they are going are there afterwards', async () => {
    const { keeper, store, clock, blobs } = await open()
    const bytes = randomBytes(10)
    const digest = digestOf(bytes)
    await keeper.keep(digest, bytes, owner)
    clock.advance(200)
    let kept: Promise<void> | undefined
    store.onWrite = async (batch) => {
      if (batch.some(({ kind }) => kind === 'delete')) kept = keeper.keep(digest, bytes, other)
    }
    await keeper.collect(none)
    await kept
    expect([await keeper.length(digest), await blobs.has(digest)]).toEqual([10, true])
    expect([charged(keeper, owner), charged(keeper, other)]).toEqual([0, 10])
  })

  test('a reference that is written while it is looked for keeps the blob', async () => {
    const { keeper, store, clock, blobs } = await open()
    for (let round = 0; round < 50; round++) {
      const bytes = randomBytes(10)
      const digest = digestOf(bytes)
      await keeper.keep(digest, bytes, owner)
      clock.advance(200)
      const submitting = keeper.pinned(digest, async () => {
        if ((await keeper.length(digest)) === undefined) return false
        await store.write([refer(digest)], { sync: true })
        return true
      })
      const [isReferred] = await Promise.all([submitting, keeper.collect(none)])
      expect(await blobs.has(digest)).toBe(isReferred)
    }
  })

  test('goes over all blobs, however many', async () => {
    const { keeper, clock, blobs } = await open()
    const all = Array.from({ length: 230 }, () => randomBytes(4))
    for (const bytes of all) await keeper.keep(digestOf(bytes), bytes, owner)
    clock.advance(200)
    expect(await keeper.collect(none)).toBe(230)
    for await (const _ of blobs.list()) throw new Error('a blob is left')
    expect(charged(keeper, owner)).toBe(0)
  })

  test('takes bytes without a record, which a crash left, once after a start', async () => {
    const { keeper, blobs, reopen } = await open()
    const [stray, kept] = [randomBytes(10), randomBytes(10)]
    await blobs.put(digestOf(stray), stray)
    await keeper.keep(digestOf(kept), kept, owner)
    const again = await reopen()
    expect(await again.collect(none)).toBe(1)
    expect([await blobs.has(digestOf(stray)), await blobs.has(digestOf(kept))]).toEqual([false, true])
  })

  test('that fails leaves the blob, its record and its charge', async () => {
    const { keeper, store, blobs, clock } = await open()
    const bytes = randomBytes(10)
    const digest = digestOf(bytes)
    await keeper.keep(digest, bytes, owner)
    clock.advance(200)
    store.fail('failed', 'blobs')
    await keeper.collect(none).catch(() => {})
    expect([await keeper.length(digest), await blobs.has(digest), charged(keeper, owner)]).toEqual([
      10,
      true,
      10,
    ])
    store.mend()
    // The first one ends behind the blob, where the failed one was; the second begins anew.
    expect((await keeper.collect(none)) + (await keeper.collect(none))).toBe(1)
  })
})

describe('uploads', () => {
  test('are counted until they are recorded, released or too old', async () => {
    const { keeper, clock } = await open()
    const digests = Array.from({ length: 3 }, () => digestOf(randomBytes(8)))
    const [first, second, third] = digests
    if (!first || !second || !third) throw new Error('three digests')
    expect(keeper.reserve(first, 400, owner)).toBe(true)
    expect(keeper.reserve(first, 300, owner)).toBe(true)
    expect(charged(keeper, owner)).toBe(400)
    expect(keeper.reserve(second, 601, owner)).toBe(false)
    expect(keeper.reserve(second, 600, owner)).toBe(true)
    expect(keeper.reserve(third, 1, owner)).toBe(false)
    await keeper.record(first, 350, owner)
    expect(charged(keeper, owner)).toBe(950)
    keeper.release(second, other)
    expect(charged(keeper, owner)).toBe(950)
    keeper.release(second, owner)
    keeper.release(second, owner)
    expect(charged(keeper, owner)).toBe(350)
    expect(keeper.reserve(third, 100, owner)).toBe(true)
    clock.advance(policy.partialMs + 1)
    await keeper.collect(none)
    expect(charged(keeper, owner)).toBe(0)
  })

  test('of one digest are charged to each that brings it, until its own ends', async () => {
    const { keeper } = await open()
    const digest = digestOf(randomBytes(8))
    keeper.reserve(digest, 400, owner)
    expect(keeper.reserve(digest, 100, other)).toBe(true)
    expect([charged(keeper, owner), charged(keeper, other)]).toEqual([400, 100])
    await keeper.record(digest, 100, other)
    expect([charged(keeper, owner), charged(keeper, other)]).toEqual([400, 100])
    // Brought by somebody else already: it costs nothing.
    await keeper.record(digest, 100, owner)
    expect([charged(keeper, owner), charged(keeper, other)]).toEqual([0, 100])
  })

  test('stay charged when the same bytes are kept by another way, as they stay on disk', async () => {
    const { keeper } = await open()
    const bytes = randomBytes(100)
    keeper.reserve(digestOf(bytes), 40, owner)
    await keeper.keep(digestOf(bytes), bytes, owner)
    expect(charged(keeper, owner)).toBe(140)
    keeper.release(digestOf(bytes), owner)
    expect(charged(keeper, owner)).toBe(100)
  })

  test('that are on disk at a start are charged to whose they are, until they are swept', async () => {
    const { clock, blobs, reopen } = await open()
    const digest = digestOf(randomBytes(8))
    for (const [who, bytes] of [
      [owner, 400],
      [other, 1_200],
    ] as const) {
      const begun = await blobs.begin(digest, who)
      if (begun.kind !== 'upload') throw new Error('no upload')
      await begun.upload.append(0, randomBytes(bytes))
      await begun.upload.suspend()
    }
    const keeper = await reopen()
    expect([charged(keeper, owner), charged(keeper, other)]).toEqual([400, 1_200])
    // More than its quota, from a time when that was larger: it may go, and not grow.
    expect(keeper.reserve(digest, 1_201, other)).toBe(false)
    clock.advance(Date.now() + policy.partialMs)
    await keeper.collect(none)
    expect([charged(keeper, owner), charged(keeper, other)]).toEqual([0, 0])
    expect(await Array.fromAsync(blobs.unfinished())).toEqual([])
  })
})
