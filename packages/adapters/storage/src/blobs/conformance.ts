/** What every blob store must do; run on the files and on the memory twin by `openBlobStore.test.ts`. */
import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest, RequesterId, TimeMs } from '@shardy/protocol'
import { expectKind } from '../conformance.ts'
import type { BlobRead, BlobStore, ByteRange, Upload } from './blobStore.ts'
import { hashBytes } from './digest.ts'
import { openBlobStore } from './openBlobStore.ts'

export const blobBytesMax = 3 * 1024 * 1024

const hourMs = 3_600_000
const ann = 'aa'.repeat(32) as RequesterId
const bob = 'bb'.repeat(32) as RequesterId
const emptyDigest = hashBytes(new Uint8Array(0))

export function blobConformance(kind: 'file' | 'memory'): void {
  const { open } = blobOpenings(kind)

  describe(`${kind} blobs: storing in one piece`, () => {
    test.each([0, 1, 100, 300_000, blobBytesMax])('%d bytes come back as they were', async (length) => {
      const blobs = await open()
      const bytes = pattern(length)
      const digest = await blobs.putUnknown(bytes)
      expect(digest).toBe(hashBytes(bytes))
      expect(await blobs.has(digest)).toBe(true)
      expect(await blobs.size(digest)).toBe(length)
      expectSame(await blobs.readAll(digest), bytes)
      expectSame(await readRange(blobs, digest), bytes)
    })

    test('without sync it is there all the same, and a synced put of it is no error', async () => {
      const blobs = await open()
      const bytes = pattern(1_000)
      await blobs.put(hashBytes(bytes), bytes, { sync: false })
      await blobs.put(hashBytes(bytes), bytes)
      expectSame(await blobs.readAll(hashBytes(bytes)), bytes)
    })

    test('the same blob put many times at once is one blob', async () => {
      const blobs = await open()
      const bytes = pattern(200_000)
      await Promise.all(Array.from({ length: 8 }, () => blobs.put(hashBytes(bytes), bytes)))
      expect(await listed(blobs)).toEqual([{ digest: hashBytes(bytes), sizeBytes: 200_000 }])
    })

    test('other bytes than the digest names are refused and not stored', async () => {
      const blobs = await open()
      const digest = hashBytes(pattern(10))
      await expectKind(blobs.put(digest, pattern(11)), 'digestMismatch')
      expect(await blobs.has(digest)).toBe(false)
    })

    test('more bytes than the limit are refused', async () => {
      const blobs = await open()
      const bytes = pattern(blobBytesMax + 1)
      await expectKind(blobs.put(hashBytes(bytes), bytes), 'blobTooLarge')
      await expectKind(blobs.putUnknown(bytes), 'blobTooLarge')
      expect(await listed(blobs)).toEqual([])
    })
  })

  describe(`${kind} blobs: reading`, () => {
    test('a part is what was asked for', async () => {
      const blobs = await open()
      const bytes = pattern(600_000)
      const digest = await blobs.putUnknown(bytes)
      const ranges: ByteRange[] = [
        { start: 5 },
        { end: 7 },
        { start: 262_143, end: 262_145 },
        { start: 10, end: 599_990 },
        { start: 600_000 },
        { start: 3, end: 3 },
      ]
      for (const range of ranges) {
        expectSame(await readRange(blobs, digest, range), bytes.slice(range.start ?? 0, range.end ?? 600_000))
      }
    })

    for (const [start, end] of [[11], [0, 11], [5, 4], [-1], [Number.NaN]] as const) {
      test(`${start} to ${end ?? 'the end'} of ten bytes is refused`, async () => {
        const blobs = await open()
        const digest = await blobs.putUnknown(pattern(10))
        expect(await blobs.read(digest, { start, end })).toEqual({ kind: 'rangeOutOfBounds', sizeBytes: 10 })
      })
    }

    test('what is not there is missing', async () => {
      const blobs = await open()
      expect(await blobs.read(emptyDigest)).toEqual({ kind: 'missing' })
      expect(await blobs.size(emptyDigest)).toBeUndefined()
      expect(await blobs.has(emptyDigest)).toBe(false)
      expect(await blobs.delete(emptyDigest)).toBe(false)
      await expectKind(blobs.readAll(emptyDigest), 'blobMissing')
    })

    test('a deletion does not disturb a read that has begun', async () => {
      const blobs = await open()
      const bytes = pattern(1_000_000)
      const digest = await blobs.putUnknown(bytes)
      const found = await blobs.read(digest)
      expect(await blobs.delete(digest)).toBe(true)
      expect(await blobs.has(digest)).toBe(false)
      expectSame(await drain(found), bytes)
    })

    test('a stream may be left early', async () => {
      const blobs = await open()
      const digest = await blobs.putUnknown(pattern(1_000_000))
      const found = await blobs.read(digest)
      if (found.kind !== 'blob') throw new Error('the blob was just stored')
      const reader = found.stream.getReader()
      expect((await reader.read()).done).toBe(false)
      await reader.cancel()
    })

    test('the list has every finished blob and nothing else', async () => {
      const blobs = await open()
      const lengths = [0, 1, 2, 30]
      for (const length of lengths) await blobs.putUnknown(pattern(length))
      const upload = await begin(blobs, hashBytes(pattern(40)))
      await upload.append(0, pattern(20))
      const expected = lengths.map((length) => ({ digest: hashBytes(pattern(length)), sizeBytes: length }))
      expect(await listed(blobs)).toEqual(expected.sort(byDigest))
    })
  })

  describe(`${kind} blobs: uploads`, () => {
    test('chunks in order become the blob', async () => {
      const blobs = await open()
      const bytes = pattern(700_001)
      const upload = await begin(blobs, hashBytes(bytes))
      for (let at = 0; at < bytes.byteLength; at += 100_000) {
        const chunk = bytes.slice(at, at + 100_000)
        const receivedBytes = at + chunk.byteLength
        expect(await upload.append(at, chunk)).toEqual({ kind: 'appended', receivedBytes })
        expect(await blobs.received(upload.digest)).toBe(receivedBytes)
      }
      expect(await blobs.has(upload.digest)).toBe(false)
      expect(await upload.finish()).toEqual({ kind: 'stored', sizeBytes: 700_001 })
      expectSame(await blobs.readAll(upload.digest), bytes)
      expect(await blobs.received(upload.digest)).toBe(0)
      expect(await blobs.begin(upload.digest)).toEqual({ kind: 'stored', sizeBytes: 700_001 })
    })

    test('an empty blob needs no chunk', async () => {
      const blobs = await open()
      const upload = await begin(blobs, emptyDigest)
      expect(await upload.finish()).toEqual({ kind: 'stored', sizeBytes: 0 })
      expect(await blobs.size(emptyDigest)).toBe(0)
    })

    test('a suspended upload goes on where it was', async () => {
      const blobs = await open()
      const bytes = pattern(1_000)
      const first = await begin(blobs, hashBytes(bytes))
      await first.append(0, bytes.slice(0, 400))
      await first.suspend()
      expect(await blobs.received(first.digest)).toBe(400)
      const second = await begin(blobs, first.digest)
      expect(second.receivedBytes()).toBe(400)
      await second.append(400, bytes.slice(400))
      expect(await second.finish()).toEqual({ kind: 'stored', sizeBytes: 1_000 })
      expectSame(await blobs.readAll(first.digest), bytes)
    })

    test('a dropped upload begins anew', async () => {
      const blobs = await open()
      const upload = await begin(blobs, emptyDigest)
      await upload.append(0, pattern(9))
      await upload.drop()
      expect(await blobs.received(emptyDigest)).toBe(0)
      expect((await begin(blobs, emptyDigest)).receivedBytes()).toBe(0)
    })

    test('a chunk at another offset is refused, and the right place is said', async () => {
      const blobs = await open()
      const upload = await begin(blobs, emptyDigest)
      await upload.append(0, pattern(9))
      for (const offset of [0, 8, 10, -1, Number.NaN]) {
        expect(await upload.append(offset, pattern(1))).toEqual({ kind: 'offsetMismatch', receivedBytes: 9 })
      }
    })

    test('a chunk beyond the limit is refused, and the upload goes on', async () => {
      const blobs = await open()
      const bytes = pattern(blobBytesMax)
      const upload = await begin(blobs, hashBytes(bytes))
      await upload.append(0, bytes.slice(0, 10))
      expect(await upload.append(10, bytes)).toEqual({ kind: 'tooLarge', blobBytesMax })
      await upload.append(10, bytes.slice(10))
      expect(await upload.append(blobBytesMax, pattern(1))).toEqual({ kind: 'tooLarge', blobBytesMax })
      expect(await upload.finish()).toEqual({ kind: 'stored', sizeBytes: blobBytesMax })
    })

    test('a wrong digest is refused by name and drops what was received', async () => {
      const blobs = await open()
      const digest = hashBytes(pattern(10))
      const upload = await begin(blobs, digest)
      await upload.append(0, pattern(11))
      expect(await upload.finish()).toEqual({ kind: 'digestMismatch', actual: hashBytes(pattern(11)) })
      expect(await blobs.has(digest)).toBe(false)
      expect(await blobs.received(digest)).toBe(0)
      const again = await begin(blobs, digest)
      await again.append(0, pattern(10))
      expect(await again.finish()).toEqual({ kind: 'stored', sizeBytes: 10 })
    })

    test('one upload at a time has a digest; two digests do not disturb each other', async () => {
      const blobs = await open()
      const [one, two] = [pattern(1_000), pattern(2_000)]
      const results = await Promise.all([blobs.begin(hashBytes(one)), blobs.begin(hashBytes(one))])
      expect(results.map(({ kind }) => kind).sort()).toEqual(['busy', 'upload'])
      const uploadOne = results.find((result) => result.kind === 'upload')?.upload
      const uploadTwo = await begin(blobs, hashBytes(two))
      await Promise.all([uploadOne?.append(0, one), uploadTwo.append(0, two)])
      expect(await blobs.begin(hashBytes(one))).toEqual({ kind: 'busy' })
      await Promise.all([uploadOne?.finish(), uploadTwo.finish()])
      expectSame(await blobs.readAll(hashBytes(one)), one)
      expectSame(await blobs.readAll(hashBytes(two)), two)
    })

    test('two uploaders of one digest, in turns: each has its own bytes, place and end', async () => {
      const blobs = await open()
      const bytes = pattern(1_000)
      const digest = hashBytes(bytes)
      const [ours, theirs] = [await begin(blobs, digest, ann), await begin(blobs, digest, bob)]
      expect(await blobs.begin(digest, ann)).toEqual({ kind: 'busy' })
      await ours.append(0, bytes.slice(0, 400))
      await theirs.append(0, pattern(7))
      expect(await ours.append(7, bytes)).toEqual({ kind: 'offsetMismatch', receivedBytes: 400 })
      const places = [ann, bob, undefined].map((who) => blobs.received(digest, who))
      expect(await Promise.all(places)).toEqual([400, 7, 0])
      // What one brought was wrong, which is its own affair.
      expect((await theirs.finish()).kind).toBe('digestMismatch')
      expect([await blobs.received(digest, bob), await blobs.received(digest, ann)]).toEqual([0, 400])
      const again = await begin(blobs, digest, bob)
      await again.append(0, bytes.slice(0, 100))
      await ours.append(400, bytes.slice(400))
      expect(await ours.finish()).toEqual({ kind: 'stored', sizeBytes: 1_000 })
      await again.drop()
      expectSame(await blobs.readAll(digest), bytes)
    })

    test('both may finish; who was not done when the other was is told, and leaves nothing', async () => {
      const blobs = await open()
      const bytes = pattern(1_000)
      const digest = hashBytes(bytes)
      const uploads = [await begin(blobs, digest, ann), await begin(blobs, digest, bob)]
      for (const upload of uploads) await upload.append(0, bytes)
      const finished = await Promise.all(uploads.map((upload) => upload.finish()))
      expect(finished.map(({ kind }) => kind)).toEqual(['stored', 'stored'])
      expectSame(await blobs.readAll(digest), bytes)

      const other = pattern(2_000)
      const [first, late] = [
        await begin(blobs, hashBytes(other), ann),
        await begin(blobs, hashBytes(other), bob),
      ]
      await late.append(0, other.slice(0, 10))
      await late.suspend()
      await first.append(0, other)
      await first.finish()
      expect(await blobs.received(late.digest, bob)).toBe(10)
      expect(await blobs.begin(late.digest, bob)).toEqual({ kind: 'stored', sizeBytes: 2_000 })
      expect(await blobs.received(late.digest, bob)).toBe(0)
      expect(await Array.fromAsync(blobs.unfinished())).toEqual([])
    })

    test('what is unfinished is listed with whose it is, and goes when it is old', async () => {
      const blobs = await open()
      const digest = hashBytes(pattern(100))
      for (const [who, length] of [
        [ann, 30],
        [bob, 40],
        [undefined, 50],
      ] as const) {
        const upload = await begin(blobs, digest, who)
        await upload.append(0, pattern(length))
        await upload.suspend()
      }
      const active = await begin(blobs, digest, bob)
      const found = await Array.fromAsync(blobs.unfinished())
      const sizes = found.map(({ uploader, sizeBytes }) => [uploader, sizeBytes] as const)
      expect(new Map(sizes)).toEqual(new Map([[ann, 30] as const, [bob, 40] as const]))
      for (const each of found) {
        expect(each.digest).toBe(digest)
        expect(Math.abs(each.writtenAtMs - Date.now())).toBeLessThan(hourMs)
      }
      expect(await blobs.sweep((Date.now() + hourMs) as TimeMs)).toEqual({ uploads: 2, bytes: 80 })
      expect([await blobs.received(digest, ann), await blobs.received(digest, bob)]).toEqual([0, 40])
      await active.append(40, pattern(1))
    })

    test('one append at a time: the second is told', async () => {
      const blobs = await open()
      const bytes = pattern(500_000)
      const upload = await begin(blobs, hashBytes(bytes))
      const results = await Promise.all([upload.append(0, bytes), upload.append(0, bytes), upload.finish()])
      expect(results.map(({ kind }) => kind)).toEqual(['appended', 'busy', 'busy'])
      expect(await upload.finish()).toEqual({ kind: 'stored', sizeBytes: 500_000 })
    })

    test('suspending waits for the append in flight', async () => {
      const blobs = await open()
      const bytes = pattern(500_000)
      const upload = await begin(blobs, hashBytes(bytes))
      await Promise.all([upload.append(0, bytes), upload.suspend()])
      expect(await blobs.received(upload.digest)).toBe(500_000)
    })

    test('a put of a blob that is being uploaded succeeds, and so does the upload', async () => {
      const blobs = await open()
      const bytes = pattern(1_000)
      const upload = await begin(blobs, hashBytes(bytes))
      await upload.append(0, bytes.slice(0, 10))
      await blobs.put(upload.digest, bytes)
      expectSame(await blobs.readAll(upload.digest), bytes)
      await upload.append(10, bytes.slice(10))
      expect(await upload.finish()).toEqual({ kind: 'stored', sizeBytes: 1_000 })
      expectSame(await blobs.readAll(upload.digest), bytes)
    })

    test('an upload that has ended refuses more', async () => {
      const blobs = await open()
      const upload = await begin(blobs, emptyDigest)
      await upload.finish()
      await expectKind(upload.append(0, pattern(1)), 'closed')
      await expectKind(upload.finish(), 'closed')
      await upload.suspend()
      await upload.drop()
      expect(await blobs.has(emptyDigest)).toBe(true)
    })

    test('sweeping removes old unfinished uploads, but none in progress and no blob', async () => {
      const blobs = await open()
      const stored = await blobs.putUnknown(pattern(5))
      const left = await begin(blobs, hashBytes(pattern(10)))
      await left.append(0, pattern(7))
      await left.suspend()
      const active = await begin(blobs, hashBytes(pattern(20)))
      await active.append(0, pattern(8))
      expect(await blobs.sweep((Date.now() - hourMs) as TimeMs)).toEqual({ uploads: 0, bytes: 0 })
      expect(await blobs.received(left.digest)).toBe(7)
      expect(await blobs.sweep((Date.now() + hourMs) as TimeMs)).toEqual({ uploads: 1, bytes: 7 })
      expect(await blobs.received(left.digest)).toBe(0)
      expect(await blobs.received(active.digest)).toBe(8)
      expect(await blobs.has(stored)).toBe(true)
    })
  })

  describe(`${kind} blobs: refusals`, () => {
    test.each([
      '',
      'abc',
      '../../etc/passwd',
      `${'a'.repeat(63)}G`,
      'A'.repeat(64),
      `${'a'.repeat(64)}/`,
      `${'a'.repeat(64)}\n`,
    ])('the digest %p is malformed everywhere', async (text) => {
      const blobs = await open()
      const digest = text as Digest
      await expectKind(blobs.begin(digest), 'malformedDigest')
      await expectKind(blobs.received(digest), 'malformedDigest')
      await expectKind(blobs.put(digest, pattern(1)), 'malformedDigest')
      await expectKind(blobs.has(digest), 'malformedDigest')
      await expectKind(blobs.size(digest), 'malformedDigest')
      await expectKind(blobs.read(digest), 'malformedDigest')
      await expectKind(blobs.readAll(digest), 'malformedDigest')
      await expectKind(blobs.delete(digest), 'malformedDigest')
    })

    test.each([
      '',
      'abc',
      '../../etc/passwd',
      'A'.repeat(64),
      `${'a'.repeat(64)}.part`,
      `${'a'.repeat(64)}\n`,
    ])('the uploader %p is malformed', async (text) => {
      const blobs = await open()
      await expectKind(blobs.begin(emptyDigest, text as RequesterId), 'malformedUploader')
      await expectKind(blobs.received(emptyDigest, text as RequesterId), 'malformedUploader')
    })

    test('after close every call is refused, and uploads are suspended', async () => {
      const blobs = await open()
      const upload = await begin(blobs, emptyDigest)
      await upload.append(0, pattern(3))
      await blobs.close()
      await blobs.close()
      await expectKind(upload.append(3, pattern(1)), 'closed')
      await expectKind(blobs.begin(emptyDigest), 'closed')
      await expectKind(blobs.put(emptyDigest, new Uint8Array(0)), 'closed')
      await expectKind(blobs.putUnknown(new Uint8Array(0)), 'closed')
      await expectKind(blobs.read(emptyDigest), 'closed')
      await expectKind(blobs.sweep(0 as TimeMs), 'closed')
      await expectKind(listed(blobs), 'closed')
      await expectKind(Array.fromAsync(blobs.unfinished()), 'closed')
    })
  })
}

/** Opens blob stores in folders that are gone after each test. */
export function blobOpenings(kind: 'file' | 'memory') {
  const folders: string[] = []
  const stores: BlobStore[] = []
  afterEach(async () => {
    for (const blobs of stores.splice(0)) await blobs.close()
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
  })
  const freshPath = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'shardy-blobs-'))
    folders.push(folder)
    return join(folder, 'blobs')
  }
  const open = async (path?: string, limit = blobBytesMax): Promise<BlobStore> => {
    const blobs = await openBlobStore({ kind, path: path ?? (await freshPath()), blobBytesMax: limit })
    stores.push(blobs)
    return blobs
  }
  return { open, freshPath }
}

export async function begin(blobs: BlobStore, digest: Digest, uploader?: RequesterId): Promise<Upload> {
  const begun = await blobs.begin(digest, uploader)
  if (begun.kind !== 'upload') throw new Error(`expected an upload, got ${begun.kind}`)
  return begun.upload
}

/** Bytes that differ from place to place. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >>> 8) * 7 + length) & 0xff)
}

export async function listed(blobs: BlobStore) {
  const found = await Array.fromAsync(blobs.list())
  return found.sort(byDigest)
}

function byDigest(left: { digest: Digest }, right: { digest: Digest }): number {
  return left.digest < right.digest ? -1 : 1
}

async function readRange(blobs: BlobStore, digest: Digest, range?: ByteRange): Promise<Uint8Array> {
  return drain(await blobs.read(digest, range))
}

async function drain(found: BlobRead): Promise<Uint8Array> {
  if (found.kind !== 'blob') throw new Error(`expected a blob, got ${found.kind}`)
  const bytes = await new Response(found.stream).bytes()
  expect(bytes.byteLength).toBe(found.end - found.start)
  return bytes
}

/** Megabytes compared without printing them. */
export function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(hashBytes(actual)).toBe(hashBytes(expected))
}
