import { expect, test } from 'bun:test'
import type { ComputeState } from '../compute/channel.ts'
import { describeSpeed } from './speed.ts'

const ready: ComputeState = {
  kind: 'ready',
  device: { executor: 'cpu', adapter: 'a', isSoftware: false, cpuReason: undefined },
  operationsPerSecond: 121e6,
  stableBytes: 0,
}
const standing = { tier: 1, operationsPerSecond: 316e6, message: 'tier 1: 0.316 billion' }

test.each([
  ['nothing before anything was measured', undefined, undefined, undefined],
  ['what the page measured', ready, undefined, '121 million multiply-adds per second'],
  ['what the orchestrator measured instead', ready, standing, '316 million multiply-adds per second, tier 1'],
] as const)('%s', (_, compute, found, words) => {
  const speed = describeSpeed(compute, found)
  expect(speed === undefined ? undefined : `${speed.value} ${speed.unit}`).toBe(words as never)
})
