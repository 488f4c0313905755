/**
 * The usual tables, made once when a program is written and carried in it as constants. A program means the table's bytes
 * and not the recipe here: floats may make a table, but no program ever computes with one. The recipes use `elementary.ts`,
 * so they give the same bytes in every engine.
 */
import { cosineAndSine, exponential, logarithm, normalShareBelow } from './elementary.ts'
import { createEntries, type Dtype, dtypeFacts, type Entries } from './tensor.ts'

/** How integers stand for real numbers: real = scale · (integer - zeroPoint). */
export interface Quantization {
  readonly dtype: 'i8' | 'u8'
  readonly scale: number
  readonly zeroPoint?: number
}

function assertPositive(name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new RangeError(`${name} is ${value}, expected a number above 0`)
}

/** To the nearest, halves upward, within what the kind of integer holds. */
function rounded(x: number, dtype: Dtype): number {
  const { min, max } = dtypeFacts[dtype]
  return Math.min(Math.max(Math.floor(x + 0.5), min), max)
}

/** The 256 entries for `lookup`: the quantized image of every byte, in the order in which bytes read the table. */
export function lookupTable(image: (x: number) => number, from: Quantization, to: Quantization): Entries {
  assertPositive('from.scale', from.scale)
  assertPositive('to.scale', to.scale)
  const table = createEntries(to.dtype, 256)
  for (let index = 0; index < 256; index++) {
    const x = from.scale * (index + dtypeFacts[from.dtype].min - (from.zeroPoint ?? 0))
    const y = image(x) / to.scale + (to.zeroPoint ?? 0)
    if (Number.isNaN(y)) throw new RangeError(`the image of ${x} is not a number`)
    table[index] = rounded(y, to.dtype)
  }
  return table
}

export function sigmoid(x: number): number {
  return 1 / (1 + exponential(-x))
}

/** x · sigmoid(x), also called swish. */
export function silu(x: number): number {
  return x * sigmoid(x)
}

/** x times the share of a normal distribution below x: the exact form, not the one by tanh. */
export function gelu(x: number): number {
  return x * normalShareBelow(x)
}

/** What `softmax` weighs with: entry d is exp(-scale · d), in units of which the largest has `most`. */
export function softmaxTable(scale: number, most = 65_535): Uint32Array {
  assertPositive('scale', scale)
  if (!(Number.isInteger(most) && most >= 1 && most <= 65_535)) {
    throw new RangeError(`most is ${most}, expected a whole number from 1 to 65535`)
  }
  return Uint32Array.from({ length: 256 }, (_, distance) =>
    rounded(most * exponential(-scale * distance), 'u32'),
  )
}

export interface RotaryTables {
  readonly cos: Int32Array
  readonly sin: Int32Array
  /** The binary places of both, which `rotary` takes off again. */
  readonly shift: number
}

/**
 * The tables for `rotary`, positions × columns / 2: pair i turns by position · base^(-2i / columns). One is 2^shift, but for a
 * shift of 15, where it is 32,767: no entry may be larger.
 */
export function rotaryTables({
  positions,
  columns,
  base = 10_000,
  shift = 14,
  firstPosition = 0,
}: {
  readonly positions: number
  readonly columns: number
  readonly base?: number
  readonly shift?: number
  readonly firstPosition?: number
}): RotaryTables {
  if (!(Number.isInteger(columns) && columns >= 2 && columns % 2 === 0)) {
    throw new RangeError(`columns is ${columns}, expected an even number`)
  }
  if (!(Number.isInteger(positions) && positions >= 1)) {
    throw new RangeError(`positions is ${positions}, expected a whole number from 1 on`)
  }
  if (!(Number.isInteger(shift) && shift >= 0 && shift <= 15)) {
    throw new RangeError(`shift is ${shift}, expected 0 to 15`)
  }
  assertPositive('base', base)
  const pairs = columns / 2
  const one = 2 ** shift
  const scaled = (x: number) => Math.min(Math.max(Math.floor(one * x + 0.5), -32_767), 32_767)
  const [cos, sin] = [new Int32Array(positions * pairs), new Int32Array(positions * pairs)]
  for (let pair = 0; pair < pairs; pair++) {
    const frequency = exponential((-2 * pair * logarithm(base)) / columns)
    for (let position = 0; position < positions; position++) {
      const [cosine, sine] = cosineAndSine((firstPosition + position) * frequency)
      cos[position * pairs + pair] = scaled(cosine)
      sin[position * pairs + pair] = scaled(sine)
    }
  }
  return { cos, sin, shift }
}
