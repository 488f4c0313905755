/**
 * The audit of an answer that asks for a proof of kind v3 (spec W50–W53, docs/spec/audit.md): the orchestrator names a tile of the
 * output, the worker commits to the sums that lead there, the orchestrator names one of its blocks, the worker proves that one.
 */
import { auditDepthMax, auditTilesMax } from '../limits.ts'
import { elementBytes } from '../proof/elementBytes.ts'
import { zkProofPayload } from '../proof/payload.ts'
import { list, whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { deliveryId } from '../values.ts'

export const auditTile = message('AuditTile', {
  deliveryId: field(1, deliveryId),
  /** Counted in tiles of 16 × 16 entries. */
  row: field(2, whole(0, auditTilesMax - 1)),
  column: field(3, whole(0, auditTilesMax - 1)),
})
export type AuditTile = Infer<typeof auditTile>

export const auditSums = message(
  'AuditSums',
  {
    deliveryId: field(1, deliveryId),
    /** To the sums after each block of the tile, in their order. */
    commitments: field(2, list(elementBytes(), auditDepthMax)),
  },
  ({ commitments }) =>
    commitments.length > 0
      ? undefined
      : { field: 'commitments', rule: 'a tile is the sum of a block or more' },
)
export type AuditSums = Infer<typeof auditSums>

export const auditBlock = message('AuditBlock', {
  deliveryId: field(1, deliveryId),
  /** Which of the tile's blocks, counted from 0. */
  depth: field(2, whole(0, auditDepthMax - 1)),
})
export type AuditBlock = Infer<typeof auditBlock>

export const auditProof = message(
  'AuditProof',
  {
    deliveryId: field(1, deliveryId),
    proof: field(2, zkProofPayload.codec),
  },
  ({ proof }) => (proof.kind === 'v3' ? undefined : { field: 'proof', rule: 'a block is proven by kind v3' }),
)
export type AuditProof = Infer<typeof auditProof>
