import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { decodeHex, describeRefusal, encodeHex } from '@shardy/protocol'
import fc from 'fast-check'
import { decodeProgram, encodeProgram, programId } from './encoding.ts'
import { kMax, type Program, parseProgram } from './program.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

function bytesOf(hex: string): Uint8Array {
  const bytes = decodeHex(hex)
  if (bytes === undefined) throw new Error(`not hex: ${hex}`)
  return bytes
}

const shapes = fc
  .tuple(
    fc.integer({ min: 1, max: 2000 }),
    fc.integer({ min: 1, max: kMax }),
    fc.integer({ min: 1, max: 2000 }),
  )
  .map(([m, k, n]) => parseProgram({ op: 'matmul', m, k, n }))
  .filter((parsed) => parsed.ok)
  .map((parsed) => parsed.value)

describe('canonical bytes', () => {
  test('T9: version, then the operation with its shape', () => {
    expect(encodeHex(encodeProgram({ op: 'matmul', m: 3, k: 300, n: 7 }))).toBe('08011207080310ac021807')
  })

  test('every program comes back as it was', () => {
    fc.assert(
      fc.property(shapes, (program) => {
        expect(decodeProgram(encodeProgram(program))).toEqual({ ok: true, value: program })
      }),
    )
  })

  const refused = [
    { desc: 'no bytes', hex: '', says: 'Program.version is missing' },
    { desc: 'another version', hex: '08021206080110011801', says: 'Program.version is 2, allowed is 1 to 1' },
    { desc: 'no operation', hex: '0801', says: 'Program.matmul: a program has one operation' },
    { desc: 'an operation from the future', hex: '08011a00', says: 'Program has the unknown field number 3' },
    { desc: 'no n', hex: '0801120408011001', says: 'Program.matmul.n is missing' },
    {
      desc: 'zero spelled out',
      hex: '08011206080010011801',
      says: 'Program.matmul.m is 0, allowed is 1 to 16777216',
    },
    {
      desc: 'k one too long',
      hex: '080112080801108080041801',
      says: 'Program.matmul.k is 65536, allowed is 1 to 65535',
    },
    {
      desc: 'fields out of order',
      hex: '12060801100118010801',
      says: 'Program is not in its one accepted encoding',
    },
    {
      desc: 'a padded varint',
      hex: '0801120708810010011801',
      says: 'Program is not in its one accepted encoding',
    },
    { desc: 'bytes cut short', hex: '080112060801100118', says: 'Program.matmul ends before its bytes do' },
    {
      desc: 'too much output',
      hex: encodeHex(Uint8Array.from([8, 1, 18, 8, 8, 0x81, 0x20, 16, 1, 24, 0x80, 0x20])),
      says: 'Program.matmul.4*m*n: the output is 67125248 bytes, the limit is 67108864',
    },
  ]
  for (const { desc, hex, says } of refused) {
    test(`refuses ${desc}`, () => {
      const decoded = decodeProgram(bytesOf(hex))
      expect(decoded.ok ? 'accepted' : describeRefusal(decoded.refusal)).toBe(says)
    })
  }

  test('random and mutated bytes are refused or canonical, never an exception', () => {
    const mutated = fc.tuple(shapes, fc.nat(), fc.nat({ max: 255 })).map(([program, index, byte]) => {
      const bytes = encodeProgram(program)
      bytes[index % bytes.length] = byte
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), mutated), (bytes) => {
        const decoded = decodeProgram(bytes)
        if (decoded.ok) expect(encodeHex(encodeProgram(decoded.value))).toBe(encodeHex(bytes))
      }),
    )
  })

  test('a program outside its bounds is never encoded', () => {
    const tooLarge: Program = { op: 'matmul', m: 4097, k: 1, n: 4096 }
    expect(() => encodeProgram(tooLarge)).toThrow('program.4*m*n: the output is 67125248 bytes')
    expect(() => encodeProgram({ op: 'matmul', m: 0, k: 1, n: 1 })).toThrow('program.m is 0')
  })
})

describe('program id', () => {
  test('T10: SHA-256 behind the domain, computed here another way', () => {
    const program: Program = { op: 'matmul', m: 3, k: 300, n: 7 }
    const expected = createHash('sha256')
      .update('shardy/program/v1\0', 'latin1')
      .update(Buffer.from('08011207080310ac021807', 'hex'))
      .digest('hex')
    expect<string>(programId(program, sha256)).toBe(expected)
  })

  test('swapping two sizes is another program', () => {
    const id = programId({ op: 'matmul', m: 2, k: 3, n: 4 }, sha256)
    expect(id).not.toBe(programId({ op: 'matmul', m: 4, k: 3, n: 2 }, sha256))
    expect(id).not.toBe(programId({ op: 'matmul', m: 3, k: 2, n: 4 }, sha256))
  })
})
