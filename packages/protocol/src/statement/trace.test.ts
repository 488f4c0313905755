import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { sha256 } from '../../test/sha256.ts'
import type { Digest } from '../ids.ts'
import { traceNodesMax } from '../limits.ts'
import { domainPayload } from '../payload.ts'
import { encodeHex } from '../schema/hex.ts'
import { merkleTree } from './merkle.ts'
import {
  type TraceLeaf,
  traceLeaf,
  traceLeafHash,
  traceNodeHash,
  traceRoot,
  traceRootFromPath,
  traceTree,
} from './trace.ts'

const digestOf = (text: string) => encodeHex(sha256(new TextEncoder().encode(text))) as Digest
const leavesOf = (count: number): readonly TraceLeaf[] =>
  Array.from({ length: count }, (_, node) => ({
    node,
    byteLength: node + 1,
    digest: digestOf(`value ${node}`),
  }))

const [first] = leavesOf(1) as [TraceLeaf]

test('a leaf is the hash of a zero byte, the domain and the bytes of node, length and digest (spec S7)', () => {
  const payload = domainPayload('trace', traceLeaf.encode(first))
  expect<string>(traceLeafHash(first, sha256)).toBe(encodeHex(sha256(new Uint8Array([0, ...payload]))))
})

test('a leaf of another node, length or digest has another hash', () => {
  const hashes = [
    first,
    { ...first, node: 1 },
    { ...first, byteLength: 2 },
    { ...first, digest: digestOf('another value') },
  ].map((leaf) => traceLeafHash(leaf, sha256))
  expect(new Set(hashes).size).toBe(4)
})

describe('a trace of', () => {
  for (const count of [1, 2, 3, 4, 5, 7, 8, 9, 16, 33]) {
    const leaves = leavesOf(count)
    const tree = traceTree(leaves, sha256)
    const hashes = leaves.map((leaf) => traceLeafHash(leaf, sha256))

    test(`${count}: has the root of the tree of a batch over its leaves (spec S4)`, () => {
      const { root } = merkleTree(
        hashes.map((hash) => Uint8Array.fromHex(hash)),
        sha256,
      )
      expect<string>(tree.root).toBe(encodeHex(root))
      expect(traceRoot(leaves, sha256)).toBe(tree.root)
    })

    test(`${count}: every path leads from its leaf to the root, and from no other place`, () => {
      for (const [node, hash] of hashes.entries()) {
        const path = tree.path(node) ?? []
        expect(traceRootFromPath(hash, { node, count, path }, sha256)).toBe(tree.root)
        for (let other = 0; other < count; other++) {
          if (other === node) continue
          expect(traceRootFromPath(hash, { node: other, count, path }, sha256)).not.toBe(tree.root)
        }
      }
    })

    test(`${count}: the halves of every subtree hash to it, down to the leaves`, () => {
      const descend = (from: number, to: number, hash: Digest): void => {
        const halves = tree.halves(from, to)
        if (to - from === 1) {
          expect(halves).toBeUndefined()
          expect(hash).toBe(hashes[from] as Digest)
          return
        }
        if (halves === undefined) throw new Error(`no halves of ${from} to ${to}`)
        expect(traceNodeHash(halves.left, halves.right, sha256)).toBe(hash)
        const split = 2 ** (Math.ceil(Math.log2(to - from)) - 1)
        descend(from, from + split, halves.left)
        descend(from + split, to, halves.right)
      }
      descend(0, count, tree.root)
    })

    test(`${count}: has no other subtrees and no other leaves`, () => {
      for (const [from, to] of [
        [0, count + 1],
        [-1, count],
        [1, count],
        [count, count],
        [0.5, count],
        [Number.NaN, count],
      ] as const) {
        if (from === 1 && count === 2) continue
        expect(tree.halves(from, to)).toBeUndefined()
      }
      for (const node of [-1, count, 0.5, Number.NaN]) expect(tree.path(node)).toBeUndefined()
    })
  }
})

test('no nodes make no trace, and neither do too many', () => {
  expect(() => traceTree([], sha256)).toThrow('1 to 1048576 leaves, not 0')
  expect(() => traceTree(new Array(traceNodesMax + 1).fill(first), sha256)).toThrow('not 1048577')
})

test('a trace of another number of leaves has another root', () => {
  const roots = Array.from({ length: 40 }, (_, index) => traceRoot(leavesOf(index + 1), sha256))
  expect(new Set(roots).size).toBe(40)
})

test('a trace that differs in any one leaf has another root', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (count, pick) => {
      const leaves = leavesOf(count)
      const changed = leaves.map((leaf, node) =>
        node === pick % count ? { ...leaf, digest: digestOf('a lie') } : leaf,
      )
      expect(traceRoot(changed, sha256)).not.toBe(traceRoot(leaves, sha256))
    }),
  )
})

test('what is no digest leads nowhere', () => {
  const leaves = leavesOf(3)
  const tree = traceTree(leaves, sha256)
  const path = tree.path(1) ?? []
  const hash = traceLeafHash(leaves[1] as TraceLeaf, sha256)
  for (const wrong of ['', 'zz'.repeat(32), 'ab'.repeat(31), 'ab'.repeat(33)] as Digest[]) {
    expect(traceRootFromPath(wrong, { node: 1, count: 3, path }, sha256)).toBeUndefined()
    const broken = [wrong, ...path.slice(1)]
    expect(traceRootFromPath(hash, { node: 1, count: 3, path: broken }, sha256)).toBeUndefined()
    expect(() => traceNodeHash(wrong, hash, sha256)).toThrow('32 bytes')
    expect(() => traceNodeHash(hash, wrong, sha256)).toThrow('32 bytes')
  }
})
