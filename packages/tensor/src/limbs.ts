/**
 * Exact 64-bit integers as two limbs of 32 bits (spec T7): what a device without such integers computes, step by step.
 * Every line is 32-bit arithmetic that wraps, as WGSL has it: no bigint, no division, no float. The functions do what
 * `rounding.ts` defines with bigints, and are tested against it; kernels are written after them.
 */

/** high · 2^32 + low. The high limb is signed, the low one is not: two's complement. */
export interface Wide {
  readonly high: number
  readonly low: number
}

function wide(high: number, low: number): Wide {
  return { high: high | 0, low: low >>> 0 }
}

/** A signed 32-bit number, as 64 bits. */
export function widen(x: number): Wide {
  return wide(x >> 31, x)
}

/** 1 where the sum of two limbs wrapped below one of them. */
function carryOf(sum: number, part: number): number {
  return sum >>> 0 < part >>> 0 ? 1 : 0
}

export function addWide(x: Wide, y: Wide): Wide {
  const low = (x.low + y.low) >>> 0
  return wide(x.high + y.high + carryOf(low, x.low), low)
}

export function negateWide({ high, low }: Wide): Wide {
  return addWide(wide(~high, ~low), wide(0, 1))
}

/** The product of two unsigned 32-bit numbers, from four products of 16-bit halves. */
export function multiplyUnsigned(x: number, y: number): Wide {
  const [xHigh, xLow, yHigh, yLow] = [x >>> 16, x & 0xffff, y >>> 16, y & 0xffff]
  const lowest = Math.imul(xLow, yLow) >>> 0
  const cross = Math.imul(xLow, yHigh) >>> 0
  // At most 0xffff² + 0xffff: no carry.
  const other = (Math.imul(xHigh, yLow) + (lowest >>> 16)) >>> 0
  const middle = (cross + other) >>> 0
  const high = Math.imul(xHigh, yHigh) + (middle >>> 16) + (carryOf(middle, cross) << 16)
  return wide(high, (middle << 16) | (lowest & 0xffff))
}

/** The product of two signed 32-bit numbers: a negative one counts 2^32 too much as an unsigned one. */
export function multiplySigned(x: number, y: number): Wide {
  const { high, low } = multiplyUnsigned(x, y)
  return wide(high - (x < 0 ? y : 0) - (y < 0 ? x : 0), low)
}

/** x · 2^count for a count of 0 to 63; what leaves the top is lost. A shift by 32 shifts by nothing, hence the cases. */
export function shiftLeft({ high, low }: Wide, count: number): Wide {
  if (count === 0) return { high, low }
  if (count >= 32) return wide(low << (count - 32), 0)
  return wide((high << count) | (low >>> (32 - count)), low << count)
}

/** floor(x / 2^count) for a count of 0 to 63. */
export function shiftRight({ high, low }: Wide, count: number): Wide {
  if (count === 0) return { high, low }
  if (count >= 32) return wide(high >> 31, high >> (count - 32))
  return wide(high >> count, (low >>> count) | (high << (32 - count)))
}

/** floor((x + 2^(count-1)) / 2^count) for a count of 0 to 62, where x is at most 2^62 from zero. */
export function roundShiftWide(x: Wide, count: number): Wide {
  if (count === 0) return x
  return shiftRight(addWide(x, shiftLeft(wide(0, 1), count - 1)), count)
}

/** Whether x ≤ y, both without a sign. */
function atMost(x: Wide, y: Wide): boolean {
  return x.high === y.high ? x.low <= y.low : x.high >>> 0 < y.high >>> 0
}

/** The nearest number from `min` to `max`, which are signed 32-bit numbers. */
export function clampWide({ high, low }: Wide, min: number, max: number): number {
  // The high limb of a number that fits repeats the sign of the low one.
  const fits = high === low >> 31
  if (!fits) return high < 0 ? min : max
  return Math.min(Math.max(low | 0, min), max)
}

/** saturate(zeroPoint + roundShift(x · multiplier, shift)): the whole of `requantize`. */
export function requantizeByLimbs(
  x: number,
  {
    multiplier,
    shift,
    zeroPoint,
  }: { readonly multiplier: number; readonly shift: number; readonly zeroPoint: number },
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const scaled = roundShiftWide(multiplySigned(x, multiplier), shift)
  return clampWide(addWide(scaled, widen(zeroPoint)), min, max)
}

/** floor(x / divisor) and the rest, for x without a sign and a divisor of 1 to 2^32 - 1: one bit of x after the other. */
export function divideUnsigned(x: Wide, divisor: number): { readonly quotient: Wide; readonly rest: number } {
  let [quotient, left, rest] = [wide(0, 0), x, 0]
  for (let bit = 0; bit < 64; bit++) {
    // The rest is below the divisor, so twice the rest has 33 bits at most; the difference has 32 again.
    const carry = rest >>> 31
    rest = ((rest << 1) | (left.high >>> 31)) >>> 0
    left = shiftLeft(left, 1)
    const taken = carry === 1 || rest >= divisor >>> 0
    if (taken) rest = (rest - divisor) >>> 0
    quotient = addWide(shiftLeft(quotient, 1), wide(0, taken ? 1 : 0))
  }
  return { quotient, rest }
}

/** floor(x / divisor), towards minus infinity. */
export function floorDivideWide(x: Wide, divisor: number): Wide {
  if (x.high >= 0) return divideUnsigned(x, divisor).quotient
  const { quotient, rest } = divideUnsigned(negateWide(x), divisor)
  return rest === 0 ? negateWide(quotient) : negateWide(addWide(quotient, wide(0, 1)))
}

/** floor((2x + divisor) / (2 · divisor)) for a divisor below 2^31 and x at most 2^61 from zero. */
export function roundDivideWide(x: Wide, divisor: number): Wide {
  return floorDivideWide(addWide(shiftLeft(x, 1), wide(0, divisor)), (divisor << 1) >>> 0)
}

/** The largest whole number whose square is at most x, for x without a sign: its 32 bits from the top. */
export function squareRootWide(x: Wide): number {
  let root = 0
  for (let bit = 31; bit >= 0; bit--) {
    const candidate = (root | (1 << bit)) >>> 0
    if (atMost(multiplyUnsigned(candidate, candidate), x)) root = candidate
  }
  return root
}
