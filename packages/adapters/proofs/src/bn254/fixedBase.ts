/**
 * A point that is multiplied often: all multiples of it by one digit of a scalar, at every place, so that a product is a sum of table
 * entries without a doubling. Entries have Z = 1, which makes the additions cheaper.
 */
import { frSize, g1Size, g2Size, type Mcl } from './mcl.ts'

const digitBits = 6
const places = Math.ceil(254 / digitBits)
const entries = 2 ** digitBits - 1

export interface FixedBase {
  /** sum += scalar · base; the scalar is 32 bytes with the little end first, below 2^254, wherever they lie. */
  addProduct(sum: number, scalar: Uint8Array, at: number): void
}

export function openFixedBaseG1(mcl: Mcl, base: number): FixedBase {
  return open(
    {
      size: g1Size,
      add: mcl._mclBnG1_add,
      double: mcl._mclBnG1_dbl,
      normalize: mcl._mclBnG1_normalizeVec,
    },
    mcl,
    base,
  )
}

export function openFixedBaseG2(mcl: Mcl, base: number): FixedBase {
  return open(
    {
      size: g2Size,
      add: mcl._mclBnG2_add,
      double: mcl._mclBnG2_dbl,
      normalize: mcl._mclBnG2_normalizeVec,
    },
    mcl,
    base,
  )
}

interface Group {
  readonly size: number
  readonly add: (target: number, left: number, right: number) => void
  readonly double: (target: number, source: number) => void
  readonly normalize: (target: number, points: number, count: number) => void
}

function open({ size, add, double, normalize }: Group, mcl: Mcl, base: number): FixedBase {
  const table = mcl.reserve(places * entries * size)
  const power = mcl.reserve(size)
  mcl.bytes().copyWithin(power, base, base + size)
  for (let place = 0; place < places; place++) {
    const row = table + place * entries * size
    mcl.bytes().copyWithin(row, power, power + size)
    for (let entry = 1; entry < entries; entry++) add(row + entry * size, row + (entry - 1) * size, power)
    for (let bit = 0; bit < digitBits; bit++) double(power, power)
  }
  normalize(table, table, places * entries)

  return {
    addProduct(sum, scalar, at) {
      let [bits, held] = [0, 0]
      let next = at
      for (let place = 0; place < places; place++) {
        if (held < digitBits && next < at + frSize) {
          bits |= (scalar[next++] as number) << held
          held += 8
        }
        const digit = bits & entries
        bits >>>= digitBits
        held -= digitBits
        if (digit !== 0) add(sum, sum, table + (place * entries + digit - 1) * size)
      }
    },
  }
}
