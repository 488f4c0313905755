/**
 * The `.proto` file of the book for readers in other languages, written from the same definitions that encode and decode
 * here. What entries mean is docs/spec/ledger.md; the one accepted encoding is spec W2.
 */
import { type Definition, protoMessage } from '@shardy/protocol'
import { costModel } from './cost.ts'
import {
  bookEntries,
  bookEntry,
  depositEntry,
  escrowEntry,
  issueEntry,
  payout,
  refundEntry,
  slashEntry,
  unstakeEntry,
  verdictEntry,
  vestEntry,
  withdrawEntry,
} from './entry.ts'
import { bookParameters } from './parameters.ts'
import { escrowRow, guardRow, requesterRow, totalsRow, workerRow } from './row.ts'
import { due } from './schedule.ts'

const messages: readonly Definition[] = [
  issueEntry,
  escrowEntry,
  payout,
  verdictEntry,
  refundEntry,
  depositEntry,
  unstakeEntry,
  withdrawEntry,
  vestEntry,
  slashEntry,
  bookEntry,
  bookEntries,
  bookParameters,
  costModel,
  due,
  totalsRow,
  requesterRow,
  escrowRow,
  workerRow,
  guardRow,
]

export function protoFile(): string {
  const head = `// Generated from the definitions in packages/rules/ledger/src; do not edit.
//
// Entries, parameters, cost models and rows in their one accepted encoding: fields in ascending order, defaults left out,
// shortest varints, repeated fields not packed. Decoders refuse everything else (docs/spec/wire.md, W2). "required" means
// that a message without the field is refused. A BookEntry has exactly one of its fields.
syntax = "proto3";

package shardy.ledger.v1;`
  return `${[head, ...messages.map(protoMessage)].join('\n\n')}\n`
}
