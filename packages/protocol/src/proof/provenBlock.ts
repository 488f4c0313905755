/**
 * What a proof of kind v3 is about beside its task, delivery, worker and output (docs/spec/audit.md V9): which block of which tile, and
 * what its operands and sums were committed to. Kept with the proof, so that a stranger can make the public signals again.
 */
import { auditDepthMax, auditTilesMax, traceNodesMax } from '../limits.ts'
import { whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { elementBytes } from './elementBytes.ts'

export const provenBlock = message('ProvenBlock', {
  node: field(1, whole(0, traceNodesMax - 1)),
  tileRow: field(2, whole(0, auditTilesMax - 1)),
  tileColumn: field(3, whole(0, auditTilesMax - 1)),
  depth: field(4, whole(0, auditDepthMax - 1)),
  commitA: field(5, elementBytes()),
  commitB: field(6, elementBytes()),
  /** Of the sums before the block, and after it. */
  commitIn: field(7, elementBytes()),
  commitOut: field(8, elementBytes()),
})
export type ProvenBlock = Infer<typeof provenBlock>
