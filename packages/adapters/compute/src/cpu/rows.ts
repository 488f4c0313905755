/**
 * Operations along the last axis in doubles and not in bigints: every number on the way stays below 2^53, or is brought
 * there exactly, and a quotient that a double may have rounded is put right by its remainder.
 */
import { integerSquareRoot, type NodeFor, roundDivide, type Tensor, type Value } from '@shardy/tensor'

/** roundDivide for |a| < 2^50 and 0 < b < 2^50. */
function divideToNearest(a: number, b: number): number {
  const [dividend, divisor] = [2 * a + b, 2 * b]
  const quotient = Math.floor(dividend / divisor)
  const rest = dividend - quotient * divisor
  if (rest < 0) return quotient - 1
  return rest >= divisor ? quotient + 1 : quotient
}

export function runSoftmax(x: Tensor, table: Tensor): Uint8Array {
  const length = x.shape.at(-1) ?? 1
  const shares = new Uint8Array(x.data.length)
  const weights = new Float64Array(length)
  for (let start = 0; start < x.data.length; start += length) {
    let largest = Number.NEGATIVE_INFINITY
    for (let index = start; index < start + length; index++) largest = Math.max(largest, x.data[index] ?? 0)
    let sum = 0
    for (let column = 0; column < length; column++) {
      const weight = table.data[Math.min(largest - (x.data[start + column] ?? 0), 255)] ?? 0
      weights[column] = weight
      sum += weight
    }
    if (sum === 0) continue
    for (let column = 0; column < length; column++) {
      shares[start + column] = divideToNearest(255 * (weights[column] ?? 0), sum)
    }
  }
  return shares
}

export function runNorm(
  { op, epsilon, shift }: NodeFor<'rmsNorm'> | NodeFor<'layerNorm'>,
  x: Tensor,
  gain: Tensor,
  { shape }: Value,
): Int32Array {
  const length = shape.at(-1) ?? 1
  const data = new Int32Array(x.data.length)
  for (let start = 0; start < data.length; start += length) {
    let mean = 0
    if (op === 'layerNorm') {
      let sum = 0
      for (let index = start; index < start + length; index++) sum += x.data[index] ?? 0
      mean = Number(roundDivide(16n * BigInt(sum), BigInt(length)))
    }
    // A square is below 2^40, so sums of 2^12 of them are exact before they join the bigint.
    let squares = 0n
    for (let first = start; first < start + length; first += 4096) {
      let part = 0
      for (let index = first; index < Math.min(first + 4096, start + length); index++) {
        const centred = 16 * (x.data[index] ?? 0) - mean
        part += centred * centred
      }
      squares += BigInt(part)
    }
    const root = integerSquareRoot((256n * squares) / BigInt(length) + BigInt(epsilon))
    const divisor = Number(root << BigInt(shift))
    for (let column = 0; column < length; column++) {
      const product = 16 * (16 * (x.data[start + column] ?? 0) - mean) * (gain.data[column] ?? 0)
      const quotient = divideToNearest(product, divisor)
      data[start + column] = quotient < -32_768 ? -32_768 : quotient > 32_767 ? 32_767 : quotient
    }
  }
  return data
}
