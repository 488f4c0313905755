import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { type Digest, merkleLeaf, merkleTree } from '@shardy/protocol'
import fc from 'fast-check'
import { beginChain } from './commitment.ts'
import { decodeOpening, drawCells, encodeOpening } from './opening.ts'
import { drawBenchmark, segmentsOf } from './parameters.ts'
import { createTree } from './tree.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
const size = { kind: 'lite', rows: 3, width: 256, steps: 80, checkpointEvery: 16 } as const
const benchmark = drawBenchmark('cd'.repeat(32) as Digest, size)

function commitment() {
  const chain = beginChain(benchmark, sha256)
  for (let states = chain.next(); states !== undefined; states = chain.next()) {
    chain.take(states.map((byte) => byte ^ 0x5a))
  }
  return chain.commit()
}

test('the tree and its paths are those of every other batch (S4)', () => {
  for (let count = 1; count <= 20; count++) {
    const leaves = Array.from({ length: count }, (_, index) => merkleLeaf(Uint8Array.of(index), sha256))
    const { root, paths } = merkleTree(leaves, sha256)
    const tree = createTree(leaves, sha256)
    expect(tree.root).toEqual(root)
    for (const index of leaves.keys()) expect(tree.path(index)).toEqual(paths[index] ?? [])
    expect(() => tree.path(count)).toThrow(RangeError)
  }
})

test('openings survive the wire, and other bytes are refused or are the one encoding', () => {
  const { open } = commitment()
  for (let segment = 0; segment < segmentsOf(benchmark); segment++) {
    for (let row = 0; row < size.rows; row++) {
      const opening = open({ segment, row })
      const bytes = encodeOpening(opening)
      expect(decodeOpening(bytes)).toEqual({ ok: true, value: opening })
    }
  }
  const bytes = encodeOpening(open({ segment: 1, row: 0 }))
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const changed = bytes.with(at, byte)
      const decoded = decodeOpening(changed)
      if (decoded.ok) expect(encodeOpening(decoded.value)).toEqual(changed)
    }),
  )
})

test('every cell is drawn about equally often, and another secret draws others', () => {
  const counts = new Map<string, number>()
  const drawn = drawCells(benchmark, 3_000, sha256(Uint8Array.of(1)), sha256)
  for (const { segment, row } of drawn) {
    expect(segment).toBeWithin(0, 5)
    expect(row).toBeWithin(0, 3)
    const cell = `${segment}/${row}`
    counts.set(cell, (counts.get(cell) ?? 0) + 1)
  }
  expect(counts.size).toBe(15)
  for (const count of counts.values()) expect(count).toBeWithin(140, 260)
  expect(drawCells(benchmark, 20, sha256(Uint8Array.of(2)), sha256)).not.toEqual(drawn.slice(0, 20))
})

test('a chain is taken segment by segment, whole, and committed once it is complete', () => {
  const chain = beginChain(benchmark, sha256)
  expect(() => chain.commit()).toThrow('0 of 5 segments')
  expect(() => chain.take(new Uint8Array(5))).toThrow(RangeError)
  expect(chain.next()).toEqual(chain.next())
  const { open } = commitment()
  expect(() => open({ segment: 5, row: 0 })).toThrow(RangeError)
  expect(() => open({ segment: 0, row: 3 })).toThrow(RangeError)
})

test('rows differ as every segment begins, even where they were equal before', () => {
  const chain = beginChain(benchmark, sha256)
  for (let states = chain.next(); states !== undefined; states = chain.next()) {
    const rows = [0, 1, 2].map((row) =>
      Buffer.from(states.subarray(256 * row, 256 * row + 256)).toString('hex'),
    )
    expect(new Set(rows).size).toBe(3)
    chain.take(new Uint8Array(states.length))
  }
})
