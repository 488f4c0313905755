/**
 * The store: rows written in batches with and without fsync, and how soon a store answers after its writer was
 * killed with SIGKILL. Peers in the same run: our SQLite store, and RocksDB called directly on this thread.
 * Rounds of all candidates alternate and the median counts, so that a busy moment does not fall on one of them.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RocksLevel } from '@nxtedition/rocksdb'
import { type Operation, openStore } from '@shardy/storage'
import type { Measured, Progress } from './run.ts'
import { commitGoals, measureCommits, threadFigures } from './storeCommit.ts'

export const goals = { batchedRowsPerSecond: { atLeast: 150_000 }, ...commitGoals }

type Kind = 'rocksdb' | 'sqlite' | 'raw'
type Table = 'rows'
type Batch = readonly Extract<Operation<Table>, { kind: 'put' }>[]

interface Candidate {
  write(batch: Batch, sync: boolean): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  close(): Promise<void>
}

const kinds: readonly Kind[] = ['rocksdb', 'sqlite', 'raw']
const rounds = 3
const keyBytes = 24
const valueBytes = 100
const recoverRows = 100_000
const recoverBatchRows = 1_000
const figureNames = [
  'batchedRowsPerSecond',
  'syncedRowsPerSecond',
  'syncedBy16RowsPerSecond',
  'recoverMs',
] as const
type FigureName = (typeof figureNames)[number]

export async function run({ progress }: { progress: Progress }): Promise<Measured> {
  const measured = new Map<string, number[]>()
  const committed = new Map<string, number[]>()
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of kinds) {
      progress(`round ${round + 1} of ${rounds}: ${kind}`)
      for (const [name, value] of Object.entries(await measure(kind))) {
        const key = `${kind}.${name}`
        measured.set(key, [...(measured.get(key) ?? []), value])
      }
    }
    progress(`round ${round + 1} of ${rounds}: large commits`)
    for (const [name, value] of Object.entries(await measureCommits())) {
      committed.set(name, [...(committed.get(name) ?? []), value])
    }
  }
  const figure = (kind: Kind, name: FigureName): number => median(measured.get(`${kind}.${name}`) ?? [])
  const figuresOf = (kind: Kind, label: (name: FigureName) => string): [string, number][] =>
    figureNames.map((name) => [label(name), figure(kind, name)])
  const untold = process.platform === 'linux' ? [] : threadFigures
  return {
    figures: {
      ...Object.fromEntries(untold.map((name) => [name, null])),
      ...Object.fromEntries(figuresOf('rocksdb', (name) => name)),
      ...Object.fromEntries([...committed].map(([name, values]) => [name, median(values)])),
    },
    peers: Object.fromEntries([
      ...figuresOf('sqlite', (name) => `sqlite${capitalized(name)}`),
      ...figuresOf('raw', (name) => `rawRocksdb${capitalized(name)}`),
    ]),
    why: Object.fromEntries(
      untold.map((name) => [name, 'this system does not tell the CPU time of one thread']),
    ),
  }
}

async function measure(kind: Kind): Promise<Record<FigureName, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'shardy-bench-'))
  try {
    const candidate = await open(kind, join(folder, 'write'))
    const batchedRowsPerSecond = await writeRows(candidate, {
      batches: 100,
      batchRows: 1_000,
      sync: false,
      writers: 1,
    })
    const syncedRowsPerSecond = await writeRows(candidate, {
      batches: 100,
      batchRows: 100,
      sync: true,
      writers: 1,
    })
    const syncedBy16RowsPerSecond = await writeRows(candidate, {
      batches: 320,
      batchRows: 100,
      sync: true,
      writers: 16,
    })
    await candidate.close()
    const recoverMs = await recover(kind, join(folder, 'recover'))
    return { batchedRowsPerSecond, syncedRowsPerSecond, syncedBy16RowsPerSecond, recoverMs }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Load {
  readonly batches: number
  readonly batchRows: number
  readonly sync: boolean
  readonly writers: number
}

async function writeRows(candidate: Candidate, { batches, batchRows, sync, writers }: Load): Promise<number> {
  const prepared = Array.from({ length: batches }, (_, index) => rows(index * batchRows, batchRows))
  const started = performance.now()
  const writer = async (): Promise<void> => {
    for (let batch = prepared.pop(); batch !== undefined; batch = prepared.pop())
      await candidate.write(batch, sync)
  }
  await Promise.all(Array.from({ length: writers }, writer))
  return (batches * batchRows * 1_000) / (performance.now() - started)
}

async function recover(kind: Kind, path: string): Promise<number> {
  const child = Bun.spawn([process.execPath, import.meta.path, kind, path], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const written = await child.stdout.getReader().read()
  child.kill('SIGKILL')
  await child.exited
  if (written.done) throw new Error(`the writer of the ${kind} store ended before it had written its rows`)
  const started = performance.now()
  const candidate = await open(kind, path)
  const last = rows(recoverRows - 1, 1)[0]
  const found = last && (await candidate.get(last.key))
  const recoverMs = performance.now() - started
  await candidate.close()
  if (found === undefined) throw new Error(`the ${kind} store lost an acknowledged row`)
  return recoverMs
}

/** The process that is killed: its rows are acknowledged, the last batch is synced, and nothing was closed. */
async function writeAndWait(kind: Kind, path: string): Promise<void> {
  const candidate = await open(kind, path)
  for (let first = 0; first < recoverRows; first += recoverBatchRows) {
    await candidate.write(rows(first, recoverBatchRows), first + recoverBatchRows === recoverRows)
  }
  console.log('written')
  await new Promise(() => setInterval(() => {}, 60_000))
}

async function open(kind: Kind, path: string): Promise<Candidate> {
  if (kind === 'raw') return openRaw(path)
  const store = await openStore({ kind, path, tables: ['rows'], schemaVersion: 1 })
  return {
    write: (batch, sync) => store.write(batch, { sync }),
    get: (key) => store.get('rows', key),
    close: () => store.close(),
  }
}

/** What a caller without this package would write, with the same memory settings. */
async function openRaw(path: string): Promise<Candidate> {
  const encoding = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
  const level = new RocksLevel(path, encoding)
  await level.open({
    createIfMissing: true,
    compaction: 'level',
    compression: false,
    memtableMemoryBudget: 64 * 1024 * 1024,
    cacheSize: 8 * 1024 * 1024,
    parallelism: 2,
    walCompression: false,
  })
  return {
    async write(batch, sync) {
      const rawBatch = level.batch()
      for (const { key, value } of batch) rawBatch._put(key, value)
      await rawBatch.write({ sync })
    },
    get: async (key) => level._getManySync([key], encoding)[0],
    close: () => level.close(),
  }
}

/** Keys in no order and values that do not compress, the same in every process. */
function rows(first: number, count: number): Batch {
  return Array.from({ length: count }, (_, index) => {
    const key = scatter(first + index, keyBytes)
    return { kind: 'put', table: 'rows', key, value: scatter(~(first + index), valueBytes) } as const
  })
}

function scatter(seed: number, length: number): Uint8Array {
  const words = new Uint32Array(length / 4)
  let state = Math.imul(seed, 0x9e3779b1) | 1
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  words[words.length - 1] = seed
  return new Uint8Array(words.buffer)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

if (import.meta.main) {
  const [kind, path = ''] = process.argv.slice(2)
  const known = kinds.find((each) => each === kind)
  if (known === undefined) throw new Error(`${kind} is no store; npm run bench -- store runs this benchmark`)
  await writeAndWait(known, path)
}
