import { expect, test } from 'bun:test'
import { encodeHex } from './hex.ts'
import { Writer } from './writer.ts'

test('a nested value of every length around the growth of its length prefix', () => {
  for (const length of [0, 1, 127, 128, 129, 1020, 16_383, 16_384, 16_385, 70_000, 2_097_151, 2_097_152]) {
    const content = Uint8Array.from({ length }, (_, index) => index & 0xff)
    const writer = new Writer()
    writer.byte(0xaa)
    const start = writer.beginNested()
    writer.raw(content)
    writer.endNested(start)
    writer.byte(0xbb)
    const expected = new Writer()
    expected.byte(0xaa)
    expected.varint(length)
    expected.raw(content)
    expected.byte(0xbb)
    expect(Bun.hash(writer.finish())).toBe(Bun.hash(expected.finish()))
    expect(writer.length).toBe(expected.length)
  }
})

test('nested within nested moves both', () => {
  const writer = new Writer()
  const content = new Uint8Array(126).fill(7)
  const outer = writer.beginNested()
  const inner = writer.beginNested()
  writer.raw(content)
  writer.endNested(inner)
  writer.byte(9)
  writer.endNested(outer)
  expect(encodeHex(writer.finish())).toBe(`80017e${'07'.repeat(126)}09`)
})

test('grows while it writes a varint, a fixed64 and hex at the end of its buffer', () => {
  for (let start = 1010; start <= 1024; start++) {
    const writer = new Writer()
    writer.raw(new Uint8Array(start))
    writer.varint(Number.MAX_SAFE_INTEGER)
    writer.fixed64(0x0102030405060708n)
    writer.hex('abcd', 2)
    writer.varint64(2n ** 63n - 1n)
    expect(encodeHex(writer.finish().subarray(start))).toBe(
      'ffffffffffffff0f0807060504030201abcdffffffffffffffff7f',
    )
  }
})

test('what it finished is a copy', () => {
  const writer = new Writer()
  writer.byte(1)
  const first = writer.finish()
  writer.reset()
  writer.byte(2)
  expect(first).toEqual(new Uint8Array([1]))
})

test('a buffer that one large value grew is let go', () => {
  const writer = new Writer()
  writer.raw(new Uint8Array(8 * 1024 * 1024))
  expect(writer.bytes.length).toBeGreaterThanOrEqual(8 * 1024 * 1024)
  writer.reset()
  expect(writer.bytes.length).toBeLessThanOrEqual(2 * 1024 * 1024)
  writer.fixed64(1n)
  expect(encodeHex(writer.finish())).toBe('0100000000000000')
})
