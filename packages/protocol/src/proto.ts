/**
 * The `.proto` file for readers in other languages, written from the same definitions that encode and decode here.
 * It gives names, numbers and types; the limits in its comments and the one accepted encoding are spec W2 and W3.
 */
import { wantedProof, zkProofPayload } from './proof/payload.ts'
import { provenBlock } from './proof/provenBlock.ts'
import { receipt, receiptAnswer, receiptContent, receiptDelivery } from './receipt/receipt.ts'
import { type Definition, protoMessage } from './schema/proto.ts'
import { attestation, batchContent } from './statement/attestation.ts'
import { commitmentContent } from './statement/commitment.ts'
import { statement } from './statement/statement.ts'
import { traceLeaf } from './statement/trace.ts'
import { batchOutcome, batchSubmission, sharedTerms, submittedOutcome, submittedTask } from './submission.ts'
import { verifyPolicy } from './verify.ts'
import { batchDelivery, batchProgram, batchResult, commit, settlement } from './wire/batch.ts'
import { frames } from './wire/frame.ts'
import { helloContent } from './wire/handshake.ts'

/** Every message, each after those that it contains. */
export const definitions: readonly Definition[] = [
  attestation,
  verifyPolicy,
  wantedProof,
  zkProofPayload,
  provenBlock,
  batchProgram,
  batchDelivery,
  batchResult,
  commit,
  settlement,
  ...Object.values(frames).map((frame) => frame.message),
  helloContent,
  statement,
  batchContent,
  commitmentContent,
  traceLeaf,
  receiptAnswer,
  receiptDelivery,
  receiptContent,
  receipt,
  sharedTerms,
  submittedTask,
  batchSubmission,
  submittedOutcome,
  batchOutcome,
]

function messageText(definition: Definition): string {
  const frame = Object.values(frames).find(({ message }) => message.name === definition.name)
  if (frame === undefined) return protoMessage(definition)
  return `// Frame ${frame.number}, sent by the ${frame.senders.join(' and the ')}.\n${protoMessage(definition)}`
}

export function protoFile(): string {
  const head = `// Generated from the definitions in packages/protocol/src; do not edit.
//
// A frame is one type byte, then one of these messages in its one accepted encoding: fields in ascending order,
// defaults left out, shortest varints, repeated fields not packed. Decoders refuse everything else
// (docs/spec/wire.md). "required" means that a message without the field is refused.
syntax = "proto3";

package shardy.v1;`
  return `${[head, ...definitions.map(messageText)].join('\n\n')}\n`
}
