import { describe, expect, test } from 'bun:test'
import { mkdir, readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { RequesterId, TimeMs } from '@shardy/protocol'
import { expectKind } from '../conformance.ts'
import { begin, blobOpenings, expectSame, listed, pattern } from './conformance.ts'
import { hashBytes } from './digest.ts'

describe('blobs as files', () => {
  const { open, freshPath } = blobOpenings('file')

  test('finished blobs and unfinished uploads are there after opening again', async () => {
    const path = await freshPath()
    const bytes = pattern(900_000)
    const first = await open(path)
    const stored = await first.putUnknown(pattern(10))
    const upload = await begin(first, hashBytes(bytes))
    await upload.append(0, bytes.slice(0, 500_000))
    await first.close()

    const second = await open(path)
    expectSame(await second.readAll(stored), pattern(10))
    expect(await second.received(upload.digest)).toBe(500_000)
    const resumed = await begin(second, upload.digest)
    await resumed.append(500_000, bytes.slice(500_000))
    expect(await resumed.finish()).toEqual({ kind: 'stored', sizeBytes: 900_000 })
    expectSame(await second.readAll(upload.digest), bytes)
    expect(await readdir(join(path, 'partial'))).toEqual([])
  })

  test('an upload is its uploader’s after opening again, and nobody else’s', async () => {
    const path = await freshPath()
    const [ann, bob] = ['aa', 'bb'].map((byte) => byte.repeat(32) as RequesterId)
    const bytes = pattern(1_000)
    const first = await open(path)
    const upload = await begin(first, hashBytes(bytes), ann)
    await upload.append(0, bytes.slice(0, 500))
    await first.close()
    expect(await readdir(join(path, 'partial'))).toEqual([`${upload.digest}.${ann}.part`])

    const second = await open(path)
    const received = [ann, bob, undefined].map((who) => second.received(upload.digest, who))
    expect(await Promise.all(received)).toEqual([500, 0, 0])
    expect((await begin(second, upload.digest, bob)).receivedBytes()).toBe(0)
    const resumed = await begin(second, upload.digest, ann)
    await resumed.append(500, bytes.slice(500))
    expect(await resumed.finish()).toEqual({ kind: 'stored', sizeBytes: 1_000 })
  })

  test('bytes that went bad on the disk are found when the upload is finished', async () => {
    const path = await freshPath()
    const bytes = pattern(100)
    const first = await open(path)
    const upload = await begin(first, hashBytes(bytes))
    await upload.append(0, bytes.slice(0, 50))
    await first.close()
    await Bun.write(join(path, 'partial', `${upload.digest}.part`), new Uint8Array(50))
    const second = await open(path)
    const resumed = await begin(second, upload.digest)
    await resumed.append(50, bytes.slice(50))
    expect((await resumed.finish()).kind).toBe('digestMismatch')
  })

  test('a partial upload beyond a limit that was lowered begins anew', async () => {
    const path = await freshPath()
    const first = await open(path)
    const upload = await begin(first, hashBytes(pattern(100)))
    await upload.append(0, pattern(90))
    await first.close()
    const second = await open(path, 50)
    expect((await begin(second, upload.digest)).receivedBytes()).toBe(0)
  })

  test('an upload that is suspended without bytes leaves no file', async () => {
    const path = await freshPath()
    const blobs = await open(path)
    await (await begin(blobs, hashBytes(pattern(1)))).suspend()
    expect(await readdir(join(path, 'partial'))).toEqual([])
  })

  test('sweeping takes what a killed put left, and leaves strange files alone', async () => {
    const path = await freshPath()
    const blobs = await open(path)
    const abandoned = join(path, 'partial', `${hashBytes(pattern(3))}.7.put`)
    const strange = join(path, 'partial', 'notes.txt')
    await Bun.write(abandoned, 'abc')
    await Bun.write(strange, 'abc')
    await Bun.write(join(path, 'finished', 'notes.txt'), 'abc')
    for (const file of [abandoned, strange]) await utimes(file, 1, 1)
    expect(await blobs.sweep(2_000 as TimeMs)).toEqual({ uploads: 1, bytes: 3 })
    expect(await readdir(join(path, 'partial'))).toEqual(['notes.txt'])
    expect(await listed(blobs)).toEqual([])
  })

  test('a failing disk is a failure with its cause, and the digest is free again', async () => {
    const path = await freshPath()
    const blobs = await open(path)
    const digest = hashBytes(pattern(4))
    // A folder where the file should be fails for every user, root too.
    await mkdir(join(path, 'partial', `${digest}.part`))
    for (let round = 0; round < 2; round += 1) {
      const error = await expectKind(blobs.begin(digest), 'failed')
      expect(error.cause).toBeInstanceOf(Error)
    }
    await Bun.write(join(path, 'file'), '')
    await expectKind(open(join(path, 'file')), 'failed')
  })

  test('an upload whose file vanished fails and can be begun again', async () => {
    const path = await freshPath()
    const blobs = await open(path)
    const upload = await begin(blobs, hashBytes(pattern(4)))
    await upload.append(0, pattern(4))
    await mkdir(join(path, 'finished', upload.digest))
    await expectKind(upload.finish(), 'failed')
    expect(await blobs.received(upload.digest)).toBe(4)
  })
})
