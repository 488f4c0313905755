/**
 * The Merkle tree of a batch (spec S4), shaped as in RFC 9162: leaves are H(0x00‖data), nodes H(0x01‖left‖right),
 * and a tree of n leaves splits at the largest power of two below n. One signature over a root then speaks for
 * every statement in the batch.
 */
import type { Sha256 } from '../hash.ts'

export function merkleLeaf(data: Uint8Array, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(1 + data.length)
  bytes.set(data, 1)
  return sha256(bytes)
}

export function merkleNode(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(65)
  bytes[0] = 1
  bytes.set(left, 1)
  bytes.set(right, 33)
  return sha256(bytes)
}

/** How many of `count` leaves, two or more, stand to the left: the largest power of two below `count`. */
export function merkleSplit(count: number): number {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

/** The root alone. */
export function merkleRoot(leaves: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  if (leaves.length === 0) throw new RangeError('a batch has at least one statement')
  const build = (from: number, to: number): Uint8Array => {
    const count = to - from
    if (count === 1) return leaves[from] as Uint8Array
    const split = merkleSplit(count)
    return merkleNode(build(from, from + split), build(from + split, to), sha256)
  }
  return build(0, leaves.length)
}

/** The root and each leaf's path, from the leaf upward. */
export function merkleTree(
  leaves: readonly Uint8Array[],
  sha256: Sha256,
): { readonly root: Uint8Array; readonly paths: readonly (readonly Uint8Array[])[] } {
  if (leaves.length === 0) throw new RangeError('a batch has at least one statement')
  const paths: Uint8Array[][] = leaves.map(() => [])
  const build = (from: number, to: number): Uint8Array => {
    const count = to - from
    if (count === 1) return leaves[from] as Uint8Array
    const split = merkleSplit(count)
    const left = build(from, from + split)
    const right = build(from + split, to)
    for (let index = from; index < to; index++) paths[index]?.push(index < from + split ? right : left)
    return merkleNode(left, right, sha256)
  }
  return { root: build(0, leaves.length), paths }
}

/** The root that a leaf and its path lead to, or undefined when the path does not fit `index` and `count`. */
export function merkleRootFromPath(
  leaf: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
  sha256: Sha256,
): Uint8Array | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(count) || index < 0 || index >= count) {
    return undefined
  }
  let position = index
  let last = count - 1
  let hash = leaf
  for (const sibling of path) {
    if (last === 0 || sibling.length !== 32) return undefined
    if (position % 2 === 1 || position === last) {
      hash = merkleNode(sibling, hash, sha256)
      while (position % 2 === 0 && position !== 0) {
        position = Math.floor(position / 2)
        last = Math.floor(last / 2)
      }
    } else {
      hash = merkleNode(hash, sibling, sha256)
    }
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 ? hash : undefined
}
