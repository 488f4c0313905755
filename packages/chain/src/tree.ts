/** A Merkle tree (spec S4) that gives a path when it is asked for one: of some ten thousand leaves a few are opened. */
import { merkleNode, merkleSplit, type Sha256 } from '@shardy/protocol'

export interface Tree {
  readonly root: Uint8Array
  /** From the leaf upward. */
  path(index: number): readonly Uint8Array[]
}

export function createTree(leaves: readonly Uint8Array[], sha256: Sha256): Tree {
  /** By where they begin and end. */
  const nodes = new Map<number, Uint8Array>()
  const build = (from: number, to: number): Uint8Array => {
    if (to - from === 1) return leaves[from] as Uint8Array
    const middle = from + merkleSplit(to - from)
    const node = merkleNode(build(from, middle), build(middle, to), sha256)
    nodes.set(keyOf(from, to), node)
    return node
  }
  const keyOf = (from: number, to: number) => from * (leaves.length + 1) + to
  const at = (from: number, to: number): Uint8Array =>
    (to - from === 1 ? leaves[from] : nodes.get(keyOf(from, to))) as Uint8Array
  if (leaves.length === 0) throw new RangeError('a tree has at least one leaf')
  return {
    root: build(0, leaves.length),
    path(index) {
      if (!(Number.isInteger(index) && index >= 0 && index < leaves.length)) {
        throw new RangeError(`leaf ${index} of ${leaves.length}`)
      }
      const path: Uint8Array[] = []
      for (let [from, to] = [0, leaves.length]; to - from > 1; ) {
        const middle = from + merkleSplit(to - from)
        path.push(index < middle ? at(middle, to) : at(from, middle))
        if (index < middle) to = middle
        else from = middle
      }
      return path.reverse()
    },
  }
}
