/** A point of the twisted curve y² = x³ + 3/(9 + i) outside the subgroup, in snarkjs's form: the first with x = (n, 0). */
import { baseOrder as p } from '@shardy/proofs'

type Element = readonly [bigint, bigint]

const reduce = (value: bigint): bigint => ((value % p) + p) % p

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % p
    if (bit === '1') result = (result * base) % p
  }
  return result
}

const inverse = (value: bigint): bigint => power(reduce(value), p - 2n)

/** p is 3 modulo 4. */
function rootOf(value: bigint): bigint | undefined {
  const root = power(reduce(value), (p + 1n) / 4n)
  return (root * root) % p === reduce(value) ? root : undefined
}

function twistRootOf([real, imaginary]: Element): Element | undefined {
  const norm = rootOf(real * real + imaginary * imaginary)
  if (norm === undefined) return undefined
  for (const sign of [norm, -norm]) {
    const half = rootOf((real + sign) * inverse(2n))
    if (half === undefined || half === 0n) continue
    return [half, reduce(imaginary * inverse(2n * half))]
  }
  return undefined
}

export function strayTwistPoint(): readonly (readonly string[])[] {
  for (let x = 1n; ; x++) {
    // 3/(9 + i) = 3(9 − i)/82
    const y = twistRootOf([reduce(x ** 3n + 27n * inverse(82n)), reduce(-3n * inverse(82n))])
    if (y !== undefined) return [[String(x), '0'], y.map(String), ['1', '0']]
  }
}
