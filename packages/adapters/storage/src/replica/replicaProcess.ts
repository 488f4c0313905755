/**
 * The process that `replicaCrash.test.ts` kills: a follower that takes frames from its input, or a primary that
 * writes numbered batches and sends frames to its output. Messages are a length (u32, big-endian) and that many bytes.
 */
import { writeSync } from 'node:fs'
import { crashBatch } from '../crashWriter.ts'
import { openStore, type StoreKind } from '../openStore.ts'
import { openFollower } from './follower.ts'
import { acknowledge, log } from './log.ts'
import { type Position, positionBytes, readPosition, writePosition } from './position.ts'

/** The tables of the conformance suite, whose openings the test uses. */
const tables = ['left', 'right'] as const
/** From the primary: a frame, or the number of a batch that was acknowledged. */
export const frameMessage = 1
export const writtenMessage = 2

export function encodePosition(position: Position): Uint8Array {
  const bytes = new Uint8Array(positionBytes)
  writePosition(bytes, 0, position)
  return bytes
}

export function encodeMessage(...parts: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(
    0,
    parts.reduce((sum, part) => sum + part.byteLength, 0),
  )
  return Uint8Array.from(Buffer.concat([head, ...parts]))
}

export async function* readMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting = Buffer.alloc(0)
  for await (const chunk of chunks) {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.byteLength >= 4 && waiting.byteLength >= 4 + waiting.readUInt32BE(0)) {
      const end = 4 + waiting.readUInt32BE(0)
      yield Uint8Array.from(waiting.subarray(4, end))
      waiting = waiting.subarray(end)
    }
  }
}

async function follow(kind: StoreKind, path: string): Promise<void> {
  const follower = await openFollower({ kind, path })
  const say = (position: Position | undefined): void => {
    writeAll(encodeMessage(position === undefined ? new Uint8Array(0) : encodePosition(position)))
  }
  say(follower.position)
  for await (const frame of readMessages(Bun.stdin.stream())) say(await follower.apply(frame))
}

async function lead(kind: StoreKind, path: string): Promise<void> {
  const store = await openStore({ kind, path, tables, columns: ['right'], schemaVersion: 1, log: {} })
  const ship = async (): Promise<void> => {
    for await (const frame of log(store, { from: undefined }))
      writeAll(encodeMessage(Uint8Array.of(frameMessage), frame))
  }
  const hear = async (): Promise<void> => {
    for await (const bytes of readMessages(Bun.stdin.stream())) acknowledge(store, readPosition(bytes, 0))
  }
  let next = 0
  const writer = async (): Promise<void> => {
    while (next < 100_000) {
      const number = next++
      await store.write(crashBatch(number), { sync: 'acknowledged' })
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setUint32(0, number)
      writeAll(encodeMessage(Uint8Array.of(writtenMessage), bytes))
    }
  }
  await Promise.all([ship(), hear(), ...Array.from({ length: 4 }, writer)])
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) at += writeSync(1, bytes, at)
}

if (import.meta.main) {
  const [mode, kind = 'rocksdb', path = ''] = process.argv.slice(2)
  await (mode === 'lead' ? lead : follow)(kind as StoreKind, path)
}
