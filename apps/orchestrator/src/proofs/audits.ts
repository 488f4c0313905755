/**
 * Drives the audits of answers that ask for a proof of a block: one for each delivery, as many as are bounded here. It draws, sends, asks the
 * commitments and the verifier, and says once how an audit ended; whoever goes silent is ended by the delivery's deadline.
 */
import type { Delivery } from '@shardy/dispatch'
import {
  type AuditProof,
  type AuditSums,
  type DeliveryId,
  type Digest,
  encodeFrame,
  type ProvenBlock,
  type Sha256,
  slotsMax,
  taskProofV3Signals,
  type WantedProof,
  type WorkerId,
  type ZkProofPayload,
  zeroSums,
} from '@shardy/protocol'
import {
  decodeProgram,
  operandBlocks,
  type ProvableProduct,
  provableProduct,
  tileOf,
  tilesOf,
} from '@shardy/tensor'
import type { Log } from '../log.ts'
import type { Payloads } from '../tasks/payloads.ts'
import { type Audit, type AuditEffect, type Audited, type AuditInput, stepAudit } from './audit.ts'
import { drawBelow } from './draw.ts'
import type { BlockProofs } from './proofs.ts'

export type AuditEnd =
  | { readonly kind: 'held'; readonly proof: ZkProofPayload; readonly block: ProvenBlock }
  | { readonly kind: 'refused'; readonly detail: string }

export interface AuditedAnswer {
  readonly delivery: Delivery
  readonly outputDigest: Digest
  /** What the delivery asked for. */
  readonly wanted: WantedProof
}

/** Called once, unless the delivery is settled or its worker leaves before. */
export type AuditEnded = (end: AuditEnd) => Promise<void>

export interface AuditsParts {
  readonly sha256: Sha256
  readonly blocks: BlockProofs | undefined
  readonly payloads: Pick<Payloads, 'answer' | 'input'>
  readonly log: Log
  random(length: number): Uint8Array
  send(workerId: WorkerId, frame: Uint8Array): void
}

export interface Audits {
  has(deliveryId: DeliveryId): boolean
  /** The answer, signed and with its output, is held: draws a tile of it. In words why there can be no audit. */
  begin(answer: AuditedAnswer, ended: AuditEnded): string | undefined
  /** Resolves when what it led to has been said. What is about no audit of this worker's changes nothing. */
  sumsCame(workerId: WorkerId, sums: AuditSums): Promise<void> | undefined
  proofCame(workerId: WorkerId, proof: AuditProof): Promise<void> | undefined
  settled(deliveryId: DeliveryId): void
  left(workerId: WorkerId): void
}

export interface AuditBounds {
  readonly auditsMax: number
  readonly perWorkerMax: number
}

/** Each holds an answer, which is bounded in bytes elsewhere. A worker has no more under way than it may compute at once. */
export const defaultAuditBounds: AuditBounds = { auditsMax: 4096, perWorkerMax: slotsMax }

interface Running extends Audited {
  readonly delivery: Delivery
  readonly outputDigest: Digest
  readonly ended: AuditEnded
  audit: Audit
}

export function createAudits(parts: AuditsParts, bounds: AuditBounds = defaultAuditBounds): Audits {
  const { sha256, blocks, payloads, log } = parts
  const running = new Map<DeliveryId, Running>()
  const ofWorker = new Map<WorkerId, Set<DeliveryId>>()
  let zeroCommitment: bigint | undefined

  function find(workerId: WorkerId, deliveryId: DeliveryId): Running | undefined {
    const found = running.get(deliveryId)
    return found?.delivery.workerId === workerId ? found : undefined
  }

  function remove({ deliveryId, workerId }: Delivery): void {
    running.delete(deliveryId)
    const own = ofWorker.get(workerId)
    own?.delete(deliveryId)
    if (own?.size === 0) ofWorker.delete(workerId)
  }

  function begin({ delivery, outputDigest, wanted }: AuditedAnswer, ended: AuditEnded): string | undefined {
    const { deliveryId, workerId } = delivery
    if (running.has(deliveryId)) throw new Error(`delivery ${deliveryId} is audited already`)
    if (blocks === undefined) return 'proofs of blocks are not verified here'
    const product = productOf(delivery)
    if (product === undefined) return 'no block of the program can be proven'
    const own = ofWorker.get(workerId) ?? new Set()
    if (own.size >= bounds.perWorkerMax || running.size >= bounds.auditsMax)
      return 'too many answers are being audited'
    const { rows, columns } = tilesOf(product)
    const drawn = drawBelow(rows * columns, parts.random)
    const tile = { tileRow: Math.floor(drawn / columns), tileColumn: drawn % columns }
    running.set(deliveryId, {
      delivery,
      outputDigest,
      product,
      verifierVersion: wanted.verifierVersion,
      ended,
      audit: { kind: 'awaitingSums', tile },
    })
    ofWorker.set(workerId, own.add(deliveryId))
    parts.send(workerId, encodeFrame('auditTile', { deliveryId, row: tile.tileRow, column: tile.tileColumn }))
    return undefined
  }

  function sumsCame(workerId: WorkerId, { deliveryId, commitments }: AuditSums): Promise<void> | undefined {
    const found = find(workerId, deliveryId)
    const output = payloads.answer(deliveryId)?.output
    if (blocks === undefined || output === undefined || found?.audit.kind !== 'awaitingSums') return undefined
    const { product, audit } = found
    zeroCommitment ??= blocks.commitments.commitSums(zeroSums())
    return take(found, {
      kind: 'sumsCame',
      commitments,
      tileCommitment: blocks.commitments.commitSums(tileOf(product, output, audit.tile)),
      zeroCommitment,
      depth: drawBelow(tilesOf(product).depth, parts.random),
    })
  }

  function proofCame(workerId: WorkerId, { deliveryId, proof }: AuditProof): Promise<void> | undefined {
    const found = find(workerId, deliveryId)
    return found && take(found, { kind: 'proofCame', proof })
  }

  async function take(found: Running, input: AuditInput): Promise<void> {
    const { audit, effect } = stepAudit(found, found.audit, input)
    found.audit = audit
    if (audit.kind === 'held' || audit.kind === 'refused') {
      remove(found.delivery)
      return found.ended(audit)
    }
    if (effect === undefined) return
    if (effect.kind === 'verify') return verify(found, effect)
    const { workerId, deliveryId } = found.delivery
    parts.send(workerId, encodeFrame('auditBlock', { deliveryId, depth: effect.depth }))
  }

  async function verify(
    found: Running,
    { proof, place, sums }: Extract<AuditEffect, { readonly kind: 'verify' }>,
  ): Promise<void> {
    if (blocks === undefined) return
    const { delivery, product, outputDigest } = found
    const { deliveryId, workerId, task } = delivery
    const { taskId, outputLength } = task.spec
    let block: ProvenBlock
    let flaw: string | undefined
    try {
      const { a, b } = operandBlocks(product, await payloads.input(task.spec), place)
      const commitA = blocks.commitments.commitOperand(a, 'a')
      const commitB = blocks.commitments.commitOperand(b, 'b')
      const position = { node: product.node, ...place }
      block = { ...position, commitA, commitB, ...sums }
      const about = { taskId, deliveryId, workerId, outputDigest, outputLength, position }
      const signals = taskProofV3Signals({ ...about, commitA, commitB, ...sums }, sha256)
      flaw = await blocks.verify(workerId, proof, signals)
    } catch (error) {
      log.error('auditFailed', error, { deliveryId })
      // Settled or lost meanwhile: it is nobody's any more.
      if (running.get(deliveryId) !== found) return
      remove(delivery)
      return found.ended({ kind: 'refused', detail: 'the proof of a block could not be verified' })
    }
    if (running.get(deliveryId) === found) await take(found, { kind: 'verified', block, flaw })
  }

  return {
    has: (deliveryId) => running.has(deliveryId),
    begin,
    sumsCame,
    proofCame,
    settled(deliveryId) {
      const found = running.get(deliveryId)
      if (found !== undefined) remove(found.delivery)
    },
    left(workerId) {
      for (const deliveryId of ofWorker.get(workerId) ?? []) running.delete(deliveryId)
      ofWorker.delete(workerId)
    },
  }
}

function productOf({ task }: Delivery): ProvableProduct | undefined {
  const decoded = decodeProgram(task.spec.program)
  const found = decoded.ok ? provableProduct(decoded.value) : undefined
  return found?.ok ? found.product : undefined
}
