import { describe, expect, test } from 'bun:test'

import fc from 'fast-check'
import { sha256 } from '../../test/sha256.ts'
import { merkleLeaf, merkleRootFromPath, merkleTree } from './merkle.ts'

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => merkleLeaf(new Uint8Array([index, index >> 8]), sha256))

/** RFC 9162, sections 2.1.1 and 2.1.3.1, word for word. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0] as Uint8Array
  const split = naiveSplit(leaves.length)
  return sha256(new Uint8Array([1, ...naiveRoot(leaves.slice(0, split)), ...naiveRoot(leaves.slice(split))]))
}

function naivePath(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return []
  const split = naiveSplit(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return index < split
    ? [...naivePath(index, left), naiveRoot(right)]
    : [...naivePath(index - split, right), naiveRoot(left)]
}

function naiveSplit(count: number): number {
  return 2 ** (Math.ceil(Math.log2(count)) - 1)
}

describe('a tree of', () => {
  for (let count = 1; count <= 40; count++) {
    test(`${count}: root and every path as RFC 9162 says`, () => {
      const leaves = leavesOf(count)
      const { root, paths } = merkleTree(leaves, sha256)
      expect(root).toEqual(naiveRoot(leaves))
      for (const [index, leaf] of leaves.entries()) {
        const path = paths[index] ?? []
        expect(path).toEqual(naivePath(index, leaves))
        expect(merkleRootFromPath(leaf, index, count, path, sha256)).toEqual(root)
      }
    })

    test(`${count}: no leaf passes for another, and no path fits another index`, () => {
      const leaves = leavesOf(count)
      const { root, paths } = merkleTree(leaves, sha256)
      for (const [index, leaf] of leaves.entries()) {
        for (let other = 0; other < count; other++) {
          if (other === index) continue
          expect(merkleRootFromPath(leaf, other, count, paths[index] ?? [], sha256)).not.toEqual(root)
          expect(merkleRootFromPath(leaf, other, count, paths[other] ?? [], sha256)).not.toEqual(root)
        }
      }
    })
  }
})

test('a leaf hash is never a node hash', () => {
  const [left, right] = leavesOf(2) as [Uint8Array, Uint8Array]
  const { root } = merkleTree([left, right], sha256)
  expect(merkleLeaf(new Uint8Array([...left, ...right]), sha256)).not.toEqual(root)
})

test('no statements make no tree', () => {
  expect(() => merkleTree([], sha256)).toThrow('at least one')
})

test('a path that does not fit index and count leads nowhere', () => {
  const leaves = leavesOf(5)
  const { paths } = merkleTree(leaves, sha256)
  const [leaf, path] = [leaves[2] as Uint8Array, paths[2] ?? []]
  expect(merkleRootFromPath(leaf, 5, 5, path, sha256)).toBeUndefined()
  expect(merkleRootFromPath(leaf, 2, 5, path.slice(1), sha256)).toBeUndefined()
  expect(merkleRootFromPath(leaf, 2, 5, [...path, leaf], sha256)).toBeUndefined()
  expect(merkleRootFromPath(leaf, 2, 1, path, sha256)).toBeUndefined()
  expect(merkleRootFromPath(leaf, 0, 1, path, sha256)).toBeUndefined()
  expect(
    merkleRootFromPath(leaf, 2, 5, [path[0]?.subarray(1) ?? leaf, ...path.slice(1)], sha256),
  ).toBeUndefined()
  for (const [index, count] of [
    [-1, 5],
    [0.5, 5],
    [Number.NaN, 5],
    [0, 0],
    [0, -1],
    [0, 1.5],
    [0, Number.NaN],
    [0, Infinity],
  ] as const) {
    expect(merkleRootFromPath(leaf, index, count, path, sha256)).toBeUndefined()
    expect(merkleRootFromPath(leaf, index, count, [], sha256)).toBeUndefined()
  }
})

test('a changed path of the right length leads to another root', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.nat(),
      fc.nat(),
      fc.nat(255),
      (count, pick, level, bit) => {
        const leaves = leavesOf(count)
        const { root, paths } = merkleTree(leaves, sha256)
        const index = pick % count
        const path = (paths[index] ?? []).map((sibling) => sibling.slice())
        const changed = path[level % path.length] as Uint8Array
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(merkleRootFromPath(leaves[index] as Uint8Array, index, count, path, sha256)).not.toEqual(root)
      },
    ),
  )
})
