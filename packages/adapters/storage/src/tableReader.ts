/** Reads one table at a time from a flat key space, in pages. */
import { checkKey, checkKeys, checkRange } from './bounds.ts'
import type { KeyRange, Scan, Values } from './engine.ts'
import type { Entry, Range, Reader } from './store.ts'

const firstPageRows = 16
const pageRowsMax = 1024

interface FlatReader {
  getMany(keys: readonly Uint8Array[]): Promise<Values>
  scan(range: KeyRange): Scan
}

export function readerOf<Table extends string>(
  flat: FlatReader,
  idOf: (table: Table) => number,
  check: () => void,
): Reader<Table> {
  return {
    async get(table, key) {
      check()
      return getOne(flat, idOf(table), key)
    },
    async getMany(table, keys) {
      check()
      return getMany(flat, idOf(table), keys)
    },
    async *iterate(table, range = {}) {
      check()
      yield* rows(flat.scan(toKeyRange(idOf(table), range)), range.limit, check)
    },
  }
}

export async function getOne(flat: FlatReader, id: number, key: Uint8Array): Promise<Uint8Array | undefined> {
  checkKey(key)
  const [value] = await flat.getMany([prefixed(id, key)])
  return value
}

export async function getMany(flat: FlatReader, id: number, keys: readonly Uint8Array[]): Promise<Values> {
  checkKeys(keys)
  return keys.length === 0 ? [] : flat.getMany(keys.map((key) => prefixed(id, key)))
}

/** Pages grow, so that a look at a few rows stays cheap and a long read needs few messages. */
export async function* rows(
  scan: Scan,
  limit = Number.POSITIVE_INFINITY,
  check: () => void,
): AsyncGenerator<Entry> {
  try {
    let left = limit
    let pageRows = firstPageRows
    while (left > 0) {
      check()
      const page = await scan.next(Math.min(left, pageRows))
      for (const { key, value } of page.rows) {
        yield { key: key.slice(1), value }
        check()
      }
      if (page.finished) return
      left -= page.rows.length
      pageRows = Math.min(pageRows * 4, pageRowsMax)
    }
  } finally {
    await scan.close()
  }
}

export function toKeyRange(id: number, range: Range): KeyRange {
  checkRange(range)
  return {
    gte: prefixed(id, range.gte ?? new Uint8Array(0)),
    lt: range.lt === undefined ? Uint8Array.of(id + 1) : prefixed(id, range.lt),
    reverse: range.reverse ?? false,
  }
}

function prefixed(id: number, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.byteLength + 1)
  out[0] = id
  out.set(key, 1)
  return out
}
