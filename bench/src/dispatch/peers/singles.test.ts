// The loop that every queue is measured with.

import { expect, test } from 'bun:test'
import { singlesPerSecond } from './singles.ts'

const short = { warmMs: 20, countedMs: 60 }

test('as many are in flight as was asked for, never more', async () => {
  let [now, most] = [0, 0]
  await singlesPerSecond(
    async () => {
      now += 1
      most = Math.max(most, now)
      await Bun.sleep(1)
      now -= 1
    },
    { inFlight: 7, ...short },
  )
  expect(most).toBe(7)
  expect(now).toBe(0)
})

test('only what ended after the warm-up counts', async () => {
  let isFirst = true
  const rate = await singlesPerSecond(
    async () => {
      // Very many in the beginning, and then such as outlast the count by far.
      if (isFirst) {
        setTimeout(() => {
          isFirst = false
        }, 10)
        await Bun.sleep(0)
      } else await Bun.sleep(1_500)
    },
    { inFlight: 100, warmMs: 300, countedMs: 60 },
  )
  expect(rate).toBe(0)
})

test('a queue that stands still has no rate', async () => {
  const never = new Promise<void>(() => {})
  await expect(
    singlesPerSecond(() => never, { inFlight: 3, warmMs: 20, countedMs: 10_000 }, 30),
  ).rejects.toThrow(/none of 3 jobs in flight came back/)
})

test('a refused submission ends the measurement', async () => {
  const submit = async (): Promise<void> => {
    throw new Error('the stream is full')
  }
  await expect(singlesPerSecond(submit, { inFlight: 2, ...short })).rejects.toThrow('the stream is full')
})
