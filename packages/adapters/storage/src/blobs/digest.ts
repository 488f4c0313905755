/** Digests as this package checks and makes them. A digest becomes a file name, so its form is checked first. */
import type { Digest } from '@shardy/protocol'
import { StoreError } from '../storeError.ts'

export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text)
}

export function checkDigest(digest: Digest): void {
  if (isDigest(digest)) return
  throw new StoreError('malformedDigest', 'A digest is 64 lower-case hexadecimal digits')
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
