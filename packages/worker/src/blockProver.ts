/**
 * What makes the proofs of audited answers: commitments to the sums of a tile, then the proof of one of its blocks. Keys and hashes are
 * its own, off the session's thread where the host has another one.
 */
import type { BlockPosition, DeliveryId, Digest, TaskId, WorkerId, ZkProofPayload } from '@shardy/protocol'
import {
  type OperandBlocks,
  operandBlocks,
  type ProvableProduct,
  sumsAround,
  type TilePlace,
} from '@shardy/tensor'

/** A block that is to be proven, and the key that its verifier has. */
export interface ProvableBlock {
  readonly verifierVersion: number
  readonly taskId: TaskId
  readonly deliveryId: DeliveryId
  readonly workerId: WorkerId
  readonly outputDigest: Digest
  readonly outputLength: number
  readonly product: ProvableProduct
  readonly input: Uint8Array
  readonly position: BlockPosition
}

export interface BlockProver {
  /** The kinds that it makes. */
  readonly kinds: readonly 'v3'[]
  /** To the sums after each block of the tile, in their order. Rejects when they cannot be had. */
  sums(product: ProvableProduct, input: Uint8Array, tile: TilePlace): Promise<readonly bigint[]>
  /** Verified before it is given out. Rejects when it cannot be made. */
  prove(block: ProvableBlock): Promise<ZkProofPayload>
}

/** What a proof's witness is made of: what goes into the block, and the sums before and after it. */
export interface CutBlock extends OperandBlocks {
  readonly before: Int32Array
  readonly after: Int32Array
}

export function cutBlock({ product, input, position }: ProvableBlock): CutBlock {
  return { ...operandBlocks(product, input, position), ...sumsAround(product, input, position) }
}
