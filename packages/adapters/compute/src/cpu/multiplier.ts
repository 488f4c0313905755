/** What multiplies rows by a packed right side: on this thread or on others, with memory that fits them. */
import type { PackedRight, RightShape } from '../wasm/matmul.ts'

/** Packs a right side, or finds it packed. `part` tells the pieces of one tensor apart. */
export type Pack = (operand: number, part: string, b: Int8Array, shape: RightShape) => PackedRight

/** The product C = A · B of rows by a packed right side, on this thread or on others. */
export interface Multiplier {
  readonly pack: Pack
  /** Memory that the multiplier can work in without copying. */
  readonly allocate: (bytes: number) => ArrayBufferLike
  multiply(
    a: Int8Array | Uint8Array,
    m: number,
    right: PackedRight,
    c: Int32Array,
  ): Generator<number | Promise<void>, unknown, void>
}
