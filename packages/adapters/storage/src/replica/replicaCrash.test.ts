/** Kill -9 on both sides: a follower knows exactly what it has, and a promoted one has all that was acknowledged. */
import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tables } from '../conformance.ts'
import { crashBatch, rowsPerCrashBatch } from '../crashWriter.ts'
import { openStore } from '../openStore.ts'
import type { Store } from '../store.ts'
import { openFollower } from './follower.ts'
import { log, logPosition } from './log.ts'
import { type Position, readPosition } from './position.ts'
import { encodeMessage, encodePosition, frameMessage, readMessages } from './replicaProcess.ts'

const program = new URL('./replicaProcess.ts', import.meta.url).pathname
const folders: string[] = []
const started: Bun.Subprocess[] = []
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shardy-replica-'))
  folders.push(folder)
  return folder
}

function start(...args: string[]): Bun.Subprocess<'pipe', 'pipe', 'inherit'> {
  const options = { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' } as const
  const child = Bun.spawn([process.execPath, program, ...args], options)
  started.push(child)
  return child
}

/** How many rows each numbered batch has. */
async function batchesIn(store: Store<(typeof tables)[number]>): Promise<Map<number, number>> {
  const batches = new Map<number, number>()
  for (const table of tables) {
    for await (const { key } of store.iterate(table)) {
      const number = new DataView(key.buffer, key.byteOffset).getUint32(0)
      batches.set(number, (batches.get(number) ?? 0) + 1)
    }
  }
  return batches
}

for (const kind of ['sqlite', 'rocksdb'] as const) {
  describe(`${kind} replicas killed`, () => {
    test('a follower goes on from exactly what it has', async () => {
      const folder = await freshFolder()
      const primary = await openStore({ kind: 'memory', tables, schemaVersion: 1, log: {} })
      const path = join(folder, 'follower')
      let number = 0
      let last: Position | undefined
      for (const killAfter of [3, 1, 12, 30]) {
        for (let index = 0; index < 40; index += 1) await primary.write(crashBatch(number++), { sync: true })
        const child = start('follow', kind, path)
        const said = readMessages(child.stdout)
        const first = await said.next()
        const bytes = first.done === true ? new Uint8Array(0) : first.value
        const from = bytes.byteLength === 0 ? undefined : readPosition(bytes, 0)
        // All that it said it had, and perhaps one that it had no time to say.
        expect(from?.sequence ?? -1).toBeGreaterThanOrEqual(last?.sequence ?? -1)
        const abort = new AbortController()
        // The pipe to a killed process breaks sooner than anything says that it is gone.
        let isKilled = false
        const ship = (async () => {
          let index = 0
          for await (const frame of log(primary, { from, signal: abort.signal })) {
            if (index === 0 && from !== undefined) expect(frame[0]).toBe(0)
            index += 1
            child.stdin.write(encodeMessage(frame))
            await child.stdin.flush()
          }
        })().catch((error: unknown) => (isKilled ? undefined : Promise.reject(error)))
        let heard = 0
        for await (const each of said) {
          heard += 1
          if (each.byteLength > 0) last = readPosition(each, 0)
          if (heard < killAfter) continue
          isKilled = true
          child.kill('SIGKILL')
        }
        abort.abort()
        await ship
        await child.exited
      }
      const follower = await openFollower({ kind, path })
      const abort = new AbortController()
      for await (const frame of log(primary, { from: follower.position, signal: abort.signal })) {
        expect(frame[0]).toBe(0)
        if ((await follower.apply(frame))?.sequence === logPosition(primary).sequence) abort.abort()
      }
      expect(follower.position).toEqual(logPosition(primary))
      const promoted = await follower.promote({ tables, schemaVersion: 1, log: {} })
      expect(await batchesIn(promoted)).toEqual(await batchesIn(primary))
      await promoted.close()
      await primary.close()
    }, 60_000)

    test('no acknowledged write of a primary is lost with it', async () => {
      const folder = await freshFolder()
      const child = start('lead', kind, join(folder, 'primary'))
      const follower = await openFollower({ kind, path: join(folder, 'follower') })
      const acknowledged: number[] = []
      let isKilled = false
      for await (const message of readMessages(child.stdout)) {
        const bytes = message.subarray(1)
        if (message[0] === frameMessage) {
          const position = await follower.apply(bytes)
          if (position === undefined || isKilled) continue
          child.stdin.write(encodeMessage(encodePosition(position)))
          await child.stdin.flush()
        } else {
          acknowledged.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
          if (acknowledged.length !== 60) continue
          isKilled = true
          child.kill('SIGKILL')
        }
      }
      await child.exited
      expect(acknowledged.length).toBeGreaterThanOrEqual(60)
      const promoted = await follower.promote({ tables, schemaVersion: 1, log: {} })
      const found = await batchesIn(promoted)
      expect(acknowledged.filter((number) => !found.has(number))).toEqual([])
      expect([...found.values()].filter((count) => count !== rowsPerCrashBatch)).toEqual([])
      await promoted.close()
    }, 60_000)
  })
}
