import { expect, test } from 'bun:test'
import { openMemoryStore } from '../../test/network.ts'
import { dispatchModeOperation, readDispatchMode } from './dispatchMode.ts'

test('what was said last is what is read', async () => {
  const store = await openMemoryStore()
  expect(await readDispatchMode(store)).toBe('running')
  for (const mode of ['paused', 'draining', 'running'] as const) {
    await store.write([dispatchModeOperation(mode)], { sync: true })
    expect(await readDispatchMode(store)).toBe(mode)
  }
})

test('a row that says nothing that we know is corruption, and not a mode', async () => {
  const store = await openMemoryStore()
  const key = new TextEncoder().encode('dispatchMode')
  const value = Uint8Array.from([1, 2, 3])
  await store.write([{ kind: 'put', table: 'counters', key, value }], { sync: true })
  expect(readDispatchMode(store)).rejects.toThrow('DispatchModeRecord')
})
