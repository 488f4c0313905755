import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { type DeliveryId, type Digest, encodeHex, inlinePayloadBytesMax, type TimeMs } from '@shardy/protocol'
import { taskIdOf } from '../../test/dispatchTask.ts'
import { openMemoryStore } from '../../test/network.ts'
import { payloadKey } from '../tables.ts'
import { createPayloads, isInline } from './payloads.ts'

const digest = 'ab'.repeat(32) as Digest
const deliveryIdOf = (number: number) => taskIdOf(number) as string as DeliveryId
const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill)

async function open(bounds = { inputBytesMax: 100, answerBytesMax: 100, frameBytesMax: 1_000 }) {
  const store = await openMemoryStore()
  const asked: string[] = []
  const keeper = {
    async bytes(wanted: Digest) {
      asked.push(wanted)
      return bytes(3, 9)
    },
  }
  return { payloads: createPayloads(store, keeper, bounds), store, asked }
}

test('what travels in a frame with others is small, up to its bound', () => {
  expect([0, inlinePayloadBytesMax, inlinePayloadBytesMax + 1].map(isInline)).toEqual([true, true, false])
})

describe('an input', () => {
  const spec = (number: number, inputLength: number) => ({
    taskId: taskIdOf(number),
    submittedAtMs: (1_000 + number) as TimeMs,
    inputDigest: digest,
    inputLength,
  })

  test('is found in memory, then beside its task, then among the blobs', async () => {
    const { payloads, store, asked } = await open()
    payloads.holdInput(taskIdOf(1), bytes(4))
    expect(await payloads.input(spec(1, 4))).toEqual(bytes(4))
    payloads.dropInput(taskIdOf(1))
    await store.write(
      [{ kind: 'put', table: 'taskInputs', key: payloadKey(spec(1, 4)), value: bytes(4, 2) }],
      {
        sync: true,
      },
    )
    expect(await payloads.input(spec(1, 4))).toEqual(bytes(4, 2))
    expect(asked).toEqual([])
    // A small one that was uploaded is a blob all the same.
    expect(await payloads.input(spec(2, 3))).toEqual(bytes(3, 9))
    expect(await payloads.input(spec(1, inlinePayloadBytesMax + 1))).toEqual(bytes(3, 9))
    expect(asked).toEqual([digest, digest])
  })

  test('of another task that had the id is passed over', async () => {
    const store = await openMemoryStore()
    const gone = { bytes: () => Promise.reject(new Error('no such blob')) }
    const payloads = createPayloads(store, gone, undefined, sha256)
    const own = bytes(4)
    const asked = { ...spec(1, 4), inputDigest: encodeHex(sha256(own)) as Digest }
    payloads.holdInput(taskIdOf(1), own)
    expect(await payloads.input(asked)).toEqual(own)
    payloads.holdInput(taskIdOf(1), bytes(4, 2))
    await expect(payloads.input(asked)).rejects.toThrow('no such blob')
    payloads.dropInput(taskIdOf(1))
    await store.write(
      [{ kind: 'put', table: 'taskInputs', key: payloadKey(spec(1, 4)), value: bytes(4, 2) }],
      {
        sync: true,
      },
    )
    await expect(payloads.input(asked)).rejects.toThrow('no such blob')
  })

  test('of nothing is nothing, and asked for nowhere', async () => {
    const { payloads, asked } = await open()
    expect(await payloads.input(spec(1, 0))).toEqual(bytes(0))
    expect(asked).toEqual([])
  })

  test('stays until it is written, however many there are; then the oldest make room', async () => {
    const { payloads } = await open()
    for (const number of [1, 2, 3, 4]) payloads.holdInput(taskIdOf(number), bytes(60))
    for (const number of [1, 2, 3, 4]) expect(payloads.heldInput(taskIdOf(number))).toBeDefined()
    expect(payloads.inputToWrite(taskIdOf(1))).toEqual(bytes(60))
    expect(payloads.inputToWrite(taskIdOf(2))).toEqual(bytes(60))
    const held = [1, 2, 3, 4].map((number) => payloads.heldInput(taskIdOf(number)) !== undefined)
    expect(held).toEqual([false, true, true, true])
  })

  test('is written once and dropped once, in whatever order', async () => {
    const { payloads } = await open()
    expect(payloads.inputToWrite(taskIdOf(1))).toBeUndefined()
    payloads.holdInput(taskIdOf(1), bytes(60))
    payloads.dropInput(taskIdOf(1))
    payloads.dropInput(taskIdOf(1))
    expect(payloads.inputToWrite(taskIdOf(1))).toBeUndefined()
    // Had a byte been counted twice, the second of these would push out the first.
    payloads.holdInput(taskIdOf(2), bytes(40))
    payloads.holdInput(taskIdOf(2), bytes(50))
    payloads.inputToWrite(taskIdOf(2))
    payloads.inputToWrite(taskIdOf(2))
    payloads.holdInput(taskIdOf(3), bytes(50))
    payloads.inputToWrite(taskIdOf(3))
    expect(payloads.heldInput(taskIdOf(2))).toHaveLength(50)
    expect(payloads.heldInput(taskIdOf(3))).toHaveLength(50)
  })
})

describe('an answer', () => {
  const answer = (length: number, ...parts: number[]) => ({
    output: bytes(length),
    transcript: parts.map((each) => bytes(each)),
  })

  test('counts with its transcript, until it is dropped', async () => {
    const { payloads } = await open()
    expect(payloads.holdAnswer(deliveryIdOf(1), answer(10, 5, 6))).toBe(true)
    expect(payloads.answerBytes()).toBe(21)
    expect(payloads.answer(deliveryIdOf(1))?.transcript).toHaveLength(2)
    payloads.dropAnswer(deliveryIdOf(1))
    payloads.dropAnswer(deliveryIdOf(1))
    expect([payloads.answerBytes(), payloads.answer(deliveryIdOf(1))]).toEqual([0, undefined])
  })

  test('is refused when too much waits; the only one never is', async () => {
    const { payloads } = await open()
    expect(payloads.holdAnswer(deliveryIdOf(1), answer(1_000))).toBe(true)
    expect(payloads.holdAnswer(deliveryIdOf(2), answer(1))).toBe(false)
    expect(payloads.answer(deliveryIdOf(2))).toBeUndefined()
    payloads.dropAnswer(deliveryIdOf(1))
    expect(payloads.holdAnswer(deliveryIdOf(2), answer(60))).toBe(true)
    expect(payloads.holdAnswer(deliveryIdOf(3), answer(40))).toBe(true)
    expect(payloads.holdAnswer(deliveryIdOf(4), answer(0, 1))).toBe(false)
    expect(payloads.answerBytes()).toBe(100)
  })

  test('is one for a delivery: nobody replaces what is being checked', async () => {
    const { payloads } = await open()
    payloads.holdAnswer(deliveryIdOf(1), answer(1))
    expect(() => payloads.holdAnswer(deliveryIdOf(1), answer(2))).toThrow('has its answer already')
    expect(payloads.answerBytes()).toBe(1)
  })

  test('that waits for long no longer keeps the frame that it came in', async () => {
    const { payloads } = await open()
    const frameOf = (number: number) => {
      const frame = bytes(600, number)
      return { output: frame.subarray(10, 12), transcript: [frame.subarray(12, 13)] }
    }
    const sizes = () => {
      const held = payloads.answer(deliveryIdOf(1))
      return [held?.output, ...(held?.transcript ?? [])].map((part) => part?.buffer.byteLength)
    }
    for (const number of [1, 2, 3]) payloads.holdAnswer(deliveryIdOf(number), frameOf(number))
    expect(sizes()).toEqual([600, 600])
    payloads.holdAnswer(deliveryIdOf(4), frameOf(4))
    expect(sizes()).toEqual([2, 1])
    expect(payloads.answer(deliveryIdOf(1))).toEqual(frameOf(1))
    // The younger ones keep theirs for now.
    expect(payloads.answer(deliveryIdOf(3))?.output.buffer.byteLength).toBe(600)
    for (const number of [1, 2, 3, 4]) payloads.dropAnswer(deliveryIdOf(number))
    expect(payloads.answerBytes()).toBe(0)
  })
})
