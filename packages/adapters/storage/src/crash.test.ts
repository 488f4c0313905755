/** Kill -9 while writing, several times over on one store: what was acknowledged is there, and nothing is half there. */
import { afterEach, describe, expect, test } from 'bun:test'
import { expectKind, openings, tables } from './conformance.ts'
import { crashBatch, rowsPerCrashBatch } from './crashWriter.ts'
import type { Store } from './store.ts'

const writer = new URL('./crashWriter.ts', import.meta.url).pathname
const started: Bun.Subprocess[] = []
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
})

for (const kind of ['sqlite', 'rocksdb'] as const) {
  for (const sync of ['sync', 'unsynced'] as const) {
    describe(`${kind} store killed while it writes ${sync} batches`, () => {
      const { open, freshPath } = openings(kind)
      test('keeps every acknowledged batch, and every batch whole or not at all', async () => {
        const path = await freshPath()
        const acknowledged = new Set<number>()
        let first = 0
        for (const killAfter of [1, 13, 200, 40]) {
          const printed = await writeUntilKilled([kind, path, sync, String(first)], killAfter, () =>
            expectKind(open(path), 'locked'),
          )
          for (const number of printed) acknowledged.add(number)
          const store = await open(path)
          const found = await wholeBatches(store)
          expect([...acknowledged].filter((number) => !found.has(number))).toEqual([])
          first = Math.max(...found) + 1
          await store.close()
        }
      }, 60_000)
    })
  }
}

/** The numbers the writer printed before it died; `meanwhile` runs while it is alive. */
async function writeUntilKilled(
  args: string[],
  killAfter: number,
  meanwhile: () => Promise<unknown>,
): Promise<number[]> {
  const child = Bun.spawn([process.execPath, writer, ...args], { stdout: 'pipe', stderr: 'inherit' })
  started.push(child)
  let output = ''
  let killed = false
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += chunk
    if (killed || output.split('\n').length - 1 < killAfter) continue
    killed = true
    await meanwhile()
    child.kill('SIGKILL')
  }
  await child.exited
  expect(child.signalCode).toBe('SIGKILL')
  // A line that was cut short was not acknowledged.
  return output.split('\n').slice(0, -1).map(Number)
}

/** The numbers of the batches found; fails on a batch that is there in part. */
async function wholeBatches(store: Store<(typeof tables)[number]>): Promise<Set<number>> {
  const rows = new Map<number, number>()
  for (const table of tables) {
    for await (const { key, value } of store.iterate(table)) {
      const number = new DataView(key.buffer, key.byteOffset).getUint32(0)
      expect(value).toEqual(valueOfBatch(number))
      rows.set(number, (rows.get(number) ?? 0) + 1)
    }
  }
  expect([...rows].filter(([, count]) => count !== rowsPerCrashBatch)).toEqual([])
  return new Set(rows.keys())
}

function valueOfBatch(number: number): Uint8Array {
  const [operation] = crashBatch(number)
  if (operation?.kind !== 'put') throw new Error('a crash batch begins with a put')
  return operation.value
}
