/**
 * What both sides sign (spec S2): the orchestrator that it handed this delivery to this worker, the worker that this
 * was its answer. With the other side's attested statement either can later prove what was said.
 */
import type { Sha256 } from '../hash.ts'
import { domainLeaf } from '../payload.ts'
import { bits64, choice, optional } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { deliveryId, digest, programId, taskId, timeMs, workerId } from '../values.ts'

export const statement = message(
  'Statement',
  {
    role: field(1, choice(['delivery', 'result'])),
    taskId: field(2, taskId),
    deliveryId: field(3, deliveryId),
    programId: field(4, programId),
    seed: field(5, bits64()),
    inputDigest: field(6, digest),
    outputDigest: field(7, optional(digest)),
    workerId: field(8, workerId),
    deadlineMs: field(9, timeMs),
    /** Commits the worker to every value on its way to the output (spec S7); absent where none was asked for. */
    traceRoot: field(10, optional(digest)),
  },
  ({ role, outputDigest, traceRoot }) => {
    if ((role === 'result') !== (outputDigest !== undefined)) {
      return { field: 'outputDigest', rule: 'a result names its output, a delivery has none yet' }
    }
    if (role === 'delivery' && traceRoot !== undefined) {
      return { field: 'traceRoot', rule: 'a delivery has no trace yet' }
    }
    return undefined
  },
)
export type Statement = Infer<typeof statement>

export function statementLeaf(value: Statement, sha256: Sha256): Uint8Array {
  return sha256(domainLeaf(0, 'statement', statement.encode(value)))
}
