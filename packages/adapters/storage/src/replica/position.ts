/**
 * The row in which a store keeps its place in the log of writes and who may write to it. It changes in the same atomic
 * write as the rows that it speaks of, so after a crash it is exact. It is never part of what is copied.
 */
import type { EncodedBatch, Engine } from '../engine.ts'
import { encodeFlatRows } from '../flatRows.ts'
import { StoreError } from '../storeError.ts'

/**
 * `primary` takes writes; `follower` takes a primary's log; `copying` is a follower that has received part of a
 * snapshot and is of no use alone; `deposed` was a primary and takes nothing any more.
 */
export type Role = 'primary' | 'follower' | 'copying' | 'deposed'

export interface Position {
  /** Rises by one with each promotion: whoever has a lower one is deposed. */
  readonly epoch: number
  /** Counts committed writes. */
  readonly sequence: number
  /** SHA-256 over the one before and this entry's operations: equal only if all of history is. */
  readonly chain: Uint8Array
}

export interface Place extends Position {
  readonly role: Role
}

export const chainBytes = 32
const roles: readonly Role[] = ['primary', 'follower', 'copying', 'deposed']
const placeBytes = 1 + 4 + 8 + chainBytes
/** Under table number 0, beside the schema record. */
export const placeKey = Uint8Array.of(0, ...new TextEncoder().encode('place'))

export async function readPlace(reader: Pick<Engine, 'getMany'>): Promise<Place | undefined> {
  const [bytes] = await reader.getMany([placeKey])
  if (bytes === undefined) return undefined
  const role = roles[bytes[0] ?? roles.length]
  if (bytes.byteLength !== placeBytes || role === undefined)
    throw new StoreError('corrupt', 'The place of the store in its log cannot be read')
  return { role, ...readPosition(bytes, 1) }
}

export function encodePlace(place: Place): EncodedBatch {
  const value = new Uint8Array(placeBytes)
  value[0] = roles.indexOf(place.role)
  writePosition(value, 1, place)
  return encodeFlatRows([{ key: placeKey, value }])
}

export const positionBytes = 4 + 8 + chainBytes

export function writePosition(into: Uint8Array, at: number, { epoch, sequence, chain }: Position): void {
  const view = new DataView(into.buffer, into.byteOffset)
  view.setUint32(at, epoch)
  view.setBigUint64(at + 4, BigInt(sequence))
  into.set(chain, at + 12)
}

export function readPosition(bytes: Uint8Array, at: number): Position {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    epoch: view.getUint32(at),
    sequence: Number(view.getBigUint64(at + 4)),
    chain: bytes.slice(at + 12, at + 12 + chainBytes),
  }
}

export function nextChain(
  chain: Uint8Array,
  { epoch, sequence }: Pick<Position, 'epoch' | 'sequence'>,
  operations: Uint8Array,
): Uint8Array {
  const head = new Uint8Array(positionBytes)
  writePosition(head, 0, { epoch, sequence, chain })
  return new Uint8Array(new Bun.CryptoHasher('sha256').update(head).update(operations).digest())
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
