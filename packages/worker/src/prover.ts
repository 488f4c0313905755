/** What makes the zero-knowledge proofs of a worker: keys in memory, off the session's thread where the host has another one. */
import type {
  BlockPosition,
  DeliveryId,
  Digest,
  MadeProofKind,
  TaskId,
  WorkerId,
  ZkProofPayload,
} from '@shardy/protocol'
import type { ProvableProduct, TilePlace } from '@shardy/tensor'

/** An answer that is to be proven, and the key that its verifier has. */
export interface Provable {
  readonly kind: MadeProofKind
  readonly verifierVersion: number
  readonly taskId: TaskId
  readonly seed: bigint
  readonly outputDigest: Digest
  readonly outputLength: number
}

export interface TaskProver {
  /** The kinds that it makes. */
  readonly kinds: readonly MadeProofKind[]
  /** One proof for each in their order, each verified before it is given out. Rejects when one cannot be made. */
  prove(answers: readonly Provable[]): Promise<readonly ZkProofPayload[]>
}

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
