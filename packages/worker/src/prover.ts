/** What makes the zero-knowledge proofs of a worker: keys in memory, off the session's thread where the host has another one. */
import type { Digest, MadeProofKind, TaskId, ZkProofPayload } from '@shardy/protocol'

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
