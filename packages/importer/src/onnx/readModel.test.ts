import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { info, modelOf, node } from '../../test/draw.ts'
import { goldens } from '../../test/goldens.ts'
import { importModel } from '../importModel.ts'
import type { OnnxModel } from './model.ts'
import { readModel } from './readModel.ts'
import { halfOf, tensorOf } from './tensor.ts'
import { writeModel } from './writeModel.ts'

function refusalOf(bytes: Uint8Array): string {
  const read = readModel(bytes)
  return read.ok ? 'read' : `${read.refusal.kind} ${read.refusal.node}: ${read.refusal.reason}`
}

const field = (number: number, wire: number) => number * 8 + wire
/** A field that holds bytes; everything here is shorter than 128. */
const holding = (number: number, ...content: readonly number[]) => [
  field(number, 2),
  content.length,
  ...content,
]
const text = (number: number, value: string) => holding(number, ...new TextEncoder().encode(value))
const ir = [field(1, 0), 8]
const file = (...graph: readonly number[]) => Uint8Array.from([...ir, ...holding(7, ...graph)])
const tensor = (...content: readonly number[]) => file(...holding(5, ...content))
const named = text(8, 'w')
const [float32, int8] = [
  [16, 1],
  [16, 3],
]

const sample: OnnxModel = modelOf({
  nodes: [
    node(
      'Gemm',
      ['x', 'w'],
      ['h'],
      { alpha: { kind: 'float', value: 0.5 }, transB: { kind: 'int', value: 1 } },
      'first',
    ),
    node('Odd', ['h', ''], ['y'], {
      axes: { kind: 'ints', value: [-1, 300, 2 ** 40] },
      scales: { kind: 'floats', value: [1.5, -2] },
      mode: { kind: 'string', value: 'größe' },
      modes: { kind: 'strings', value: ['a', ''] },
      value: { kind: 'tensor', value: tensorOf('i64', [2], [-5, 7]) },
    }),
  ],
  inputs: [info('x', ['batch', 4]), info('z', undefined, 'u8')],
  initializers: {
    w: tensorOf('f32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
    bytes: tensorOf('i8', [3], [-128, 0, 127]),
    ints: tensorOf('i32', [1], [-70_000]),
    none: tensorOf('f32', [0], []),
  },
})

test('what is written is read', () => {
  expect(readModel(writeModel(sample))).toEqual({ ok: true, value: sample })
})

test('numbers of 16 bits', () => {
  expect([0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x3555].map(halfOf)).toEqual([
    1,
    -2,
    2 ** -24,
    65504,
    Number.POSITIVE_INFINITY,
    1365 / 4096,
  ])
})

describe('entries that are not raw bytes', () => {
  const cases: readonly (readonly [string, readonly number[], readonly number[]])[] = [
    ['floats', [8, 2, ...float32, ...holding(4, 0, 0, 128, 63, 0, 0, 0, 64), ...named], [1, 2]],
    ['int8 as numbers, not packed', [8, 2, ...int8, 40, 5, 40, 7, ...named], [5, 7]],
    [
      'negative ones take ten bytes',
      [...int8, ...holding(5, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1), ...named],
      [-1],
    ],
  ]
  for (const [desc, bytes, entries] of cases) {
    test(desc, () => {
      const read = readModel(tensor(...bytes))
      expect(read.ok ? Array.from(read.value.initializers.get('w')?.data ?? []) : read.refusal).toEqual([
        ...entries,
      ])
    })
  }
})

const refused: readonly (readonly [string, Uint8Array, string])[] = [
  ['nothing', new Uint8Array(0), 'malformed model: has no graph: is it an ONNX file?'],
  ['a text file', new TextEncoder().encode('hello, world'), 'malformed model: has'],
  ['a number that does not end', Uint8Array.of(8, 128), 'malformed model: ends inside a number'],
  [
    'a number that never ends',
    new Uint8Array(20).fill(255),
    'malformed model: has a number of more than 10 bytes',
  ],
  [
    'a length beyond the file',
    Uint8Array.of(58, 100, 1),
    'malformed model: claims 100 bytes where 1 are left',
  ],
  [
    'a length of 2^60',
    Uint8Array.of(58, 128, 128, 128, 128, 128, 128, 128, 128, 16),
    'malformed model: claims 11529215046068',
  ],
  ['groups', Uint8Array.of(11), 'malformed model: has a field of wire type 3'],
  ['field number 0', Uint8Array.of(0, 0), 'malformed model: has the field number 0'],
  ['a graph that is a number', Uint8Array.of(...ir, 56, 1), 'malformed model: has field 7 in wire type 0'],
  ['two graphs', Uint8Array.of(...ir, 58, 0, 58, 0), 'malformed model: has two graphs'],
  ['an old file', Uint8Array.of(8, 2, 58, 0), 'unsupported model: has the IR version 2'],
  ['functions', Uint8Array.of(...ir, 58, 0, 202, 1, 0), 'unsupported model: has functions of its own'],
  [
    'a domain twice',
    Uint8Array.of(...ir, 66, 0, 66, 0),
    "inconsistent model.opset_import: names the domain '' twice",
  ],
  ['sparse weights', file(...holding(15)), 'unsupported graph: has sparse initializers'],
  ['a node without an operator', file(...holding(1, ...text(3, 'n'))), 'malformed node 0: has no operator'],
  [
    'a name that is not UTF-8',
    file(...holding(1, ...holding(4, 255))),
    'malformed node 0: has a text in field 4 that is not UTF-8',
  ],
  [
    'an attribute without a type',
    file(...holding(1, ...holding(5, ...text(1, 'k')))),
    "malformed node 0, attribute 'k': has no type",
  ],
  [
    'an attribute without a name',
    file(...holding(1, ...holding(5, 160, 1, 2))),
    'malformed node 0: has an attribute without a name',
  ],
  [
    'an attribute twice',
    file(...holding(1, ...holding(5, ...text(1, 'k'), 160, 1, 2), ...holding(5, ...text(1, 'k'), 160, 1, 2))),
    "inconsistent node 0: has the attribute 'k' twice",
  ],
  [
    'weights elsewhere',
    tensor(...float32, ...named, ...holding(13, ...text(1, 'location'))),
    "unsupported initializer 'w': keeps its data in another file",
  ],
  [
    'weights elsewhere, said by location',
    tensor(...float32, ...named, 112, 1),
    "unsupported initializer 'w': keeps its data in another file",
  ],
  [
    'segments',
    tensor(...float32, ...named, ...holding(3)),
    "unsupported initializer 'w': is stored in segments",
  ],
  ['strings', tensor(16, 8, ...named), "unsupported initializer 'w': has entries of the ONNX data type 8"],
  [
    'weights without a name',
    tensor(8, 1, ...int8, ...holding(9, 1)),
    'malformed graph: has an initializer without a name',
  ],
  [
    'absurd sizes',
    tensor(8, 128, 128, 128, 128, 64, 8, 128, 128, 128, 8, ...float32, ...named),
    "tooLarge initializer 'w': [17179869184,16777216] has",
  ],
  [
    'a negative size',
    tensor(8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, ...float32, ...named),
    "inconsistent initializer 'w': has the size -1",
  ],
  [
    'too many dimensions',
    tensor(...[1, 1, 1, 1, 1, 1, 1, 1, 1].flatMap((size) => [8, size]), ...float32, ...named),
    'tooLarge initializer: has more than 8 numbers',
  ],
  [
    'large sizes without data',
    tensor(8, 128, 128, 64, ...int8, ...named),
    "malformed initializer 'w': has 0 entries, its shape has 1048576",
  ],
  [
    'fewer bytes than entries',
    tensor(8, 2, ...float32, ...named, ...holding(9, 1, 2, 3)),
    "malformed initializer 'w': 2 entries of f32 are 8 bytes, it has 3",
  ],
  [
    'more numbers than entries',
    tensor(8, 1, ...int8, ...named, 40, 1, 40, 2),
    "tooLarge initializer 'w': has more than 1 numbers",
  ],
  [
    'more floats than entries',
    tensor(8, 1, ...float32, ...named, ...holding(4, 0, 0, 128, 63, 0, 0, 0, 64)),
    "tooLarge initializer 'w': has more than 1 numbers",
  ],
  [
    'half a float',
    tensor(8, 1, ...float32, ...named, ...holding(4, 0, 0)),
    "malformed initializer 'w': has 2 bytes of floats of 4",
  ],
  [
    'an int8 of 200',
    tensor(8, 1, ...int8, ...named, 40, 200, 1),
    "malformed initializer 'w': has the entry 200, which i8 cannot hold",
  ],
  [
    'data twice',
    tensor(8, 1, ...int8, ...named, ...holding(9, 1), ...holding(9, 1)),
    "malformed initializer 'w': has its data twice",
  ],
  [
    'data in both forms',
    tensor(8, 1, ...int8, ...named, ...holding(9, 1), 40, 1),
    "malformed initializer 'w': has its data twice",
  ],
  [
    'two weights of one name',
    file(...[1, 2].flatMap(() => holding(5, 8, 0, ...int8, ...named))),
    "inconsistent graph: has two initializers called 'w'",
  ],
  ['an input without a name', file(...holding(11)), 'malformed input 0: has no name'],
  ['an input without a type', file(...holding(11, ...text(1, 'x'))), "unsupported input 'x': has no type"],
  [
    'a sequence',
    file(...holding(11, ...text(1, 'x'), ...holding(2, ...holding(4)))),
    "unsupported input 'x': is no plain tensor",
  ],
]

describe('refused', () => {
  for (const [desc, bytes, says] of refused) {
    test(desc, () => expect(refusalOf(bytes)).toStartWith(says))
  }

  test('a name that is too long', () => {
    const long = modelOf({ nodes: [node('A'.repeat(2000), [], [])] })
    expect(refusalOf(writeModel(long))).toBe('tooLarge node 0: has a text of 2000 bytes, the limit is 1024')
  })

  test('every file that is cut short, if not here then where its operators are to be known', () => {
    for (const { bytes } of goldens) {
      for (let length = 0; length < bytes.length; length += 7) {
        const read = readModel(bytes.subarray(0, length))
        expect(read.ok && importModel(read.value, { sha256 }).ok).toBe(false)
      }
    }
  })
})
