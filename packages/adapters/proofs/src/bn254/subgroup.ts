/**
 * Which points of the twisted curve lie in the subgroup of order r: exactly those with [x+1]Q + ψ([x]Q) + ψ²([x]Q) = ψ³([2x]Q), where x
 * is the curve's seed and ψ the untwisted Frobenius (Dai, Lin, Zhao, Zhou, "Fast subgroup membership testings", 2022). One
 * multiplication by 63 bits instead of 254. It is written out in doublings and additions: mcl's own multiplication splits scalars in a
 * way that is right only inside the subgroup, which is what is to be found out.
 */
import { oddMultiples, placesMax, writeDigits } from './digits.ts'
import { frobeniusX, frobeniusY } from './extension.ts'
import { fp2Size, fpSize, g2Size, type Mcl } from './mcl.ts'
import type { Numbers } from './numbers.ts'
import { seed } from './orders.ts'

export interface Subgroup {
  /** The point must be on the twisted curve, and not at infinity. */
  holds(point: number): boolean
}

export function openSubgroup(mcl: Mcl, numbers: Numbers): Subgroup {
  const digits = new Int8Array(placesMax)
  const length = writeDigits(digits, Number(seed & 0xffffffffn), Number(seed >> 32n))
  const top = digits.findLastIndex((digit, place) => place < length && digit !== 0)
  const [factorX, factorY] = [mcl.reserve(fp2Size), mcl.reserve(fp2Size)]
  numbers.writeFp2(factorX, frobeniusX())
  numbers.writeFp2(factorY, frobeniusY())
  const table = mcl.reserve(oddMultiples * g2Size)
  const [twice, product, turned, left, right] = [
    mcl.reserve(g2Size),
    mcl.reserve(g2Size),
    mcl.reserve(g2Size),
    mcl.reserve(g2Size),
    mcl.reserve(g2Size),
  ]

  function copy(target: number, source: number): void {
    mcl.bytes().copyWithin(target, source, source + g2Size)
  }

  /** [x] of the point. */
  function multiplyBySeed(target: number, point: number): void {
    copy(table, point)
    mcl._mclBnG2_dbl(twice, point)
    for (let index = 1; index < oddMultiples; index++)
      mcl._mclBnG2_add(table + index * g2Size, table + (index - 1) * g2Size, twice)
    copy(target, table + (((digits[top] as number) - 1) >> 1) * g2Size)
    for (let place = top - 1; place >= 0; place--) {
      mcl._mclBnG2_dbl(target, target)
      const digit = digits[place] as number
      if (digit > 0) mcl._mclBnG2_add(target, target, table + ((digit - 1) >> 1) * g2Size)
      else if (digit < 0) mcl._mclBnG2_sub(target, target, table + ((-digit - 1) >> 1) * g2Size)
    }
  }

  /** ψ in place: every coordinate is conjugated, then x and y are multiplied by a constant. */
  function turn(point: number): void {
    for (let part = point + fpSize; part < point + g2Size; part += fp2Size) mcl._mclBnFp_neg(part, part)
    mcl._mclBnFp2_mul(point, point, factorX)
    mcl._mclBnFp2_mul(point + fp2Size, point + fp2Size, factorY)
  }

  return {
    holds(point) {
      multiplyBySeed(product, point)
      mcl._mclBnG2_add(left, product, point)
      copy(turned, product)
      turn(turned)
      mcl._mclBnG2_add(left, left, turned)
      turn(turned)
      mcl._mclBnG2_add(left, left, turned)
      turn(turned)
      mcl._mclBnG2_dbl(right, turned)
      return mcl._mclBnG2_isEqual(left, right) === 1
    },
  }
}
