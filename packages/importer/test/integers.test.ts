/** Integer forms beside sums that are added up here, one by one, and scaled by fractions of big integers. */
import { describe, expect, test } from 'bun:test'
import { type OnnxTensor, tensorOf } from '../src/index.ts'
import { drawer, info, modelOf, node } from './draw.ts'
import { imported, run } from './exact.ts'

/** The binary fraction that a double is. */
function fractionOf(x: number): { readonly top: bigint; readonly bits: number } {
  let [top, bits] = [x, 0]
  while (!Number.isInteger(top)) {
    top *= 2
    bits++
  }
  return { top: BigInt(top), bits }
}

/** sum · factor / unit, to the nearest, and how far from the middle between two it is, in parts of 2^40. */
function scaled(sum: number, factors: readonly number[], unit: number): { code: number; fromMiddle: number } {
  const parts = factors.map(fractionOf)
  const divisor = fractionOf(unit)
  const top = parts.reduce((product, part) => product * part.top, BigInt(sum)) << BigInt(divisor.bits)
  const bottom = divisor.top << BigInt(parts.reduce((bits, part) => bits + part.bits, 0))
  const fine = (top << 40n) / bottom
  const rest = Number(fine & (2n ** 40n - 1n)) / 2 ** 40
  return { code: Number((fine + 2n ** 39n) >> 40n), fromMiddle: Math.abs(rest - 0.5) }
}

const cut = (code: number, min: number, max: number) => Math.min(Math.max(code, min), max)

interface Drawn {
  readonly k: number
  readonly n: number
  readonly x: Uint8Array
  readonly w: Int8Array
  readonly zeros: Readonly<Record<'x' | 'w' | 'y', number>>
  readonly scales: Readonly<Record<'x' | 'y', number>>
  readonly weightScales: Float32Array
}

function drawLayer(seed: number): Drawn {
  const draw = drawer(seed)
  const k = 1 + (draw() % 90)
  const n = 1 + (draw() % 8)
  const scale = () => Math.fround(0.001 + (draw() % 1000) / 20_000)
  return {
    k,
    n,
    x: Uint8Array.from({ length: k }, () => draw()),
    w: Int8Array.from({ length: k * n }, () => draw()),
    zeros: { x: draw() % 256, w: (draw() % 256) - 128, y: draw() % 256 },
    scales: { x: scale(), y: 40 * scale() },
    weightScales: Float32Array.from({ length: n }, scale),
  }
}

function sumsOf({ k, n, x, w, zeros }: Drawn): readonly number[] {
  return Array.from({ length: n }, (_, column) => {
    let sum = 0
    for (let row = 0; row < k; row++) {
      sum += ((x[row] ?? 0) - zeros.x) * ((w[row * n + column] ?? 0) - zeros.w)
    }
    return sum
  })
}

const scalar = (dtype: 'f32' | 'u8' | 'i8', value: number): OnnxTensor => tensorOf(dtype, [], [value])

function constantsOf({ k, n, w, zeros, scales, weightScales }: Drawn): Readonly<Record<string, OnnxTensor>> {
  return {
    w: tensorOf('i8', [k, n], w),
    wz: scalar('i8', zeros.w),
    ws: tensorOf('f32', [n], weightScales),
    xs: scalar('f32', scales.x),
    xz: scalar('u8', zeros.x),
    ys: scalar('f32', scales.y),
    yz: scalar('u8', zeros.y),
  }
}

describe('random layers with zero points everywhere', () => {
  let near = 0
  for (let seed = 0; seed < 40; seed++) {
    const layer = drawLayer(seed)
    const { k, n } = layer
    const inputs = [info('x', [1, k], 'u8')]
    const sums = sumsOf(layer)

    test(`MatMulInteger, ${k} by ${n}`, () => {
      const nodes = [node('MatMulInteger', ['x', 'w', 'xz', 'wz'], ['y'])]
      const { w = scalar('i8', 0), xz = w, wz = w } = constantsOf(layer)
      const model = modelOf({ nodes, inputs, initializers: { w, xz, wz } })
      expect(run(imported(model), layer.x)[0]?.integers).toEqual([...sums])
    })

    test(`QLinearMatMul, ${k} by ${n}`, () => {
      const nodes = [node('QLinearMatMul', ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'], ['y'])]
      const [y] = run(imported(modelOf({ nodes, inputs, initializers: constantsOf(layer) })), layer.x)
      for (const [column, sum] of sums.entries()) {
        const factors = [layer.scales.x, layer.weightScales[column] ?? 0]
        const { code, fromMiddle } = scaled(sum, factors, layer.scales.y)
        // The multiplier has 31 bits: a sum of 20 bits is off by 2^-11 of a code's 2^-20 at most.
        if (fromMiddle < 2 ** -11) near++
        else expect(y?.integers[column]).toBe(cut(code + layer.zeros.y, 0, 255))
      }
    })
  }

  test('hardly any lie in the middle', () => expect(near).toBeLessThan(3))
})

/** What the page about importing says of ties. */
test('a sum in the very middle goes up, where ONNX goes to the even one', () => {
  const half = scalar('f32', 0.5)
  const one = scalar('f32', 1)
  const zero = scalar('i8', 0)
  const initializers = { w: tensorOf('i8', [1, 1], [1]), one, half, zero }
  const nodes = [node('QLinearMatMul', ['x', 'one', 'zero', 'w', 'half', 'zero', 'one', 'zero'], ['y'])]
  const program = imported(modelOf({ nodes, inputs: [info('x', [5, 1], 'i8')], initializers }))
  expect(run(program, [-3, -1, 1, 3, 4])[0]?.integers).toEqual([-1, 0, 1, 2, 2])
})
