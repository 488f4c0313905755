import { describe, expect, test } from 'bun:test'
import { type BookEntry, defaultParameters, feeOf } from '@shardy/ledger'
import type { DeliveryId, MicroCredit, RequesterId, TaskId, WorkerId } from '@shardy/protocol'
import fc from 'fast-check'
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
  clock.advance(2_000)
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
  clock.advance(2_000)
  await new Promise((resolve) => setImmediate(resolve))
  expect(errors).toEqual(['bookNotSaved'])
  store.mend()
  await first.welcome(other)
  clock.advance(2_000)
  await first.close()
  const second = await open()
  expect(second.lag()).toBe(0)
  expect([has(second), has(second, other)]).toEqual([grant, grant])
})

const issue = (amount: bigint, to = requesterId): BookEntry => ({
  kind: 'issue',
  requesterId: to,
  amount: amount as MicroCredit,
})
const idle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('the outbox', () => {
  test('is applied once it is durable, and in its own order', async () => {
    const { open, errors } = await begin()
    const bookkeeper = await open()
    const [first, second, third] = [
      bookkeeper.post([issue(5n)]),
      bookkeeper.post([{ kind: 'escrow', taskId, requesterId, amount: 5n as MicroCredit }]),
      bookkeeper.post([{ kind: 'refund', taskId, requesterId }]),
    ]
    third?.committed()
    second?.committed()
    expect([has(bookkeeper), bookkeeper.lag()]).toEqual([0n, 3])
    first?.committed()
    expect(has(bookkeeper)).toBe(5n)
    expect(errors).toEqual([])
  })

  test('goes in the same batch that saves the book', async () => {
    const { open, store, clock } = await begin()
    const bookkeeper = await open()
    await bookkeeper.postAlone([issue(5n)])
    const batches: string[][] = []
    store.onWrite = async (batch) =>
      void batches.push([...new Set(batch.map(({ kind, table }) => `${kind} ${table}`))])
    clock.advance(2_000)
    await idle()
    expect(batches).toEqual([['put book', 'deleteRange outbox']])
    expect(bookkeeper.lag()).toBe(0)
  })

  test('counts each row once, whatever is posted, saved and killed in whatever order', async () => {
    const acts = fc.array(fc.constantFrom('post', 'postUnwritten', 'save', 'kill'), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(acts, async (sequence) => {
        const { open, clock } = await begin()
        let bookkeeper = await open()
        let expected = 0n
        for (const [index, act] of sequence.entries()) {
          const amount = 1n << BigInt(index)
          if (act === 'post') {
            await bookkeeper.postAlone([issue(amount)])
            expected += amount
          } else if (act === 'save') {
            clock.advance(2_000)
            await idle()
          } else {
            // Who numbers what it cannot write ends, and so does who is killed.
            if (act === 'postUnwritten') bookkeeper.post([issue(amount)])
            await bookkeeper.close()
            bookkeeper = await open()
          }
          expect(has(bookkeeper)).toBe(expected)
          expect(bookkeeper.book.total()).toBe(0n)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('setting aside', () => {
  const reward = 100n as MicroCredit
  const each = 100n + feeOf(reward, defaultParameters.feePermille)

  test('goes as far as there is money, with the fee, and what is let go can be set aside again', async () => {
    const { open } = await begin()
    const bookkeeper = await open()
    await bookkeeper.postAlone([issue(3n * each + 1n)])
    expect(bookkeeper.reserveUpTo(requesterId, reward, 2)).toEqual({ count: 2, refusal: undefined })
    expect(bookkeeper.reserve(requesterId, reward)).toBeUndefined()
    expect(bookkeeper.reserve(requesterId, reward)).toMatchObject({
      kind: 'insufficientFunds',
      needed: each,
      available: 1n,
    })
    expect(bookkeeper.reserved(requesterId)).toBe((3n * each) as MicroCredit)
    bookkeeper.release(requesterId, reward)
    expect(bookkeeper.reserveUpTo(requesterId, reward, 5)).toMatchObject({
      count: 1,
      refusal: { needed: 5n * each },
    })
    bookkeeper.release(requesterId, reward, 3)
    expect(bookkeeper.reserved(requesterId)).toBe(0n as MicroCredit)
  })

  test('costs nothing where nothing is paid, and is one requester’s own', async () => {
    const { open } = await begin()
    const bookkeeper = await open()
    const nothing = 0n as MicroCredit
    expect(bookkeeper.reserveUpTo(requesterId, nothing, 1000)).toEqual({ count: 1000, refusal: undefined })
    expect(bookkeeper.reserve(requesterId, 1n as MicroCredit)).toMatchObject({ available: 0n })
    await bookkeeper.postAlone([issue(each, other)])
    expect(bookkeeper.reserve(requesterId, reward)).toBeDefined()
    expect(bookkeeper.reserve(other, reward)).toBeUndefined()
  })
})

test('what dispatch says becomes escrow with the fee, a verdict that is settled once, a refund', async () => {
  const { open, errors } = await begin()
  const bookkeeper = await open()
  await bookkeeper.postAlone([issue(10_000n)])
  const workerId = 'bb'.repeat(32) as WorkerId
  const rewardMicroCredit = 1_000n as MicroCredit
  const fee = feeOf(rewardMicroCredit, defaultParameters.feePermille)
  const taskOf = (number: number) => number.toString(16).padStart(32, '0') as TaskId
  const escrow = (number: number) =>
    bookkeeper.entryOf({ kind: 'escrow', taskId: taskOf(number), requesterId, rewardMicroCredit })
  await bookkeeper.postAlone([escrow(1), escrow(2)])
  expect(has(bookkeeper)).toBe(10_000n - 2n * (1_000n + fee))
  const spec = { complexity: 1, inputLength: 1, outputLength: 1, constantBytes: 0, proof: 'none' }
  const task = { spec: { ...spec, verify: { mode: 'checked' } } } as never
  const deliveryId = 'dd'.repeat(16) as DeliveryId
  const verdict = (number: number, isPaid: boolean) =>
    bookkeeper.entryOf({
      kind: 'verdict',
      task,
      taskId: taskOf(number),
      requesterId,
      payouts: isPaid ? [{ deliveryId, workerId, rewardMicroCredit }] : [],
    })
  await bookkeeper.postAlone([verdict(1, true), verdict(2, false)])
  expect(has(bookkeeper)).toBe(10_000n - (1_000n + fee))
  expect(bookkeeper.book.slashable(workerId)).toBe(rewardMicroCredit)
  // Said again, as a bug would, it moves nothing.
  await bookkeeper.postAlone([verdict(1, true)])
  expect(errors).toEqual(['entryRefused'])
  expect(bookkeeper.book.slashable(workerId)).toBe(rewardMicroCredit)
  const { lockedMicroCredit, withdrawingMicroCredit } = bookkeeper.stake(workerId)
  expect(lockedMicroCredit).toBe(rewardMicroCredit)
  expect(withdrawingMicroCredit).toBeLessThan(rewardMicroCredit)
})
