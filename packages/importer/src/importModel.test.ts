import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex } from '@shardy/protocol'
import { drawer, info, modelOf, node } from '../test/draw.ts'
import { imported, run } from '../test/exact.ts'
import {
  describeImportRefusal,
  type ImportOptions,
  importModel,
  type OnnxModel,
  type OnnxTensor,
  tensorOf,
} from './index.ts'

type Calibration = NonNullable<ImportOptions['calibration']>

function refusalOf(model: OnnxModel, calibration?: Calibration): string {
  const result = importModel(model, { sha256, ...(calibration !== undefined && { calibration }) })
  return result.ok ? 'imported' : `${result.refusal.kind} ${describeImportRefusal(result.refusal)}`
}

const samples: Calibration = { data: Float32Array.of(-1, 0, 0.5, 1) }
const square = tensorOf(
  'f32',
  [4, 4],
  Array.from({ length: 16 }, (_, index) => index / 8 - 1),
)
const product = node('MatMul', ['x', 'w'], ['y'], {}, 'product')
const bytes = (data: readonly number[]): OnnxTensor => tensorOf('i8', [data.length], data)
const int = (value: number) => ({ kind: 'int', value }) as const
const ints = (...value: readonly number[]) => ({ kind: 'ints', value }) as const

describe('refused, with node and reason', () => {
  const cases: readonly (readonly [string, OnnxModel, string])[] = [
    [
      'an operator that is not known',
      modelOf({ nodes: [node('LSTM', ['x'], ['y'], {}, 'cell')] }),
      "unsupported node 'cell' (LSTM): LSTM is not supported: loops are no part of exact programs",
    ],
    [
      'one without a name',
      modelOf({ nodes: [node('Einsum', ['x'], ['y'])] }),
      'unsupported node 0 (Einsum): Einsum is not supported',
    ],
    [
      'dynamic quantization',
      modelOf({ nodes: [node('DynamicQuantizeLinear', ['x'], ['y'])] }),
      'unsupported node 0 (DynamicQuantizeLinear): DynamicQuantizeLinear is not supported: its scale follows from the data while it runs; quantize statically',
    ],
    [
      'a domain that is not imported',
      modelOf({ nodes: [{ ...product, domain: 'com.example' }], initializers: { w: square } }),
      "inconsistent node 'product' (com.example.MatMul): is of the domain 'com.example', which the model does not import",
    ],
    [
      "an operator of another domain, even one's own name",
      {
        ...modelOf({ nodes: [{ ...product, domain: 'com.example' }], initializers: { w: square } }),
        opsets: new Map([
          ['', 13],
          ['com.example', 1],
        ]),
      },
      "unsupported node 'product' (com.example.MatMul): com.example.MatMul is not supported",
    ],
    [
      'an old opset',
      modelOf({ nodes: [product], opset: 6, initializers: { w: square } }),
      'unsupported model: is written for opset 6; 7 to 24 are understood',
    ],
    [
      'a new opset',
      modelOf({ nodes: [product], opset: 99, initializers: { w: square } }),
      'unsupported model: is written for opset 99; 7 to 24 are understood',
    ],
    [
      'a missing initializer',
      modelOf({ nodes: [product] }),
      "inconsistent node 'product' (MatMul): takes 'w', which nothing makes",
    ],
    ['a missing output', modelOf({}), "inconsistent output 'y': takes 'y', which nothing makes"],
    ['no outputs', modelOf({ outputs: [] }), 'inconsistent graph: has no outputs'],
    [
      'a value that two nodes make',
      modelOf({ nodes: [node('Relu', ['x'], ['y']), node('Relu', ['x'], ['y'])] }),
      "inconsistent node 1 (Relu): makes 'y', which is made already",
    ],
    [
      'a node that makes an input',
      modelOf({ nodes: [node('Relu', ['x'], ['x'])] }),
      "inconsistent node 0 (Relu): makes 'x', which is made already",
    ],
    [
      'two inputs of one name',
      modelOf({ inputs: [info('x', [1]), info('x', [1])] }),
      "inconsistent input 'x': is there twice",
    ],
    [
      'a cycle',
      modelOf({
        nodes: [node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['y'])],
      }),
      "inconsistent node 0 (Add): waits for itself by 'b'",
    ],
    [
      'a node that waits for itself',
      modelOf({ nodes: [node('Add', ['x', 'y'], ['y'])] }),
      "inconsistent node 0 (Add): waits for itself by 'y'",
    ],
    [
      'an attribute that is not known',
      modelOf({ nodes: [node('Relu', ['x'], ['y'], { slope: int(1) })] }),
      "unsupported node 0 (Relu): has the attribute 'slope', which is not known",
    ],
    [
      'an attribute of another kind',
      modelOf({ nodes: [node('Flatten', ['x'], ['y'], { axis: ints(1) })] }),
      "malformed node 0 (Flatten): has 'axis' as ints, expected int",
    ],
    [
      'too few operands',
      modelOf({ nodes: [node('MatMul', ['x'], ['y'])] }),
      'inconsistent node 0 (MatMul): has 1 operands, expected 2 to 2',
    ],
    [
      'an operand left out',
      modelOf({ nodes: [node('MatMul', ['x', ''], ['y'])] }),
      'inconsistent node 0 (MatMul): lacks its operand 1',
    ],
    [
      'an axis beyond the operand',
      modelOf({ nodes: [node('Flatten', ['x'], ['y'], { axis: int(9) })] }),
      'inconsistent node 0 (Flatten): has the axis 9, its operand has 2 dimensions',
    ],
    [
      'sizes that do not fit',
      modelOf({ nodes: [product], initializers: { w: tensorOf('f32', [3, 2], [1, 2, 3, 4, 5, 6]) } }),
      "inconsistent node 'product' (MatMul): multiplies [1,4] by [3,2]",
    ],
    [
      'a mask of Dropout that is needed',
      modelOf({ nodes: [node('Dropout', ['x'], ['d', 'm']), node('Add', ['d', 'm'], ['y'])] }),
      "unsupported node 0 (Dropout): makes 'm' beside its result, and that is needed",
    ],
    [
      'two computed operands of a product',
      modelOf({ inputs: [info('x', [2, 2])], nodes: [node('MatMul', ['x', 'x'], ['y'])] }),
      'unsupported node 0 (MatMul): computes its operand 1, which must be a constant',
    ],
    [
      'an input without a size',
      modelOf({ inputs: [info('x', [1, 'n'])], nodes: [node('Relu', ['x'], ['y'])] }),
      "unsupported input 'x': leaves the size of axis 1 open ('n'); fix it in the model",
    ],
    [
      'an input without a shape',
      modelOf({ inputs: [info('x', undefined)], nodes: [node('Relu', ['x'], ['y'])] }),
      "unsupported input 'x': has no shape",
    ],
    [
      'an output that is a constant',
      modelOf({ nodes: [node('Relu', ['w'], ['y'])], initializers: { w: square } }),
      "unsupported output 'y': is a constant: nothing is computed",
    ],
    [
      'weights that are no numbers',
      modelOf({ nodes: [product], initializers: { w: tensorOf('f32', [4, 1], [1, 2, Number.NaN, 4]) } }),
      "inconsistent value 'y': is NaN on a sample",
    ],
    [
      'a convolution of rows',
      modelOf({
        nodes: [node('Conv', ['x', 'w'], ['y'])],
        initializers: { w: tensorOf('f32', [1, 1, 1, 1], [1]) },
      }),
      'unsupported node 0 (Conv): is given [1,4]; images of four dimensions are understood',
    ],
    [
      'a window that does not fit',
      modelOf({
        inputs: [info('x', [1, 1, 2, 2])],
        nodes: [node('MaxPool', ['x'], ['y'], { kernel_shape: ints(3, 3) })],
      }),
      'inconsistent node 0 (MaxPool): has a window of 3, which does not fit into 2 and its padding',
    ],
    [
      'weights in float of a model in training',
      modelOf({
        nodes: [node('Dropout', ['x', 'r', 't'], ['y'])],
        initializers: { r: tensorOf('f32', [], [0.5]), t: tensorOf('bool', [], [1]) },
      }),
      'unsupported node 0 (Dropout): is in training mode',
    ],
    [
      'padding that would fill memory',
      modelOf({
        inputs: [info('x', [1, 1, 2, 2])],
        nodes: [
          node('AveragePool', ['x'], ['y'], {
            kernel_shape: ints(2, 2),
            pads: ints(60_000, 60_000, 60_000, 60_000),
          }),
        ],
      }),
      'tooLarge node 0 (AveragePool): moves a window of 2 x 2 to 120001 x 120001 places',
    ],
  ]
  for (const [desc, model, says] of cases)
    test(desc, () => expect(refusalOf(model, samples)).toStartWith(says))
})

describe('refused where integers would not be exact', () => {
  const quantized = {
    s: tensorOf('f32', [], [0.1]),
    z: tensorOf('i8', [], [0]),
    rows: tensorOf('f32', [4], [1, 2, 3, 4]),
  }
  const x = [info('x', [1, 4], 'i8')]
  const weights = tensorOf(
    'i8',
    [4, 4],
    Array.from({ length: 16 }, (_, index) => index - 8),
  )
  const cases: readonly (readonly [string, OnnxModel, string])[] = [
    [
      'a scale for each row of the weights',
      modelOf({
        inputs: x,
        nodes: [
          node('DequantizeLinear', ['x', 's', 'z'], ['a']),
          node('DequantizeLinear', ['w', 'rows'], ['b'], { axis: int(0) }),
          node('MatMul', ['a', 'b'], ['y']),
        ],
        initializers: { ...quantized, w: weights },
      }),
      'inexact node 2 (MatMul): has weights with a scale for each entry of axis 0',
    ],
    [
      'a scale for each channel of a computed value',
      modelOf({
        inputs: x,
        nodes: [node('DequantizeLinear', ['x', 'rows'], ['a']), node('Relu', ['a'], ['y'])],
        initializers: quantized,
      }),
      'inexact node 0 (DequantizeLinear): has a scale for each channel of a computed value',
    ],
    [
      'scales for a computed value to be quantized by',
      modelOf({
        inputs: x,
        nodes: [node('DequantizeLinear', ['x', 's'], ['a']), node('QuantizeLinear', ['a', 'rows'], ['y'])],
        initializers: quantized,
      }),
      'inexact node 1 (QuantizeLinear): quantizes a computed value by 4 scales',
    ],
    [
      'blocks',
      modelOf({
        inputs: x,
        nodes: [node('DequantizeLinear', ['x', 's'], ['y'], { block_size: int(2) })],
        initializers: quantized,
        opset: 21,
      }),
      'inexact node 0 (DequantizeLinear): has a scale for each block',
    ],
    [
      'a zero point for each row',
      modelOf({
        inputs: x,
        nodes: [node('MatMulInteger', ['x', 'w', 'zeros'], ['y'])],
        initializers: { w: weights, zeros: bytes([1, 2, 3, 4]) },
      }),
      'inexact node 0 (MatMulInteger): has a zero point for each row of its input',
    ],
    [
      'weights of 16 bits',
      modelOf({
        inputs: x,
        nodes: [node('MatMulInteger', ['x', 'w'], ['y'])],
        initializers: { w: tensorOf('i16', [4, 1], [1, 2, 3, 4]) },
      }),
      'unsupported node 0 (MatMulInteger): has weights of i16',
    ],
    [
      'a scale below zero',
      modelOf({
        inputs: x,
        nodes: [node('DequantizeLinear', ['x', 's'], ['y'])],
        initializers: { s: tensorOf('f32', [], [-1]) },
      }),
      'unsupported node 0 (DequantizeLinear): has the scale -1',
    ],
    [
      'a sum that could overflow',
      modelOf({
        inputs: [info('x', [1, 140_000], 'u8')],
        nodes: [node('MatMulInteger', ['x', 'w'], ['y'])],
        initializers: { w: tensorOf('i8', [140_000, 1], new Int8Array(140_000).fill(127)) },
      }),
      'unsupported node 0 (MatMulInteger): program.nodes[0].matmul: entries could be',
    ],
    [
      'int32 that overflow when added',
      modelOf({
        inputs: [info('x', [2], 'i32')],
        nodes: [node('Add', ['x', 'b'], ['y'])],
        initializers: { b: tensorOf('i32', [2], [1, 2]) },
      }),
      'unsupported node 0 (Add): program.nodes[0].add: entries could be',
    ],
    [
      'a real operator on integers',
      modelOf({ inputs: x, nodes: [node('Relu', ['x'], ['y'])] }),
      'unsupported node 0 (Relu): takes integers as real numbers',
    ],
    [
      'a product between integers without a scale in between',
      modelOf({
        inputs: x,
        nodes: [
          node('DequantizeLinear', ['x', 's'], ['a']),
          node('MatMul', ['a', 'w'], ['b']),
          node('MatMul', ['b', 'w'], ['y']),
        ],
        initializers: { ...quantized, w: square },
      }),
      "uncalibrated node 2 (MatMul): needs 'b' as bytes, and nobody has said its range",
    ],
  ]
  for (const [desc, model, says] of cases) test(desc, () => expect(refusalOf(model)).toStartWith(says))
})

describe('calibration', () => {
  const model = modelOf({ nodes: [product], initializers: { w: square } })

  test('data that is no whole number of samples is refused', () => {
    expect(refusalOf(model, { data: new Float32Array(6) })).toBe(
      'inconsistent calibration data: has 6 numbers; a sample has 4',
    )
    expect(refusalOf(model, { data: new Float32Array(0) })).toBe(
      'inconsistent calibration data: has 0 numbers; a sample has 4',
    )
  })

  test('data that is not finite is refused', () => {
    expect(refusalOf(model, { data: Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 4) })).toBe(
      'inconsistent calibration data: has Infinity as number 2',
    )
  })

  test('what is never below zero has all 256 codes for itself', () => {
    const [input] = imported(model, { calibration: { data: Float32Array.of(0, 51, 102, 255) } }).inputs
    expect(input).toMatchObject({ dtype: 'u8', quantization: { scale: 1, zeroPoint: 0 } })
  })

  test('what is on both sides has a code for zero', () => {
    const [input] = imported(model, { calibration: { data: Float32Array.of(-1, 0, 1, 4) } }).inputs
    expect(input?.dtype).toBe('i8')
    const { scale = 0, zeroPoint = 0 } = input?.quantization ?? {}
    expect(scale).toBeCloseTo(5 / 255, 6)
    expect(zeroPoint).toBe(-77)
  })

  test('what is always zero has a scale all the same', () => {
    const program = imported(model, { calibration: { data: new Float32Array(4) } })
    expect(run(program, [0, 0, 0, 0])[0]?.reals.map((real) => real + 0)).toEqual([0, 0, 0, 0])
  })

  test('rare extremes cost less by percentile and by squares', () => {
    const draw = drawer(5)
    const data = Float32Array.from({ length: 80_000 }, () => (draw() % 2001) / 1000 - 1)
    data[17] = 1.2
    data[4711] = -1.2
    const known = (method: NonNullable<Calibration['method']>) => {
      const { scale = 0, zeroPoint = 0 } =
        imported(model, { calibration: { data, method } }).inputs[0]?.quantization ?? {}
      let squares = 0
      for (const x of data) {
        const code = Math.min(Math.max(Math.round(x / scale) + zeroPoint, -128), 127)
        squares += (x - (code - zeroPoint) * scale) ** 2
      }
      return { scale, squares }
    }
    const [all, most, best] = [known('minMax'), known('percentile'), known('squares')]
    expect(all.scale).toBeCloseTo(2.4 / 255, 5)
    expect(most.scale).toBeLessThan(2.01 / 255)
    expect(best.squares).toBeLessThan(0.9 * all.squares)
    expect(best.squares).toBeLessThan(1.01 * most.squares)
  })
})

describe('an imported program', () => {
  const size = 40
  const entries = Array.from({ length: size * size }, (_, index) => Math.sin(index))
  const model = modelOf({
    inputs: [info('x', ['batch', size])],
    nodes: [product],
    initializers: { w: tensorOf('f32', [size, size], entries) },
  })
  const calibration: Calibration = {
    data: Float32Array.from({ length: 2 * size }, (_, index) => index / 20 - 1),
  }

  test('has its large constants as blobs, each by the digest of its bytes', () => {
    const { program, blobs } = imported(model, { calibration })
    const digests = program.constants.flatMap(({ digest }) => (digest === undefined ? [] : [digest]))
    expect(digests).toHaveLength(1)
    for (const [digest, content] of blobs) expect(encodeHex(sha256(content)) as Digest).toBe(digest)
    expect([...blobs.keys()]).toEqual(digests)
  })

  test('takes as many rows as were asked for, whatever a sample has', () => {
    const { inputs, outputs } = imported(model, { calibration, batch: 3 })
    expect([inputs[0]?.shape, outputs[0]?.shape]).toEqual([
      [3, size],
      [3, size],
    ])
  })

  test('has each output once, though the model names a value twice', () => {
    const twice = modelOf({
      nodes: [product, node('Identity', ['y'], ['z'])],
      outputs: [info('y', [1, 4]), info('z', [1, 4]), info('x', [1, 4])],
      initializers: { w: square },
    })
    const [y, z, x] = run(imported(twice, { calibration: samples }), samples.data)
    expect(z?.integers).toEqual(y?.integers ?? [])
    expect(x?.reals.map((real) => Math.round(real * 10) / 10)).toEqual([-1, 0, 0.5, 1])
  })

  test('leaves out what no output needs, were it an operator that is not known', () => {
    const nodes = [product, node('NonMaxSuppression', ['x'], ['boxes'])]
    const { program } = imported(modelOf({ nodes, initializers: { w: square } }), { calibration: samples })
    expect(program.nodes[0]?.op).toBe('matmul')
  })

  test('reads nodes in any order', () => {
    const nodes = [node('Relu', ['h'], ['y']), { ...product, outputs: ['h'] }]
    expect(refusalOf(modelOf({ nodes, initializers: { w: square } }), samples)).toBe('imported')
  })

  test('takes weights that are listed among the inputs as weights', () => {
    const inputs = [info('x', [1, 4]), info('w', [4, 4])]
    expect(refusalOf(modelOf({ nodes: [product], inputs, initializers: { w: square } }), samples)).toBe(
      'imported',
    )
  })

  test('brings bias and weights of very different size together', () => {
    const biased = modelOf({
      nodes: [node('Gemm', ['x', 'w', 'b'], ['y'])],
      initializers: {
        w: tensorOf('f32', [4, 2], [1e-9, 1, 0, 1, 0, 1, 0, 1]),
        b: tensorOf('f32', [2], [3, 1]),
      },
      outputs: [info('y', [1, 2])],
    })
    const [y] = run(imported(biased, { calibration: samples }), samples.data)
    expect(y?.reals[0]).toBeCloseTo(3, 6)
    expect(y?.reals[1]).toBeCloseTo(1.5, 2)
  })

  test('reads constants in each of their forms', () => {
    const forms = [
      { value: { kind: 'tensor', value: tensorOf('f32', [1], [2]) } },
      { value_float: { kind: 'float', value: 2 } },
      { value_floats: { kind: 'floats', value: [2] } },
    ] as const
    for (const form of forms) {
      const nodes = [node('Constant', [], ['c'], form), node('Mul', ['x', 'c'], ['y'])]
      const [y] = run(imported(modelOf({ nodes }), { calibration: samples }), samples.data)
      expect(y?.reals[3]).toBeCloseTo(2, 1)
    }
    const shaped = [
      node('Constant', [], ['s'], { value_ints: ints(2, 2) }),
      node('Reshape', ['x', 's'], ['y']),
    ]
    expect(imported(modelOf({ nodes: shaped }), { calibration: samples }).outputs[0]?.shape).toEqual([2, 2])
    const text = [
      node('Constant', [], ['c'], { value: { kind: 'string', value: 'a' } }),
      node('Mul', ['x', 'c'], ['y']),
    ]
    expect(refusalOf(modelOf({ nodes: text }), samples)).toBe(
      'unsupported node 0 (Constant): has a value of the kind string',
    )
    const empty = [node('Constant', [], ['c']), node('Mul', ['x', 'c'], ['y'])]
    expect(refusalOf(modelOf({ nodes: empty }), samples)).toBe(
      'malformed node 0 (Constant): has no single value',
    )
  })

  test('casts bytes to the numbers that they are', () => {
    const cast = node('Cast', ['x'], ['f'], { to: int(1) })
    const inputs = [info('x', [1, 4], 'u8')]
    const half = tensorOf('f32', [], [0.5])
    const halved = modelOf({
      inputs,
      nodes: [cast, node('Mul', ['f', 'half'], ['y'])],
      initializers: { half },
    })
    expect(run(imported(halved), [0, 1, 2, 255])[0]?.reals).toEqual([0, 0.5, 1, 127.5])
    const third = tensorOf('f32', [], [0.3])
    const moved = modelOf({
      inputs,
      nodes: [cast, node('Add', ['f', 'third'], ['y'])],
      initializers: { third },
    })
    // Finer than the bytes: a constant is not rounded to their scale.
    expect(run(imported(moved), [0, 1, 2, 255])[0]?.reals[3]).toBeCloseTo(255.3, 3)
    const toWide = modelOf({ inputs, nodes: [node('Cast', ['x'], ['y'], { to: int(6) })] })
    expect(imported(toWide).outputs[0]?.dtype).toBe('i32')
    const toText = modelOf({ inputs, nodes: [node('Cast', ['x'], ['y'], { to: int(8) })] })
    expect(refusalOf(toText)).toBe('unsupported node 0 (Cast): casts to the ONNX data type 8')
  })
})
