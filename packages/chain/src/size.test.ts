import { expect, test } from 'bun:test'
import type { Digest } from '@shardy/protocol'
import fc from 'fast-check'
import { drawBenchmark, operationsOf } from './parameters.ts'
import { nextSize, sizePolicies } from './size.ts'

const seed = '00'.repeat(32) as Digest

test('any rate gives a size within the bounds, and one of the wanted length where that can be had', () => {
  const rate = fc.double({ min: 0, max: 1e16, noNaN: true })
  const policy = fc.constantFrom(...Object.values(sizePolicies))
  fc.assert(
    fc.property(fc.option(rate, { nil: undefined }), policy, (measured, chosen) => {
      const size = nextSize(measured, chosen)
      drawBenchmark(seed, size)
      const wanted = ((measured ?? 0) * chosen.targetMs) / 1_000
      if (measured === undefined || wanted < 2 ** 31 || wanted > 2 ** 43) return
      if (chosen.kind === 'lite') return
      expect(operationsOf(size) / wanted).toBeGreaterThan(0.9)
      expect(operationsOf(size) / wanted).toBeLessThan(1.1)
    }),
  )
})

test('a faster device gets more', () => {
  const operations = [undefined, 1e10, 1e11, 1e12, 1e13].map((rate) =>
    operationsOf(nextSize(rate, sizePolicies.gpu)),
  )
  expect(operations).toEqual(operations.toSorted((one, other) => one - other))
  expect(new Set(operations).size).toBe(operations.length)
})
