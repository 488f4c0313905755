/**
 * The proof that came with an answer, or with its audit, checked from the receipt alone (spec R7): the public signals are made here and taken
 * from nobody. How far a proven block hangs together with input and output is found out as far as those are at hand.
 */
import { provableWork, type Work } from '@shardy/compute/work'
import type { KeyTrust } from '@shardy/proofs'
import {
  type BlockCommitments,
  type BlockPosition,
  type ProvenBlock,
  type Receipt,
  type ReceiptDelivery,
  type Sha256,
  taskProofV2Signals,
  taskProofV3Signals,
  type WorkerId,
  type ZkProofPayload,
  zeroSums,
} from '@shardy/protocol'
import { operandBlocks, type ProvableProduct, tileOf, tilesOf } from '@shardy/tensor'

/** Whether a proof holds, by whoever has keys; `unknown`: nothing can be said without the key of its version. */
export type ProofVerdict =
  | {
      readonly kind: 'holds'
      readonly trust: KeyTrust
      /** Set where the key is no longer in use: it may be that somebody can forge under it. */
      readonly isRetired?: true
    }
  | { readonly kind: 'false' | 'unknown'; readonly reason: string }

export type VerifyProof = (proof: ZkProofPayload, signals: readonly bigint[]) => Promise<ProofVerdict>

/** A proof that came with an answer. `notVerified`: nobody was asked to. What one that holds proves: docs/spec/proofs.md. */
export interface ReceiptProof {
  readonly workerId: WorkerId
  readonly kind: ZkProofPayload['kind']
  readonly verifierVersion: number
  readonly verdict: 'holds' | 'unknown' | 'notVerified'
  readonly reason?: string
  /** Of the key under which it holds: `development` keys can be forged by whoever made them. */
  readonly trust?: KeyTrust
  /** Set where that key was retired, which is done at once to one that may be broken. */
  readonly isRetired?: true
  /** What one of kind v3 that holds is about, and how far that hangs together with input and output. */
  readonly block?: ProvenBlockFacts
}

/** A block that was proven, and what else was found out about it here. */
export interface ProvenBlockFacts extends BlockPosition {
  /** Blocks of its tile; the proof is about one of them. */
  readonly blocks: number
  /** Its operands are the input's. Needs the input and `commitments`. */
  readonly areOperandsChecked: boolean
  /** The sums before it are the zeros that every tile begins with. So for the first block alone, and needs `commitments`. */
  readonly isStartChecked: boolean
  /** The sums after it are the output's. So for the last block alone, and needs the output and `commitments`. */
  readonly isEndChecked: boolean
}

export interface ProofCheck {
  readonly sha256: Sha256
  readonly verifyProof?: VerifyProof | undefined
  readonly commitments?: BlockCommitments | undefined
  /** Found to be the receipt's. */
  readonly input?: Uint8Array | undefined
  /** Found to be the receipt's. */
  readonly output?: Uint8Array | undefined
}

export type CheckedProof =
  | { readonly ok: true; readonly proof: ReceiptProof }
  | { readonly ok: false; readonly reason: string }

/** Whose answer it came with. */
export interface ProvenAnswer extends Pick<ReceiptDelivery, 'deliveryId'> {
  readonly workerId: WorkerId
  readonly answer: NonNullable<ReceiptDelivery['answer']>
}

export async function checkProof(
  receipt: Receipt,
  proven: ProvenAnswer,
  proof: ZkProofPayload,
  work: Work | undefined,
  check: ProofCheck,
): Promise<CheckedProof> {
  const { workerId } = proven
  const { kind, verifierVersion } = proof
  const about = { workerId, kind, verifierVersion }
  if (check.verifyProof === undefined) return { ok: true, proof: { ...about, verdict: 'notVerified' } }
  const claim = claimOf(receipt, proven, work, check)
  if (!claim.ok) return claim
  const verdict = await check.verifyProof(proof, claim.signals)
  if (verdict.kind !== 'holds') {
    const { kind, reason } = verdict
    return kind === 'false' ? { ok: false, reason } : { ok: true, proof: { ...about, verdict: kind, reason } }
  }
  const { block } = claim
  const { trust, isRetired } = verdict
  return {
    ok: true,
    proof: { ...about, verdict: 'holds', trust, ...(isRetired && { isRetired }), ...(block && { block }) },
  }
}

type Claim =
  | {
      readonly ok: true
      readonly signals: readonly bigint[]
      readonly block: ProvenBlockFacts | undefined
    }
  | { readonly ok: false; readonly reason: string }

/** What a proof has to be about, or why what the receipt says of it cannot be. */
function claimOf(
  receipt: Receipt,
  { deliveryId, workerId, answer }: ProvenAnswer,
  work: Work | undefined,
  { sha256, ...check }: ProofCheck,
): Claim {
  const { taskId, seed, outputLength } = receipt
  const { outputDigest, block } = answer
  if (block === undefined) {
    const signals = taskProofV2Signals({ taskId, seed, outputLength, outputDigest }, sha256)
    return { ok: true, signals, block: undefined }
  }
  if (work === undefined) return { ok: false, reason: 'it is about a block of a program that cannot be read' }
  const provable = provableWork(work)
  if (!provable.ok) return { ok: false, reason: `no block of the task can be proven: ${provable.reason}` }
  const { product } = provable
  // An answer that others were preferred to is not about this output.
  const output = outputDigest === receipt.outputDigest ? check.output : undefined
  const tied = tie(product, block, { ...check, output })
  if (typeof tied === 'string') return { ok: false, reason: tied }
  const { node, tileRow, tileColumn, depth, ...commitments } = block
  const position = { node, tileRow, tileColumn, depth }
  const said = { taskId, deliveryId, workerId, outputDigest, outputLength, position }
  return {
    ok: true,
    signals: taskProofV3Signals({ ...said, ...commitments }, sha256),
    block: { ...position, blocks: tilesOf(product).depth, ...tied },
  }
}

type Tied = Pick<ProvenBlockFacts, 'areOperandsChecked' | 'isStartChecked' | 'isEndChecked'>

/** What its commitments are to, or why they cannot be. */
function tie(
  product: ProvableProduct,
  block: ProvenBlock,
  { commitments, input, output }: Pick<ProofCheck, 'commitments' | 'input' | 'output'>,
): Tied | string {
  const { tileRow, tileColumn, depth } = block
  const tiles = tilesOf(product)
  if (block.node !== product.node) return `node ${block.node} does not make the output`
  if (tileRow >= tiles.rows || tileColumn >= tiles.columns)
    return `the output has no tile (${tileRow}, ${tileColumn})`
  if (depth >= tiles.depth) return `a tile has ${tiles.depth} blocks, and none at depth ${depth}`
  if (commitments === undefined)
    return { areOperandsChecked: false, isStartChecked: false, isEndChecked: false }
  const isFirst = depth === 0
  if (isFirst && commitments.commitSums(zeroSums()) !== block.commitIn)
    return 'the sums before the first block are not zeros'
  if (input !== undefined) {
    const { a, b } = operandBlocks(product, input, block)
    const areSame =
      commitments.commitOperand(a, 'a') === block.commitA &&
      commitments.commitOperand(b, 'b') === block.commitB
    if (!areSame) return "the block's operands are not those of the input"
  }
  const isLast = depth === tiles.depth - 1
  const end = isLast && output !== undefined ? tileOf(product, output, block) : undefined
  if (end !== undefined && commitments.commitSums(end) !== block.commitOut)
    return 'the sums after the last block are not the tile of the output'
  return {
    areOperandsChecked: input !== undefined,
    isStartChecked: isFirst,
    isEndChecked: end !== undefined,
  }
}

/** One sentence that claims no more than was found. */
export function describeProvenBlock({
  tileRow,
  tileColumn,
  depth,
  blocks,
  areOperandsChecked,
  isEndChecked,
}: ProvenBlockFacts): string {
  const which = `block ${depth + 1} of the ${blocks} of tile (${tileRow}, ${tileColumn})`
  const operands = areOperandsChecked
    ? "its operands are the input's"
    : "that its operands are the input's was not checked here"
  const end = isEndChecked
    ? "its sums are the output's"
    : "that its sums lead to the output is the orchestrator's word"
  return `${which} adds up exactly; ${operands}, and ${end}; nothing follows for any other block`
}
