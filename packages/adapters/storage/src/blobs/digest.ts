/** Digests as this package checks and makes them. A digest becomes a file name, and so does an uploader, so their form is checked first. */
import type { Digest, RequesterId } from '@shardy/protocol'
import { StoreError } from '../storeError.ts'

const isHex64 = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

export function isDigest(text: string): text is Digest {
  return isHex64(text)
}

export function checkDigest(digest: Digest): void {
  if (isDigest(digest)) return
  throw new StoreError('malformedDigest', 'A digest is 64 lower-case hexadecimal digits')
}

export function checkUploader(uploader: RequesterId | undefined): void {
  if (uploader === undefined || isHex64(uploader)) return
  throw new StoreError('malformedUploader', 'An uploader is 64 lower-case hexadecimal digits')
}

export async function hashChunks(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Digest> {
  const hasher = new Bun.CryptoHasher('sha256')
  for await (const chunk of chunks) hasher.update(chunk)
  return hasher.digest('hex') as Digest
}

export function hashBytes(bytes: Uint8Array): Digest {
  return new Bun.CryptoHasher('sha256').update(bytes).digest('hex') as Digest
}

export function checkBlobSize(bytes: number, blobBytesMax: number): void {
  if (bytes <= blobBytesMax) return
  throw new StoreError('blobTooLarge', `A blob has at most ${blobBytesMax} bytes, this one ${bytes}`)
}
