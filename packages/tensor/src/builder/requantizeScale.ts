/** A real factor as `requantize` takes it: multiplier / 2^shift, the multiplier with all the bits that it can have. */
import { shiftMax } from '../operations/requantize.ts'

export interface FixedPoint {
  readonly multiplier: number
  readonly shift: number
}

const multiplierMin = 2 ** 30
const multiplierMax = 2 ** 31 - 1

/**
 * The nearest such number. From 2^-32 on the multiplier has 31 bits, so it is off by 2^-31 of the factor at most; smaller
 * factors have fewer. The steps are exact: doubling a double loses nothing.
 */
export function requantizeScale(factor: number): FixedPoint {
  const size = Math.abs(factor)
  let [scaled, shift] = [size, 0]
  while (scaled < multiplierMin && shift < shiftMax) {
    scaled *= 2
    shift++
  }
  let multiplier = Math.round(scaled)
  if (multiplier > multiplierMax && shift > 0) {
    multiplier /= 2 // It was rounded up to 2^31.
    shift--
  }
  if (!(multiplier >= 1 && multiplier <= multiplierMax)) {
    throw new RangeError(
      `the factor ${factor} is none that a multiplier of 31 bits and a shift of up to 62 can give`,
    )
  }
  return { multiplier: factor < 0 ? -multiplier : multiplier, shift }
}

/** One factor for each channel, as `requantizeChannels` takes them. */
export function requantizeScales(factors: readonly number[]): {
  readonly multipliers: Int32Array
  readonly shifts: Uint8Array
} {
  const scales = factors.map(requantizeScale)
  return {
    multipliers: Int32Array.from(scales, ({ multiplier }) => multiplier),
    shifts: Uint8Array.from(scales, ({ shift }) => shift),
  }
}
