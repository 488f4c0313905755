import { describe, expect, test } from 'bun:test'
import {
  ann,
  deposit,
  escrow,
  issue,
  micro,
  openScene,
  parameters,
  payout,
  rita,
  slash,
  t,
  taskIdOf,
  unstake,
  verdict,
} from '../test/scene.ts'
import { restoreBook } from './restoration.ts'
import { type Row, requesterRow, totalsRow, workerRow } from './row.ts'

function rowsOf(): readonly Row[] {
  const { book, take } = openScene()
  const [first, second] = [taskIdOf('first'), taskIdOf('second')]
  take(5, issue(9_000), escrow(500), deposit(100), unstake(40), escrow(300, first), escrow(300, second))
  take(10, verdict([payout('1', 100)], first), slash('2', 5))
  const saved = book.dirty()
  take(20, verdict([payout('3', 100)], second))
  const later = book.dirty()
  return [...saved.filter(({ key }) => !later.some((row) => row.key === key)), ...later]
}

const paid = (rows: readonly Row[]) => rows.filter(({ key }) => key.startsWith('guard/paid/'))
const replaced = (rows: readonly Row[], start: string, value: Uint8Array) =>
  rows.map((row) => (row.key.startsWith(start) ? { ...row, value } : row))
const extended = (value: Uint8Array | undefined, more: readonly number[]) =>
  new Uint8Array([...(value ?? []), ...more])

describe('a book from its rows', () => {
  test('is the same in any order of rows, and none is a new book', () => {
    const rows = rowsOf()
    const forward = restoreBook(parameters, rows)
    const backward = restoreBook(parameters, rows.toReversed())
    if (!forward.ok || !backward.ok) throw new Error('refused')
    expect(backward.book.rows()).toEqual(forward.book.rows())
    expect(forward.book.appliedSequence).toBe(2 + 1)
    const fresh = restoreBook(parameters, [])
    expect(fresh.ok && fresh.book.appliedSequence).toBe(0)
  })

  const place = (dueMs: number, amount: number) => ({ dueMs: dueMs as never, amount: micro(amount) })
  const worker = (changes: Partial<Parameters<typeof workerRow.encode>[0]>) =>
    workerRow.encode({ free: micro(0), stake: micro(0), leaving: [], vesting: [], ...changes })

  const cases: readonly {
    desc: string
    change: (rows: readonly Row[]) => readonly Row[]
    problem: object
  }[] = [
    {
      desc: 'a key of nothing',
      change: (rows) => [...rows, { key: 'fees', value: new Uint8Array(0) }],
      problem: { kind: 'unknownKey', key: 'fees' },
    },
    {
      desc: 'a key in another spelling',
      change: (rows) => [...rows, { key: `worker/${ann.toUpperCase()}`, value: worker({}) }],
      problem: { kind: 'unknownKey' },
    },
    {
      desc: 'a part beyond all time',
      change: (rows) => [
        ...rows,
        { key: `guard/paid/${'f'.repeat(14)}/000000/00000000`, value: paid(rows)[0]?.value },
      ],
      problem: { kind: 'unknownKey' },
    },
    {
      desc: 'a row twice',
      change: (rows) => [...rows, ...rows.slice(0, 1)],
      problem: { kind: 'duplicateRow' },
    },
    {
      desc: 'bytes that are no row',
      change: (rows) => replaced(rows, 'escrow/', new Uint8Array([1, 2, 3])),
      problem: { kind: 'badRow', key: `escrow/${t}` },
    },
    {
      desc: 'no totals',
      change: (rows) => rows.filter(({ key }) => key !== 'totals'),
      problem: { kind: 'noTotals' },
    },
    {
      desc: 'a micro-credit too many',
      change: (rows) => replaced(rows, `requester/${rita}`, requesterRow.encode({ balance: micro(1) })),
      problem: { kind: 'unbalanced' },
    },
    {
      desc: 'an account that was lost',
      change: (rows) => rows.filter(({ key }) => !key.startsWith('worker/')),
      problem: { kind: 'unbalanced' },
    },
    {
      desc: 'an escrow that came back',
      change: (rows) => [
        ...rows,
        ...rows
          .filter(({ key }) => key.startsWith('escrow/'))
          .map((row) => ({ ...row, key: `escrow/${taskIdOf('other')}` })),
      ],
      problem: { kind: 'unbalanced' },
    },
    {
      desc: 'a lost part of a guard',
      change: (rows) => rows.filter(({ key }) => key !== paid(rows)[0]?.key),
      problem: { kind: 'missingPart' },
    },
    {
      desc: 'an id cut short',
      change: (rows) =>
        replaced(rows, paid(rows)[1]?.key ?? '', (paid(rows)[1]?.value ?? new Uint8Array()).slice(0, 2)),
      problem: { kind: 'badRow' },
    },
    {
      desc: 'a part without ids',
      change: (rows) => replaced(rows, paid(rows)[1]?.key ?? '', new Uint8Array(0)),
      problem: { kind: 'inconsistentRow', rule: 'a part holds whole ids' },
    },
    {
      desc: 'more stake that leaves than there is',
      change: (rows) => replaced(rows, 'worker/', worker({ stake: micro(1), leaving: [place(5, 2)] })),
      problem: { kind: 'inconsistentRow', rule: 'no more leaves than is staked' },
    },
    {
      desc: 'a schedule out of order',
      change: (rows) => replaced(rows, 'worker/', worker({ vesting: [place(9, 1), place(5, 1)] })),
      problem: { kind: 'inconsistentRow' },
    },
    {
      desc: 'a place for nothing',
      change: (rows) => replaced(rows, 'worker/', worker({ vesting: [place(9, 0)] })),
      problem: { kind: 'inconsistentRow' },
    },
    {
      desc: 'bytes behind a row',
      change: (rows) =>
        rows.map((row) => (row.key === 'totals' ? { ...row, value: extended(row.value, [0x78, 1]) } : row)),
      problem: { kind: 'badRow', key: 'totals' },
    },
    {
      desc: 'totals that issued less',
      change: (rows) =>
        replaced(
          rows,
          'totals',
          totalsRow.encode({
            appliedSequence: 2,
            atMs: 5 as never,
            issued: micro(1),
            fees: micro(0),
            slashed: micro(0),
            spent: 0n as never,
          }),
        ),
      problem: { kind: 'unbalanced' },
    },
  ]
  for (const { desc, change, problem } of cases) {
    test(`${desc} is refused`, () => {
      const restored = restoreBook(parameters, change(rowsOf()))
      expect(restored.ok ? 'opened' : restored.problem).toMatchObject(problem)
    })
  }

  test('parameters may change in between: what was booked keeps its times', () => {
    const changed = {
      ...parameters,
      guardBucketMs: 70 as never,
      epochMs: 60 as never,
      vestingMs: 3_000 as never,
      guardIdsMax: 16,
    }
    const restored = restoreBook(changed, rowsOf())
    if (!restored.ok) throw new Error(restored.problem.kind)
    const { book } = restored
    expect(book.free(ann, 599 as never)).toBe(micro(100))
    expect(book.free(ann, 600 as never)).toBe(micro(100 + 40))
    expect(book.free(ann, 1_099 as never)).toBe(micro(100 + 40))
    expect(book.free(ann, 1_100 as never)).toBe(micro(100 + 95 + 40))
    book.apply(book.appliedSequence + 1, 30 as never, [
      escrow(0, taskIdOf('x')),
      verdict([payout('4', 0)], taskIdOf('x')),
    ])
    expect(restoreBook(changed, book.rows()).ok).toBe(true)
  })
})
