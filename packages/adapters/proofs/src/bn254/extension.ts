/** Powers in the quadratic extension Fp[i], i² = −1, for the few constants that are worked out when a curve is opened. */
import { baseOrder } from './orders.ts'

export type ExtensionElement = readonly [real: bigint, imaginary: bigint]

const reduce = (value: bigint): bigint => ((value % baseOrder) + baseOrder) % baseOrder

function multiply([a, b]: ExtensionElement, [c, d]: ExtensionElement): ExtensionElement {
  return [reduce(a * c - b * d), reduce(a * d + b * c)]
}

function power(base: ExtensionElement, exponent: bigint): ExtensionElement {
  let result: ExtensionElement = [1n, 0n]
  for (const bit of exponent.toString(2)) {
    result = multiply(result, result)
    if (bit === '1') result = multiply(result, base)
  }
  return result
}

/** The twist is y² = x³ + 3/ξ. */
const xi: ExtensionElement = [9n, 1n]

/** What ψ multiplies the conjugates of x and y by. */
export const frobeniusX = (): ExtensionElement => power(xi, (baseOrder - 1n) / 3n)
export const frobeniusY = (): ExtensionElement => power(xi, (baseOrder - 1n) / 2n)
