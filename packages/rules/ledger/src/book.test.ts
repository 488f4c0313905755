import { describe, expect, test } from 'bun:test'
import type { DeliveryId, WorkerId } from '@shardy/protocol'
import {
  ann,
  at,
  bob,
  deliveryIdOf,
  deposit,
  escrow,
  issue,
  micro,
  openScene,
  payout,
  refund,
  rita,
  rolf,
  slash,
  t,
  taskIdOf,
  unstake,
  verdict,
  vest,
  withdraw,
} from '../test/scene.ts'
import type { BookEntry } from './entry.ts'
import { type BookRefusal, describeBookRefusal } from './refusal.ts'
import { balanceMax } from './sheet.ts'

describe('a task', () => {
  test('pays its workers and the fee, and the rest goes back', () => {
    const { book, take, worker, requester } = openScene()
    take(0, issue(10_000), escrow(3_000))
    expect(requester()).toBe(7_000n)
    take(0, verdict([payout('1', 1_000), payout('2', 501, bob)]))
    expect(worker(ann)).toEqual({ free: 500n, vesting: 500n, stake: 0n })
    // What vests is rounded up, and so is the fee: 1,501 by 50 permille is 75.05.
    expect(worker(bob)).toEqual({ free: 250n, vesting: 251n, stake: 0n })
    expect(book.balance({ kind: 'fees' })).toBe(76n)
    expect(requester()).toBe(10_000n - 1_501n - 76n)
    expect(book.balance({ kind: 'escrow', taskId: t })).toBe(0n)
    expect(book.balance({ kind: 'issuance' })).toBe(-10_000n)
    expect(book.spent).toBe(7n as typeof book.spent)
    expect(book.total()).toBe(0n)
  })

  test('may spend its escrow to the last micro-credit', () => {
    const { take, requester } = openScene()
    take(0, issue(1_050), escrow(1_050), verdict([payout('1', 1_000)]))
    expect(requester()).toBe(0n)
  })

  test('that is dead gives everything back', () => {
    const { take, requester } = openScene()
    take(0, issue(50), escrow(50), refund())
    expect(requester()).toBe(50n)
  })

  test('without a reward needs no account, and is guarded all the same', () => {
    const { play, take } = openScene()
    take(0, escrow(0), verdict([payout('1', 0)]), escrow(0))
    expect(play(0, verdict([payout('1', 0)]))).toEqual([
      { index: 0, refusal: { kind: 'alreadyPaid', deliveryId: deliveryIdOf('1') } },
    ])
  })

  test('can be accepted again once it is closed, and pays other deliveries', () => {
    const { take, worker } = openScene()
    take(0, issue(500), escrow(200), refund(), escrow(200), verdict([payout('2', 100)]))
    expect(worker().free).toBe(50n)
  })
})

describe('a worker', () => {
  test('has what vests when the epoch and the delay are over, and not before', () => {
    const { book, take, play, worker } = openScene()
    take(20, issue(10_000), escrow(1_050), verdict([payout('1', 1_000)]))
    expect([book.free(ann, at(1_099)), book.locked(ann, at(1_099))]).toEqual([micro(500), micro(500)])
    expect(play(1_099, withdraw(501))).toMatchObject([{ refusal: { available: 500n } }])
    expect([book.free(ann, at(1_100)), book.locked(ann, at(1_100))]).toEqual([micro(1_000), micro(0)])
    take(1_100, withdraw(1_000))
    expect(worker()).toEqual({ free: 0n, vesting: 0n, stake: 0n })
    expect(book.balance({ kind: 'requester', requesterId: rolf })).toBe(1_000n)
  })

  test('gathers one place for an epoch, and every entry about it releases what is due', () => {
    const { book, take, worker } = openScene()
    take(0, issue(100_000))
    for (let ms = 0; ms < 5_000; ms += 10) {
      take(ms, escrow(105), verdict([payout(`at ${ms}`, 100)]))
    }
    // Earned in the epochs that began at 3,900 to 4,900, ten times 50 each.
    expect(worker().vesting).toBe(5_500n)
    expect(book.rows().find(({ key }) => key.startsWith('worker/'))?.value?.length).toBeLessThan(150)
  })

  test('gets stake back after the delay, and until then a slash reaches it', () => {
    const { book, take, play, worker } = openScene()
    take(0, deposit(1_000), unstake(400))
    expect([book.locked(ann, at(0)), book.slashable(ann)]).toEqual([micro(600), micro(1_000)])
    take(500, slash('1', 700))
    expect([book.locked(ann, at(500)), book.slashable(ann)]).toEqual([micro(0), micro(300)])
    take(600, vest())
    expect(worker()).toEqual({ free: 300n, vesting: 0n, stake: 0n })
    expect(play(600, vest())).toMatchObject([{ refusal: { kind: 'nothingDue' } }])
    expect(book.balance({ kind: 'slashed' })).toBe(700n)
  })

  test('loses what vests first, then stake, then what is free, and no more than it has', () => {
    const { book, take, worker } = openScene()
    take(0, issue(2_100), escrow(2_100), verdict([payout('1', 2_000)]), deposit(300))
    take(0, slash('a', 900))
    expect(worker()).toEqual({ free: 1_000n, vesting: 100n, stake: 300n })
    take(0, slash('b', 250))
    expect(worker()).toEqual({ free: 1_000n, vesting: 0n, stake: 150n })
    take(0, slash('c', balanceMax))
    expect(worker()).toEqual({ free: 0n, vesting: 0n, stake: 0n })
    expect(book.balance({ kind: 'slashed' })).toBe(2_300n)
    expect(book.total()).toBe(0n)
  })

  test('deposits what it earned, or what a requester pays for it', () => {
    const { take, worker, requester } = openScene()
    take(0, issue(1_200), escrow(1_050), verdict([payout('1', 1_000)]))
    take(
      0,
      { ...deposit(400), source: 'earnings' },
      { ...deposit(150), source: 'requester', requesterId: rita },
    )
    expect(worker()).toEqual({ free: 100n, vesting: 500n, stake: 550n })
    expect(requester()).toBe(0n)
  })
})

describe('refused, and nothing is changed', () => {
  const start: readonly BookEntry[] = [
    issue(10_000),
    escrow(1_000),
    escrow(500, taskIdOf('paid')),
    verdict([payout('paid', 100)], taskIdOf('paid')),
    deposit(100, bob),
    unstake(60, bob),
    slash('slashed', 10, bob),
  ]
  const many = Array.from({ length: 65 }, (_, index) => payout(`many ${index}`, 1))
  const cases: readonly { desc: string; entry: BookEntry; refusal: BookRefusal }[] = [
    { desc: 'an issue of nothing', entry: issue(0), refusal: badAmount('amount', 0n, 1n) },
    { desc: 'an issue of less', entry: issue(-1), refusal: badAmount('amount', -1n, 1n) },
    {
      desc: 'more than a balance holds',
      entry: issue(balanceMax + 1n),
      refusal: badAmount('amount', balanceMax + 1n, 1n),
    },
    {
      desc: 'an issue that passes the bound with what was issued before',
      entry: issue(balanceMax - 10_099n),
      refusal: { kind: 'overflow', field: 'issuance', limit: balanceMax, actual: balanceMax + 1n },
    },
    {
      desc: 'a deposit that does so',
      entry: deposit(balanceMax),
      refusal: { kind: 'overflow', field: 'issuance', limit: balanceMax, actual: balanceMax + 10_100n },
    },
    {
      desc: 'an escrow that the requester cannot pay',
      entry: escrow(9_000, taskIdOf('other')),
      refusal: short(`requester/${rita}`, 9_000n, 8_895n),
    },
    {
      desc: 'an escrow of a stranger',
      entry: escrow(1, taskIdOf('other'), rolf),
      refusal: short(`requester/${rolf}`, 1n, 0n),
    },
    {
      desc: 'an escrow of less than nothing',
      entry: escrow(-5, taskIdOf('other')),
      refusal: badAmount('amount', -5n, 0n),
    },
    { desc: 'a second escrow', entry: escrow(1), refusal: { kind: 'duplicateEscrow', taskId: t } },
    {
      desc: 'a verdict without an escrow',
      entry: verdict([], taskIdOf('paid')),
      refusal: { kind: 'unknownEscrow', taskId: taskIdOf('paid') },
    },
    {
      desc: 'a refund without an escrow',
      entry: refund(taskIdOf('other')),
      refusal: { kind: 'unknownEscrow', taskId: taskIdOf('other') },
    },
    {
      desc: 'a verdict that gives back to somebody else',
      entry: verdict([], t, rolf),
      refusal: { kind: 'wrongRequester', taskId: t, expected: rita, actual: rolf },
    },
    {
      desc: 'a refund to somebody else',
      entry: refund(t, rolf),
      refusal: { kind: 'wrongRequester', taskId: t, expected: rita, actual: rolf },
    },
    {
      desc: 'payouts that the escrow holds, but not with the fee',
      entry: verdict([payout('1', 500), payout('2', 500)]),
      refusal: short(`escrow/${t}`, 1_050n, 1_000n),
    },
    {
      desc: 'a payout of less than nothing that makes room for another',
      entry: verdict([payout('1', 2_000), payout('2', -1_500)]),
      refusal: badAmount('payouts.amount', -1_500n, 0n),
    },
    {
      desc: 'work of less than nothing',
      entry: { ...verdict([]), spent: -1n as never },
      refusal: badAmount('spent', -1n, 0n),
    },
    {
      desc: 'more work than can be counted',
      entry: { ...verdict([]), spent: balanceMax as never },
      refusal: { kind: 'overflow', field: 'spent', limit: balanceMax, actual: balanceMax + 7n },
    },
    {
      desc: 'a delivery that another task paid',
      entry: verdict([payout('paid', 1)]),
      refusal: { kind: 'alreadyPaid', deliveryId: deliveryIdOf('paid') },
    },
    {
      desc: 'a delivery twice in one verdict',
      entry: verdict([payout('1', 1), payout('2', 1), payout('1', 1, bob)]),
      refusal: { kind: 'alreadyPaid', deliveryId: deliveryIdOf('1') },
    },
    {
      desc: 'more payouts than a task has deliveries',
      entry: verdict(many),
      refusal: { kind: 'tooManyPayouts', limit: 64, actual: 65 },
    },
    {
      desc: 'a deposit that no requester is named for',
      entry: { ...deposit(1), source: 'requester' },
      refusal: { kind: 'unnamedSource', workerId: ann },
    },
    {
      desc: 'a deposit of credits that names a requester',
      entry: { ...deposit(1), requesterId: rita },
      refusal: { kind: 'unnamedSource', workerId: ann },
    },
    {
      desc: 'a deposit that the requester cannot pay',
      entry: { ...deposit(5), source: 'requester', requesterId: rolf },
      refusal: short(`requester/${rolf}`, 5n, 0n),
    },
    {
      desc: 'a deposit of more than was earned',
      entry: { ...deposit(51), source: 'earnings' },
      refusal: short(`worker/${ann}`, 51n, 50n),
    },
    { desc: 'a deposit of nothing', entry: deposit(0), refusal: badAmount('amount', 0n, 1n) },
    {
      desc: 'asking back what is asked back already',
      entry: unstake(31, bob),
      refusal: short(`stake/${bob}`, 31n, 30n),
    },
    {
      desc: 'asking back what a stranger never had',
      entry: unstake(1),
      refusal: short(`stake/${ann}`, 1n, 0n),
    },
    { desc: 'asking nothing back', entry: unstake(0), refusal: badAmount('amount', 0n, 1n) },
    {
      desc: 'withdrawing what still vests',
      entry: withdraw(51),
      refusal: short(`worker/${ann}`, 51n, 50n),
    },
    { desc: 'withdrawing less than nothing', entry: withdraw(-1), refusal: badAmount('amount', -1n, 1n) },
    { desc: 'releasing what is not due', entry: vest(), refusal: { kind: 'nothingDue', workerId: ann } },
    {
      desc: 'a second slash for a delivery',
      entry: slash('slashed', 10, bob),
      refusal: { kind: 'alreadySlashed', deliveryId: deliveryIdOf('slashed') },
    },
    {
      desc: 'a slash of who has nothing',
      entry: slash('1', 10, 'f'.repeat(64) as WorkerId),
      refusal: { kind: 'nothingToSlash', workerId: 'f'.repeat(64) as WorkerId },
    },
    { desc: 'a slash of nothing', entry: slash('1', 0, bob), refusal: badAmount('amount', 0n, 1n) },
  ]
  for (const { desc, entry, refusal } of cases) {
    test(desc, () => {
      const { book, play, take } = openScene()
      take(0, ...start)
      const before = book.rows().filter(({ key }) => key !== 'totals')
      expect(book.check(entry, at(0))).toEqual(refusal)
      expect(play(0, entry)).toEqual([{ index: 0, refusal }])
      expect(book.rows().filter(({ key }) => key !== 'totals')).toEqual(before)
      expect(describeBookRefusal(refusal).length).toBeGreaterThan(20)
    })
  }

  test('all kinds of refusal are shown here', () => {
    expect(new Set(cases.map(({ refusal }) => refusal.kind)).size).toBe(12)
  })
})

function badAmount(field: string, amount: bigint, min: bigint): BookRefusal {
  return { kind: 'badAmount', field, amount, min, max: balanceMax }
}

function short(account: string, needed: bigint, available: bigint): BookRefusal {
  return { kind: 'insufficientFunds', account: account as never, needed, available }
}

describe('the outbox', () => {
  test('a row is applied once', () => {
    const { book } = openScene()
    book.apply(1, at(0), [issue(5)])
    const before = book.rows()
    expect(book.apply(1, at(9), [issue(5)])).toEqual([])
    expect(book.apply(0, at(9), [issue(5)])).toEqual([])
    expect(book.rows()).toEqual(before)
  })

  test('a missing row is a bug, and is not passed over', () => {
    const { book } = openScene()
    expect(() => book.apply(2, at(0), [])).toThrow('outbox row 1 is missing: the next one given is 2')
  })

  test('a refused entry leaves those beside it', () => {
    const { play, requester } = openScene()
    expect(play(0, issue(5), escrow(6), issue(2)).map(({ index }) => index)).toEqual([1])
    expect(requester()).toBe(7n)
  })

  test('a clock that steps back makes nothing due later, nor a guard forget', () => {
    const { book, take, play } = openScene()
    take(5_000, issue(1_050), escrow(1_050), verdict([payout('1', 1_000)]))
    take(10, vestable())
    expect(book.atMs).toBe(at(5_000))
    expect(book.free(ann, at(0))).toBe(micro(500))
    expect(play(4_000, verdict([payout('1', 0)]))).toMatchObject([{ refusal: { kind: 'alreadyPaid' } }])
  })

  for (const ms of [-1, 0.5, Number.NaN, 2 ** 53]) {
    test(`${ms} is no time`, () => {
      expect(() => openScene().book.apply(1, at(ms), [])).toThrow('is no time')
    })
  }
})

const vestable = () => escrow(0)

describe('the guard', () => {
  test('refuses a second escrow that pays a delivery again, until the time is over', () => {
    const { play, take } = openScene()
    take(0, issue(1_000), escrow(100), verdict([payout('1', 10)]), escrow(100))
    expect(play(2_249, verdict([payout('1', 10)]))).toHaveLength(1)
    expect(play(2_250, verdict([payout('1', 10)]))).toEqual([])
  })

  test('check says at every time what apply would', () => {
    const { book, take } = openScene()
    take(0, issue(1_000), escrow(100), verdict([payout('1', 10)]), escrow(100))
    expect(book.check(verdict([payout('1', 10)]), at(2_249))?.kind).toBe('alreadyPaid')
    expect(book.check(verdict([payout('1', 10)]), at(2_250))).toBeUndefined()
  })

  test('paying and slashing one delivery are different things', () => {
    const { take } = openScene()
    take(0, issue(1_000), escrow(100), verdict([payout('1', 10)]), slash('1', 5))
  })

  test('names a delivery by all its bytes', () => {
    const { take, play } = openScene()
    take(0, issue(1_000))
    const base = 'a'.repeat(32)
    for (let index = 0; index < 32; index++) {
      const deliveryId = `${base.slice(0, index)}b${base.slice(index + 1)}` as DeliveryId
      take(0, escrow(0), { ...verdict([]), payouts: [{ ...payout('', 0), deliveryId }] })
    }
    take(0, escrow(0), { ...verdict([]), payouts: [{ ...payout('', 0), deliveryId: base as DeliveryId }] })
    take(0, escrow(0))
    const again = `b${base.slice(1)}` as DeliveryId
    expect(play(0, { ...verdict([]), payouts: [{ ...payout('', 0), deliveryId: again }] })).toHaveLength(1)
  })
})

describe('rows to save', () => {
  test('an escrow that opened and closed in between never appears', () => {
    const { book, take } = openScene()
    take(0, issue(1_000), escrow(100), verdict([payout('1', 10)]))
    const keys = book.dirty().map(({ key }) => key.split('/')[0])
    expect(keys.toSorted()).toEqual(['guard', 'requester', 'totals', 'worker'])
    expect(book.dirty()).toEqual([])
  })

  test('one that was saved goes, also when it opened and closed once more', () => {
    const { book, take } = openScene()
    take(0, issue(1_000), escrow(100))
    expect(book.dirty().find(({ key }) => key === `escrow/${t}`)?.value).toBeDefined()
    take(0, refund(), escrow(50), refund())
    expect(book.dirty().filter(({ key }) => key === `escrow/${t}`)).toEqual([
      { key: `escrow/${t}`, value: undefined },
    ])
  })

  test('an account that is empty goes', () => {
    const { book, take } = openScene()
    take(0, issue(1_000))
    book.dirty()
    take(0, escrow(1_000))
    expect(book.dirty().find(({ key }) => key === `requester/${rita}`)).toEqual({
      key: `requester/${rita}`,
      value: undefined,
    })
  })

  test('ids of the guard are written once, and deleted when they are forgotten', () => {
    const { book, take } = openScene()
    const guards = () => book.dirty().filter(({ key }) => key.startsWith('guard/paid/'))
    take(0, escrow(0), verdict([payout('1', 0)]))
    const [first] = guards()
    take(1, escrow(0), verdict([payout('2', 0)]))
    const [second] = guards()
    expect(first?.value?.length).toBe(second?.value?.length as number)
    take(2_250)
    expect(guards()).toEqual([
      { key: first?.key as string, value: undefined },
      { key: second?.key as string, value: undefined },
    ])
  })
})
