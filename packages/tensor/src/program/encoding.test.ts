import { describe, expect, test } from 'bun:test'
import { type Digest, describeRefusal, encodeHex, programBytesMax } from '@shardy/protocol'
import fc from 'fast-check'
import { drawProgram } from '../../test/drawProgram.ts'
import { sha256 } from '../../test/sha256.ts'
import { decodeProgram, encodeProgram, programId, writeProgram } from './encoding.ts'
import { type Program, tensorType } from './program.ts'

const bytesOf = (hex: string) => Uint8Array.fromHex(hex)

const relu: Program = {
  inputs: [tensorType('i8', [3])],
  constants: [],
  nodes: [{ op: 'relu', x: 0 }],
  outputs: [1],
}
/** version 1; an input of kind 1, size 3, -128 to 127; a node with field 9, relu, of value 0; output 1. */
const reluHex = '0801120a0801100318ff0120fe0122024a002801'

function says(bytes: Uint8Array): string {
  const decoded = decodeProgram(bytes)
  return decoded.ok ? 'accepted' : describeRefusal(decoded.refusal)
}

describe('canonical bytes', () => {
  test('are the message that the specification shows', () => {
    expect(encodeHex(encodeProgram(relu))).toBe(reluHex)
    expect(decodeProgram(bytesOf(reluHex))).toEqual({ ok: true, value: relu })
  })

  test('hold constants as bytes or by digest', () => {
    const digest = 'ab'.repeat(32) as Digest
    const program: Program = {
      inputs: [tensorType('u8', [1, 2])],
      constants: [
        { type: tensorType('u8', [1], { min: 7, max: 7 }), data: Uint8Array.of(7) },
        { type: tensorType('i32', [2, 2], { min: -1, max: 0 }), digest },
      ],
      nodes: [{ op: 'multiply', x: 0, y: 1 }],
      outputs: [3],
    }
    const parts = [
      '0801',
      '1209 0802 1001 1002 20fe03',
      '1a0d 0a08 0802 1001 180e 200e 120107',
      `1a2c 0a08 0803 1002 1002 1801 1a20 ${digest}`,
      '2204 4202 1001',
      '2803',
    ]
    expect(encodeHex(encodeProgram(program))).toBe(parts.join('').replaceAll(' ', ''))
  })

  test('come back as the program they were, and are no one else’s', () => {
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        const draw = (min: number, max: number) => gen(fc.integer, { min, max })
        const { program } = drawProgram(draw, { sha256, nodes: 8 })
        const bytes = encodeProgram(program)
        const decoded = decodeProgram(bytes)
        if (!decoded.ok) throw new Error(describeRefusal(decoded.refusal))
        expect(encodeHex(encodeProgram(decoded.value))).toBe(encodeHex(bytes))
        expect(JSON.stringify(decoded.value.nodes.map(sorted))).toBe(
          JSON.stringify(program.nodes.map(sorted)),
        )
        expect(decoded.value.outputs).toEqual(program.outputs)
        expect(decoded.value.inputs).toEqual(program.inputs)
      }),
      { numRuns: 300 },
    )
  })
})

const sorted = (node: object) => Object.entries(node).sort(([one], [other]) => (one < other ? -1 : 1))

const refused = [
  { desc: 'no bytes', hex: '', says: 'Program.version is missing' },
  {
    desc: 'another version',
    hex: reluHex.replace('0801', '0802'),
    says: 'Program.version is 2, allowed is 1 to 1',
  },
  {
    desc: 'no outputs',
    hex: reluHex.slice(0, -4),
    says: 'program.outputs: has 0 outputs, allowed is 1 to 64',
  },
  { desc: 'no operation', hex: '080122002801', says: 'Program.nodes.op: a node has one operation' },
  {
    desc: 'two operations in a node',
    hex: '080122044a0052002801',
    says: 'Program.nodes.op: a node has one operation',
  },
  {
    desc: 'an operation from the future',
    hex: '08012203da01002801',
    says: 'Program.nodes has the unknown field number 27',
  },
  { desc: 'operation 0', hex: '0801220202002801', says: 'Program.nodes has the unknown field number 0' },
  {
    desc: 'an attribute that the operation lacks',
    hex: '080122044a0240012801',
    says: 'Program.nodes.relu has the unknown field number 8',
  },
  {
    desc: 'an operand beyond all values',
    hex: '080122064a04088080012801',
    says: 'Program.nodes.relu.x is 16384, allowed is 0 to 16383',
  },
  {
    desc: 'a rank of 7',
    hex: `08011210${'0801'}${'1001'.repeat(7)}`,
    says: 'Program.inputs.shape has 7, the limit is 6',
  },
  {
    desc: 'a size of 0',
    hex: '0801120408011000',
    says: 'Program.inputs.shape is 0, allowed is 1 to 2147483647',
  },
  { desc: 'no kind', hex: '080112021001', says: 'Program.inputs.dtype is missing' },
  { desc: 'an unknown kind', hex: '080112020805', says: 'Program.inputs.dtype has the unknown value 5' },
  {
    desc: 'fields out of order',
    hex: `2801${reluHex.slice(0, -4)}`,
    says: 'Program is not in its one accepted encoding',
  },
  {
    desc: 'a default spelled out',
    hex: reluHex.replace('22024a00', '22044a020800'),
    says: 'Program is not in its one accepted encoding',
  },
  {
    desc: 'a padded varint',
    hex: reluHex.replace(/2801$/, '288100'),
    says: 'Program is not in its one accepted encoding',
  },
  { desc: 'something after the end', hex: `${reluHex}00`, says: 'Program has the unknown field number 0' },
  { desc: 'bytes cut short', hex: reluHex.slice(0, -2), says: 'Program.outputs ends before its bytes do' },
]
describe('refuses', () => {
  for (const { desc, hex, says: sentence } of refused)
    test(desc, () => expect(says(bytesOf(hex))).toBe(sentence))

  test('more bytes than a program has', () => {
    expect(says(new Uint8Array(programBytesMax + 1))).toBe('program has 65537, the limit is 65536')
  })

  test('a constant with data and a digest, or with neither', () => {
    const type = tensorType('u8', [1])
    const digest = '00'.repeat(32) as Digest
    const both = { ...relu, constants: [{ type, digest, data: Uint8Array.of(1) } as never], outputs: [2] }
    expect(says(writeProgram(both))).toBe('program.constants[0]: has data or a digest, one of them')
    const neither = { ...relu, constants: [{ type, data: new Uint8Array(0) }], outputs: [2] }
    expect(says(writeProgram(neither))).toBe('program.constants[0]: u8[1] has 1 bytes, the data has 0')
  })
})

test('writing a program that inference refuses is a bug of the caller', () => {
  expect(() => encodeProgram({ ...relu, outputs: [0] })).toThrow(
    'program.outputs[0]: 0 is not the value of a node',
  )
})

test('the id is the hash of the bytes under their domain', () => {
  const payload = Buffer.concat([Buffer.from('shardy/program/v1\0'), bytesOf(reluHex)])
  expect<string>(programId(relu, sha256)).toBe(encodeHex(sha256(payload)))
})

/** What comes out of any bytes: a refusal, or a program whose bytes they are. Never an exception. */
function decodesSafely(bytes: Uint8Array): boolean {
  const decoded = decodeProgram(bytes)
  if (decoded.ok) expect(encodeHex(encodeProgram(decoded.value))).toBe(encodeHex(bytes))
  return decoded.ok
}

describe('any bytes are a refusal or a canonical program', () => {
  test('random ones', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodesSafely(bytes)
      }),
      { numRuns: 2_000 },
    )
  })

  test('those of programs, changed somewhere', () => {
    let accepted = 0
    const change = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('flip', 'cut', 'insert', 'repeat', 'add'),
      byte: fc.integer({ min: 0, max: 255 }),
    })
    fc.assert(
      fc.property(fc.gen(), fc.array(change, { minLength: 1, maxLength: 3 }), (gen, changes) => {
        const draw = (min: number, max: number) => gen(fc.integer, { min, max })
        const { program } = drawProgram(draw, { sha256, nodes: 4 })
        const bytes = Array.from(encodeProgram(program))
        for (const { at, kind, byte } of changes) {
          const place = at % bytes.length
          const old = bytes[place] ?? 0
          if (kind === 'flip') bytes[place] = old ^ (1 << (byte & 7))
          if (kind === 'add') bytes[place] = (old + byte) & 0xff
          if (kind === 'cut') bytes.splice(place, 1 + (byte & 3))
          if (kind === 'insert') bytes.splice(place, 0, byte)
          if (kind === 'repeat') bytes.splice(place, 0, ...bytes.slice(place, place + (byte & 15)))
        }
        if (decodesSafely(Uint8Array.from(bytes))) accepted++
      }),
      { numRuns: 3_000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })
})
