/** Both curves by the schoolbook, in bigints: slow, short, and without a line in common with the module that is tested with it. */
import { baseOrder as p, seed } from '../src/bn254/orders.ts'

export type Element = readonly [bigint, bigint]
/** Undefined is the point at infinity. A point of the first curve has second parts of zero. */
export type Point = readonly [x: Element, y: Element] | undefined

export const reduce = (value: bigint): bigint => ((value % p) + p) % p

export function inverse(value: bigint): bigint {
  let [a, b, u, v] = [reduce(value), p, 1n, 0n]
  while (a > 1n) {
    const quotient = b / a
    ;[a, b, u, v] = [b - quotient * a, a, v - quotient * u, u]
    if (a < b) continue
    ;[a, b, u, v] = [b, a, v, u]
  }
  return reduce(u)
}

export const multiply = ([a, b]: Element, [c, d]: Element): Element => [
  reduce(a * c - b * d),
  reduce(a * d + b * c),
]
export const add = ([a, b]: Element, [c, d]: Element): Element => [reduce(a + c), reduce(b + d)]
const subtract = ([a, b]: Element, [c, d]: Element): Element => [reduce(a - c), reduce(b - d)]

function invert([a, b]: Element): Element {
  const norm = inverse(a * a + b * b)
  return [reduce(a * norm), reduce(-b * norm)]
}

export function addPoints(one: Point, other: Point): Point {
  if (one === undefined) return other
  if (other === undefined) return one
  const [[x1, y1], [x2, y2]] = [one, other]
  const isSameX = x1[0] === x2[0] && x1[1] === x2[1]
  if (isSameX && reduce(y1[0] + y2[0]) === 0n && reduce(y1[1] + y2[1]) === 0n) return undefined
  const slope = isSameX
    ? multiply(multiply([3n, 0n], multiply(x1, x1)), invert(add(y1, y1)))
    : multiply(subtract(y2, y1), invert(subtract(x2, x1)))
  const x = subtract(subtract(multiply(slope, slope), x1), x2)
  return [x, subtract(multiply(slope, subtract(x1, x)), y1)]
}

export function timesPoint(point: Point, scalar: bigint): Point {
  let sum: Point
  for (const bit of scalar.toString(2)) {
    sum = addPoints(sum, sum)
    if (bit === '1') sum = addPoints(sum, point)
  }
  return sum
}

/** The order of the twisted curve is r times this. */
export const cofactor = 36n * seed ** 4n + 36n * seed ** 3n + 30n * seed ** 2n + 6n * seed + 1n
