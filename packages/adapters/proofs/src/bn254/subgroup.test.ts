import { describe, expect, test } from 'bun:test'
import { twistPoint } from '../../test/twist.ts'
import { fp2Size, g2Size, loadMcl } from './mcl.ts'
import { openNumbers } from './numbers.ts'
import { fieldOrder } from './orders.ts'
import { openSubgroup } from './subgroup.ts'

const mcl = await loadMcl()
const numbers = openNumbers(mcl)
const { holds } = openSubgroup(mcl, numbers)
const [point, sum] = [mcl.reserve(g2Size), mcl.reserve(g2Size)]

/** The definition: r times the point is the neutral element, by doublings and additions alone. */
function hasOrder(source: number): boolean {
  mcl._mclBnG2_clear(sum)
  for (const bit of fieldOrder.toString(2)) {
    mcl._mclBnG2_dbl(sum, sum)
    if (bit === '1') mcl._mclBnG2_add(sum, sum, source)
  }
  return mcl._mclBnG2_isZero(sum) === 1
}

function write([x, y]: ReturnType<typeof twistPoint>): void {
  numbers.writeFp2(point, x)
  numbers.writeFp2(point + fp2Size, y)
  numbers.writeFp2(point + 2 * fp2Size, [1n, 0n])
}

/** The product of the cofactor with a point of the curve is in the subgroup. */
const cofactor =
  2n * 21888242871839275222246405745257275088696311157297823662689037894645226208583n - fieldOrder

describe('the subgroup', () => {
  test('holds no point that is only on the curve', () => {
    for (let index = 1; index <= 24; index++) {
      write(twistPoint(BigInt(index)))
      expect(mcl._mclBnG2_isValid(point)).toBe(1)
      expect(holds(point)).toBe(hasOrder(point))
      expect(holds(point)).toBe(false)
    }
  })

  test('holds the multiples of points by the cofactor, in any coordinates', () => {
    for (let index = 1; index <= 6; index++) {
      write(twistPoint(BigInt(index)))
      const product = mcl.reserve(g2Size)
      mcl._mclBnG2_clear(product)
      for (const bit of cofactor.toString(2)) {
        mcl._mclBnG2_dbl(product, product)
        if (bit === '1') mcl._mclBnG2_add(product, product, point)
      }
      expect(hasOrder(product)).toBe(true)
      expect(holds(product)).toBe(true)
      mcl._mclBnG2_add(product, product, point)
      expect(holds(product)).toBe(false)
    }
  })

  test('holds no point of small order', () => {
    // 10069 divides the cofactor: the rest of the group order times a point leaves one of that order.
    expect(cofactor % 10_069n).toBe(0n)
    const rest = (cofactor / 10_069n) * fieldOrder
    write(twistPoint(3n))
    const small = mcl.reserve(g2Size)
    mcl._mclBnG2_clear(small)
    for (const bit of rest.toString(2)) {
      mcl._mclBnG2_dbl(small, small)
      if (bit === '1') mcl._mclBnG2_add(small, small, point)
    }
    expect(mcl._mclBnG2_isZero(small)).toBe(0)
    expect(holds(small)).toBe(false)
  })
})
