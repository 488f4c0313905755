/**
 * Random weights for a batch, and products by them. A weight is a + b·λ with a and b of 64 random bits, λ a cube root of one: 2^128
 * different scalars, since the shortest vectors of that lattice have 127 bits, and yet a product costs 64 doublings, because
 * λ·(x, y) = (βx, y). A false proof passes a batch with a chance of 2^−128.
 */
import { oddMultiples, placesMax, writeDigits } from '../bn254/digits.ts'
import { fpSize, frSize, g1Size, type Mcl } from '../bn254/mcl.ts'
import type { Numbers } from '../bn254/numbers.ts'
import { baseCubeRoot, scalarCubeRoot } from '../bn254/orders.ts'

const wordsEach = 4
/** The odd multiples of a point, then those of λ times it. */
const tableSize = 2 * oddMultiples * g1Size

export interface Weights {
  /** New weights for the first `count` items. What they weigh must be fixed by now. */
  draw(count: number): void
  /** The weight of an item, as a scalar in mcl's memory. */
  scalarAt(item: number): number
  /** Tables for `count` points that lie behind one another, normalised, at `points`. */
  tabulate(tables: number, points: number, count: number): void
  /** target = weight of the item · the point whose table this is. */
  multiply(target: number, tables: number, item: number): void
  /** target = Σ weight · point over the items from `first` to before `end`. */
  sum(target: number, tables: number, first: number, end: number): void
}

export function weightTablesSize(count: number): number {
  return count * tableSize
}

export function openWeights(mcl: Mcl, numbers: Numbers, countMax: number): Weights {
  const drawn = new Uint32Array(countMax * wordsEach)
  const drawnBytes = new Uint8Array(drawn.buffer)
  const digits = new Int8Array(countMax * 2 * placesMax)
  const lengths = new Uint8Array(countMax * 2)
  const scalars = mcl.reserve(countMax * frSize)
  const [raw, part, root, beta, twice] = [
    mcl.reserve(frSize),
    mcl.reserve(frSize),
    mcl.reserve(frSize),
    mcl.reserve(fpSize),
    mcl.reserve(g1Size),
  ]
  numbers.writeFr(root, scalarCubeRoot)
  numbers.writeFp(beta, baseCubeRoot)

  function readHalf(target: number, at: number): void {
    mcl.bytes().set(drawnBytes.subarray(at, at + 8), raw)
    mcl._mclBnFr_setLittleEndian(target, raw, 8)
  }

  function add(target: number, table: number, digit: number): void {
    if (digit > 0) mcl._mclBnG1_add(target, target, table + ((digit - 1) >> 1) * g1Size)
    else if (digit < 0) mcl._mclBnG1_sub(target, target, table + ((-digit - 1) >> 1) * g1Size)
  }

  function addPlace(target: number, table: number, item: number, place: number): void {
    const [plain, turned] = [2 * item, 2 * item + 1]
    if (place < (lengths[plain] as number)) add(target, table, digits[plain * placesMax + place] as number)
    if (place < (lengths[turned] as number))
      add(target, table + oddMultiples * g1Size, digits[turned * placesMax + place] as number)
  }

  function sum(target: number, tables: number, first: number, end: number): void {
    mcl._mclBnG1_clear(target)
    let places = 0
    for (let half = 2 * first; half < 2 * end; half++) places = Math.max(places, lengths[half] as number)
    for (let place = places - 1; place >= 0; place--) {
      mcl._mclBnG1_dbl(target, target)
      for (let item = first; item < end; item++) addPlace(target, tables + item * tableSize, item, place)
    }
  }

  return {
    draw(count) {
      crypto.getRandomValues(drawn.subarray(0, count * wordsEach))
      for (let half = 0; half < 2 * count; half++)
        lengths[half] = writeDigits(
          digits.subarray(half * placesMax, (half + 1) * placesMax),
          drawn[2 * half] as number,
          drawn[2 * half + 1] as number,
        )
      for (let item = 0; item < count; item++) {
        const scalar = scalars + item * frSize
        readHalf(scalar, 16 * item)
        readHalf(part, 16 * item + 8)
        mcl._mclBnFr_mul(part, part, root)
        mcl._mclBnFr_add(scalar, scalar, part)
      }
    },
    scalarAt: (item) => scalars + item * frSize,
    tabulate(tables, points, count) {
      for (let item = 0; item < count; item++) {
        const [point, table] = [points + item * g1Size, tables + item * tableSize]
        mcl.bytes().copyWithin(table, point, point + g1Size)
        mcl._mclBnG1_dbl(twice, point)
        for (let entry = 1; entry < oddMultiples; entry++)
          mcl._mclBnG1_add(table + entry * g1Size, table + (entry - 1) * g1Size, twice)
      }
      // The halves for λ are made after this, from points with Z = 1.
      for (let item = 0; item < count; item++) {
        const turned = tables + item * tableSize + oddMultiples * g1Size
        mcl.bytes().copyWithin(turned, turned - oddMultiples * g1Size, turned)
      }
      mcl._mclBnG1_normalizeVec(tables, tables, count * 2 * oddMultiples)
      for (let item = 0; item < count; item++) {
        const turned = tables + item * tableSize + oddMultiples * g1Size
        for (let entry = 0; entry < oddMultiples; entry++)
          mcl._mclBnFp_mul(turned + entry * g1Size, turned + entry * g1Size, beta)
      }
    },
    multiply(target, tables, item) {
      // A sum of one.
      sum(target, tables, item, item + 1)
    },
    sum,
  }
}
