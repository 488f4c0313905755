import { expect, test } from 'bun:test'
import { createFailingStore } from '../../test/failingStore.ts'
import { openMemoryStore } from '../../test/network.ts'
import { openCounters } from './counters.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))

test('the epoch grows with every start, and the secret of the first one stays', async () => {
  const store = await openMemoryStore()
  const first = await openCounters(store, random)
  const second = await openCounters(store, random)
  const third = await openCounters(store, random)
  expect([first.epoch, second.epoch, third.epoch]).toEqual([1, 2, 3])
  expect(first.secret).toHaveLength(32)
  expect(second.secret).toEqual(first.secret)
  expect(third.secret).toEqual(first.secret)
})

test('two networks draw from two secrets', async () => {
  const [one, other] = [
    await openCounters(await openMemoryStore(), random),
    await openCounters(await openMemoryStore(), random),
  ]
  expect(one.secret).not.toEqual(other.secret)
})

test('who can write neither does not start: ids of an earlier start would come again', async () => {
  const store = createFailingStore(await openMemoryStore())
  store.fail('failed', 'counters')
  expect(openCounters(store, random)).rejects.toThrow()
  store.mend()
  expect((await openCounters(store, random)).epoch).toBe(1)
})
