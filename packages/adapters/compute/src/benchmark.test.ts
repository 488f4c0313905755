import { expect, test } from 'bun:test'
import { complexity } from '@shardy/tensor'
import { measureOpsPerSecond } from './benchmark.ts'
import { createCpuExecutor } from './cpu/executor.ts'
import type { Executor } from './executor.ts'

const nothing = { output: new Uint8Array(), kept: new Map<number, Uint8Array>() }

/** An executor of known speed on a clock of its own. */
function timed(multiplyAddsPerMs: number, startMs: number) {
  let nowMs = 0
  let largest = 0
  const executor: Executor = {
    name: 'cpu',
    adapter: 'a clock',
    async execute(program) {
      nowMs += startMs + complexity(program) / multiplyAddsPerMs
      largest = Math.max(largest, program.inputs[0]?.shape[0] ?? 0)
      return nothing
    },
    async close() {},
  }
  return { executor, clock: () => nowMs, spentMs: () => nowMs, largest: () => largest }
}

test('measures the speed of the executor, in multiply-adds per second', async () => {
  const { executor, clock } = timed(1e6, 0)
  expect(await measureOpsPerSecond(executor, clock)).toBe(1e9)
})

test('stops before it takes long, on slow and on fast devices', async () => {
  for (const speed of [1e4, 1e5, 1e6, 1e7, 1e8, 1e9]) {
    const { executor, clock, spentMs } = timed(speed, 0.1)
    await measureOpsPerSecond(executor, clock)
    expect(spentMs()).toBeLessThan(300)
  }
})

test('a device with a slow start is judged by large products', async () => {
  const { executor, clock, largest } = timed(1e9, 1)
  expect(await measureOpsPerSecond(executor, clock)).toBeGreaterThan(8e11)
  expect(largest()).toBe(2048)
})

test('a clock that stands still gives a number all the same', async () => {
  const executor = createCpuExecutor()
  const opsPerSecond = await measureOpsPerSecond({ ...executor, execute: async () => nothing }, () => 0)
  expect(Number.isSafeInteger(opsPerSecond)).toBe(true)
})
