/**
 * The weights of a layer as int8: those that came as integers as they are, with their zero points taken off; real ones
 * rounded, each output channel with a scale of its own and no zero point.
 */
import { refuse } from '../refusal.ts'
import type { Constant } from './lowered.ts'
import { roundHalfEven } from './quantization.ts'

export interface Weights {
  /** In the order of the constant's entries. */
  readonly codes: Int16Array
  /** One for each output. */
  readonly scales: readonly number[]
  /** They were integers in the model. */
  readonly isExact: boolean
}

/** What a bias may become in units of the sums: as fine as a 32-bit float, and there is room for the sums themselves. */
const biasMax = 2 ** 24

/** Which output an entry belongs to. */
function outputsOf(shape: readonly number[], axis: number): (index: number) => number {
  const outputs = shape[axis] ?? 1
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1)
  return (index) => Math.floor(index / inner) % outputs
}

/**
 * `axis` is that of the outputs. Real weights of an output that has little but its bias get a coarser scale, so that
 * the bias, which is in units of input scale times weight scale, stays small enough.
 */
export function weightsOf(
  { tensor, codes }: Constant,
  axis: number,
  inputScale: number,
  bias: readonly number[] | undefined,
  label: string,
): Weights {
  const outputs = tensor.shape[axis] ?? 1
  const outputOf = outputsOf(tensor.shape, axis)
  const quantized = new Int16Array(tensor.data.length)
  if (codes !== undefined) {
    const { scales, zeroPoints } = codes
    if (codes.axis !== undefined && codes.axis !== axis && scales.length > 1) {
      return refuse(
        'inexact',
        label,
        `has weights with a scale for each entry of axis ${codes.axis}; only one for each output can be taken out of a sum`,
      )
    }
    const one = <T>(values: readonly T[], output: number): T =>
      (values.length > 1 ? values[output] : values[0]) as T
    for (let index = 0; index < quantized.length; index++) {
      quantized[index] = (codes.tensor.data[index] as number) - one(zeroPoints, outputOf(index))
    }
    const every = Array.from({ length: outputs }, (_, output) => one(scales, output))
    return { codes: quantized, scales: every, isExact: true }
  }
  const largest = new Float64Array(outputs)
  for (let index = 0; index < quantized.length; index++) {
    const entry = tensor.data[index] as number
    if (!Number.isFinite(entry)) refuse('unsupported', label, `has the weight ${entry}`)
    const output = outputOf(index)
    largest[output] = Math.max(largest[output] as number, Math.abs(entry))
  }
  const scales = Array.from(largest, (size, output) => {
    const forBias = Math.abs(bias?.[output] ?? 0) / (inputScale * biasMax)
    return Math.max(size / 127, forBias) || 1
  })
  for (let index = 0; index < quantized.length; index++) {
    quantized[index] = roundHalfEven((tensor.data[index] as number) / (scales[outputOf(index)] as number))
  }
  return { codes: quantized, scales, isExact: false }
}

/** Weights of more than 8 bits, as they are after a zero point far from the middle, as terms of a sum. */
export function splitToBytes(codes: Int16Array): readonly Int8Array[] {
  const rest = Int16Array.from(codes)
  const parts: Int8Array[] = []
  do {
    const part = new Int8Array(rest.length)
    for (let index = 0; index < rest.length; index++) {
      const byte = Math.min(Math.max(rest[index] as number, -128), 127)
      part[index] = byte
      rest[index] = (rest[index] as number) - byte
    }
    parts.push(part)
  } while (rest.some((entry) => entry !== 0))
  return parts
}

/** The sum of each output's weights: what a zero point of the input adds to it. */
export function sumsOf(codes: Int16Array, shape: readonly number[], axis: number): readonly number[] {
  const sums = new Array<number>(shape[axis] ?? 1).fill(0)
  const outputOf = outputsOf(shape, axis)
  for (let index = 0; index < codes.length; index++) {
    const output = outputOf(index)
    sums[output] = (sums[output] as number) + (codes[index] as number)
  }
  return sums
}
