/**
 * What a program is (spec T1): typed inputs, constants, a list of nodes whose operands are earlier values, and the values
 * that are its outputs. A `Program` that came through `parseProgram` or `decodeProgram` has passed inference, so its
 * shapes, its indices and its arithmetic can be trusted.
 */
import type { Digest } from '@shardy/protocol'
import type { Node } from '../operations/index.ts'
import { type Dtype, dtypeFacts, type Shape } from '../tensor.ts'

/** A tensor from outside: its kind and shape, and the interval that its entries must keep to. */
export interface TensorType {
  readonly dtype: Dtype
  readonly shape: Shape
  readonly min: number
  readonly max: number
}

export function tensorType(
  dtype: Dtype,
  shape: Shape,
  range: { min: number; max: number } = dtypeFacts[dtype],
): TensorType {
  return { dtype, shape, min: range.min, max: range.max }
}

/** Small ones travel in the program as bytes; large ones, weights, are blobs named by their SHA-256. */
export type Constant =
  | { readonly type: TensorType; readonly data: Uint8Array; readonly digest?: undefined }
  | { readonly type: TensorType; readonly digest: Digest; readonly data?: undefined }

/** Values are numbered through: inputs, then constants, then nodes. */
export interface Program {
  readonly inputs: readonly TensorType[]
  readonly constants: readonly Constant[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly number[]
}
