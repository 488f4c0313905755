import { describe, expect, test } from 'bun:test'
import { drawBelow } from './draw.ts'

const bytesOf = (...draws: readonly number[]) => {
  const left = [...draws]
  return () => {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, left.shift() ?? 0)
    return bytes
  }
}

test('each is as likely as any other: what lies above the last whole multiple is drawn again', () => {
  expect(drawBelow(3, bytesOf(2 ** 32 - 1, 5))).toBe(2)
  expect(drawBelow(3, bytesOf(2 ** 32 - 2))).toBe(2)
  expect(drawBelow(2 ** 31 + 1, bytesOf(2 ** 31 + 1, 2 ** 31))).toBe(2 ** 31)
})

test('one of one needs no luck, and of two both come', () => {
  expect(drawBelow(1, bytesOf(2 ** 32 - 1))).toBe(0)
  expect([0, 1, 2 ** 32 - 2, 2 ** 32 - 1].map((drawn) => drawBelow(2, bytesOf(drawn)))).toEqual([0, 1, 0, 1])
})

describe('nothing is drawn from', () => {
  test.each([0, -1, 1.5, 2 ** 32 + 1])('%p', (count) => {
    expect(() => drawBelow(count, bytesOf())).toThrow(RangeError)
  })
})
