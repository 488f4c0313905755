import { expect, test } from 'bun:test'
import { defaultParameters } from '@shardy/ledger'
import type { MicroCredit, RequesterId, TaskId } from '@shardy/protocol'
import { createFailingStore } from '../../test/failingStore.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { openMemoryStore } from '../../test/network.ts'
import { silentLog } from '../log.ts'
import { type Bookkeeper, openBookkeeper } from './bookkeeper.ts'

const grant = 1_000_000n as MicroCredit
const requesterId = 'ab'.repeat(32) as RequesterId
const other = 'cd'.repeat(32) as RequesterId
const taskId = 'ef'.repeat(16) as TaskId

async function begin() {
  const store = createFailingStore(await openMemoryStore())
  const clock = createManualClock()
  const fatal: unknown[] = []
  const errors: string[] = []
  const log = { ...silentLog, error: (event: string) => void errors.push(event) }
  const open = (): Promise<Bookkeeper> =>
    openBookkeeper({
      store,
      clock,
      log,
      parameters: defaultParameters,
      grantMicroCredit: grant,
      fatal: (error) => fatal.push(error),
    })
  return { store, clock, fatal, errors, open }
}

const has = ({ book }: Bookkeeper, who = requesterId): bigint =>
  book.balance({ kind: 'requester', requesterId: who })

test('the grant is given once: to two who come together, after a crash, and to an empty account', async () => {
  const { open, clock } = await begin()
  const first = await open()
  await Promise.all([first.welcome(requesterId), first.welcome(requesterId)])
  expect(has(first)).toBe(grant)
  // Nothing was saved but the outbox.
  const second = await open()
  await second.welcome(requesterId)
  expect(has(second)).toBe(grant)
  await second.postAlone([{ kind: 'escrow', taskId, requesterId, amount: grant }])
  clock.advance(1_000)
  await second.close()
  const third = await open()
  await third.welcome(requesterId)
  expect(has(third)).toBe(0n)
})

test('a row that the store refused leaves a hole, over which the next start goes', async () => {
  const { open, store, fatal } = await begin()
  const first = await open()
  await first.welcome(requesterId)
  store.fail('diskFull', 'outbox')
  expect(first.postAlone([{ kind: 'issue', requesterId, amount: grant }])).rejects.toThrow()
  await Promise.resolve()
  store.mend()
  // On disk, behind the hole: this process can no longer apply it.
  await first.postAlone([{ kind: 'issue', requesterId: other, amount: 7n as MicroCredit }])
  expect(fatal.length).toBe(1)
  expect(has(first, other)).toBe(0n)
  const second = await open()
  expect(has(second)).toBe(grant)
  expect(has(second, other)).toBe(7n)
  await second.postAlone([{ kind: 'issue', requesterId: other, amount: 1n as MicroCredit }])
  const third = await open()
  expect(has(third, other)).toBe(8n)
  expect(third.book.total()).toBe(0n)
})

test('rows of the book that could not be saved go with the next save', async () => {
  const { open, store, clock, errors } = await begin()
  const first = await open()
  await first.welcome(requesterId)
  store.fail('diskFull', 'book')
  clock.advance(1_000)
  await new Promise((resolve) => setImmediate(resolve))
  expect(errors).toEqual(['bookNotSaved'])
  store.mend()
  await first.welcome(other)
  clock.advance(1_000)
  await first.close()
  const second = await open()
  expect(second.lag()).toBe(0)
  expect([has(second), has(second, other)]).toEqual([grant, grant])
})
