/**
 * Proofs of blocks as an ideal system would have them, for tests: anybody may claim anything, and a claim holds exactly when its witness opens
 * every commitment, its sums add up exactly, and it is about the very signals that the verifier made.
 */
import { sha256 } from '@shardy/crypto/native'
import { openField } from '@shardy/proofs'
import { scalarFieldOrder, type TaskProofV3, taskProofV3Signals, type ZkProofPayload } from '@shardy/protocol'
import { tilePartialSums } from '@shardy/tensor'
import { type BlockProver, type CutBlock, cutBlock } from '@shardy/worker'
import type { BlockProofs, ProofFlaw, Proofs } from '../src/proofs/proofs.ts'

const opened = await openField()
if (!opened.ok) throw new Error(opened.refusal.message)
export const commitments = opened.field

const refused = (detail: string): ProofFlaw => ({ kind: 'refused', detail })

/** What a proof says that it is about, but for the commitments, which follow from its witness. */
export type Claim = Omit<TaskProofV3, 'commitA' | 'commitB' | 'commitIn' | 'commitOut'>

export interface ExactProofs extends BlockProofs {
  claim(claim: Claim, witness: CutBlock): ZkProofPayload
}

export function createExactProofs(): ExactProofs {
  const claims: { readonly claim: Claim; readonly witness: CutBlock }[] = []

  function holds(proof: Uint8Array, signals: readonly bigint[]): boolean {
    const made = claims[new DataView(proof.buffer, proof.byteOffset).getUint32(0) - 1]
    if (made === undefined || !addsUp(made.witness)) return false
    const { a, b, before, after } = made.witness
    const own = taskProofV3Signals(
      {
        ...made.claim,
        commitA: commitments.commitOperand(a, 'a'),
        commitB: commitments.commitOperand(b, 'b'),
        commitIn: commitments.commitSums(before),
        commitOut: commitments.commitSums(after),
      },
      sha256,
    )
    return own.length === signals.length && own.every((signal, index) => signal === signals[index])
  }

  return {
    commitments,
    claim(claim, witness) {
      const proof = new Uint8Array(256)
      new DataView(proof.buffer).setUint32(0, claims.push({ claim, witness }))
      return { kind: 'v3', verifierVersion: 3, proof }
    },
    async verify(_, { proof }, signals) {
      if (signals.some((signal) => signal < 0n || signal >= scalarFieldOrder))
        return refused('a signal is no element')
      return holds(proof, signals) ? undefined : refused('the proof is false')
    },
  }
}

function addsUp({ a, b, before, after }: CutBlock): boolean {
  for (let at = 0; at < 256; at++) {
    const row = at - (at % 16)
    let sum = before[at] ?? 0
    for (let inner = 0; inner < 16; inner++) sum += (a[row + inner] ?? 0) * (b[16 * inner + (at % 16)] ?? 0)
    if (sum !== after[at]) return false
  }
  return true
}

/** Of an orchestrator that offers nothing else. */
export function blocksAlone(blocks: BlockProofs): Proofs {
  return {
    kinds: ['v3'],
    wanted: (kind) => (kind === 'v3' ? { kind, verifierVersion: 3 } : undefined),
    verify: async (_, items) => items.map(() => refused('no proof comes with an answer here')),
    blocks,
    close() {},
  }
}

/** An honest worker's, which claims what it computed. */
export function createExactProver({ claim }: Pick<ExactProofs, 'claim'>): BlockProver {
  return {
    kinds: ['v3'],
    async sums(product, input, tile) {
      return tilePartialSums(product, input, tile).map((sums) => commitments.commitSums(sums))
    },
    prove: async (block) => claim(block, cutBlock(block)),
  }
}
