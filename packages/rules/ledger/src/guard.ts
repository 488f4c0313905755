/**
 * Ids that were used and must not be used again (spec L17), in the order in which they came: their 16 bytes each, a hash
 * table that finds them by their count, and the buckets that they are forgotten in. About 24 to 40 bytes for an id.
 */
import type { DeliveryId, TimeMs } from '@shardy/protocol'

export interface Bucket {
  /** When it was begun, rounded down, and how many of that time came before it. */
  readonly fromMs: TimeMs
  readonly split: number
  /** From then on its ids are forgotten. */
  readonly untilMs: TimeMs
  /** Ids, counted since the guard began: `first` up to, not including, `end`. */
  first: number
  end: number
  /** Ids up to here, and as many parts, are on disk. */
  savedEnd: number
  savedParts: number
}

export interface GuardTerms {
  readonly guardMs: number
  readonly guardBucketMs: number
  readonly guardIdsMax: number
}

export interface Guard {
  readonly buckets: readonly Bucket[]
  has(id: DeliveryId, atMs: number): boolean
  /** The id must be new. */
  add(id: DeliveryId, atMs: number): void
  /** Forgets what is over; gives the buckets that are gone. */
  expire(atMs: number): void
  /** Buckets that are gone since the last call and have parts on disk. */
  takeDropped(): readonly Bucket[]
  /** The ids from one count to another, as bytes. */
  read(from: number, to: number): Uint8Array
  /** Puts an id back; buckets and ids come in order. */
  restoreBucket(
    bucket: { fromMs: TimeMs; split: number; untilMs: TimeMs; parts: number },
    ids: Uint8Array,
  ): void
}

const noIds = new Uint32Array(0)

const nibbles = new Uint8Array(128)
for (let digit = 0; digit < 16; digit++) nibbles[digit.toString(16).charCodeAt(0)] = digit

/** A full guard forgets this part of itself. */
const bucketsWhenFull = 16

/** Ids lie in chunks, so that nothing is ever copied to make room. */
const chunkIds = 4096

/** The table is many small ones, which grow one by one: growing all at once would stop everything for a while. */
const shardCount = 64

/** Counts are kept modulo this, plus one: 0 is an empty slot. */
const countModulus = 2 ** 32 - 1

interface Shard {
  slots: Uint32Array
  used: number
}

export function createGuard({ guardMs, guardBucketMs, guardIdsMax }: GuardTerms): Guard {
  const bucketIdsMax = Math.max(1, Math.floor(guardIdsMax / bucketsWhenFull))
  const shards: Shard[] = []
  const chunks: Uint32Array[] = []
  /** Of the first chunk, counted in chunks. */
  let chunksGone = 0
  /** Ids before `live` are forgotten; those from `head` on are still in the tables, and cleared a few at a time. */
  let head = 0
  let live = 0
  let end = 0
  const buckets: Bucket[] = []
  let dropped: Bucket[] = []
  const word = new Uint32Array(4)

  function parse(id: DeliveryId): void {
    for (let index = 0; index < 4; index++) {
      let value = 0
      for (let at = 8 * index; at < 8 * index + 8; at++) {
        value = (value << 4) | (nibbles[id.charCodeAt(at)] ?? 0)
      }
      word[index] = value
    }
  }

  const hash = (a: number, b: number) => Math.imul(a ^ (b >>> 7) ^ (b << 11), 0x9e3779b1) >>> 0
  const chunkOf = (count: number) => chunks[Math.floor(count / chunkIds) - chunksGone] ?? noIds
  const hashAt = (count: number) => {
    const chunk = chunkOf(count)
    const at = 4 * (count % chunkIds)
    return hash(chunk[at] ?? 0, chunk[at + 1] ?? 0)
  }
  const heldFor = (count: number) => (count % countModulus) + 1
  const countOf = (held: number) => {
    const ahead = held - 1 - (head % countModulus)
    return head + (ahead < 0 ? ahead + countModulus : ahead)
  }

  function shardFor(hashed: number): Shard {
    const index = hashed % shardCount
    let shard = shards[index]
    if (shard === undefined) {
      shard = { slots: new Uint32Array(16), used: 0 }
      shards[index] = shard
    }
    return shard
  }
  /** The low bits chose the shard. */
  const home = (hashed: number, mask: number) => Math.floor(hashed / shardCount) & mask

  /** The slot that holds the parsed id, or the empty one where it would go. */
  function find({ slots }: Shard, hashed: number): number {
    const mask = slots.length - 1
    let slot = home(hashed, mask)
    for (;;) {
      const held = slots[slot] ?? 0
      if (held === 0) return slot
      const count = countOf(held)
      const chunk = chunkOf(count)
      const at = 4 * (count % chunkIds)
      if (
        chunk[at] === word[0] &&
        chunk[at + 1] === word[1] &&
        chunk[at + 2] === word[2] &&
        chunk[at + 3] === word[3]
      ) {
        return slot
      }
      slot = (slot + 1) & mask
    }
  }

  function clearFirst(): void {
    const hashed = hashAt(head)
    const shard = shardFor(hashed)
    const { slots } = shard
    const mask = slots.length - 1
    const held = heldFor(head)
    let hole = home(hashed, mask)
    while (slots[hole] !== 0 && slots[hole] !== held) hole = (hole + 1) & mask
    // The same id may have come again since; then its slot already names the later one.
    if (slots[hole] === held) {
      shard.used--
      for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
        const wanted = home(hashAt(countOf(slots[next] ?? 0)), mask)
        if (((next - wanted) & mask) >= ((next - hole) & mask)) {
          slots[hole] = slots[next] ?? 0
          hole = next
        }
      }
      slots[hole] = 0
    }
    head++
    if (head % chunkIds === 0) {
      chunks.shift()
      chunksGone++
    }
  }

  function grow(shard: Shard): void {
    const before = shard.slots
    const slots = new Uint32Array(2 * before.length)
    const mask = slots.length - 1
    for (const held of before) {
      if (held === 0) continue
      let slot = home(hashAt(countOf(held)), mask)
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = held
    }
    shard.slots = slots
  }

  /** Adds the parsed id. */
  function push(): void {
    for (let cleared = 0; cleared < 4 && head < live; cleared++) clearFirst()
    if (end % chunkIds === 0) chunks.push(new Uint32Array(4 * chunkIds))
    chunkOf(end).set(word, 4 * (end % chunkIds))
    const hashed = hash(word[0] ?? 0, word[1] ?? 0)
    const shard = shardFor(hashed)
    if (2 * shard.used >= shard.slots.length) grow(shard)
    const slot = find(shard, hashed)
    if (shard.slots[slot] === 0) shard.used++
    shard.slots[slot] = heldFor(end)
    end++
  }

  function dropFirst(): void {
    const first = buckets.shift()
    if (first === undefined) return
    live = first.end
    if (first.savedParts > 0) dropped.push(first)
  }

  /** The first id that is remembered at that time, dropped yet or not. */
  function liveAt(atMs: number): number {
    for (const { untilMs, first } of buckets) if (untilMs > atMs) return first
    return end
  }

  return {
    buckets,
    has(id, atMs) {
      parse(id)
      const hashed = hash(word[0] ?? 0, word[1] ?? 0)
      const shard = shardFor(hashed)
      const held = shard.slots[find(shard, hashed)] ?? 0
      return held !== 0 && countOf(held) >= liveAt(atMs)
    },
    add(id, atMs) {
      let bucket = buckets[buckets.length - 1]
      // Never before the last bucket, also when the width was changed: the names of buckets stay apart and in order.
      const fromMs = Math.max(Math.floor(atMs / guardBucketMs) * guardBucketMs, bucket?.fromMs ?? 0) as TimeMs
      if (bucket === undefined || bucket.fromMs !== fromMs || bucket.end - bucket.first >= bucketIdsMax) {
        const split = bucket?.fromMs === fromMs ? bucket.split + 1 : 0
        const untilMs = (fromMs + guardBucketMs + guardMs) as TimeMs
        bucket = { fromMs, split, untilMs, first: end, end, savedEnd: end, savedParts: 0 }
        buckets.push(bucket)
      }
      while (end - live >= guardIdsMax) dropFirst()
      parse(id)
      push()
      bucket.end = end
    },
    expire(atMs) {
      while ((buckets[0]?.untilMs ?? atMs + 1) <= atMs) dropFirst()
    },
    takeDropped() {
      const taken = dropped
      dropped = []
      return taken
    },
    read(from, to) {
      const bytes = new Uint8Array(16 * (to - from))
      const view = new DataView(bytes.buffer)
      for (let count = from; count < to; count++) {
        const chunk = chunkOf(count)
        for (let index = 0; index < 4; index++) {
          view.setUint32(16 * (count - from) + 4 * index, chunk[4 * (count % chunkIds) + index] ?? 0)
        }
      }
      return bytes
    },
    restoreBucket({ fromMs, split, untilMs, parts }, ids) {
      const view = new DataView(ids.buffer, ids.byteOffset, ids.byteLength)
      const first = end
      for (let offset = 0; offset < ids.length; offset += 16) {
        for (let index = 0; index < 4; index++) word[index] = view.getUint32(offset + 4 * index)
        push()
      }
      buckets.push({ fromMs, split, untilMs, first, end, savedEnd: end, savedParts: parts })
    },
  }
}
