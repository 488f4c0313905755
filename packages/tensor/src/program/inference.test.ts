import { describe, expect, test } from 'bun:test'
import { type Digest, describeRefusal } from '@shardy/protocol'
import { valuesMax } from '../operation.ts'
import type { Node } from '../operations/index.ts'
import { evaluate } from './evaluate.ts'
import { entryOutside, inferProgram, nodePath, tryInferProgram } from './inference.ts'
import { type Program, tensorType } from './program.ts'

const blank: Program = {
  inputs: [tensorType('i8', [4])],
  constants: [],
  nodes: [{ op: 'relu', x: 0 }],
  outputs: [1],
}
const digest = 'ab'.repeat(32) as Digest
const huge = 2 ** 31 - 1

function says(part: Partial<Program>): string {
  const inference = tryInferProgram({ ...blank, ...part })
  return inference.ok ? 'accepted' : describeRefusal(inference.refusal)
}

/** The same operation again and again, each on the last value. */
function chain(count: number, node: (last: number) => Node): Partial<Program> {
  const nodes = Array.from({ length: count }, (_, index) => node(index))
  return { nodes, outputs: [count] }
}

test('knows every value before anything runs', () => {
  const program: Program = {
    inputs: [tensorType('i8', [2, 3])],
    constants: [{ type: tensorType('i8', [3, 4], { min: -1, max: 1 }), data: new Uint8Array(12) }],
    nodes: [
      { op: 'matmul', a: 0, b: 1, transposeB: false },
      { op: 'requantize', x: 2, multiplier: 1, shift: 2, zeroPoint: 0, to: 'i8' },
    ],
    outputs: [3],
  }
  expect(inferProgram(program)).toMatchObject({
    values: [
      { dtype: 'i8', shape: [2, 3], min: -128, max: 127 },
      { dtype: 'i8', shape: [3, 4], min: -1, max: 1, known: new Int8Array(12) },
      { dtype: 'i32', shape: [2, 4], min: -384, max: 384 },
      { dtype: 'i8', shape: [2, 4], min: -96, max: 96 },
    ],
    work: 2 * 4 * 3 + 2 * 4,
  })
  expect(tryInferProgram(program)).toEqual({ ok: true, ...inferProgram(program) })
})

test('asking for values of a refused program is a bug of the caller', () => {
  expect(() => inferProgram({ ...blank, outputs: [] })).toThrow('has 0 outputs')
})

describe('hostile graphs', () => {
  const cases: { desc: string; part: Partial<Program>; says: string }[] = [
    {
      desc: 'a node that takes itself',
      part: { nodes: [{ op: 'relu', x: 1 }] },
      says: 'program.nodes[0].relu: takes the value 1, but only the 1 before it exist',
    },
    {
      desc: 'two nodes in a circle',
      part: {
        nodes: [
          { op: 'add', x: 0, y: 2 },
          { op: 'add', x: 0, y: 1 },
        ],
      },
      says: 'program.nodes[0].add: takes the value 2, but only the 1 before it exist',
    },
    {
      desc: 'a list of operands that reaches ahead',
      part: { nodes: [{ op: 'concat', xs: [0, 0, 9], axis: 0 }] },
      says: 'program.nodes[0].concat: takes the value 9, but only the 1 before it exist',
    },
    {
      desc: 'an operand that is no index',
      part: { nodes: [{ op: 'relu', x: -1 }] },
      says: 'program.nodes[0].relu: takes the value -1, but only the 1 before it exist',
    },
    {
      desc: 'no node',
      part: { nodes: [], outputs: [0] },
      says: 'program.outputs[0]: 0 is not the value of a node',
    },
    {
      desc: 'no output',
      part: { outputs: [] },
      says: 'program.outputs: has 0 outputs, allowed is 1 to 64',
    },
    {
      desc: 'an output twice',
      part: {
        nodes: [
          { op: 'relu', x: 0 },
          { op: 'relu', x: 1 },
        ],
        outputs: [2, 1, 2],
      },
      says: 'program.outputs[2]: 2 is already program.outputs[0]',
    },
    {
      desc: 'more values than a program has',
      part: { inputs: Array(valuesMax).fill(tensorType('i8', [1])) },
      says: 'program: has 16385 values, the limit is 16384',
    },
  ]
  for (const { desc, part, says: sentence } of cases) test(desc, () => expect(says(part)).toBe(sentence))
})

describe('absurd sizes are refused from their figures alone', () => {
  const cases: { desc: string; part: Partial<Program>; says: string | RegExp }[] = [
    {
      desc: 'an input of 2^186 entries',
      part: { inputs: [tensorType('i32', Array(6).fill(huge))] },
      says: /^program\.inputs\[0\]: i32\[2147483647,.*\] has 3\.9\d*e\+56 bytes, the limit is 268435456$/,
    },
    {
      desc: 'sizes that are no numbers',
      part: { inputs: [tensorType('i8', [Number.NaN])] },
      says: 'program.inputs[0]: has the size NaN, expected whole numbers from 1 on',
    },
    {
      desc: 'no end of entries',
      part: { inputs: [tensorType('i8', [Number.POSITIVE_INFINITY])] },
      says: 'program.inputs[0]: has the size Infinity, expected whole numbers from 1 on',
    },
    {
      desc: 'half an entry',
      part: { inputs: [tensorType('i8', [0.5, 2])] },
      says: 'program.inputs[0]: has the size 0.5, expected whole numbers from 1 on',
    },
    {
      desc: 'a negative size',
      part: { inputs: [tensorType('i8', [-1, -1])] },
      says: 'program.inputs[0]: has the size -1, expected whole numbers from 1 on',
    },
    {
      desc: 'rank 0',
      part: { inputs: [tensorType('i8', [])] },
      says: 'program.inputs[0]: has 0 dimensions, allowed is 1 to 6',
    },
    {
      desc: 'rank 7',
      part: { inputs: [tensorType('i8', [1, 1, 1, 1, 1, 1, 1])] },
      says: 'program.inputs[0]: has 7 dimensions, allowed is 1 to 6',
    },
    {
      desc: 'inputs that together are too large',
      part: { inputs: [tensorType('i8', [2 ** 26]), tensorType('i8', [1])], outputs: [2] },
      says: 'program.inputs: the input is 67108865 bytes, the limit is 67108864',
    },
    {
      desc: 'a constant of 2 GB by its digest',
      part: { constants: [{ type: tensorType('i8', [2 ** 31 - 1]), digest }] },
      says: 'program.constants[0]: i8[2147483647] has 2147483647 bytes, the limit is 67108864',
    },
    {
      desc: 'a constant of 2 GB with one byte',
      part: { constants: [{ type: tensorType('i8', [2 ** 31 - 1]), data: new Uint8Array(1) }] },
      says: 'program.constants[0]: i8[2147483647] has 2147483647 bytes, the limit is 67108864',
    },
    {
      desc: 'a constant of 64 MiB with one byte',
      part: { constants: [{ type: tensorType('i8', [2 ** 26]), data: new Uint8Array(1) }] },
      says: 'program.constants[0]: i8[67108864] has 67108864 bytes, the data has 1',
    },
    {
      desc: 'a result that grows out of small operands',
      part: {
        inputs: [tensorType('i8', [2 ** 20, 1]), tensorType('i8', [1, 2 ** 20])],
        nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
        outputs: [2],
      },
      says: 'program.nodes[0].matmul: the result i32[1048576,1048576] has 4398046511104 bytes, the limit is 268435456',
    },
    {
      desc: 'a thousandfold concat of concats',
      part: chain(6, (last) => ({ op: 'concat', xs: Array(64).fill(last), axis: 0 })),
      says: 'program.nodes[4].concat: the result i8[4294967296] has 4294967296 bytes, the limit is 268435456',
    },
    {
      desc: 'many large values together',
      part: {
        inputs: [tensorType('i8', [2 ** 26])],
        nodes: Array.from({ length: 20 }, (): Node => ({ op: 'concat', xs: [0, 0, 0, 0], axis: 0 })),
        outputs: [1],
      },
      says: 'program.nodes[7].concat: values up to here have 2214592512 bytes, the limit is 2147483648',
    },
    {
      desc: 'an output too large to be sent',
      part: {
        inputs: [tensorType('i8', [2 ** 26])],
        nodes: [{ op: 'convert', x: 0, to: 'i32' }],
      },
      says: 'program.outputs: the output is 268435456 bytes, the limit is 67108864',
    },
    {
      desc: 'endless work on one entry',
      part: {
        inputs: [tensorType('i8', [1, 1, 1, 1])],
        nodes: [
          {
            op: 'maxPool',
            x: 0,
            windowH: 65_535,
            windowW: 65_535,
            strideH: 1,
            strideW: 1,
            padTop: 33_267,
            padBottom: 33_267,
            padLeft: 33_267,
            padRight: 33_267,
          },
        ],
      },
      says: 'program.nodes[0].maxPool: the work up to here is 4303430192286225, the limit is 70368744177664',
    },
  ]
  for (const { desc, part, says: sentence } of cases) {
    test(desc, () => {
      if (typeof sentence === 'string') expect(says(part)).toBe(sentence)
      else expect(says(part)).toMatch(sentence)
    })
  }
})

describe('overflow is refused at the node where it could happen', () => {
  test('by doubling', () => {
    expect(says(chain(24, (last) => ({ op: 'add', x: last, y: last })))).toBe('accepted')
    expect(says(chain(40, (last) => ({ op: 'add', x: last, y: last })))).toBe(
      'program.nodes[24].add: entries could be -4294967296 to 4261412864, which overflows i32',
    )
  })

  test('by squaring', () => {
    expect(says(chain(40, (last) => ({ op: 'multiply', x: last, y: last })))).toBe(
      'program.nodes[2].multiply: entries could be -71494644084506620 to 72057594037927940, which overflows i32',
    )
  })

  test('not where a clamp holds it back', () => {
    const nodes = Array.from({ length: 200 }, (_, index): Node => {
      return index % 2 === 0
        ? { op: 'add', x: index, y: index }
        : { op: 'clamp', x: index, min: -1_000, max: 1_000 }
    })
    expect(says({ nodes, outputs: [200] })).toBe('accepted')
  })
})

test('thousands of nodes are inferred and run', () => {
  const program = { ...blank, ...chain(5_000, (last) => ({ op: 'relu', x: last })) }
  expect(says(program)).toBe('accepted')
  expect(Array.from(evaluate(program, Uint8Array.of(0x80, 0xff, 0, 0x7f)))).toEqual([0, 0, 0, 127])
})

describe('declared ranges', () => {
  const refused = [
    { min: 3, max: 2 },
    { min: -129, max: 0 },
    { min: 0, max: 128 },
    { min: Number.NaN, max: 1 },
    { min: 0, max: Number.NaN },
    { min: 0.5, max: 1 },
    { min: Number.NEGATIVE_INFINITY, max: 1 },
  ]
  for (const { min, max } of refused) {
    test(`${min} to ${max} is none of i8`, () => {
      expect(says({ inputs: [tensorType('i8', [4], { min, max })] })).toBe(
        `program.inputs[0]: the range ${min} to ${max} is none of i8, which holds -128 to 127`,
      )
    })
  }

  test('bind the constants that the program carries', () => {
    const type = tensorType('i32', [2], { min: -1, max: 5 })
    const constants = [{ type, data: new Uint8Array(Int32Array.of(5, 6).buffer) }]
    expect(says({ constants, outputs: [2] })).toBe('program.constants[0]: entry 1 is outside -1 to 5')
  })

  test('the first entry outside is found, in every kind', () => {
    expect(entryOutside(tensorType('i8', [3]), Uint8Array.of(0x80, 0, 0x7f))).toBeUndefined()
    expect(entryOutside(tensorType('i8', [3], { min: -1, max: 9 }), Uint8Array.of(0xff, 10, 0x80))).toBe(1)
    expect(entryOutside(tensorType('u8', [3], { min: 0, max: 254 }), Uint8Array.of(0, 254, 255))).toBe(2)
    const words = new Uint8Array(Uint32Array.of(2 ** 31, 2 ** 32 - 1).buffer)
    expect(entryOutside(tensorType('u32', [2], { min: 1, max: 2 ** 32 - 2 }), words)).toBe(1)
    expect(entryOutside(tensorType('i32', [2], { min: -1, max: 0 }), words)).toBe(0)
  })
})

test('a node goes by its index and operation', () => {
  expect(nodePath(7, { op: 'ema' })).toBe('program.nodes[7].ema')
})
