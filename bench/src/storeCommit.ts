/**
 * What one operation costs in a large synced commit, 500 of 250 to 600 bytes as the orchestrator writes them, and on
 * which thread; the same with a log kept for a follower; and what the disk asks for an fsync of as many bytes.
 */
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Operation, openStore } from '@shardy/storage'

const operationsPerCommit = 500
const warmUpCommits = 50
const commits = 300
const valueBytesMin = 250
const valueBytesMax = 600

export const commitGoals = {
  commitCpuMicrosPerOperation: { atMost: 4 },
  commitP50Ms: { atMost: 3 },
}

/** Only Linux tells the time of one thread. */
export const threadFigures = ['c', 'loggedC'].flatMap((first) =>
  ['', 'Caller', 'Database'].map((who) => `${first}ommit${who}CpuMicrosPerOperation`),
)

export async function measureCommits(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'shardy-commit-'))
  try {
    return {
      ...(await measure(join(folder, 'plain'), false)),
      ...(await measure(join(folder, 'logged'), true)),
      fsyncP50Ms: fsyncP50(join(folder, 'fsync')),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(path: string, logged: boolean): Promise<Record<string, number>> {
  const log = logged ? {} : undefined
  const store = await openStore({ kind: 'rocksdb', path, tables: ['rows'], schemaVersion: 1, log })
  const prepared = Array.from({ length: warmUpCommits + commits }, (_, index) => batchOf(index))
  for (const batch of prepared.splice(0, warmUpCommits)) await store.write(batch, { sync: true })
  const latenciesMs: number[] = []
  const cpuBefore = threadCpuMicros()
  const processBefore = process.cpuUsage()
  const startedMs = performance.now()
  for (const batch of prepared) {
    const beganMs = performance.now()
    await store.write(batch, { sync: true })
    latenciesMs.push(performance.now() - beganMs)
  }
  const tookMs = performance.now() - startedMs
  const spent = process.cpuUsage(processBefore)
  const cpuAfter = threadCpuMicros()
  await store.close()
  const operations = commits * operationsPerCommit
  const name = (rest: string): string => (logged ? `loggedC${rest.slice(1)}` : rest)
  const perOperation = (isThread: (thread: Thread) => boolean): number => {
    const threads = [...cpuAfter.values()].filter(isThread)
    const micros = threads.reduce((sum, { id, micros }) => sum + micros - (cpuBefore.get(id)?.micros ?? 0), 0)
    return micros / operations
  }
  const caller = perOperation(({ id }) => id === process.pid)
  const database = perOperation(({ name }) => name === 'Worker')
  return {
    [name('commitOperationsPerSecond')]: (operations * 1_000) / tookMs,
    [name('commitP50Ms')]: latenciesMs.toSorted((left, right) => left - right)[commits / 2] ?? 0,
    ...(cpuAfter.size > 0 && {
      [name('commitCpuMicrosPerOperation')]: caller + database,
      [name('commitCallerCpuMicrosPerOperation')]: caller,
      [name('commitDatabaseCpuMicrosPerOperation')]: database,
    }),
    [name('commitProcessCpuMicrosPerOperation')]: (spent.user + spent.system) / operations,
  }
}

function batchOf(number: number): Operation<'rows'>[] {
  return Array.from({ length: operationsPerCommit }, (_, index) => {
    const at = number * operationsPerCommit + index
    const key = new Uint8Array(24)
    const view = new DataView(key.buffer)
    view.setUint32(0, Math.imul(at, 0x9e3779b1) >>> 0)
    view.setUint32(4, at)
    const value = new Uint8Array(valueBytesMin + ((at * 37) % (valueBytesMax - valueBytesMin)))
    return { kind: 'put', table: 'rows', key, value: crypto.getRandomValues(value) } as const
  })
}

interface Thread {
  readonly id: number
  readonly name: string
  readonly micros: number
}

function threadCpuMicros(): ReadonlyMap<number, Thread> {
  const threads = new Map<number, Thread>()
  if (process.platform !== 'linux') return threads
  for (const task of readdirSync('/proc/self/task')) {
    try {
      const [nanos = '0'] = readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')
      const name = readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim()
      threads.set(Number(task), { id: Number(task), name, micros: Number(nanos) / 1_000 })
    } catch {
      // It ended since it was listed.
    }
  }
  return threads
}

function fsyncP50(file: string): number {
  const bytes = new Uint8Array(operationsPerCommit * 450)
  const handle = openSync(file, 'w')
  const tookMs = Array.from({ length: 101 }, () => {
    writeSync(handle, bytes)
    const beganMs = performance.now()
    fdatasyncSync(handle)
    return performance.now() - beganMs
  })
  closeSync(handle)
  return tookMs.toSorted((left, right) => left - right)[50] ?? 0
}
