import { describe, expect, test } from 'bun:test'
import { encodeHex } from '@shardy/protocol'
import fc from 'fast-check'
import { entry } from '../test/history.ts'
import { ann, deposit, issue, rita, unstake, vest } from '../test/scene.ts'
import { type BookEntry, bookEntry, decodeEntries, decodeEntry, encodeEntries, encodeEntry } from './entry.ts'
import { balanceMax } from './sheet.ts'

const amountsOf = (one: BookEntry): readonly bigint[] => {
  if (one.kind === 'verdict') return one.payouts.map(({ amount }) => amount)
  return 'amount' in one ? [one.amount] : []
}
const encodable = entry.filter((one) =>
  amountsOf(one).every((amount) => amount >= 0n && amount <= balanceMax),
)

describe('entries', () => {
  test('come back as they were, one by one and in rows', () => {
    fc.assert(
      fc.property(fc.array(encodable, { maxLength: 6 }), (entries) => {
        for (const one of entries) expect(decodeEntry(encodeEntry(one))).toEqual({ ok: true, value: one })
        expect(decodeEntries(encodeEntries(entries))).toEqual({ ok: true, value: entries })
      }),
    )
  })

  test('have one encoding: bytes that are changed are refused, or are another entry', () => {
    fc.assert(
      fc.property(encodable, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, position, change) => {
        const bytes = encodeEntry(one)
        const index = position % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ change
        const decoded = decodeEntry(bytes)
        if (decoded.ok) expect(encodeEntry(decoded.value)).toEqual(bytes)
      }),
    )
  })

  const both = new Uint8Array([...encodeEntry(issue(1)), ...encodeEntry(vest())])
  const source = encodeEntry({ ...deposit(1), requesterId: undefined })
  // The source is field 2, a varint: behind the worker's id (2 + 2 + 32 bytes) and its own tag.
  source[37] = 2
  const huge = encodeEntry(unstake(balanceMax))
  huge[huge.length - 1] = 0x80

  const cases: readonly { desc: string; bytes: Uint8Array; kind: string }[] = [
    { desc: 'no kind', bytes: new Uint8Array(0), kind: 'inconsistent' },
    { desc: 'two kinds', bytes: both, kind: 'inconsistent' },
    { desc: 'an unknown kind', bytes: new Uint8Array([0x7a, 0]), kind: 'unknownField' },
    { desc: 'an id cut short', bytes: encodeEntry(vest()).subarray(0, 20), kind: 'truncated' },
    { desc: 'a requester that pays and has no name', bytes: source, kind: 'inconsistent' },
    { desc: 'an amount that never ends', bytes: huge, kind: 'truncated' },
    { desc: 'a row of another kind', bytes: new Uint8Array([0x08, 1]), kind: 'wrongWireType' },
  ]
  for (const { desc, bytes, kind } of cases) {
    test(`${desc} is refused`, () => {
      const decoded = decodeEntry(bytes)
      expect(decoded.ok ? 'accepted' : decoded.refusal.kind).toBe(kind)
    })
  }

  test('a requester named where nobody pays is a mistake of the writer', () => {
    expect(() => encodeEntry({ ...deposit(1), requesterId: rita })).toThrow('requesterId')
  })

  test('a list in which an entry is refused is refused', () => {
    const row = encodeEntries([vest(), vest()])
    expect(decodeEntries(row.subarray(0, row.length - 1)).ok).toBe(false)
  })

  test('kinds are numbered', () => {
    expect(encodeHex(encodeEntry(vest()))).toBe(`42220a20${ann}`)
    expect(bookEntry.fields.map(({ number, name }) => `${number} ${name}`).join(', ')).toBe(
      '1 issue, 2 escrow, 3 verdict, 4 refund, 5 deposit, 6 unstake, 7 withdraw, 8 vest, 9 slash',
    )
  })
})
