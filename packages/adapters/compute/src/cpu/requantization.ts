/** Requantization by the WASM kernel: some rows at a time, or parts of a row that is long. */
import { createEntries, type NodeFor, sizeOf, type Tensor, type Value } from '@shardy/tensor'
import type { ElementKernels } from '../wasm/kernels.ts'
import type { RequantizeTarget } from '../wasm/requantize.ts'
import { inSteps, type Steps, stepWork, stretch } from './steps.ts'

function words({ data, dtype }: Tensor): Int32Array {
  if (data instanceof Int32Array) return data
  throw new TypeError(`${dtype} where int32 was inferred`)
}

function targetFor({ dtype, shape }: Value): RequantizeTarget {
  const target = createEntries(dtype, sizeOf(shape))
  if (target instanceof Uint32Array) throw new TypeError('no requantization makes u32')
  return target
}

export function* runRequantize(
  { requantize }: ElementKernels,
  { multiplier, shift, zeroPoint }: NodeFor<'requantize'>,
  x: Tensor,
  result: Value,
): Steps {
  const [source, target] = [words(x), targetFor(result)]
  const how = { multipliers: Int32Array.of(multiplier), shifts: Uint8Array.of(shift), zeroPoint, channels: 1 }
  yield* inSteps(source.length, (start, end) => {
    requantize(source.subarray(start, end), target.subarray(start, end), how)
  })
  return target
}

export function* runRequantizeChannels(
  { requantize }: ElementKernels,
  { zeroPoint }: NodeFor<'requantizeChannels'>,
  [x, multipliers, shifts]: readonly [Tensor, Tensor, Tensor],
  result: Value,
): Steps {
  const [source, target] = [words(x), targetFor(result)]
  const channels = result.shape.at(-1) ?? 1
  const [factors, places] = [words(multipliers), Uint8Array.from(shifts.data)]
  if (channels <= stepWork) {
    const how = { multipliers: factors, shifts: places, zeroPoint, channels }
    const eachRows = (first: number, end: number) => {
      const [from, to] = [first * channels, end * channels]
      requantize(source.subarray(from, to), target.subarray(from, to), how)
    }
    yield* inSteps(source.length / channels, eachRows, channels)
    return target
  }
  for (let row = 0; row < source.length; row += channels) {
    const part = inSteps(channels, (first, end) => {
      requantize(source.subarray(row + first, row + end), target.subarray(row + first, row + end), {
        multipliers: factors.subarray(first, end),
        shifts: places.subarray(first, end),
        zeroPoint,
        channels: end - first,
      })
    })
    const until = (row + channels) / source.length
    yield* stretch(part, row / source.length, until)
    yield until
  }
  return target
}
