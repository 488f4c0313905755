/**
 * What the orchestrator does with zero-knowledge proofs: says what a delivery is to be proven with, and verifies what comes.
 * A proof is verified before its answer counts as one (spec P); what it proves is in docs/spec/proofs.md, and less than it sounds.
 */
import type {
  BlockCommitments,
  MadeProofKind,
  ProofKind,
  TaskProofV2,
  WantedProof,
  WorkerId,
  ZkProofPayload,
} from '@shardy/protocol'

export interface ProofOfAnswer {
  readonly proof: ZkProofPayload
  /** What it must be about, as the orchestrator itself knows it. */
  readonly answer: TaskProofV2
}

/**
 * What is wrong with a proof. `refused`: it was looked at, and does not hold. `unjudged`: by our own doing nobody could look, so that nothing is
 * known of it and its worker is not to blame.
 */
export interface ProofFlaw {
  readonly kind: 'refused' | 'unjudged'
  readonly detail: string
}

/** What the proofs of audited answers need (docs/spec/audit.md). */
export interface BlockProofs {
  readonly commitments: BlockCommitments
  /** What is wrong with a proof about these signals, which the orchestrator made itself; undefined: it holds. */
  verify(
    workerId: WorkerId,
    proof: ZkProofPayload,
    signals: readonly bigint[],
  ): Promise<ProofFlaw | undefined>
}

export interface Proofs {
  /** The kinds that can be asked for. */
  readonly kinds: readonly MadeProofKind[]
  /** What a proof of this kind is to be made with now. */
  wanted(kind: MadeProofKind): WantedProof | undefined
  /** What is wrong with each of them, in their order; undefined: nothing, it holds. */
  verify(workerId: WorkerId, proofs: readonly ProofOfAnswer[]): Promise<readonly (ProofFlaw | undefined)[]>
  /** Where proofs of kind v3 can be asked for. */
  readonly blocks?: BlockProofs | undefined
  close(): void
}

export const noProofs: Proofs = {
  kinds: [],
  wanted: () => undefined,
  verify: async (_, proofs) =>
    proofs.map(() => ({ kind: 'unjudged', detail: 'proofs are not verified here' })),
  close() {},
}

/** What is wrong with an answer that comes with or without a proof, before anybody looks at the proof itself. */
export function proofOutOfPlace(
  kind: ProofKind,
  asked: WantedProof | undefined,
  proof: ZkProofPayload | undefined,
): string | undefined {
  if (kind !== 'none' && asked === undefined) return `no key was in use for proofs of kind ${kind}`
  // Of kind v3 is made when the answer is audited, and never before.
  const due = asked?.kind === 'v2' ? asked : undefined
  if (proof === undefined) return due && `the proof of kind ${due.kind} is missing`
  if (due === undefined) return 'a proof came that was not asked for'
  if (proof.kind !== due.kind) return `the proof is of kind ${proof.kind}, asked for was ${due.kind}`
  if (proof.verifierVersion === due.verifierVersion) return undefined
  return `the proof is for version ${proof.verifierVersion}, asked for was ${due.verifierVersion}`
}
