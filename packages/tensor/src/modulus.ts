/**
 * The modulus of the cheap check. It finds a wrong entry only modulo this prime, so the interval of every checked result
 * must be narrower than it: inference refuses a program where it is not (spec T8, docs/spec/checks.md).
 */
import { type Broken, broken, type Range, type Value } from './value.ts'

export const checkModulus = 2 ** 31 - 1

export function refuseWidth({ min, max }: Range, advice: string): Broken | undefined {
  const width = max - min
  if (width < checkModulus) return undefined
  return broken(
    `sums could be ${min} to ${max}, a width of ${width}; a check needs less than ${checkModulus}: ${advice}`,
  )
}

export function checkedSum(value: Value | Broken, advice: string): Value | Broken {
  if ('broken' in value) return value
  return refuseWidth(value, advice) ?? value
}
