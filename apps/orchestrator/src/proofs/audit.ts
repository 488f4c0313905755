/**
 * The audit of one answer (docs/spec/audit.md V6 to V8), as a pure step: a tile is drawn when the answer is held, a block when the tile's sums
 * were committed to, and the proof of that block decides. Draws come in with what they follow, so neither can be known before.
 */
import type { ProvenBlock, ZkProofPayload } from '@shardy/protocol'
import { type BlockPlace, type ProvableProduct, type TilePlace, tilesOf } from '@shardy/tensor'

/** The sums on both sides of the block, as the worker is bound to them. */
export interface BoundSums {
  readonly commitIn: bigint
  readonly commitOut: bigint
}

export type Audit =
  | { readonly kind: 'awaitingSums'; readonly tile: TilePlace }
  | { readonly kind: 'awaitingProof'; readonly place: BlockPlace; readonly sums: BoundSums }
  | { readonly kind: 'verifying'; readonly proof: ZkProofPayload }
  | { readonly kind: 'held'; readonly proof: ZkProofPayload; readonly block: ProvenBlock }
  | { readonly kind: 'refused'; readonly detail: string }

export type AuditInput =
  | {
      readonly kind: 'sumsCame'
      readonly commitments: readonly bigint[]
      /** To the tile as it stands in the held output, and to the sums before any block. */
      readonly tileCommitment: bigint
      readonly zeroCommitment: bigint
      /** Drawn now, among the tile's blocks. */
      readonly depth: number
    }
  | { readonly kind: 'proofCame'; readonly proof: ZkProofPayload }
  | { readonly kind: 'verified'; readonly block: ProvenBlock; readonly flaw: string | undefined }

export type AuditEffect =
  | { readonly kind: 'askBlock'; readonly depth: number }
  /** → verified, against what the orchestrator itself knows of the block. */
  | {
      readonly kind: 'verify'
      readonly proof: ZkProofPayload
      readonly place: BlockPlace
      readonly sums: BoundSums
    }

export interface Stepped {
  readonly audit: Audit
  readonly effect: AuditEffect | undefined
}

/** What does not change while it lasts. */
export interface Audited {
  readonly product: ProvableProduct
  /** Of the key that the delivery asked for. */
  readonly verifierVersion: number
}

/** What has no place now changes nothing: the first of each is what counts. */
export function stepAudit({ product, verifierVersion }: Audited, audit: Audit, input: AuditInput): Stepped {
  switch (input.kind) {
    case 'sumsCame':
      return audit.kind === 'awaitingSums' ? sumsCame(product, audit.tile, input) : unchanged(audit)
    case 'proofCame': {
      if (audit.kind !== 'awaitingProof') return unchanged(audit)
      const { proof } = input
      if (proof.verifierVersion !== verifierVersion)
        return refuse(`the proof is for version ${proof.verifierVersion}, asked for was ${verifierVersion}`)
      const { place, sums } = audit
      return { audit: { kind: 'verifying', proof }, effect: { kind: 'verify', proof, place, sums } }
    }
    case 'verified': {
      if (audit.kind !== 'verifying') return unchanged(audit)
      const { block, flaw } = input
      if (flaw !== undefined) return refuse(`the proof of a block was refused: ${flaw}`)
      return { audit: { kind: 'held', proof: audit.proof, block }, effect: undefined }
    }
  }
}

function sumsCame(
  product: ProvableProduct,
  tile: TilePlace,
  { commitments, tileCommitment, zeroCommitment, depth }: Extract<AuditInput, { readonly kind: 'sumsCame' }>,
): Stepped {
  const blocks = tilesOf(product).depth
  if (commitments.length !== blocks) {
    return refuse(`${commitments.length} sums were committed to, a tile is the sum of ${blocks} blocks`)
  }
  if (commitments.at(-1) !== tileCommitment) {
    const { tileRow, tileColumn } = tile
    return refuse(`the last sums committed to are not tile (${tileRow}, ${tileColumn}) of the output`)
  }
  const commitOut = commitments[depth]
  if (commitOut === undefined) throw new RangeError(`block ${depth} was drawn, and there are ${blocks}`)
  const commitIn = depth === 0 ? zeroCommitment : (commitments[depth - 1] as bigint)
  return {
    audit: { kind: 'awaitingProof', place: { ...tile, depth }, sums: { commitIn, commitOut } },
    effect: { kind: 'askBlock', depth },
  }
}

const unchanged = (audit: Audit): Stepped => ({ audit, effect: undefined })

const refuse = (detail: string): Stepped => ({ audit: { kind: 'refused', detail }, effect: undefined })
