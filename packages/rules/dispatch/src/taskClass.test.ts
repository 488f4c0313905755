import { expect, test } from 'bun:test'
import type { MicroCredit } from '@shardy/protocol'
import fc from 'fast-check'
import { newTask, startMs } from '../test/scene.ts'
import type { NewTask } from './index.ts'
import { classFactsOf, roundDown, roundUp } from './taskClass.ts'

const factsOf = (about: Partial<NewTask>) => classFactsOf({ ...newTask('t', about), submittedAtMs: startMs })

test('sizes are rounded up by a quarter at most, prices down by as little, powers of two not at all', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const up = roundUp(value)
      expect(up).toBeGreaterThanOrEqual(value)
      expect(up).toBeLessThanOrEqual(value * 1.25)
      const down = Number(roundDown(BigInt(value)))
      expect(down).toBeLessThanOrEqual(value)
      expect(down).toBeGreaterThanOrEqual(value * 0.75)
    }),
  )
  for (let power = 0; power <= 52; power++) {
    expect(roundUp(2 ** power)).toBe(2 ** power)
    expect(roundDown(1n << BigInt(power))).toBe(1n << BigInt(power))
  }
})

test('what a worker is measured against tells classes apart, and nothing else does', () => {
  const { key } = factsOf({})
  const different: readonly Partial<NewTask>[] = [
    { kind: 'lite' },
    { tierMin: 1 },
    { features: ['f16'] },
    { inputLength: 100_000 },
    { outputLength: 0 },
    { memoryBytes: 1 << 20 },
    { rewardMicroCredit: 5000n as MicroCredit },
    { verify: { mode: 'quorum', replicas: 2, agreeing: 2, auditPermille: 0 } },
  ]
  for (const about of different) expect(factsOf(about).key).not.toBe(key)
  expect(factsOf({ priority: 9, seed: 8n, keepOutput: false }).key).toBe(key)
})

test('features cannot be written so that two look like one', () => {
  expect(factsOf({ features: ['a b'] }).key).not.toBe(factsOf({ features: ['a', 'b'] }).key)
  expect(factsOf({ features: ['a1:b'] }).key).not.toBe(factsOf({ features: ['a', 'b'] }).key)
})
