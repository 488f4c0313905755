import { describe, expect, test } from 'bun:test'
import { toLowS } from '../signature.ts'
import {
  amount,
  bits64,
  blob,
  type Codec,
  choice,
  flag,
  hex,
  integer,
  list,
  optional,
  publicKey,
  signature,
  text,
  whole,
} from './codec.ts'
import { decodeHex, encodeHex } from './hex.ts'
import { field, message } from './message.ts'

/** A message of one field, number 1, so that the field's tag is its wire type plus 8. */
function only<T>(codec: Codec<T>) {
  const one = message('One', { value: field(1, codec) })
  return {
    encode: (value: T) => encodeHex(one.encode({ value })),
    decode: (text: string) => one.decode(decodeHex(text) ?? new Uint8Array(0)),
  }
}

const point = `04${'11'.repeat(64)}`
const halfOrder = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8'
const aboveHalf = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9'
const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
const one = '01'.padStart(64, '0')
const zero = '00'.repeat(32)
const bytesOf = (text: string) => decodeHex(text) ?? new Uint8Array(0)

const accepted: { desc: string; codec: Codec<unknown>; value: unknown; bytes: string }[] = [
  { desc: 'whole: zero is left out', codec: whole(0, 9), value: 0, bytes: '' },
  { desc: 'whole: largest one-byte varint', codec: whole(0, 200), value: 127, bytes: '087f' },
  { desc: 'whole: smallest two-byte varint', codec: whole(0, 200), value: 128, bytes: '088001' },
  { desc: 'whole: 2^28 - 1', codec: whole(0, 2 ** 32), value: 2 ** 28 - 1, bytes: '08ffffff7f' },
  { desc: 'whole: 2^28', codec: whole(0, 2 ** 32), value: 2 ** 28, bytes: '088080808001' },
  { desc: 'whole: 2^31 - 1', codec: whole(0, 2 ** 32), value: 2 ** 31 - 1, bytes: '08ffffffff07' },
  { desc: 'whole: 2^31', codec: whole(0, 2 ** 32), value: 2 ** 31, bytes: '088080808008' },
  { desc: 'whole: 2^35', codec: whole(0, 2 ** 40), value: 2 ** 35, bytes: '08808080808001' },
  {
    desc: 'whole: 2^53 - 1',
    codec: whole(0, Number.MAX_SAFE_INTEGER),
    value: Number.MAX_SAFE_INTEGER,
    bytes: '08ffffffffffffff0f',
  },
  { desc: 'integer: zero is left out', codec: integer(-9, 9), value: 0, bytes: '' },
  { desc: 'integer: -1', codec: integer(-9, 9), value: -1, bytes: '0801' },
  { desc: 'integer: 1', codec: integer(-9, 9), value: 1, bytes: '0802' },
  {
    desc: 'integer: -2^31',
    codec: integer(-(2 ** 31), 2 ** 31 - 1),
    value: -(2 ** 31),
    bytes: '08ffffffff0f',
  },
  {
    desc: 'integer: 2^31 - 1',
    codec: integer(-(2 ** 31), 2 ** 31 - 1),
    value: 2 ** 31 - 1,
    bytes: '08feffffff0f',
  },
  { desc: 'amount: zero is left out', codec: amount(), value: 0n, bytes: '' },
  { desc: 'amount: 2^53', codec: amount(), value: 2n ** 53n, bytes: '088080808080808010' },
  { desc: 'amount: 2^63 - 1', codec: amount(), value: 2n ** 63n - 1n, bytes: '08ffffffffffffffff7f' },
  { desc: 'bits64: zero is left out', codec: bits64(), value: 0n, bytes: '' },
  { desc: 'bits64: little-endian', codec: bits64(), value: 1n, bytes: '090100000000000000' },
  { desc: 'bits64: all bits', codec: bits64(), value: 2n ** 64n - 1n, bytes: '09ffffffffffffffff' },
  { desc: 'flag: false is left out', codec: flag(), value: false, bytes: '' },
  { desc: 'flag: true', codec: flag(), value: true, bytes: '0801' },
  { desc: 'choice: counts from one', codec: choice(['a', 'b']), value: 'b', bytes: '0802' },
  { desc: 'hex', codec: hex(2), value: '00ff', bytes: '0a0200ff' },
  { desc: 'hex of zeros is still written', codec: hex(2), value: '0000', bytes: '0a020000' },
  { desc: 'blob: none is left out', codec: blob(4), value: new Uint8Array(0), bytes: '' },
  { desc: 'blob: as long as allowed', codec: blob(2), value: new Uint8Array([1, 2]), bytes: '0a020102' },
  { desc: 'text: none is left out', codec: text(4), value: '', bytes: '' },
  { desc: 'text: first and last printable', codec: text(4), value: ' ~', bytes: '0a02207e' },
  { desc: 'public key', codec: publicKey(), value: bytesOf(point), bytes: `0a41${point}` },
  {
    desc: 'signature: s is n/2',
    codec: signature(),
    value: bytesOf(one + halfOrder),
    bytes: `0a40${one}${halfOrder}`,
  },
  { desc: 'optional: absent', codec: optional(hex(1)), value: undefined, bytes: '' },
  { desc: 'optional: present', codec: optional(hex(1)), value: '7f', bytes: '0a017f' },
  { desc: 'optional: a present zero is written', codec: optional(whole(0, 9)), value: 0, bytes: '0800' },
  { desc: 'list: empty', codec: list(whole(0, 9), 3), value: [], bytes: '' },
  { desc: 'list: zeros are written', codec: list(whole(0, 9), 3), value: [0, 9, 0], bytes: '080008090800' },
]

describe('accepts', () => {
  for (const { desc, codec, value, bytes } of accepted) {
    test(desc, () => {
      expect(only(codec).encode(value)).toBe(bytes)
      expect(only(codec).decode(bytes)).toEqual({ ok: true, value: { value } })
    })
  }
})

const field1 = 'One.value'
const outOfRange = (min: string, max: string, actual: string) => ({
  kind: 'outOfRange',
  field: field1,
  min,
  max,
  actual,
})
const over53 = outOfRange('0', '9007199254740991', 'a varint over 53 bits')

const refused: { desc: string; codec: Codec<unknown>; bytes: string; refusal: Record<string, unknown> }[] = [
  {
    desc: 'whole: above',
    codec: whole(0, 9),
    bytes: '080a',
    refusal: outOfRange('0', '9', '10'),
  },
  {
    desc: 'whole: below',
    codec: whole(2, 9),
    bytes: '0801',
    refusal: outOfRange('2', '9', '1'),
  },
  {
    desc: 'whole from one: zero spelled out',
    codec: whole(1, 9),
    bytes: '0800',
    refusal: outOfRange('1', '9', '0'),
  },
  {
    desc: 'whole from one: left out',
    codec: whole(1, 9),
    bytes: '',
    refusal: { kind: 'missing', field: field1 },
  },
  {
    desc: 'whole: 2^53',
    codec: whole(0, Number.MAX_SAFE_INTEGER),
    bytes: '088080808080808010',
    refusal: over53,
  },
  {
    desc: 'whole: 2^53 + 1 does not round down',
    codec: whole(0, Number.MAX_SAFE_INTEGER),
    bytes: '088180808080808010',
    refusal: over53,
  },
  {
    desc: 'whole: 2^63',
    codec: whole(0, Number.MAX_SAFE_INTEGER),
    bytes: '0880808080808080808001',
    refusal: over53,
  },
  {
    desc: 'whole: an endless varint',
    codec: whole(0, Number.MAX_SAFE_INTEGER),
    bytes: `08${'80'.repeat(40)}01`,
    refusal: over53,
  },
  {
    desc: 'whole: padded',
    codec: whole(0, 9),
    bytes: '088500',
    refusal: { kind: 'nonCanonical', field: 'One' },
  },
  {
    desc: 'whole: padded to ten bytes',
    codec: whole(0, 9),
    bytes: '0885808080808080808000',
    refusal: { kind: 'nonCanonical', field: 'One' },
  },
  {
    desc: 'whole: zero spelled out',
    codec: whole(0, 9),
    bytes: '0800',
    refusal: { kind: 'nonCanonical', field: 'One' },
  },
  {
    desc: 'whole: no value',
    codec: whole(0, 9),
    bytes: '08',
    refusal: { kind: 'truncated', field: field1 },
  },
  {
    desc: 'amount: 2^63',
    codec: amount(),
    bytes: '0880808080808080808001',
    refusal: outOfRange('0', String(2n ** 63n - 1n), String(2n ** 63n)),
  },
  {
    desc: 'amount: eleven bytes',
    codec: amount(),
    bytes: `08${'80'.repeat(10)}01`,
    refusal: outOfRange('0', '2^64 - 1', 'a varint over 10 bytes'),
  },
  {
    desc: 'amount: padded',
    codec: amount(),
    bytes: '088500',
    refusal: { kind: 'nonCanonical', field: 'One' },
  },
  { desc: 'amount: cut', codec: amount(), bytes: '0880', refusal: { kind: 'truncated', field: field1 } },
  {
    desc: 'bits64: seven bytes',
    codec: bits64(),
    bytes: '0901000000000000',
    refusal: { kind: 'truncated', field: field1 },
  },
  {
    desc: 'bits64: zero spelled out',
    codec: bits64(),
    bytes: '090000000000000000',
    refusal: { kind: 'nonCanonical', field: 'One' },
  },
  {
    desc: 'flag: false spelled out',
    codec: flag(),
    bytes: '0800',
    refusal: { kind: 'nonCanonical', field: 'One' },
  },
  { desc: 'flag: two', codec: flag(), bytes: '0802', refusal: { kind: 'nonCanonical', field: 'One' } },
  {
    desc: 'choice: zero',
    codec: choice(['a', 'b']),
    bytes: '0800',
    refusal: { kind: 'unknownChoice', field: field1, actual: 0 },
  },
  {
    desc: 'choice: beyond the list',
    codec: choice(['a', 'b']),
    bytes: '0803',
    refusal: { kind: 'unknownChoice', field: field1, actual: 3 },
  },
  {
    desc: 'choice: left out',
    codec: choice(['a', 'b']),
    bytes: '',
    refusal: { kind: 'missing', field: field1 },
  },
  {
    desc: 'hex: too short',
    codec: hex(2),
    bytes: '0a0100',
    refusal: { kind: 'wrongLength', field: field1, expected: 2, actual: 1 },
  },
  {
    desc: 'hex: too long',
    codec: hex(2),
    bytes: '0a03000000',
    refusal: { kind: 'wrongLength', field: field1, expected: 2, actual: 3 },
  },
  { desc: 'hex: cut', codec: hex(2), bytes: '0a0200', refusal: { kind: 'truncated', field: field1 } },
  { desc: 'hex: left out', codec: hex(2), bytes: '', refusal: { kind: 'missing', field: field1 } },
  {
    desc: 'blob: too long, said before the bytes are there',
    codec: blob(2),
    bytes: '0a03',
    refusal: { kind: 'tooLong', field: field1, limit: 2, actual: 3 },
  },
  {
    desc: 'blob: a length of 2^53 - 1',
    codec: blob(2),
    bytes: '0affffffffffffff0f',
    refusal: { kind: 'tooLong', field: field1, limit: 2, actual: Number.MAX_SAFE_INTEGER },
  },
  { desc: 'blob: cut', codec: blob(9), bytes: '0a0900', refusal: { kind: 'truncated', field: field1 } },
  {
    desc: 'blob: none spelled out',
    codec: blob(9),
    bytes: '0a00',
    refusal: { kind: 'nonCanonical', field: 'One' },
  },
  {
    desc: 'text: too long',
    codec: text(2),
    bytes: '0a03616263',
    refusal: { kind: 'tooLong', field: field1, limit: 2, actual: 3 },
  },
  ...['1f', '7f', '0a', '00', '80', 'c3'].map((byte) => ({
    desc: `text: byte ${byte}`,
    codec: text(2),
    bytes: `0a01${byte}`,
    refusal: { kind: 'badText', field: field1 },
  })),
  {
    desc: 'public key: compressed',
    codec: publicKey(),
    bytes: `0a2102${'11'.repeat(32)}`,
    refusal: { kind: 'wrongLength', field: field1, expected: 65, actual: 33 },
  },
  {
    desc: 'public key: another first byte',
    codec: publicKey(),
    bytes: `0a4105${'11'.repeat(64)}`,
    refusal: { kind: 'badPublicKey', field: field1 },
  },
  ...[
    { desc: 's is n/2 + 1', r: one, s: aboveHalf },
    { desc: 's is zero', r: one, s: zero },
    { desc: 'r is zero', r: zero, s: one },
    { desc: 'r is n', r: order, s: one },
    { desc: 'r is above n', r: 'ff'.repeat(32), s: one },
  ].map(({ desc, r, s }) => ({
    desc: `signature: ${desc}`,
    codec: signature(),
    bytes: `0a40${r}${s}`,
    refusal: { kind: 'badSignature', field: field1 },
  })),
  {
    desc: 'signature: DER',
    codec: signature(),
    bytes: '0a083006020101020101',
    refusal: { kind: 'wrongLength', field: field1, expected: 64, actual: 8 },
  },
  {
    desc: 'list: one too many',
    codec: list(whole(0, 9), 2),
    bytes: '080108020803',
    refusal: { kind: 'tooLong', field: field1, limit: 2, actual: 3 },
  },
  {
    desc: 'list: packed',
    codec: list(whole(0, 9), 2),
    bytes: '0a020102',
    refusal: { kind: 'wrongWireType', field: field1, expected: 0, actual: 2 },
  },
  {
    desc: 'list: an element out of range',
    codec: list(whole(0, 9), 2),
    bytes: '0801080a',
    refusal: outOfRange('0', '9', '10'),
  },
]

describe('refuses', () => {
  for (const { desc, codec, bytes, refusal } of refused) {
    test(desc, () => {
      expect(only(codec).decode(bytes)).toEqual({ ok: false, refusal } as never)
    })
  }
})

const asserted: { desc: string; codec: Codec<unknown>; value: unknown }[] = [
  { desc: 'whole: above', codec: whole(0, 9), value: 10 },
  { desc: 'whole: negative', codec: whole(0, 9), value: -1 },
  { desc: 'whole: a fraction', codec: whole(0, 9), value: 0.5 },
  { desc: 'whole: not a number', codec: whole(0, 9), value: Number.NaN },
  { desc: 'whole: 2^53', codec: whole(0, Number.MAX_SAFE_INTEGER), value: 2 ** 53 },
  { desc: 'whole from one: zero would read as missing', codec: whole(1, 9), value: 0 },
  { desc: 'amount: negative', codec: amount(), value: -1n },
  { desc: 'amount: 2^63', codec: amount(), value: 2n ** 63n },
  { desc: 'bits64: negative', codec: bits64(), value: -1n },
  { desc: 'bits64: 2^64', codec: bits64(), value: 2n ** 64n },
  { desc: 'choice: another word', codec: choice(['a']), value: 'b' },
  { desc: 'hex: upper case', codec: hex(2), value: '00FF' },
  { desc: 'hex: too short', codec: hex(2), value: '00' },
  { desc: 'hex: odd', codec: hex(2), value: '000' },
  { desc: 'hex: another letter', codec: hex(2), value: '00g0' },
  { desc: 'hex: another script', codec: hex(2), value: '00é0' },
  { desc: 'blob: too long', codec: blob(1), value: new Uint8Array(2) },
  { desc: 'text: too long', codec: text(1), value: 'ab' },
  { desc: 'text: a line break at the end', codec: text(9), value: 'a\n' },
  { desc: 'text: another script', codec: text(9), value: 'é' },
  { desc: 'public key: too short', codec: publicKey(), value: new Uint8Array(64).fill(4) },
  { desc: 'public key: another first byte', codec: publicKey(), value: new Uint8Array(65).fill(5) },
  { desc: 'signature: too short', codec: signature(), value: new Uint8Array(63).fill(1) },
  { desc: 'signature: high s', codec: signature(), value: bytesOf(one + aboveHalf) },
  { desc: 'list: one too many', codec: list(whole(0, 9), 1), value: [1, 2] },
  { desc: 'list: an element out of range', codec: list(whole(0, 9), 1), value: [10] },
]

describe('the writer asserts', () => {
  for (const { desc, codec, value } of asserted) {
    test(desc, () => expect(() => only(codec).encode(value)).toThrow())
  }
})

test('a schema that cannot be encoded is refused when it is defined', () => {
  expect(() => list(list(whole(0, 9), 2), 2)).toThrow('repeated twice')
  expect(() => list(optional(whole(0, 9)), 2)).toThrow('optional twice')
  expect(() => optional(list(whole(0, 9), 2))).toThrow('repeated twice')
  expect(() => whole(-1, 9)).toThrow()
  expect(() => whole(9, 1)).toThrow()
  expect(() => whole(0, 2 ** 53)).toThrow()
})

test('an absent value is never shared between messages', () => {
  const both = message('Both', { bytes: field(1, blob(4)), items: field(2, list(whole(0, 9), 4)) })
  const read = () => {
    const decoded = both.decode(new Uint8Array(0))
    if (!decoded.ok) throw new Error(decoded.refusal.kind)
    return decoded.value
  }
  const first = read()
  ;(first.items as number[]).push(7)
  structuredClone(first.bytes, { transfer: [first.bytes.buffer as ArrayBuffer] })
  const second = read()
  expect(second.items).toEqual([])
  expect(() =>
    structuredClone(second.bytes, { transfer: [second.bytes.buffer as ArrayBuffer] }),
  ).not.toThrow()
})

test('what is decoded does not change with the buffer it came from, not even with a Node Buffer', () => {
  const holder = message('Holder', { bytes: field(1, blob(4)), key: field(2, publicKey()) })
  const wire = Buffer.from(`0a030102031241${point}`, 'hex')
  const decoded = holder.decode(wire)
  wire.fill(0xee)
  expect(decoded).toMatchObject({ ok: true, value: { bytes: new Uint8Array([1, 2, 3]) } })
  expect(decoded.ok && encodeHex(decoded.value.key)).toBe(point)
  expect(decoded.ok && decoded.value.bytes.byteLength).toBe(3)
})

test('low-s of a Node Buffer leaves the buffer alone', () => {
  const signed = Buffer.from(one + aboveHalf, 'hex')
  expect(encodeHex(toLowS(signed))).toBe(one + halfOrder)
  expect(signed.toString('hex')).toBe(one + aboveHalf)
})
