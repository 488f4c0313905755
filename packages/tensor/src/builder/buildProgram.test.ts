import { describe, expect, test } from 'bun:test'
import { type Digest, encodeHex } from '@shardy/protocol'
import { sha256 } from '../../test/sha256.ts'
import { operationNames } from '../operations/index.ts'
import { decodeProgram, encodeProgram } from '../program/encoding.ts'
import { evaluate, noBlobs } from '../program/evaluate.ts'
import type { Program } from '../program/program.ts'
import { gelu, lookupTable, rotaryTables, softmaxTable } from '../tables.ts'
import { type Entries, tensorBytes } from '../tensor.ts'
import { buildProgram } from './buildProgram.ts'
import { matmulProgram } from './matmulProgram.ts'
import { ProgramError } from './programError.ts'
import { requantizeScale, requantizeScales } from './requantizeScale.ts'
import type { Term } from './term.ts'

const zeros = '00'.repeat(32) as Digest

function output(program: Program, ...inputs: readonly Entries[]): number[] {
  const input = Buffer.concat(inputs.map((data) => tensorBytes({ data })))
  return Array.from(evaluate(program, input))
}

function thrownBy(action: () => unknown): ProgramError {
  try {
    action()
  } catch (thrown) {
    if (thrown instanceof ProgramError) return thrown
    throw thrown
  }
  throw new Error('nothing was refused')
}

describe('a program', () => {
  test('is what was written, with inputs before constants before nodes', () => {
    const program = buildProgram((b) => {
      const x = b.input('i8', [2, 3])
      const sum = x.matmul(b.weights(zeros, 'i8', [3, 2])).bias(Int32Array.of(5, -7))
      return [sum.add(b.input('i8', [2], { min: 0, max: 9 })), sum]
    })
    expect(program).toEqual({
      inputs: [
        { dtype: 'i8', shape: [2, 3], min: -128, max: 127 },
        { dtype: 'i8', shape: [2], min: 0, max: 9 },
      ],
      constants: [
        { type: { dtype: 'i8', shape: [3, 2], min: -128, max: 127 }, digest: zeros },
        {
          type: { dtype: 'i32', shape: [2], min: -7, max: 5 },
          data: Uint8Array.of(5, 0, 0, 0, 249, 255, 255, 255),
        },
      ],
      nodes: [
        { op: 'matmul', a: 0, b: 2, transposeB: false },
        { op: 'bias', x: 4, b: 3 },
        { op: 'add', x: 5, y: 1 },
      ],
      outputs: [6, 5],
    })
  })

  test('the plain product is the one by hand', () => {
    const program = buildProgram((b) => b.input('i8', [2, 3]).matmul(b.input('i8', [3, 4])))
    expect(program).toEqual(matmulProgram({ m: 2, k: 3, n: 4 }))
  })

  test('computes what it says', () => {
    const program = buildProgram((b) => {
      const w = b.constant(Int8Array.of(1, 2, 3, -4), [2, 2])
      return b
        .input('i8', [1, 2])
        .matmul(w)
        .bias(Int32Array.of(100, 0))
        .requantize({ ...requantizeScale(0.5), zeroPoint: 1, to: 'i8' })
    })
    // (10 + 15 + 100, 20 - 20) / 2 + 1, halves upward
    expect(output(program, Int8Array.of(10, 5))).toEqual([64, 1])
  })

  test('every operation has its method', () => {
    const program = buildProgram((b) => {
      const image = b.input('i8', [1, 4, 4, 2])
      const w = b.constant(new Int8Array(2 * 3 * 3 * 2).fill(1), [2, 3, 3, 2])
      const same = { padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 }
      const convolved = image
        .conv2d(w, same)
        .requantizeChannels({ ...requantizeScales([0.1, 0.2]), to: 'i8' })
        .relu()
      const pooled = convolved.maxPool({ windowH: 2, windowW: 2 }).averagePool({ windowH: 2, windowW: 2 })
      const rows = image
        .reshape([8, 4])
        .transpose([1, 0])
        .slice({ starts: [0, 0], sizes: [4, 4] })
      const signed = { dtype: 'i8', scale: 1 / 16 } as const
      const turned = rows
        .lookup(lookupTable(gelu, signed, signed))
        .rotary({ ...rotaryTables({ positions: 4, columns: 4 }), interleaved: true })
      const normed = turned
        .rmsNorm(Int32Array.of(64, 64, 64, 64))
        .requantize({ multiplier: 1, shift: 1, to: 'i8' })
      const centred = turned.layerNorm(Int32Array.of(9, 9, 9, 9), { epsilon: 3, shift: 1 })
      const scores = normed
        .matmul(normed, { transposeB: true })
        .requantize({ multiplier: 1, shift: 6, to: 'i8' })
      const shares = scores
        .softmax(softmaxTable(1 / 8))
        .convert('i32')
        .multiply(turned)
        .subtract(centred)
      const words = b.constant(Int8Array.of(1, 2, 3), [3, 1]).gather(b.input('u8', [5], { min: 0, max: 2 }))
      return [
        pooled,
        shares,
        b.concat([rows, turned], 0).clamp(-9, 9).ema({ alpha: 1000, fraction: 4 }),
        rows.argmax(),
        rows.topK(2, 'values'),
        rows.topK(3, 'indices'),
        words
          .matmul(words, { transposeB: true })
          .bias(Int32Array.of(1, 2, 3, 4, 5))
          .add(words),
      ]
    })
    expect(new Set(program.nodes.map(({ op }) => op))).toEqual(new Set(operationNames))
    expect(decodeProgram(encodeProgram(program))).toEqual({ ok: true, value: program })
    expect(evaluate(program, new Uint8Array(32 + 5))).toHaveLength(2 + 64 + 32 + 16 + 8 + 48 + 100)
  })

  test('defaults: strides of the window for pooling, of one for convolution', () => {
    const program = buildProgram((b) => {
      const x = b.input('u8', [1, 6, 6, 1])
      const w = b.input('i8', [1, 2, 2, 1])
      return [x.maxPool({ windowH: 2, windowW: 3 }), x.conv2d(w)]
    })
    expect(program.nodes).toMatchObject([
      { op: 'maxPool', strideH: 2, strideW: 3, padTop: 0 },
      { op: 'conv2d', strideH: 1, strideW: 1, dilationH: 1, groups: 1, padValue: 0 },
    ])
  })
})

describe('constants', () => {
  test('equal ones travel once, others do not', () => {
    const program = buildProgram((b) => {
      const x = b.input('i32', [2], { min: 0, max: 9 })
      const other = '11'.repeat(32) as Digest
      const blobs = [zeros, zeros, other].map((digest) => b.weights(digest, 'i8', [2]))
      const shaped = [b.constant(Int32Array.of(1, 2), [2]), b.constant(Int32Array.of(1, 2), [1, 2])]
      const loose = b.constant(Int32Array.of(1, 2), [2], { min: 0, max: 9 })
      const unsigned = b.constant(Uint32Array.of(1, 2))
      const terms = [
        x.add(Int32Array.of(1, 2)),
        ...[...blobs, ...shaped, loose, unsigned].map((term) => term.argmax()),
      ]
      return terms
    })
    expect(program.constants).toHaveLength(6)
  })

  test('later changes of the entries change nothing', () => {
    const entries = Int32Array.of(1, 2)
    const program = buildProgram((b) => {
      const sum = b.input('i32', [2], { min: 0, max: 9 }).add(entries)
      entries.fill(7)
      return sum
    })
    expect(program.constants[0]?.data).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0))
  })
})

describe('products that are too long for one check', () => {
  const limit = 65_793 // (2^31 - 2) / (128 · 128 + 128 · 127)
  const product = (k: number, transposeB = false) =>
    buildProgram((b) => {
      const w = b.weights(zeros, 'i8', transposeB ? [1, k] : [k, 1])
      return b.input('i8', [1, k]).matmul(w, { transposeB })
    })
  const ops = (program: Program) => program.nodes.map(({ op }) => op)

  test('stay whole up to the limit', () => expect(ops(product(limit))).toEqual(['matmul']))

  for (const transposeB of [false, true]) {
    test(`are cut and added up beyond it${transposeB ? ', transposed' : ''}`, () => {
      const k = 131_071
      const program = product(k, transposeB)
      expect(ops(program)).toEqual(['slice', 'slice', 'matmul', 'slice', 'slice', 'matmul', 'add'])
      const input = Int8Array.from({ length: k }, (_, index) => (index % 7) - 3)
      const weights = Uint8Array.from({ length: k }, (_, index) => (index % 11) - 5)
      const sum = input.reduce((total, entry, index) => total + entry * ((index % 11) - 5), 0)
      const bytes = evaluate(program, new Uint8Array(input.buffer), new Map([[zeros, weights]]))
      expect(new DataView(bytes.buffer).getInt32(0, true)).toBe(sum)
    })
  }

  test('the parts are as equal as can be, and cover k', () => {
    const sizes = product(limit + 1).nodes.flatMap((node) =>
      node.op === 'slice' && node.x === 0 ? [node.sizes[1]] : [],
    )
    expect(sizes).toEqual([32_897, 32_897])
  })

  test('narrow ranges need no cut', () => {
    for (const narrow of [
      { min: -1, max: 1 },
      { min: 0, max: 0 },
    ]) {
      const program = buildProgram((b) => {
        return b.input('i8', [1, 500_000], narrow).matmul(b.weights(zeros, 'i8', [500_000, 1]))
      })
      expect(ops(program)).toEqual(['matmul'])
    }
  })

  test('are refused where even the whole sum leaves int32', () => {
    const { refusal } = thrownBy(() => product(131_072))
    expect(refusal).toEqual({
      kind: 'inconsistent',
      field: 'program.nodes[0].matmul',
      rule: 'entries could be -2130706432 to 2147483648, which overflows i32',
    })
  })
})

describe('what is refused', () => {
  test('comes at the line that asked for it, with the node', () => {
    const error = thrownBy(() =>
      buildProgram((b) => {
        const x = b.input('i8', [2, 3]).relu()
        return atThisLine(x)
      }),
    )
    expect(error.message).toBe('program.nodes[1].matmul: a has rows of 3, b has columns of 2')
    expect(error.name).toBe('ProgramError')
    expect(error.stack).toContain('atThisLine')
  })

  function atThisLine(x: Term): readonly Term[] {
    return [x.matmul(x)] // In a list: the last call of a function leaves no trace in some engines.
  }

  const refused: readonly { desc: string; says: string; ask: Parameters<typeof buildProgram>[0] }[] = [
    {
      desc: 'an input without a size',
      says: 'program.inputs[1]: value 0 is not a whole number from 1 to 2147483647',
      ask: (b) => [b.input('i8', [1]).relu(), b.input('i8', [2, 0])],
    },
    {
      desc: 'an input with too many dimensions',
      says: 'program.inputs[0].shape',
      ask: (b) => b.input('i8', [1, 1, 1, 1, 1, 1, 1]),
    },
    {
      desc: 'a range beyond its kind',
      says: 'program.inputs[0]: the range 0 to 128 is none of i8, which holds -128 to 127',
      ask: (b) => b.input('i8', [1], { min: 0, max: 128 }),
    },
    {
      desc: 'a constant of another shape',
      says: 'program.constants[0]: i8[2] has 2 bytes, the data has 3',
      ask: (b) => b.constant(Int8Array.of(1, 2, 3), [2]),
    },
    {
      desc: 'a constant outside its declared range',
      says: 'program.constants[1]: entry 2 is outside 0 to 2',
      ask: (b) => [b.constant(Int8Array.of(1)), b.constant(Int8Array.of(1, 2, 3), [3], { min: 0, max: 2 })],
    },
    {
      desc: 'no entries',
      says: 'program.constants[0]',
      ask: (b) => b.constant(new Int8Array(0)),
    },
    {
      desc: 'a digest that is none',
      says: 'program.constants[0]',
      ask: (b) => b.weights('abc' as Digest, 'i8', [1]),
    },
    {
      desc: 'an attribute beyond its range',
      says: 'program.nodes[0].requantize: value 63 is not a whole number from 0 to 62',
      ask: (b) => b.input('i32', [1]).requantize({ multiplier: 1, shift: 63, to: 'i8' }),
    },
    {
      desc: 'a sum that overflows',
      says: 'program.nodes[0].add: entries could be -4294967296 to 4294967294, which overflows i32',
      ask: (b) => b.input('i32', [1]).add(b.input('i32', [1])),
    },
    {
      desc: 'a list of nothing',
      says: 'program.nodes[0].concat: xs is empty, expected one operand or more',
      ask: (b) => b.concat([], 0),
    },
    { desc: 'no outputs', says: 'program.outputs: has 0 outputs, allowed is 1 to 64', ask: () => [] },
    {
      desc: 'an input as an output',
      says: 'program.outputs[0]: 0 is not the value of a node',
      ask: (b) => b.input('i8', [1]),
    },
    {
      desc: 'a program whose bytes are too many',
      says: 'program has 80054, the limit is 65536',
      ask: (b) => [0, 1].map((entry) => b.constant(new Uint8Array(40_000).fill(entry)).argmax()),
    },
  ]
  for (const { desc, says, ask } of refused) {
    test(desc, () => {
      expect(thrownBy(() => buildProgram(ask)).message).toStartWith(says)
    })
  }

  test('a value of another program is a mistake of the caller', () => {
    let stray: Term | undefined
    buildProgram((b) => {
      stray = b.input('i8', [1])
      return stray.relu()
    })
    expect(() => buildProgram((b) => b.input('i8', [1]).add(stray ?? b.input('i8', [1])))).toThrow(
      'an operand belongs to another program',
    )
  })
})

test('a blob is asked for by the digest of its bytes', () => {
  const bytes = Uint8Array.of(2, 3)
  const digest = encodeHex(sha256(bytes)) as Digest
  const program = buildProgram((b) => b.input('u8', [2]).multiply(b.weights(digest, 'u8', [2])))
  const input = Uint8Array.of(5, 7)
  expect(Array.from(evaluate(program, input, new Map([[digest, bytes]])))).toEqual([10, 0, 0, 0, 21, 0, 0, 0])
  expect(() => evaluate(program, input, noBlobs)).toThrow('program.constants[0] is missing')
})
