/** The golden files hold: each is what the code makes, and says what it says to a reader of bytes alone. */
import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { encodeHex } from '@shardy/protocol'
import { sha256 } from '../test/scene.ts'
import { folder, readVector } from '../test/vectorFiles.ts'
import { makeVectors, plain } from '../test/vectors.ts'
import { decodeAccount } from './account.ts'
import { createBook } from './book.ts'
import { costModel, costModelId, quote, type Work } from './cost.ts'
import { decodeEntries, decodeEntry, encodeEntry, entryKinds } from './entry.ts'
import { bookParameters } from './parameters.ts'
import { restoreBook } from './restoration.ts'

const files = makeVectors()
const bytesOf = (hex: string) => Uint8Array.fromHex(hex)

describe('vectors/ledger', () => {
  for (const [name, content] of Object.entries(files)) {
    test(`${name} is what the code makes`, () => expect(readVector(name)).toEqual(content))
  }

  test('holds these files, and the page that explains them', () => {
    expect(readdirSync(folder).toSorted()).toEqual([...Object.keys(files), 'README.md'].toSorted())
  })
})

test('entries.json: bytes are the entry, and every kind has its case', () => {
  const { cases } = readVector('entries.json') as { cases: { entry: object; bytes: string }[] }
  const seen = cases.map(({ entry, bytes }) => {
    const decoded = decodeEntry(bytesOf(bytes))
    if (!decoded.ok) throw new Error(decoded.refusal.kind)
    expect(plain(decoded.value)).toEqual(entry)
    expect(encodeHex(encodeEntry(decoded.value))).toBe(bytes)
    return decoded.value.kind
  })
  expect([...new Set(seen)]).toEqual([...entryKinds])
})

test('refused.json: bytes are refused, by name', () => {
  const { cases } = readVector('refused.json') as { cases: { bytes: string; kind: string; field: string }[] }
  for (const { bytes, kind, field } of cases) {
    const decoded = decodeEntry(bytesOf(bytes))
    expect(decoded.ok ? 'accepted' : decoded.refusal).toMatchObject({ kind, field })
  }
})

test('accounts.json: keys are accounts, in order, and nothing else is one', () => {
  const { keys, refused } = readVector('accounts.json') as {
    keys: { account: object; key: string }[]
    refused: string[]
  }
  for (const { account, key } of keys) expect<unknown>(decodeAccount(key)).toEqual(account)
  const texts = keys.map(({ key }) => key)
  expect(texts.toSorted()).toEqual(texts)
  for (const text of refused) expect(decodeAccount(text)).toBeUndefined()
})

interface BookFile {
  readonly turns: readonly {
    readonly sequence: number
    readonly atMs: number
    readonly bytes: string
    readonly refused: readonly { readonly refusal: { readonly kind: string } }[]
  }[]
  readonly rows: readonly { readonly key: string; readonly value: string }[]
}

test('book.json: the bytes of its rows of the outbox make its rows, and nothing else is refused', () => {
  const { cases } = readVector('parameters.json') as { cases: { bytes: string }[] }
  const parameters = bookParameters.decode(bytesOf(cases[0]?.bytes ?? ''))
  if (!parameters.ok) throw new Error(parameters.refusal.kind)
  const { turns, rows } = readVector('book.json') as BookFile
  const book = createBook(parameters.value)
  const kinds = new Set<string>()
  for (const { sequence, atMs, bytes, refused } of turns) {
    const entries = decodeEntries(bytesOf(bytes))
    if (!entries.ok) throw new Error(entries.refusal.kind)
    expect<unknown>(plain(book.apply(sequence, atMs as never, entries.value))).toEqual(refused)
    for (const { refusal } of refused) kinds.add(refusal.kind)
  }
  expect<unknown>(plain(book.rows())).toEqual(rows)
  // All but two: decoders already refuse too many payouts and an unnamed source.
  expect(kinds.size).toBe(10)
  const restored = restoreBook(
    parameters.value,
    rows.map(({ key, value }) => ({ key, value: bytesOf(value) })),
  )
  expect(restored.ok && plain(restored.book.rows())).toEqual(rows)
})

test('cost.json: models have their ids, and work costs what it says', () => {
  const { models } = readVector('cost.json') as {
    models: { bytes: string; id: string; feePermille: number; cases: { work: Work; cost: object }[] }[]
  }
  for (const { bytes, id, feePermille, cases } of models) {
    const model = costModel.decode(bytesOf(bytes))
    if (!model.ok) throw new Error(model.refusal.kind)
    expect<string>(costModelId(model.value, sha256)).toBe(id)
    for (const { work, cost } of cases) {
      const quoted = quote(work, model.value, feePermille)
      expect(quoted.ok && plain(quoted.cost)).toEqual(cost)
    }
  }
})
