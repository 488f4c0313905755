import { expect, test } from 'bun:test'
import { acknowledge, fence, log, logPosition, openStore, type Store } from '@shardy/storage'
import { silentLog } from '../log.ts'
import { schemaVersion, type Table, tables } from '../tables.ts'
import { acknowledgedStore } from './acknowledgedStore.ts'

const put = { kind: 'put', table: 'policy', key: Uint8Array.of(1), value: Uint8Array.of(2) } as const

const open = (): Promise<Store<Table>> =>
  openStore({ kind: 'memory', tables, schemaVersion, log: { acknowledgeMs: 30 } })

test('before it serves, nothing waits for a standby that could not come', async () => {
  const store = acknowledgedStore(await open(), silentLog)
  await store.write([put], { sync: true })
  expect(await store.get('policy', Uint8Array.of(1))).toEqual(Uint8Array.of(2))
})

test('a synced write waits, past any time that a store gives it, until a standby has it; others do not', async () => {
  const opened = await open()
  const store = acknowledgedStore(opened, silentLog)
  store.begin()
  let isDone = false
  const written = Promise.all([store.write([put], { sync: true }), store.write([put], { sync: true })]).then(
    () => {
      isDone = true
    },
  )
  await store.write([put], { sync: false })
  await Bun.sleep(150)
  expect(isDone).toBe(false)
  const stop = new AbortController()
  const frames = log(opened, { from: undefined, signal: stop.signal })
  await frames.next()
  acknowledge(opened, logPosition(opened))
  // What it asks with is a write of its own, which is acknowledged too.
  const acknowledging = setInterval(() => acknowledge(opened, logPosition(opened)), 5)
  await written
  clearInterval(acknowledging)
  stop.abort()
  await frames.return(undefined)
})

test('one that is deposed refuses, and does not wait', async () => {
  const opened = await open()
  const store = acknowledgedStore(opened, silentLog)
  store.begin()
  const waiting = store.write([put], { sync: true })
  waiting.catch(() => {})
  await Bun.sleep(1)
  expect(await fence(opened, 2)).toBe(true)
  expect(waiting).rejects.toMatchObject({ kind: 'deposed' })
  await waiting.catch(() => {})
  expect(store.write([put], { sync: true })).rejects.toMatchObject({ kind: 'deposed' })
})
