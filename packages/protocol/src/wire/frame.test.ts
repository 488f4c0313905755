import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { frameBodies } from '../../test/arbitraries.ts'
import { batchFrameBytesMax, metaFrameBytesMax, programBytesMax } from '../limits.ts'
import { scalarFieldOrder } from '../proof/field.ts'
import { decodeHex } from '../schema/hex.ts'
import type { Deliveries } from './batch.ts'
import type { Delivery } from './delivery.ts'
import { decodeFrame, encodeFrame, type Frame, type FrameType, frames, type Sender } from './frame.ts'

const types = Object.keys(frames) as FrameType[]
const senders: readonly Sender[] = ['orchestrator', 'worker']

function sendersOf(type: FrameType): readonly Sender[] {
  return frames[type].senders
}

describe('every frame', () => {
  for (const type of types) {
    const frameValues = frameBodies[type] as fc.Arbitrary<never>
    test(`${type} reads back under its type, from the side that sends it alone`, () => {
      fc.assert(
        fc.property(frameValues, (body) => {
          const bytes = encodeFrame(type, body)
          expect(bytes[0]).toBe(frames[type].number)
          expect(bytes.length).toBeLessThanOrEqual(frames[type].bytesMax)
          for (const sender of senders) {
            const expected = sendersOf(type).includes(sender)
              ? { ok: true, value: { type, body } as Frame }
              : { ok: false, refusal: { kind: 'unexpectedFrame', field: type, sender } }
            expect(decodeFrame(bytes, sender)).toEqual(expected as never)
          }
        }),
        { numRuns: 30 },
      )
    })
  }
})

test('numbers are never shared, and those of frames that are gone stay free', () => {
  const numbers = types.map((type) => frames[type].number)
  const gone = [13, 14, 15, 17]
  expect([...numbers, ...gone].toSorted((one, other) => one - other)).toEqual(
    Array.from({ length: 32 }, (_, index) => index + 1),
  )
})

test('an empty frame is refused', () => {
  for (const sender of senders) {
    expect(decodeFrame(new Uint8Array(0), sender)).toEqual({
      ok: false,
      refusal: { kind: 'truncated', field: 'frame' },
    })
  }
})

test('an unknown type is refused by its number', () => {
  for (let number = 0; number < 256; number++) {
    if (types.some((type) => frames[type].number === number)) continue
    expect(decodeFrame(new Uint8Array([number, 8, 1]), 'worker')).toEqual({
      ok: false,
      refusal: { kind: 'unknownFrame', field: 'frame', actual: number },
    })
  }
})

test('a frame one byte too long is refused before it is read', () => {
  const bytes = new Uint8Array(metaFrameBytesMax + 1)
  bytes[0] = frames.hello.number
  expect(decodeFrame(bytes, 'worker')).toEqual({
    ok: false,
    refusal: { kind: 'tooLong', field: 'frame', limit: metaFrameBytesMax, actual: metaFrameBytesMax + 1 },
  })
})

test('a batch may be larger, up to its own bound', () => {
  for (const type of ['deliveries', 'results'] as const) {
    const bytes = new Uint8Array(batchFrameBytesMax + 1)
    bytes[0] = frames[type].number
    const [sender = 'worker'] = frames[type].senders
    expect(decodeFrame(bytes, sender)).toMatchObject({
      refusal: { kind: 'tooLong', limit: batchFrameBytesMax },
    })
    expect(decodeFrame(bytes.subarray(1), sender)).not.toMatchObject({
      refusal: { kind: 'tooLong', field: 'frame' },
    })
  }
})

test('the largest meta frame of a delivery fits the limit', () => {
  const [body] = fc.sample(frameBodies.delivery as fc.Arbitrary<Delivery>, { numRuns: 1, seed: 1 })
  if (body === undefined) throw new Error('one sample was asked for')
  const largest = {
    ...body,
    program: new Uint8Array(programBytesMax).fill(1),
    seed: 2n ** 64n - 1n,
    complexity: Number.MAX_SAFE_INTEGER,
    attestation: {
      ...body.attestation,
      index: 2 ** 20 - 1,
      count: 2 ** 20,
      path: Array.from({ length: 20 }, () => 'ff'.repeat(32)),
    },
  }
  const bytes = encodeFrame('delivery', largest)
  expect(bytes.length).toBeLessThanOrEqual(metaFrameBytesMax)
  expect(decodeFrame(bytes, 'orchestrator')).toEqual({ ok: true, value: { type: 'delivery', body: largest } })
})

test('the longest chain of sums fits the limit of its frame, and one more is refused', () => {
  const deliveryId = '11'.repeat(16) as Delivery['deliveryId']
  const commitments = Array.from({ length: 4096 }, () => scalarFieldOrder - 1n)
  const bytes = encodeFrame('auditSums', { deliveryId, commitments })
  expect(bytes.length).toBeLessThanOrEqual(batchFrameBytesMax)
  expect(decodeFrame(bytes, 'worker')).toMatchObject({ ok: true, value: { body: { commitments } } })
  const longer = new Uint8Array([...bytes, ...bytes.subarray(-34)])
  expect(decodeFrame(longer, 'worker')).toMatchObject({
    refusal: { kind: 'tooLong', field: 'AuditSums.commitments', limit: 4096, actual: 4097 },
  })
})

test('a heartbeat of zeros is its type byte alone', () => {
  expect(encodeFrame('heartbeat', { sequence: 0, inFlight: 0 })).toEqual(new Uint8Array([6]))
  expect(decodeFrame(new Uint8Array([6]), 'worker')).toEqual({
    ok: true,
    value: { type: 'heartbeat', body: { sequence: 0, inFlight: 0 } },
  })
})

test('a refusal names the field by its path', () => {
  const ack = decodeHex(`090a10${'11'.repeat(15)}`) ?? new Uint8Array(0)
  expect(decodeFrame(ack, 'worker')).toEqual({
    ok: false,
    refusal: { kind: 'truncated', field: 'Ack.deliveryId' },
  })
})

test('a frame inside a larger buffer is read where it lies', () => {
  const frame = encodeFrame('heartbeat', { sequence: 7, inFlight: 1 })
  const larger = new Uint8Array([9, 9, ...frame, 9, 9])
  expect(decodeFrame(larger.subarray(2, 2 + frame.length), 'worker')).toEqual({
    ok: true,
    value: { type: 'heartbeat', body: { sequence: 7, inFlight: 1 } },
  })
})

test('payloads are copies, or views where that is asked for', () => {
  const [batch] = fc.sample(frameBodies.deliveries as fc.Arbitrary<Deliveries>, { numRuns: 1, seed: 1 })
  const [first] = batch?.deliveries ?? []
  if (batch === undefined || first === undefined) throw new Error('one sample was asked for')
  const payload = new Uint8Array(100).fill(7)
  const bytes = encodeFrame('deliveries', { ...batch, deliveries: [{ ...first, payload }] })
  for (const views of [false, true]) {
    const decoded = decodeFrame(bytes, 'orchestrator', views)
    if (!decoded.ok || decoded.value.type !== 'deliveries') throw new Error('the frame was ours')
    const read = decoded.value.body.deliveries[0]?.payload
    expect(read).toEqual(payload)
    expect(read?.buffer === bytes.buffer).toBe(views)
  }
})
