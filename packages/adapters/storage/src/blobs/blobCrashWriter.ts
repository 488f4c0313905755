/**
 * The process that `blobCrash.test.ts` kills: stores numbered blobs, one by upload in small chunks and one by put in
 * turn, and prints a number only once its blob was acknowledged.
 */
import { writeSync } from 'node:fs'
import { hashBytes } from './digest.ts'
import { openBlobStore } from './openBlobStore.ts'

export const crashBlobBytesMax = 1024 * 1024
const chunkBytes = 20_000

export function crashBlob(number: number): Uint8Array {
  const bytes = new Uint8Array(150_000).fill(number % 251)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

if (import.meta.main) {
  const [path = '', first = '0'] = process.argv.slice(2)
  const blobs = await openBlobStore({ kind: 'file', path, blobBytesMax: crashBlobBytesMax })
  // Ends with the process; the bound is for a parent that is gone.
  for (let number = Number(first); number < Number(first) + 10_000; number += 1) {
    const bytes = crashBlob(number)
    const digest = hashBytes(bytes)
    const begun = number % 2 === 0 ? await blobs.begin(digest) : undefined
    if (begun === undefined) await blobs.put(digest, bytes)
    if (begun?.kind === 'upload') {
      for (let at = begun.upload.receivedBytes(); at < bytes.byteLength; at += chunkBytes) {
        await begun.upload.append(at, bytes.subarray(at, at + chunkBytes))
      }
      await begun.upload.finish()
    }
    writeSync(1, `${number}\n`)
  }
}
