/**
 * Wrong answers of exact kinds, as they are kept: with the worker's signature over its answer. The delivery's statement and
 * the program lie in the task's record, the input beside it, so that anybody who may see them can repeat the finding.
 */
import type { Offence } from '@shardy/dispatch'
import {
  attestation,
  choice,
  field,
  type Infer,
  message,
  messageLengthMax,
  type TimeMs,
  text,
  values,
} from '@shardy/protocol'
import { idKey } from '../tables.ts'
import type { TableOperation } from './archive.ts'

export const offenceRecord = message('OffenceRecord', {
  deliveryId: field(1, values.deliveryId),
  taskId: field(2, values.taskId),
  workerId: field(3, values.workerId),
  outputDigest: field(4, values.digest),
  answer: field(5, attestation.codec),
  detail: field(6, text(messageLengthMax)),
  consequence: field(7, choice(['unpaid', 'unpaidAndQuarantine', 'slash', 'banned'])),
  amountMicroCredit: field(8, values.microCredit),
  atMs: field(9, values.timeMs),
})
export type OffenceRecord = Infer<typeof offenceRecord>

export function offenceOperation(offence: Offence, atMs: TimeMs): TableOperation {
  const { consequence, deliveryId } = offence
  const amountMicroCredit =
    'amountMicroCredit' in consequence
      ? consequence.amountMicroCredit
      : (0n as OffenceRecord['amountMicroCredit'])
  const detail = offence.detail.slice(0, messageLengthMax).replace(/[^\x20-\x7e]/g, '?')
  const value = offenceRecord.encode({
    ...offence,
    detail,
    consequence: consequence.kind,
    amountMicroCredit,
    atMs,
  })
  return { kind: 'put', table: 'offences', key: idKey(deliveryId), value }
}
