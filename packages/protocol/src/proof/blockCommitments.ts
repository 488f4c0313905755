/** How a block's operands and sums are committed to (spec E11 to E13): hashing comes in as functions, as SHA-256 does. */
import { blockSide } from './position.ts'

export interface BlockCommitments {
  /** 256 entries of int8, row by row. */
  commitOperand(block: Int8Array, operand: 'a' | 'b'): bigint
  /** 256 entries of int32, row by row. */
  commitSums(sums: Int32Array): bigint
}

/** The sums before the first block of a tile. */
export function zeroSums(): Int32Array {
  return new Int32Array(blockSide * blockSide)
}
