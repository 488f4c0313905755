/**
 * The few ways in which exact integers are cut down (spec T7): every operation that rounds or saturates uses these and no
 * other. They work on bigints, because products need 64 bits; devices without such integers use limbs of 32.
 */
import { type Dtype, dtypeFacts } from './tensor.ts'

/** floor((x + 2^(shift-1)) / 2^shift): to the nearest, halves upward. A shift of 0 leaves x. */
export function roundShift(x: bigint, shift: number): bigint {
  return shift === 0 ? x : (x + (1n << BigInt(shift - 1))) >> BigInt(shift)
}

/** floor((2a + b) / 2b) for b > 0: to the nearest, halves upward. */
export function roundDivide(a: bigint, b: bigint): bigint {
  return floorDivide(2n * a + b, 2n * b)
}

/** Towards minus infinity, where bigint division goes towards zero. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}

/** The nearest value that the kind of integer has. */
export function saturate(x: bigint, dtype: Dtype): number {
  const { min, max } = dtypeFacts[dtype]
  if (x < BigInt(min)) return min
  if (x > BigInt(max)) return max
  return Number(x)
}

/** The largest integer whose square is at most x. */
export function integerSquareRoot(x: bigint): bigint {
  if (x < 2n) return x
  let root = 1n << BigInt(Math.ceil(x.toString(2).length / 2))
  for (;;) {
    const next = (root + x / root) >> 1n
    if (next >= root) return root
    root = next
  }
}
