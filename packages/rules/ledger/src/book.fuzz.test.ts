/** What holds after every entry of any history. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { history, requesters, type Turn, tasks, workers } from '../test/history.ts'
import {
  at,
  deposit,
  escrow,
  issue,
  openScene,
  parameters,
  payout,
  refund,
  taskIdOf,
  verdict,
  workerIdOf,
} from '../test/scene.ts'
import { accountKey, decodeAccount } from './account.ts'
import { type Book, createBook } from './book.ts'
import { accountsOf } from './reach.ts'
import { restoreBook } from './restoration.ts'
import type { Row } from './row.ts'

const small = { ...parameters, guardIdsMax: 16 }
const everyAccount = [
  ...requesters.map((requesterId) => ({ kind: 'requester', requesterId }) as const),
  ...tasks.map((taskId) => ({ kind: 'escrow', taskId }) as const),
  ...workers.flatMap((workerId) =>
    (['worker', 'vesting', 'stake'] as const).map((kind) => ({ kind, workerId }) as const),
  ),
  { kind: 'fees' } as const,
  { kind: 'slashed' } as const,
]

function play(book: Book, turns: readonly Turn[], each: (turn: Turn) => void = () => {}): void {
  let atMs = 1_000
  for (const turn of turns) {
    atMs = Math.max(0, atMs + turn.afterMs)
    book.apply(book.appliedSequence + 1, at(atMs), turn.entries)
    each(turn)
  }
}

/** A store as a driver keeps it. */
function save(disk: Map<string, Row>, book: Book): void {
  const rows = book.dirty()
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length)
  for (const row of rows) {
    if (row.value === undefined) disk.delete(row.key)
    else disk.set(row.key, row)
  }
}

function restored(rows: Iterable<Row>): Book {
  const result = restoreBook(small, rows)
  if (!result.ok) throw new Error(Bun.inspect(result.problem))
  return result.book
}

describe('any history', () => {
  test('adds up to zero, and leaves no account below zero', () => {
    fc.assert(
      fc.property(history, (turns) => {
        const book = createBook(small)
        play(book, turns, () => {
          expect(book.total()).toBe(0n)
          let sum = book.balance({ kind: 'issuance' })
          for (const account of everyAccount) {
            const balance = book.balance(account)
            if (balance < 0n) throw new Error(`${accountKey(account)} has ${balance}`)
            sum += balance
          }
          expect(sum).toBe(0n)
          for (const workerId of workers) {
            const [free, locked, slashable] = [
              book.free(workerId, book.atMs),
              book.locked(workerId, book.atMs),
              book.slashable(workerId),
            ]
            if (free < 0n || locked < 0n || free + locked > slashable) throw new Error('locked is not there')
          }
        })
      }),
    )
  })

  test('refuses by itself what check refuses, and changes the named accounts alone', () => {
    fc.assert(
      fc.property(history, (turns) => {
        const book = createBook(small)
        let atMs = 1_000
        for (const { afterMs, entries } of turns) {
          atMs = Math.max(0, atMs + afterMs)
          for (const entry of entries) {
            const before = everyAccount.map((account) => book.balance(account))
            const said = book.check(entry, at(atMs))
            const [refused] = book.apply(book.appliedSequence + 1, at(atMs), [entry])
            expect(refused?.refusal).toEqual(said)
            const changed = everyAccount.filter((account, index) => book.balance(account) !== before[index])
            const named = refused === undefined ? accountsOf(entry) : []
            for (const key of named) expect(decodeAccount(key)).toBeDefined()
            expect(changed.map(accountKey).filter((key) => !named.includes(key))).toEqual([])
          }
        }
      }),
    )
  })

  test('gives the same book wherever it was saved, restored or applied twice', () => {
    fc.assert(
      fc.property(history, (turns) => {
        const whole = createBook(small)
        play(whole, turns)

        const disk = new Map<string, Row>()
        let book = createBook(small)
        let atMs = 1_000
        for (const turn of turns) {
          atMs = Math.max(0, atMs + turn.afterMs)
          const sequence = book.appliedSequence + 1
          book.apply(sequence, at(atMs), turn.entries)
          expect(book.apply(sequence, at(atMs), turn.entries)).toEqual([])
          if (!turn.isSaved) continue
          save(disk, book)
          const again = restored(disk.values())
          expect(again.rows()).toEqual(book.rows())
          expect(restored(book.rows()).rows()).toEqual(book.rows())
          book = again
        }
        expect(book.rows()).toEqual(whole.rows())
      }),
    )
  })

  test('goes on from the last save after a crash at any point', () => {
    fc.assert(
      fc.property(history, fc.nat(), (turns, cut) => {
        const whole = createBook(small)
        play(whole, turns)

        const disk = new Map<string, Row>()
        const lost = createBook(small)
        const times: number[] = []
        let atMs = 1_000
        turns.forEach((turn, index) => {
          atMs = Math.max(0, atMs + turn.afterMs)
          times.push(atMs)
          if (index > cut % (turns.length + 1)) return
          lost.apply(index + 1, at(atMs), turn.entries)
          if (turn.isSaved) save(disk, lost)
        })
        const book = restored(disk.values())
        // The outbox still has every row; a driver may begin as far back as it likes.
        turns.forEach((turn, index) => {
          book.apply(index + 1, at(times[index] ?? 0), turn.entries)
        })
        expect(book.rows()).toEqual(whole.rows())
      }),
    )
  })
})

test('the order of entries about different tasks changes nothing', () => {
  const names = Array.from({ length: 12 }, (_, index) => index)
  fc.assert(
    fc.property(
      fc.shuffledSubarray(names, { minLength: names.length }),
      fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 24, maxLength: 24 }),
      (order, amounts) => {
        const books = [names, order].map((sequence) => {
          const { book, take } = openScene()
          take(0, issue(100_000), ...names.map((name) => escrow(2_000, taskIdOf(`${name}`))))
          take(
            50,
            ...sequence.map((name) =>
              name % 4 === 3
                ? refund(taskIdOf(`${name}`))
                : verdict(
                    [
                      payout(`${name} a`, amounts[2 * name] ?? 0, workerIdOf(`${name % 3}`)),
                      payout(`${name} b`, amounts[2 * name + 1] ?? 0, workerIdOf(`${name % 5}`)),
                    ],
                    taskIdOf(`${name}`),
                  ),
            ),
            deposit(1),
          )
          return book.rows()
        })
        expect(books[1]).toEqual(books[0] as readonly Row[])
      },
    ),
  )
})
