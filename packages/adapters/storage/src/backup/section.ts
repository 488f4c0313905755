/**
 * A backup file as bytes: eight bytes that name the format, then sections. Each is its kind (u8), its length (u32,
 * big-endian), that many bytes and a SHA-256 over all of these; the last one, `end`, has counts and the SHA-256 over
 * the digests of all before it. One file is valid in one way only: nothing may follow the end.
 */
import { valueBytesMax } from '../bounds.ts'
import { StoreError } from '../storeError.ts'

export type SectionKind = 'header' | 'rows' | 'blob' | 'blobBytes' | 'end'

export interface Section {
  readonly kind: SectionKind
  readonly bytes: Uint8Array<ArrayBuffer>
}

export const formatVersion = 1
export const magic = new TextEncoder().encode('shardybk')
const kinds: readonly SectionKind[] = ['header', 'rows', 'blob', 'blobBytes', 'end']
const headBytes = 5
const digestBytes = 32
/** One row of the largest size, and what goes with it. */
const sectionBytesMax = valueBytesMax + 2 * 1024 * 1024

/** Encodes sections and keeps the digest over theirs. */
export class SectionWriter {
  readonly #sink: (bytes: Uint8Array) => Promise<void> | void
  readonly #digests = new Bun.CryptoHasher('sha256')
  bytes = 0

  constructor(sink: (bytes: Uint8Array) => Promise<void> | void) {
    this.#sink = sink
  }

  async begin(): Promise<void> {
    await this.#send(magic.slice())
  }

  async write(kind: SectionKind, bytes: Uint8Array): Promise<void> {
    const out = new Uint8Array(headBytes + bytes.byteLength + digestBytes)
    out[0] = kinds.indexOf(kind)
    new DataView(out.buffer).setUint32(1, bytes.byteLength)
    out.set(bytes, headBytes)
    const digest = sha256(out.subarray(0, headBytes + bytes.byteLength))
    out.set(digest, headBytes + bytes.byteLength)
    this.#digests.update(digest)
    await this.#send(out)
  }

  /** Of all sections so far. */
  digest(): Uint8Array {
    return new Uint8Array(this.#digests.copy().digest())
  }

  async #send(bytes: Uint8Array): Promise<void> {
    await this.#sink(bytes)
    this.bytes += bytes.byteLength
  }
}

/** The sections of a file, each checked; `before` is the digest over those that came before it. */
export async function* readSections(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Section & { readonly before: Uint8Array }> {
  const input = new Input(source)
  try {
    const begin = await input.take(magic.byteLength)
    if (begin === undefined || Buffer.compare(begin, magic) !== 0)
      throw new StoreError('backupForeign', 'This is no backup of a store: it begins with other bytes')
    const digests = new Bun.CryptoHasher('sha256')
    for (;;) {
      const at = input.at
      const head = await input.take(headBytes)
      const kind = head && kinds[head[0] ?? kinds.length]
      if (head === undefined) throw truncated(at)
      const length = new DataView(head.buffer).getUint32(1)
      if (kind === undefined || length > sectionBytesMax) throw changed(at)
      const bytes = await input.take(length)
      const digest = await input.take(digestBytes)
      if (bytes === undefined || digest === undefined) throw truncated(at)
      const hasher = new Bun.CryptoHasher('sha256').update(head).update(bytes)
      if (Buffer.compare(new Uint8Array(hasher.digest()), digest) !== 0) throw changed(at)
      // Before the end is handed out: who has it asks for no more.
      if (kind === 'end' && (await input.take(1)) !== undefined) throw changed(input.at)
      yield { kind, bytes, before: new Uint8Array(digests.copy().digest()) }
      if (kind === 'end') return
      digests.update(digest)
    }
  } finally {
    await input.close()
  }
}

export function changed(at: number | string): StoreError {
  const where = typeof at === 'number' ? `at byte ${at}` : at
  return new StoreError('backupChanged', `The backup is not as it was written: ${where}. Use another copy`)
}

function truncated(at: number): StoreError {
  return new StoreError(
    'backupTruncated',
    `The backup ends inside the section at byte ${at}. Use another copy`,
  )
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(new Bun.CryptoHasher('sha256').update(bytes).digest())
}

/** Bytes by the count, from pieces of any size. */
class Input {
  readonly #pieces: AsyncIterator<Uint8Array>
  #piece: Uint8Array = new Uint8Array(0)
  at = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** `undefined` when the source ends before. */
  async take(count: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const out = new Uint8Array(count)
    let filled = 0
    while (filled < count) {
      if (this.#piece.byteLength === 0) {
        const next = await this.#pieces.next()
        if (next.done === true) return undefined
        this.#piece = next.value
        continue
      }
      const part = this.#piece.subarray(0, count - filled)
      out.set(part, filled)
      filled += part.byteLength
      this.#piece = this.#piece.subarray(part.byteLength)
    }
    this.at += count
    return out
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }
}
