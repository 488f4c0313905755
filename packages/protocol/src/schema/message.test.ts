import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cases } from '../../test/arbitraries.ts'
import { blob, flag, hex, list, optional, text, whole } from './codec.ts'
import { decodeHex, encodeHex } from './hex.ts'
import { encodeBehind, field, message } from './message.ts'

const inner = message('Inner', { id: field(1, hex(1)), note: field(3, text(200)) }, ({ note }) =>
  note === 'forbidden' ? { field: 'note', rule: 'the note is allowed' } : undefined,
)
const outer = message('Outer', {
  count: field(1, whole(0, 0xffff_ffff)),
  inner: field(2, inner.codec),
  more: field(4, list(inner.codec, 2)),
  maybe: field(5, optional(inner.codec)),
  last: field(15, flag()),
})

const bytesOf = (text: string) => decodeHex(text.replaceAll(' ', '')) ?? new Uint8Array(0)

test('writes fields in ascending order, each nested value behind its length', () => {
  const value = {
    count: 7,
    inner: { id: '11', note: '' },
    more: [
      { id: '22', note: 'a' },
      { id: '33', note: '' },
    ],
    maybe: { id: '44', note: '' },
    last: true,
  }
  const bytes = outer.encode(value)
  expect(encodeHex(bytes)).toBe('080712030a011122060a01221a016122030a01332a030a01447801')
  expect(outer.decode(bytes)).toEqual({ ok: true, value })
})

test('a message of nothing but defaults has no bytes', () => {
  const defaults = message('Defaults', {
    a: field(1, whole(0, 9)),
    b: field(2, blob(9)),
    c: field(3, flag()),
  })
  expect(defaults.encode({ a: 0, b: new Uint8Array(0), c: false })).toEqual(new Uint8Array(0))
  expect(defaults.decode(new Uint8Array(0))).toEqual({
    ok: true,
    value: { a: 0, b: new Uint8Array(0), c: false },
  })
})

test('decodes behind a leading byte', () => {
  const value = { id: '11', note: 'hello' }
  const bytes = encodeBehind(200, inner, value)
  expect(bytes[0]).toBe(200)
  expect(inner.decodeAt(bytes, 1)).toEqual({ ok: true, value })
})

const nonCanonical = { kind: 'nonCanonical', field: 'Outer' }
const refused: { desc: string; bytes: string; refusal: Record<string, unknown> }[] = [
  { desc: 'nothing', bytes: '', refusal: { kind: 'missing', field: 'Outer.inner' } },
  { desc: 'a nested field missing', bytes: '1200', refusal: { kind: 'missing', field: 'Outer.inner.id' } },
  { desc: 'reordered fields', bytes: '12030a0111 0807', refusal: nonCanonical },
  { desc: 'reordered nested fields', bytes: '1206 1a0161 0a0111', refusal: nonCanonical },
  { desc: 'a field twice, the same', bytes: '0807 0807 12030a0111', refusal: nonCanonical },
  { desc: 'a field twice, the last one wins nothing', bytes: '0801 0807 12030a0111', refusal: nonCanonical },
  { desc: 'a nested message twice', bytes: '12030a0111 12030a0111', refusal: nonCanonical },
  { desc: 'a default spelled out', bytes: '0800 12030a0111', refusal: nonCanonical },
  { desc: 'a nested default spelled out', bytes: '1205 0a0111 1a00', refusal: nonCanonical },
  { desc: 'a padded tag', bytes: '888000 07 12030a0111', refusal: nonCanonical },
  { desc: 'a padded length', bytes: '128300 0a0111', refusal: nonCanonical },
  {
    desc: 'a list interrupted by another field',
    bytes: '12030a0111 22030a0111 7801 22030a0111',
    refusal: nonCanonical,
  },
  { desc: 'an unknown field', bytes: '1801', refusal: { kind: 'unknownField', field: 'Outer', number: 3 } },
  { desc: 'field number zero', bytes: '0001', refusal: { kind: 'unknownField', field: 'Outer', number: 0 } },
  {
    desc: 'a field number beyond all fields',
    bytes: '8080808010',
    refusal: { kind: 'unknownField', field: 'Outer', number: 2 ** 29 },
  },
  {
    desc: 'the largest tag that is a number',
    bytes: 'ffffffffffffff0f',
    refusal: { kind: 'unknownField', field: 'Outer', number: 2 ** 50 - 1 },
  },
  {
    desc: 'a tag beyond 2^53',
    bytes: 'ffffffffffffffffff01',
    refusal: {
      kind: 'outOfRange',
      field: 'Outer',
      min: '0',
      max: '9007199254740991',
      actual: 'a varint over 53 bits',
    },
  },
  {
    desc: 'an unknown nested field',
    bytes: '1202 1001',
    refusal: { kind: 'unknownField', field: 'Outer.inner', number: 2 },
  },
  ...[1, 2, 3, 4, 5, 6, 7].map((wireType) => ({
    desc: `wire type ${wireType} where 0 is meant`,
    bytes: `0${(8 + wireType).toString(16)}00`,
    refusal: { kind: 'wrongWireType', field: 'Outer.count', expected: 0, actual: wireType },
  })),
  {
    desc: 'a nested value longer than the message',
    bytes: '12040a0111',
    refusal: { kind: 'truncated', field: 'Outer.inner' },
  },
  {
    desc: 'a value in a nested message that reaches beyond it, though bytes follow',
    bytes: '1202 0a01 11',
    refusal: { kind: 'truncated', field: 'Outer.inner.id' },
  },
  {
    desc: 'a tag in a nested message that reaches beyond it',
    bytes: '1201 80 01',
    refusal: { kind: 'truncated', field: 'Outer.inner' },
  },
  {
    desc: 'a nested length near 2^53',
    bytes: '12feffffffffffff0f',
    refusal: { kind: 'truncated', field: 'Outer.inner' },
  },
  { desc: 'a tag cut', bytes: '80', refusal: { kind: 'truncated', field: 'Outer' } },
  {
    desc: 'a zero byte too many, which is the tag of field zero',
    bytes: '12030a0111 00',
    refusal: { kind: 'unknownField', field: 'Outer', number: 0 },
  },
  {
    desc: 'too many of a list',
    bytes: '22030a0111'.repeat(3),
    refusal: { kind: 'tooLong', field: 'Outer.more', limit: 2, actual: 3 },
  },
  {
    desc: 'a broken rule, in a list',
    bytes: `220e 0a0111 1a09${Buffer.from('forbidden').toString('hex')}`,
    refusal: { kind: 'inconsistent', field: 'Outer.more.note', rule: 'the note is allowed' },
  },
]

describe('refuses', () => {
  for (const { desc, bytes, refusal } of refused) {
    test(desc, () => {
      expect(outer.decode(bytesOf(bytes))).toEqual({ ok: false, refusal } as never)
    })
  }
})

test('the path is right again after a nested message', () => {
  expect(outer.decode(bytesOf('12030a0111 7a00'))).toEqual({
    ok: false,
    refusal: { kind: 'wrongWireType', field: 'Outer.last', expected: 0, actual: 2 },
  })
})

test('a value that breaks a rule cannot be written, alone or nested', () => {
  const broken = { id: '11', note: 'forbidden' }
  expect(() => inner.encode(broken)).toThrow('Inner.note: the note is allowed')
  const value = { count: 0, inner: broken, more: [], maybe: undefined, last: false }
  expect(() => outer.encode(value)).toThrow('Inner.note')
})

test('an encoding that threw leaves nothing behind in the next one', () => {
  expect(() => inner.encode({ id: 'zz', note: '' })).toThrow()
  expect(encodeHex(inner.encode({ id: '11', note: '' }))).toBe('0a0111')
})

test('a definition with bad numbers is refused', () => {
  const codec = whole(0, 9)
  expect(() => message('M', { a: field(2, codec), b: field(1, codec) })).toThrow('ascend')
  expect(() => message('M', { a: field(1, codec), b: field(1, codec) })).toThrow('ascend')
  expect(() => message('M', { a: field(0, codec) })).toThrow('ascend')
  expect(() => message('M', { a: field(1.5, codec) })).toThrow('whole')
  expect(() => message('M', { a: field(2048, codec) })).toThrow('at most 2047')
  const many = Object.fromEntries(
    Array.from({ length: 32 }, (_, index) => [`f${index}`, field(index + 1, codec)]),
  )
  expect(() => message('M', many)).toThrow('at most 31')
})

test('a message of 31 fields keeps them apart', () => {
  const wide = message(
    'Wide',
    Object.fromEntries(
      Array.from({ length: 31 }, (_, index) => [`f${index}`, field(index + 1, whole(1, 99))]),
    ),
  )
  const value = Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`f${index}`, index + 1]))
  expect(wide.decode(wide.encode(value))).toEqual({ ok: true, value })
  const short = wide.encode(value).subarray(0, -3)
  expect(wide.decode(short)).toEqual({ ok: false, refusal: { kind: 'missing', field: 'Wide.f30' } })
})

describe('every message', () => {
  for (const { message: definition, values } of cases) {
    test(`${definition.name} reads back as it was written`, () => {
      fc.assert(
        fc.property(values, (value) => {
          const bytes = definition.encode(value)
          expect(definition.decode(bytes)).toEqual({ ok: true, value })
        }),
        { numRuns: 60 },
      )
    })

    test(`${definition.name} has one accepted encoding, and is refused when cut anywhere`, () => {
      fc.assert(
        fc.property(values, fc.nat(), fc.nat(255), (value, at, byte) => {
          const bytes = definition.encode(value)
          const mutated = bytes.slice()
          mutated[at % Math.max(1, bytes.length)] = byte
          for (const candidate of [
            mutated,
            new Uint8Array([...bytes, byte]),
            bytes.subarray(0, at % (bytes.length + 1)),
          ]) {
            const decoded = definition.decode(candidate)
            if (decoded.ok) expect(definition.encode(decoded.value)).toEqual(candidate.slice())
            else expect(decoded.refusal.field).toStartWith(definition.name)
          }
        }),
        { numRuns: 60 },
      )
    })
  }
})
