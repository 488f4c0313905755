/**
 * Products of any depth. The kernel takes rows up to a length; longer ones, which narrow ranges allow, are cut, and the
 * products of the parts added. Inference bounded every partial sum, so these sums fit int32 too.
 */
import { kMax, type RightShape } from '../wasm/matmul.ts'
import type { Multiplier } from './multiplier.ts'
import { openPace } from './steps.ts'

/** Entries along k that are multiplied at a time where k is too long for one product. */
const partDepth = 2 ** 16

type Bytes = Int8Array | Uint8Array

/** A right side before it is packed, and what it is known by. */
export interface RightSide {
  readonly operand: number
  readonly part: string
  readonly b: Int8Array
  readonly shape: RightShape
}

export type MultiplyRows = (
  a: Bytes,
  m: number,
  c: Int32Array,
) => Generator<number | Promise<void>, unknown, void>

/** C = A · B for as many A as there are; yields the part done, or what must be waited for. */
export function multiplyBy(multiplier: Multiplier, right: RightSide): MultiplyRows {
  const { operand, part, b, shape } = right
  if (shape.k > kMax) return (a, m, c) => multiplyParts(multiplier, a, m, right, c)
  const packed = multiplier.pack(operand, part, b, shape)
  return (a, m, c) => multiplier.multiply(a, m, packed, c)
}

function* multiplyParts(
  { allocate, pack, multiply }: Multiplier,
  a: Bytes,
  m: number,
  { operand, part, b, shape }: RightSide,
  c: Int32Array,
): Generator<number | Promise<void>, void, void> {
  const { k, n, layout } = shape
  const sums = new Int32Array(allocate(4 * c.length))
  c.fill(0)
  for (let first = 0; first < k; first += partDepth) {
    const length = Math.min(partDepth, k - first)
    const before = first / k
    const memory = allocate(m * length)
    const left = a instanceof Int8Array ? new Int8Array(memory) : new Uint8Array(memory)
    for (const _ of cutRows(a, left, k, first)) yield before
    let cut = b.subarray(first * n, (first + length) * n)
    if (layout === 'transposed') {
      cut = new Int8Array(n * length)
      for (const _ of cutRows(b, cut, k, first)) yield before
    }
    // Unlike a piece of a batch, this one need not lie together: its name says where and of how long rows.
    const packed = pack(operand, `${part}+${first}/${k}`, cut, { k: length, n, layout })
    for (const step of multiply(left, m, packed, sums)) {
      yield typeof step === 'number' ? before + (step * length) / k : step
    }
    for (let index = 0; index < c.length; index++) c[index] = (c[index] ?? 0) + (sums[index] ?? 0)
    yield (first + length) / k
  }
}

/** From each row of `k`, the entries from `first` on that fill a row of the target. */
function* cutRows(source: Bytes, target: Bytes, k: number, first: number): Generator<number, void, void> {
  const count = source.length / k
  const length = target.length / count
  const pace = openPace(target.length)
  for (let row = 0; row < count; row++) {
    const start = row * k + first
    target.set(source.subarray(start, start + length), row * length)
    if (pace.spend(length)) yield pace.part()
  }
}
