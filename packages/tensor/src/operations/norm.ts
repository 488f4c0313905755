/**
 * T32, T33: each row divided by its root mean square (rmsNorm) or moved to mean zero and divided by its standard deviation
 * (layerNorm), times a gain for each column. Means keep four binary places, roots keep eight.
 */
import { field, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { integerSquareRoot, roundDivide } from '../rounding.ts'
import { rowsOf } from '../rows.ts'
import { entryAt, type Tensor } from '../tensor.ts'
import { type Broken, broken, describeType, magnitude, resultOf, type Value } from '../value.ts'

/** Entries and gains: with it every product below fits 64 bits, and every divisor 32. */
const magnitudeMax = 32_767
const columnsMax = 16_384
const resultRange = { min: -32_768, max: 32_767 }

interface Attributes {
  readonly epsilon: number
  readonly shift: number
}

const attributes = {
  /** Added to 256 · 256 times the mean square, so that the root is never zero. */
  epsilon: field(8, whole(1, 2 ** 31 - 1)),
  /** The result is divided by 2^shift: how many binary places the gain has. */
  shift: field(9, whole(0, 6)),
}

function infer(x: Value, gain: Value): Value | Broken {
  if (x.dtype === 'u32') return broken(`x is ${describeType(x)}, expected i8, u8 or i32`)
  const n = x.shape.at(-1) ?? 0
  if (n > columnsMax) return broken(`x is ${describeType(x)}, rows have at most ${columnsMax} entries`)
  if (gain.dtype !== 'i32' || gain.shape.length !== 1 || gain.shape[0] !== n) {
    return broken(`gain is ${describeType(gain)}, expected i32[${n}]`)
  }
  for (const [name, value] of Object.entries({ x, gain })) {
    if (magnitude(value) > magnitudeMax) {
      return broken(`${name} could be ${value.min} to ${value.max}, allowed is ±${magnitudeMax}`)
    }
  }
  return resultOf('i32', x.shape, resultRange)
}

/** Sixteen times the mean, to the nearest. */
function meanOf(entries: readonly number[]): bigint {
  const sum = entries.reduce((left, right) => left + right)
  return roundDivide(16n * BigInt(sum), BigInt(entries.length))
}

function evaluate(
  [x, gain]: readonly [Tensor, Tensor],
  { epsilon, shift }: Attributes,
  { dtype, shape }: Value,
  centre: (entries: readonly number[]) => bigint,
): Tensor {
  const data = new Int32Array(x.data.length)
  for (const { start, entries } of rowsOf(x)) {
    const mean = centre(entries)
    const centred = entries.map((entry) => 16n * BigInt(entry) - mean)
    const squares = centred.reduce((sum, entry) => sum + entry * entry, 0n)
    const root = integerSquareRoot((256n * squares) / BigInt(entries.length) + BigInt(epsilon))
    for (const [column, entry] of centred.entries()) {
      const product = 16n * entry * BigInt(entryAt(gain.data, column))
      const quotient = Number(roundDivide(product, root << BigInt(shift)))
      data[start + column] = Math.min(Math.max(quotient, resultRange.min), resultRange.max)
    }
  }
  return { dtype, shape, data }
}

export const rmsNorm = operation({
  op: 'rmsNorm',
  operands: ['x', 'gain'],
  attributes,
  infer: ([x, gain]) => infer(x, gain),
  evaluate: (operands, given, result) => evaluate(operands, given, result, () => 0n),
})

export const layerNorm = operation({
  op: 'layerNorm',
  operands: ['x', 'gain'],
  attributes,
  infer: ([x, gain]) => infer(x, gain),
  evaluate: (operands, given, result) => evaluate(operands, given, result, meanOf),
})
