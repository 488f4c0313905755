/**
 * The trace of an execution (spec S7): for every node of a program, in order, the digest of the bytes it gave. A
 * result's `traceRoot` is the Merkle root over it (shape of S4), so that what a worker signed commits it to every
 * value on the way. The program fixes the number of leaves: nothing else says it.
 */
import type { Sha256 } from '../hash.ts'
import type { Digest } from '../ids.ts'
import { traceNodesMax } from '../limits.ts'
import { domainPayload } from '../payload.ts'
import { whole } from '../schema/codec.ts'
import { decodeHex, encodeHex } from '../schema/hex.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { digest } from '../values.ts'
import { merkleLeaf, merkleNode, merkleRootFromPath, merkleSplit } from './merkle.ts'

/** What one node gave. Node and length are hashed too, so a leaf is good for one place and one reading of its bytes. */
export const traceLeaf = message('TraceLeaf', {
  node: field(1, whole(0, traceNodesMax - 1)),
  byteLength: field(2, whole(0, Number.MAX_SAFE_INTEGER)),
  digest: field(3, digest),
})
export type TraceLeaf = Infer<typeof traceLeaf>

export function traceLeafHash(leaf: TraceLeaf, sha256: Sha256): Digest {
  return encodeHex(merkleLeaf(domainPayload('trace', traceLeaf.encode(leaf)), sha256)) as Digest
}

const bytesOf = (hash: Digest): Uint8Array => decodeHex(hash) ?? new Uint8Array(0)

/** The hash of a subtree from those of its halves. */
export function traceNodeHash(left: Digest, right: Digest, sha256: Sha256): Digest {
  const [leftBytes, rightBytes] = [bytesOf(left), bytesOf(right)]
  if (leftBytes.length !== 32 || rightBytes.length !== 32) throw new TypeError('a digest has 32 bytes')
  return encodeHex(merkleNode(leftBytes, rightBytes, sha256)) as Digest
}

/** A subtree over the leaves `from` up to, not including, `to`. */
interface Subtree {
  readonly from: number
  readonly to: number
  readonly hash: Digest
  readonly halves: readonly [Subtree, Subtree] | undefined
}

export interface TraceTree {
  readonly root: Digest
  /** The hashes of the two halves of a subtree, or undefined when the tree has no such subtree, or it is a leaf. */
  halves(from: number, to: number): { readonly left: Digest; readonly right: Digest } | undefined
  /** The hashes beside the way from a leaf to the root, leaf first; undefined when there is no such leaf. */
  path(node: number): readonly Digest[] | undefined
}

/** The tree that a worker answers a dispute from. */
export function traceTree(leaves: readonly TraceLeaf[], sha256: Sha256): TraceTree {
  if (leaves.length === 0 || leaves.length > traceNodesMax) {
    throw new RangeError(`a trace has 1 to ${traceNodesMax} leaves, not ${leaves.length}`)
  }
  const build = (from: number, to: number): Subtree => {
    if (to - from === 1) {
      return { from, to, hash: traceLeafHash(leaves[from] as TraceLeaf, sha256), halves: undefined }
    }
    const middle = from + merkleSplit(to - from)
    const [left, right] = [build(from, middle), build(middle, to)]
    return { from, to, hash: traceNodeHash(left.hash, right.hash, sha256), halves: [left, right] }
  }
  const top = build(0, leaves.length)
  return {
    root: top.hash,
    halves(from, to) {
      let subtree: Subtree | undefined = top
      while (subtree !== undefined && (subtree.from !== from || subtree.to !== to)) {
        const halves: Subtree['halves'] = subtree.halves
        subtree = halves?.[from < halves[1].from ? 0 : 1]
      }
      const [left, right] = subtree?.halves ?? []
      return left && right && { left: left.hash, right: right.hash }
    },
    path(node) {
      if (!Number.isSafeInteger(node) || node < 0 || node >= leaves.length) return undefined
      const path: Digest[] = []
      let halves = top.halves
      while (halves !== undefined) {
        const [near, far]: readonly [Subtree, Subtree] =
          node < halves[1].from ? halves : [halves[1], halves[0]]
        path.unshift(far.hash)
        halves = near.halves
      }
      return path
    },
  }
}

export function traceRoot(leaves: readonly TraceLeaf[], sha256: Sha256): Digest {
  return traceTree(leaves, sha256).root
}

/** The root that a leaf's hash and its path lead to in a trace of `count` nodes; undefined when the path does not fit. */
export function traceRootFromPath(
  leafHash: Digest,
  { node, count, path }: { readonly node: number; readonly count: number; readonly path: readonly Digest[] },
  sha256: Sha256,
): Digest | undefined {
  const leaf = decodeHex(leafHash)
  if (leaf?.length !== 32) return undefined
  const root = merkleRootFromPath(leaf, node, count, path.map(bytesOf), sha256)
  return root && (encodeHex(root) as Digest)
}
