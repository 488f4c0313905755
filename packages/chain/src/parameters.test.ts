import { describe, expect, test } from 'bun:test'
import type { Digest } from '@shardy/protocol'
import fc from 'fast-check'
import {
  type ChainSize,
  decodeBenchmark,
  drawBenchmark,
  encodeBenchmark,
  operationsOf,
  segmentsOf,
} from './parameters.ts'

const seed = 'ab'.repeat(32) as Digest
const good: ChainSize = { kind: 'product', rows: 4, width: 256, steps: 256, checkpointEvery: 16 }

test('counts what is computed', () => {
  expect(segmentsOf(good)).toBe(16)
  expect(operationsOf(good)).toBe(4 * 256 * 256 * 256)
  expect(operationsOf({ ...good, kind: 'lite' })).toBe(4 * 256 * 256)
})

describe('a size outside the bounds is refused with its field', () => {
  const wrong: readonly (readonly [Partial<Record<keyof ChainSize, unknown>>, RegExp])[] = [
    [{ kind: 'shader' }, /unknown word/],
    [{ rows: 0 }, /value 0/],
    [{ rows: 65_537, steps: 16 }, /rows|65537/],
    [{ rows: 65_536, steps: 128 }, /rows: 134217728 bytes/],
    [{ rows: 1.5 }, /1.5/],
    [{ width: 512 }, /width: is 512/],
    [{ steps: 255 }, /steps: 255 steps are not whole segments of 16/],
    [{ steps: 16 * 65 }, /65 checkpoints/],
    [{ checkpointEvery: 8 }, /value 8|8 /],
  ]
  for (const [change, message] of wrong) {
    test(JSON.stringify(change), () => {
      expect(() => drawBenchmark(seed, { ...good, ...change } as ChainSize)).toThrow(message)
    })
  }
})

test('bytes of any kind are refused or are the one encoding', () => {
  const near = fc
    .tuple(fc.nat(40), fc.nat(255))
    .map(([at, byte]) => encodeBenchmark(drawBenchmark(seed, good)).with(at, byte))
  fc.assert(
    fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 60 })), (bytes) => {
      const decoded = decodeBenchmark(bytes)
      if (decoded.ok) expect(encodeBenchmark(decoded.value)).toEqual(bytes)
    }),
  )
})
