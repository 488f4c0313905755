import { expect, test } from 'bun:test'
import type { Digest } from '@shardy/protocol'
import fc from 'fast-check'
import {
  encodeMessage,
  plainPosition,
  positionOf,
  type ReplicaMessage,
  ReplicaStreamError,
  readMessages,
} from './replicaWire.ts'

const message: fc.Arbitrary<ReplicaMessage> = fc.oneof(
  fc
    .uint8Array({ maxLength: 300 })
    .map((frame) => ({ kind: 'frame', frame: Uint8Array.from(frame) }) as const),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => ({ kind: 'blob', digest: bytes.toHex() as Digest }) as const),
  fc.maxSafeNat().map((sequence) => ({ kind: 'reached', sequence }) as const),
)

async function* pieces(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (let index = 0; at < bytes.length; index++) {
    const length = lengths[index % lengths.length] ?? 1
    yield bytes.slice(at, at + length)
    at += length
  }
}

async function read(
  bytes: Uint8Array,
  lengths: readonly number[] = [bytes.length || 1],
): Promise<ReplicaMessage[]> {
  const found: ReplicaMessage[] = []
  for await (const each of readMessages(pieces(bytes, lengths))) found.push(each)
  return found
}

test('what was sent comes out, however it is cut', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 8 }), cuts, async (messages, lengths) => {
      const bytes = Buffer.concat(messages.map(encodeMessage))
      expect(await read(bytes, lengths)).toEqual(messages)
      // A line that breaks within the last message loses that one alone.
      if (messages.length > 0)
        expect(await read(bytes.subarray(0, -1), lengths)).toEqual(messages.slice(0, -1))
    }),
    { seed: 7 },
  )
})

test.each([
  ['of no kind', [9, 0, 0, 0, 0]],
  ['too long', [0, 255, 255, 255, 255]],
  ['a digest cut short', [1, 0, 0, 0, 1, 7]],
  ['a number cut short', [2, 0, 0, 0, 1, 7]],
])('a message that is %s ends the reading', async (_, bytes) => {
  expect(read(Uint8Array.from(bytes))).rejects.toThrow(ReplicaStreamError)
  await read(Uint8Array.from(bytes)).catch(() => {})
})

test('a position is told as text and read back, and nothing else is one', () => {
  const position = { epoch: 2, sequence: 77, chain: new Uint8Array(32).fill(5) }
  expect(positionOf(plainPosition(position))).toEqual(position)
  for (const chain of ['', 'zz'.repeat(32), 'ab'.repeat(31)]) {
    expect(positionOf({ epoch: 1, sequence: 1, chain })).toBeUndefined()
  }
})
