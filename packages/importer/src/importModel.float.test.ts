/** Imported programs against the network of floats, where signs, axes and ranks are easily lost. */
import { expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { drawer, info, modelOf, node } from '../test/draw.ts'
import { imported, run } from '../test/exact.ts'
import { countedEntries } from './evaluate.ts'
import { describeImportRefusal, evaluateModel, importModel, type OnnxModel, tensorOf } from './index.ts'

const next = drawer(7)
const drawn = (size: number) => Float32Array.from({ length: size }, () => (next() / 2 ** 32) * 2 - 1)
const weights = (...shape: readonly number[]) =>
  tensorOf('f32', shape, drawn(shape.reduce((product, size) => product * size, 1)))
const ints = (...value: readonly number[]) => ({ kind: 'ints', value }) as const
const int = (value: number) => ({ kind: 'int', value }) as const
const float = (value: number) => ({ kind: 'float', value }) as const
const same = { pads: ints(1, 1, 1, 1) }
const image = [info('x', [1, 3, 6, 6])]

const folded = (middle: readonly ReturnType<typeof node>[]): OnnxModel =>
  modelOf({
    inputs: image,
    outputs: [info('y', [1, 3])],
    initializers: { w: weights(4, 3, 3, 3), v: weights(4, 3, 3, 3), h: weights(144, 3) },
    nodes: [
      node('Conv', ['x', 'w'], ['c'], same),
      node('Flatten', ['c'], ['f']),
      ...middle,
      node('MatMul', ['m', 'h'], ['y']),
    ],
  })

const negated = (axes: readonly number[]): OnnxModel =>
  modelOf({
    inputs: image,
    outputs: [info('z', [1, 3, 6, 6]), info('y', [1, 3, 6, 6])],
    initializers: { w: weights(3, 3, 3, 3), v: weights(3, 3, 3, 3), k: weights(...axes) },
    nodes: [
      node('Conv', ['x', 'w'], ['c'], same),
      node('Sub', ['k', 'c'], ['y']),
      node('Conv', ['c', 'v'], ['z'], same),
    ],
  })

const agree: readonly (readonly [string, OnnxModel])[] = [
  ['a constant less a value that others read as bytes', negated([1, 3, 6, 6])],
  ['rows of a constant less such a value', negated([1, 1, 6, 1])],
  [
    'a folded image times a table of itself',
    folded([node('HardSigmoid', ['f'], ['g']), node('Mul', ['g', 'f'], ['m'])]),
  ],
  [
    'a folded image and a product of it',
    folded([node('Relu', ['f'], ['g']), node('Add', ['g', 'f'], ['m'])]),
  ],
  [
    'an image read in one order of axes and in another',
    modelOf({
      inputs: [info('x', [1, 4, 4, 4])],
      outputs: [info('y', [1, 4, 4, 4])],
      initializers: { w: weights(4, 4, 3, 3) },
      nodes: [
        node('Relu', ['x'], ['r']),
        node('Conv', ['r', 'w'], ['c'], same),
        node('Mul', ['c', 'r'], ['p']),
        node('Add', ['p', 'r'], ['q']),
        node('Add', ['c', 'q'], ['y']),
      ],
    }),
  ],
  [
    'two folded images',
    folded([
      node('Conv', ['x', 'v'], ['d'], same),
      node('Flatten', ['d'], ['g']),
      node('Mul', ['f', 'g'], ['m']),
    ]),
  ],
]

test.each(agree)('%s', (_, model) => {
  const size = model.inputs[0]?.shape?.reduce<number>((product, own) => product * Number(own), 1) ?? 0
  const data = drawn(size * 8)
  const program = imported(model, { calibration: { data } })
  const input = data.subarray(0, size)
  const shape = model.inputs[0]?.shape?.map(Number) ?? []
  const wanted = evaluateModel(model, new Map([['x', tensorOf('f32', shape, input)]]))
  if (!wanted.ok) throw new Error(describeImportRefusal(wanted.refusal))
  for (const [index, { reals }] of run(program, input).entries()) {
    const floats = Array.from(wanted.value.get(program.outputs[index]?.name ?? '')?.data ?? [])
    const reach = Math.max(...floats.map(Math.abs))
    const worst = Math.max(...reals.map((real, at) => Math.abs(real - (floats[at] ?? Number.NaN))))
    // A sign, an axis or a rank that is lost costs 0.3 and more; bytes cost a tenth where three numbers are all there is.
    expect(worst / reach).toBeLessThan(0.12)
  }
})

test('the largest under a scale below zero', () => {
  const eye = Array.from({ length: 16 }, (_, index) => (index % 5 === 0 ? 1 : 0))
  const model = modelOf({
    outputs: [info('y', [1, 1], 'i64')],
    initializers: { w: tensorOf('f32', [4, 4], eye) },
    nodes: [
      node('Gemm', ['x', 'w'], ['g'], { alpha: float(-1) }),
      node('ArgMax', ['g'], ['y'], { axis: int(1) }),
    ],
  })
  const program = imported(model, { calibration: { data: Float32Array.of(-1, 0, 0.5, 1) } })
  expect(run(program, [0.5, -1, 0.25, 1])[0]?.integers).toEqual([1])
})

const bytes = [info('x', [1, 4], 'u8')]
const refused: readonly (readonly [string, OnnxModel, string])[] = [
  [
    'a constant of more axes than its value',
    modelOf({ initializers: { w: weights(1, 1, 4) }, nodes: [node('Add', ['x', 'w'], ['y'])] }),
    'adds [1,1,4] to [1,4]',
  ],
  [
    'a factor of more axes than its value',
    modelOf({ initializers: { w: weights(1, 1, 4) }, nodes: [node('Mul', ['x', 'w'], ['y'])] }),
    'multiplies by a constant [1,1,4]',
  ],
  [
    'bytes whose sums wrap',
    modelOf({ inputs: bytes, opset: 14, nodes: [node('Add', ['x', 'x'], ['y'])] }),
    'adds integers of 8 bits, whose sums wrap',
  ],
  [
    'a constant beyond 32 bits',
    modelOf({
      inputs: [info('x', [1, 4], 'i32')],
      initializers: { w: tensorOf('i64', [1], [2 ** 33 + 5]) },
      nodes: [node('Add', ['x', 'w'], ['y'])],
    }),
    'adds a constant that is not of 32 bits',
  ],
  [
    'the mean of an image that is too large for one window',
    modelOf({
      inputs: [info('x', [1, 1, 256, 256], 'u8')],
      initializers: { s: tensorOf('f32', [], [0.1]), z: tensorOf('u8', [], [3]) },
      nodes: [node('DequantizeLinear', ['x', 's', 'z'], ['d']), node('GlobalAveragePool', ['d'], ['y'])],
    }),
    'takes the mean of 256 x 256, the limit is 65535 entries',
  ],
  [
    'a window that would take hours',
    modelOf({
      inputs: [info('x', [1, 1, 1, 1])],
      nodes: [
        node('AveragePool', ['x'], ['y'], {
          kernel_shape: ints(65_535, 65_535),
          pads: ints(32_767, 32_767, 32_767, 32_767),
        }),
      ],
    }),
    'moves a window of 65535 x 65535 to 1 x 1 places',
  ],
]

test.each(refused)('refused: %s', (_, model, reason) => {
  const isFloat = model.inputs[0]?.shape?.length === 2 || model.inputs[0]?.dtype === 'f32'
  const calibration = isFloat ? { calibration: { data: Float32Array.of(-1, 0, 0.5, 1) } } : {}
  const result = importModel(model, { sha256, ...calibration })
  expect(result.ok ? 'imported' : describeImportRefusal(result.refusal)).toContain(reason)
})

test('refused: computing without end', () => {
  const [label, four] = ["node 'sum' (Add)", weights(4)]
  const sum = { ...node('Add', ['x', 'x'], ['y']), label, opset: 13 }
  expect(countedEntries(sum, 2 ** 28 - 4, four)).toBe(4)
  expect(() => countedEntries(sum, 2 ** 28 - 3, four)).toThrow()
})
