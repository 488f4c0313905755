/** Points of the twisted curve y² = x³ + 3/(9 + i) that nobody made to lie in the subgroup, from small real x. */
import { baseOrder as p } from '../src/bn254/orders.ts'
import { add, type Element, inverse, multiply, reduce } from './reference.ts'

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % p
    if (bit === '1') result = (result * base) % p
  }
  return result
}

/** p is 3 modulo 4. Undefined when there is no root. */
function root(value: bigint): bigint | undefined {
  const found = power(reduce(value), (p + 1n) / 4n)
  return (found * found) % p === reduce(value) ? found : undefined
}

function extensionRoot([a, b]: Element): Element | undefined {
  const norm = root(a * a + b * b)
  if (norm === undefined) return undefined
  for (const sign of [norm, -norm]) {
    const real = root((a + sign) * inverse(2n))
    if (real === undefined || real === 0n) continue
    const candidate: Element = [real, reduce(b * inverse(2n * real))]
    const square = multiply(candidate, candidate)
    if (square[0] === reduce(a) && square[1] === reduce(b)) return candidate
  }
  return undefined
}

// 3/(9 + i) = 3(9 − i)/82
const constant: Element = [reduce(27n * inverse(82n)), reduce(-3n * inverse(82n))]

/** The `index`th point, counted from x = 1 upwards. */
export function twistPoint(index: bigint): readonly [x: Element, y: Element] {
  let found = 0n
  for (let real = 1n; ; real++) {
    const x: Element = [real, 0n]
    const y = extensionRoot(add(multiply(multiply(x, x), x), constant))
    if (y === undefined) continue
    if (++found === index) return [x, y]
  }
}
