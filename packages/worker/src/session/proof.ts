/** What a delivery asks to have proven. Proofs of kind v2 are made with the answer; one of kind v3 when the answer is audited. */
import type { Delivery, MadeProofKind } from '@shardy/protocol'
import type { WantedAnswerProof } from './effect.ts'
import type { Rules } from './turn.ts'

type Asked = Pick<Delivery, 'proof' | 'taskId' | 'seed'>

/** The kind of proof that is asked for, when none of it are made here. */
export function unprovenKind({ proofs }: Rules, { proof }: Pick<Asked, 'proof'>): MadeProofKind | undefined {
  return proof === undefined || proofs.includes(proof.kind) ? undefined : proof.kind
}

export function wantedWithAnswer({ proof, taskId, seed }: Asked): WantedAnswerProof | undefined {
  return proof?.kind === 'v2' ? { ...proof, taskId, seed } : undefined
}
