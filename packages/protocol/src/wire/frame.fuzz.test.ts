/**
 * Hostile frames: whatever arrives is either refused by name or a value whose one encoding it is. The number of reads
 * is counted instead of the time: it may not exceed what the bytes can pay for.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cases, frameBodies } from '../../test/arbitraries.ts'
import { Reader } from '../schema/reader.ts'
import { describeRefusal } from '../schema/refusal.ts'
import { decodeFrame, encodeFrame, type FrameType, frames, type Sender } from './frame.ts'

const seed = Number(process.env.SHARDY_SEED ?? 20_261)
const framesTried = 160_000
const messagesTried = 40_000

/** Mulberry32: small, and the same everywhere. */
function randomFrom(start: number): (below: number) => number {
  let state = start | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

type Mutation = (bytes: Uint8Array, other: Uint8Array, random: (below: number) => number) => Uint8Array

const mutations: Readonly<Record<string, Mutation>> = {
  none: (bytes) => bytes,
  bitFlip(bytes, _, random) {
    const at = random(bytes.length)
    const changed = bytes.slice()
    changed[at] = (changed[at] ?? 0) ^ (1 << random(8))
    return changed
  },
  anyByte(bytes, _, random) {
    const changed = bytes.slice()
    changed[random(bytes.length)] = random(256)
    return changed
  },
  cut: (bytes, _, random) => bytes.slice(0, random(bytes.length)),
  grow: (bytes, _, random) =>
    join(
      bytes,
      Uint8Array.from({ length: 1 + random(12) }, () => random(256)),
    ),
  splice: (bytes, other, random) =>
    join(bytes.slice(0, random(bytes.length)), other.slice(random(other.length))),
  repeat(bytes, _, random) {
    const [from, length] = [random(bytes.length), 1 + random(40)]
    return join(bytes.slice(0, from + length), bytes.slice(from))
  },
  remove(bytes, _, random) {
    const from = random(bytes.length)
    return join(bytes.slice(0, from), bytes.slice(from + 1 + random(8)))
  },
  /** A long varint where any byte was: a length, a tag, a number. */
  inflate(bytes, _, random) {
    const at = random(bytes.length)
    const varint = Uint8Array.from({ length: 1 + random(11) }, () => 0x80 | random(128))
    return join(bytes.slice(0, at), varint, new Uint8Array([random(128)]), bytes.slice(at + 1))
  },
  /** The same number in more bytes than it needs. */
  pad(bytes, _, random) {
    const at = random(bytes.length)
    const padded = new Uint8Array([0x80 | (bytes[at] ?? 0), 0])
    return join(bytes.slice(0, at), padded, bytes.slice(at + 1))
  },
  noise: (bytes, _, random) =>
    Uint8Array.from({ length: 1 + random(80) }, (_value, at) => (at === 0 ? (bytes[0] ?? 0) : random(256))),
}

interface Tally {
  accepted: number
  readonly refused: Map<string, number>
}

/** Runs `tries` mutations over the samples; a failure says how to repeat it. */
function hunt(
  samples: readonly Uint8Array[],
  tries: number,
  decode: (
    bytes: Uint8Array,
    from: number,
  ) => { readonly again: Uint8Array } | { readonly kind: string; readonly sentence: string },
): Tally {
  const random = randomFrom(seed)
  const names = Object.keys(mutations)
  const tally: Tally = { accepted: 0, refused: new Map() }
  for (let attempt = 0; attempt < tries; attempt++) {
    const from = random(samples.length)
    const name = names[random(names.length)] ?? 'none'
    const other = samples[random(samples.length)] as Uint8Array
    const bytes = mutations[name]?.(samples[from] as Uint8Array, other, random) as Uint8Array
    const where = () =>
      `SHARDY_SEED=${seed}, attempt ${attempt}, ${name}: ${Buffer.from(bytes).toString('hex')}`
    try {
      reads = 0
      const outcome = decode(bytes, from)
      if (reads > 2 * bytes.length + 2) throw new Error(`${reads} reads for ${bytes.length} bytes`)
      if ('again' in outcome) {
        tally.accepted++
        if (!Buffer.from(bytes).equals(outcome.again)) throw new Error('a second accepted encoding')
      } else {
        tally.refused.set(outcome.kind, (tally.refused.get(outcome.kind) ?? 0) + 1)
        // It travels in a refusal frame, whose text is short printable ASCII.
        if (!/^[!-~][ -~]{1,254}[!-~]$/.test(outcome.sentence)) throw new Error(outcome.sentence)
      }
    } catch (cause) {
      throw new Error(where(), { cause })
    }
  }
  return tally
}

/** Every primitive read goes through one of these two. */
let reads = 0
const { varint, take } = Reader.prototype

beforeAll(() => {
  Reader.prototype.varint = function counted(this: Reader) {
    reads++
    return varint.call(this)
  }
  Reader.prototype.take = function counted(this: Reader, length: number) {
    reads++
    return take.call(this, length)
  }
})

afterAll(() => Object.assign(Reader.prototype, { varint, take }))

test(`${framesTried} frames are refused by name or are their value's one encoding`, () => {
  const samples = Object.entries(frameBodies).flatMap(([type, bodies]) =>
    fc
      .sample(bodies, { numRuns: 25, seed })
      .map((body) => ({ type: type as FrameType, bytes: encodeFrame(type as FrameType, body as never) })),
  )
  const tally = hunt(
    samples.map(({ bytes }) => bytes),
    framesTried,
    (bytes, from) => {
      const sender = frames[samples[from]?.type ?? 'ack'].senders[0] as Sender
      const decoded = decodeFrame(bytes, sender)
      if (!decoded.ok) return { kind: decoded.refusal.kind, sentence: describeRefusal(decoded.refusal) }
      return { again: encodeFrame(decoded.value.type, decoded.value.body as never) }
    },
  )
  // All the ways to refuse were met but the one that needs a frame over the limit.
  expect([...tally.refused.keys()].toSorted()).toEqual([
    'badPublicKey',
    'badSignature',
    'badText',
    'inconsistent',
    'missing',
    'nonCanonical',
    'outOfRange',
    'tooLong',
    'truncated',
    'unexpectedFrame',
    'unknownChoice',
    'unknownField',
    'unknownFrame',
    'wrongLength',
    'wrongWireType',
  ])
  expect(tally.accepted).toBeGreaterThan(framesTried / 20)
})

test(`${messagesTried} statements, receipts and other messages likewise`, () => {
  const samples = cases.flatMap(({ message, values }) =>
    fc.sample(values, { numRuns: 10, seed }).map((value) => ({ message, bytes: message.encode(value) })),
  )
  const filled = samples.filter(({ bytes }) => bytes.length > 0)
  const tally = hunt(
    filled.map(({ bytes }) => bytes),
    messagesTried,
    (bytes, from) => {
      const message = filled[from]?.message ?? cases[0]?.message
      const decoded = message?.decode(bytes)
      if (message === undefined || decoded === undefined)
        throw new Error('there is a message for every sample')
      if (!decoded.ok) return { kind: decoded.refusal.kind, sentence: describeRefusal(decoded.refusal) }
      return { again: message.encode(decoded.value) }
    },
  )
  expect(tally.accepted).toBeGreaterThan(messagesTried / 20)
})
