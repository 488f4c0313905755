/** A block cut out of a task's input, as the witness of its proof has it. */
import { type OperandBlocks, operandBlocks, sumsAround } from '@shardy/tensor'
import type { ProvableBlock } from './prover.ts'

/** What goes into the block, and the sums before and after it. */
export interface CutBlock extends OperandBlocks {
  readonly before: Int32Array
  readonly after: Int32Array
}

export function cutBlock({
  product,
  input,
  position,
}: Pick<ProvableBlock, 'product' | 'input' | 'position'>): CutBlock {
  return { ...operandBlocks(product, input, position), ...sumsAround(product, input, position) }
}
