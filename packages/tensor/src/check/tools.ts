/**
 * What a check is given besides facts: hashing, field products, packing, and the operations themselves. All of it has a
 * plain definition in this package; hosts bring fast twins, which the same tests hold to the same answers.
 */
import type { Sha256 } from '@shardy/protocol'
import { evaluateNode } from '../program/evaluate.ts'
import type { Program } from '../program/program.ts'
import type { Tensor } from '../tensor.ts'
import type { Value } from '../value.ts'
import { type Bits, pureBits } from './bits.ts'
import { type FieldProducts, pureProducts } from './field.ts'

/** One node, exactly as the reference has it. */
export type ComputeNode = (
  program: Program,
  index: number,
  operands: readonly Tensor[],
  result: Value,
) => Tensor

export interface CheckTools {
  readonly sha256: Sha256
  readonly products: FieldProducts
  readonly bits: Bits
  /** Every operation but the projected products. */
  readonly compute: ComputeNode
}

export function pureTools(sha256: Sha256): CheckTools {
  return { sha256, products: pureProducts, bits: pureBits, compute: evaluateNode }
}
