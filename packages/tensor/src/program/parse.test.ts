import { describe, expect, test } from 'bun:test'
import { describeRefusal, encodeHex } from '@shardy/protocol'
import fc from 'fast-check'
import { drawProgram } from '../../test/drawProgram.ts'
import { toJson } from '../../test/programJson.ts'
import { sha256 } from '../../test/sha256.ts'
import { encodeProgram } from './encoding.ts'
import { parseProgram } from './parse.ts'

const i8 = { dtype: 'i8', shape: [2, 3] }
const valid = { inputs: [i8, i8], nodes: [{ op: 'add', x: 0, y: 1 }], outputs: [2] }

function says(value: unknown): string {
  const parsed = parseProgram(value)
  return parsed.ok ? 'accepted' : describeRefusal(parsed.refusal)
}

const node = (given: object) => ({ ...valid, nodes: [given] })
const input = (given: object) => ({ ...valid, inputs: [i8, given] })
const constant = (given: object) => ({ ...valid, constants: [given], outputs: [3] })

describe('reads', () => {
  test('a type without a range as anything that its kind holds', () => {
    const parsed = parseProgram(valid)
    expect(parsed).toMatchObject({ ok: true, value: { inputs: [{ min: -128, max: 127 }, { min: -128 }] } })
  })

  test('attributes that are left out as zero, false or none', () => {
    const requantize = { op: 'requantize', x: 2, multiplier: 3, to: 'u8' }
    const parsed = parseProgram({ ...valid, nodes: [...valid.nodes, requantize], outputs: [3] })
    if (!parsed.ok) throw new Error(describeRefusal(parsed.refusal))
    expect(parsed.value.nodes[1]).toEqual({ ...requantize, shift: 0, zeroPoint: 0 } as never)
    const product = {
      inputs: [i8, { ...i8, shape: [3, 1] }],
      nodes: [{ op: 'matmul', a: 0, b: 1 }],
      outputs: [2],
    }
    expect(parseProgram(product)).toMatchObject({ ok: true, value: { nodes: [{ transposeB: false }] } })
  })

  test('the short form of a product', () => {
    expect(parseProgram({ op: 'matmul', m: 3, k: 5, n: 7 })).toMatchObject({
      ok: true,
      value: { inputs: [{ shape: [3, 5] }, { shape: [5, 7] }], nodes: [{ op: 'matmul' }], outputs: [2] },
    })
  })

  test('any program from its JSON', () => {
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        const draw = (min: number, max: number) => gen(fc.integer, { min, max })
        const { program } = drawProgram(draw, { sha256, nodes: 6 })
        const parsed = parseProgram(toJson(program))
        if (!parsed.ok) throw new Error(describeRefusal(parsed.refusal))
        expect(encodeHex(encodeProgram(parsed.value))).toBe(encodeHex(encodeProgram(program)))
      }),
      { numRuns: 200 },
    )
  })
})

const hostile = { toString: 1, valueOf: 1 }
const refused: { desc: string; value: unknown; says: string }[] = [
  { desc: 'nothing', value: undefined, says: 'program: is undefined, expected an object' },
  { desc: 'null', value: null, says: 'program: is null, expected an object' },
  { desc: 'text', value: 'matmul', says: "program: is 'matmul', expected an object" },
  { desc: 'a list', value: [], says: 'program: is a list, expected an object' },
  { desc: 'no outputs', value: { nodes: [] }, says: 'program.outputs is missing' },
  {
    desc: 'outputs that are no list',
    value: { ...valid, outputs: 2 },
    says: 'program.outputs: is 2, expected a list',
  },
  {
    desc: 'no output',
    value: { ...valid, outputs: [] },
    says: 'program.outputs: has 0 outputs, allowed is 1 to 64',
  },
  {
    desc: 'too many outputs',
    value: { ...valid, outputs: Array(65).fill(2) },
    says: 'program.outputs: has 65 entries, the limit is 64',
  },
  {
    desc: 'an output twice',
    value: { ...valid, outputs: [2, 2] },
    says: 'program.outputs[1]: 2 is already program.outputs[0]',
  },
  {
    desc: 'an input as output',
    value: { ...valid, outputs: [1] },
    says: 'program.outputs[0]: 1 is not the value of a node',
  },
  {
    desc: 'an output that does not exist',
    value: { ...valid, outputs: [3] },
    says: 'program.outputs[0]: 3 is not the value of a node',
  },
  {
    desc: 'an output that is no number',
    value: { ...valid, outputs: ['2'] },
    says: 'program.outputs: value 2 is not a whole number from 0 to 16383',
  },
  {
    desc: 'inputs as null',
    value: { ...valid, inputs: null },
    says: 'program.inputs: is null, expected a list',
  },
  { desc: 'an unknown field', value: { ...valid, seed: 1 }, says: "program: has the unknown field 'seed'" },
  {
    desc: 'thousands of nodes too many',
    value: { ...valid, nodes: Array(20_000).fill(valid.nodes[0]) },
    says: 'program.nodes: has 20000 entries, the limit is 16384',
  },
  {
    desc: 'an input that is none',
    value: input([]),
    says: 'program.inputs[1]: is a list, expected an object',
  },
  {
    desc: 'an unknown kind',
    value: input({ dtype: 'f32', shape: [1] }),
    says: "program.inputs[1].dtype: is 'f32', expected i8, u8, i32 or u32",
  },
  {
    desc: 'a kind that every object has',
    value: input({ dtype: 'constructor', shape: [1] }),
    says: "program.inputs[1].dtype: is 'constructor', expected i8, u8, i32 or u32",
  },
  {
    desc: 'a kind with a toString of its own',
    value: input({ dtype: hostile, shape: [1] }),
    says: 'program.inputs[1].dtype: is object, expected i8, u8, i32 or u32',
  },
  { desc: 'no shape', value: input({ dtype: 'i8' }), says: 'program.inputs[1].shape is missing' },
  {
    desc: 'rank 0',
    value: input({ dtype: 'i8', shape: [] }),
    says: 'program.inputs[1]: has 0 dimensions, allowed is 1 to 6',
  },
  {
    desc: 'rank 7',
    value: input({ dtype: 'i8', shape: [1, 1, 1, 1, 1, 1, 1] }),
    says: 'program.inputs[1].shape: has 7 entries, the limit is 6',
  },
  {
    desc: 'a size of zero',
    value: input({ dtype: 'i8', shape: [0] }),
    says: 'program.inputs[1]: value 0 is not a whole number from 1 to 2147483647',
  },
  {
    desc: 'a size of infinity',
    value: input({ dtype: 'i8', shape: [Number.POSITIVE_INFINITY] }),
    says: 'program.inputs[1]: value Infinity is not a whole number from 1 to 2147483647',
  },
  {
    desc: 'a size that is text',
    value: input({ dtype: 'i8', shape: ['3'] }),
    says: 'program.inputs[1]: value 3 is not a whole number from 1 to 2147483647',
  },
  {
    desc: 'half of a range that is null',
    value: input({ ...i8, min: null }),
    says: 'program.inputs[1]: value null is not a whole number from -2147483648 to 4294967295',
  },
  {
    desc: 'a range beyond the kind',
    value: input({ ...i8, max: 128 }),
    says: 'program.inputs[1]: the range -128 to 128 is none of i8, which holds -128 to 127',
  },
  {
    desc: 'an empty range',
    value: input({ ...i8, min: 4, max: 3 }),
    says: 'program.inputs[1]: the range 4 to 3 is none of i8, which holds -128 to 127',
  },
  {
    desc: 'a misspelt field of a type',
    value: input({ ...i8, minimum: 0 }),
    says: "program.inputs[1]: has the unknown field 'minimum'",
  },
  {
    desc: 'a constant without data',
    value: constant({ type: i8 }),
    says: 'program.constants[0]: i8[2,3] has 6 bytes, the data has 0',
  },
  {
    desc: 'a constant’s data that is no hex',
    value: constant({ type: i8, data: '0g' }),
    says: "program.constants[0].data: is '0g', expected hex",
  },
  {
    desc: 'a constant’s data that is a list',
    value: constant({ type: i8, data: [1, 2, 3, 4, 5, 6] }),
    says: 'program.constants[0].data: is a list, expected hex',
  },
  {
    desc: 'a constant cut short',
    value: constant({ type: i8, data: '0102030405' }),
    says: 'program.constants[0]: i8[2,3] has 6 bytes, the data has 5',
  },
  {
    desc: 'a constant with both',
    value: constant({ type: i8, data: '010203040506', digest: 'ab'.repeat(32) }),
    says: 'program.constants[0]: has data or a digest, one of them',
  },
  {
    desc: 'a digest that is none',
    value: constant({ type: i8, digest: 'ABCD' }),
    says: 'program.constants[0]: not 32 bytes of lower-case hex: ABCD',
  },
  {
    desc: 'a constant out of its range',
    value: constant({ type: { ...i8, max: 4 }, data: '010203040506' }),
    says: 'program.constants[0]: entry 4 is outside -128 to 4',
  },
  {
    desc: 'a node that is none',
    value: node(5 as never),
    says: 'program.nodes[0]: is 5, expected an object',
  },
  {
    desc: 'no operation',
    value: node({ x: 0 }),
    says: 'program.nodes[0].op: is undefined, which is no operation',
  },
  {
    desc: 'an operation that every object has',
    value: node({ op: 'toString' }),
    says: "program.nodes[0].op: is 'toString', which is no operation",
  },
  {
    desc: 'an operand left out',
    value: node({ op: 'add', y: 1 }),
    says: 'program.nodes[0].add.x is missing',
  },
  {
    desc: 'a list of operands left out',
    value: node({ op: 'concat' }),
    says: 'program.nodes[0].concat.xs is missing',
  },
  {
    desc: 'an attribute left out that has no default',
    value: node({ op: 'convert', x: 0 }),
    says: 'program.nodes[0].convert.to is missing',
  },
  {
    desc: 'an attribute that the operation lacks',
    value: node({ op: 'add', x: 0, y: 1, axis: 1 }),
    says: 'program.nodes[0].axis: is not a field or value that this operation has',
  },
  {
    desc: 'an attribute that every object has',
    value: JSON.parse('{"inputs":[],"nodes":[{"op":"relu","x":0,"__proto__":{}}],"outputs":[0]}'),
    says: 'program.nodes[0].relu: takes the value 0, but only the 0 before it exist',
  },
  {
    desc: 'a flag that is text',
    value: node({ op: 'matmul', a: 0, b: 1, transposeB: 'no' }),
    says: 'program.nodes[0].transposeB: is not a field or value that this operation has',
  },
  {
    desc: 'zero groups',
    value: node({ op: 'conv2d', x: 0, w: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, groups: 0 }),
    says: 'program.nodes[0].conv2d: value 0 is not a whole number from 1 to 2147483647',
  },
  {
    desc: 'a product without k',
    value: { op: 'matmul', m: 1, n: 1 },
    says: 'program.k: is undefined, expected a whole number from 1 on',
  },
  { desc: 'another short form', value: { op: 'add' }, says: "program.op: is 'add', expected 'matmul'" },
]
describe('refuses', () => {
  for (const { desc, value, says: sentence } of refused) test(desc, () => expect(says(value)).toBe(sentence))
})

test('a field that every object has is still unknown', () => {
  const nodes = JSON.parse('[{"op":"add","x":0,"y":1,"__proto__":{}}]')
  expect(says({ ...valid, nodes })).toBe(
    'program.nodes[0].__proto__: is not a field or value that this operation has',
  )
})

describe('anything at all is answered with a value', () => {
  const anything = fc.anything({
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
    withBigInt: true,
    withDate: true,
    withMap: true,
  })
  const odd = fc.oneof(anything, fc.constantFrom(hostile, -0, Number.NaN, 2 ** 53, '', [], {}, Symbol('x')))

  test('in the place of a program', () => {
    fc.assert(fc.property(odd, (value) => void parseProgram(value)))
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseProgram(value)))
  })

  test('in the place of any part', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.gen(), odd, fc.nat(), (gen, value, at) => {
        const draw = (min: number, max: number) => gen(fc.integer, { min, max })
        const { program } = drawProgram(draw, { sha256, nodes: 3 })
        const json = toJson(program)
        const places = placesIn(json)
        places[at % places.length]?.(value)
        const parsed = parseProgram(json)
        if (!parsed.ok) return expect(describeRefusal(parsed.refusal)).toBeString()
        accepted++
        encodeProgram(parsed.value)
      }),
      { numRuns: 2_000 },
    )
    expect(accepted).toBeLessThan(1_000)
  })
})

/** Setters of every value inside, however deep. */
function placesIn(json: unknown): ((value: unknown) => void)[] {
  if (typeof json !== 'object' || json === null) return []
  const parent = json as Record<string, unknown>
  return Object.keys(parent).flatMap((name) => [
    (value: unknown) => {
      parent[name] = value
    },
    ...placesIn(parent[name]),
  ])
}
