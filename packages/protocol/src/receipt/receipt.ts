/**
 * The receipt (spec R1–R6): who did what for a task, with both sides' signatures, signed by the orchestrator as a
 * whole. It proves what was said; that the answer is right follows only as far as its basis goes: agreement of distinct
 * workers, who may collude; a check that only the orchestrator made; or from checking or recomputing it yourself.
 */
import { deliveriesPerTaskMax, payloadBytesMax, programBytesMax } from '../limits.ts'
import { domainPayload } from '../payload.ts'
import { zkProofPayload } from '../proof/payload.ts'
import { provenBlock } from '../proof/provenBlock.ts'
import { bits64, blob, choice, list, optional, publicKey, signature, whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { attestation } from '../statement/attestation.ts'
import { bases, checkMechanisms } from '../task.ts'
import { deliveryId, digest, microCredit, programId, taskId, taskKind, timeMs } from '../values.ts'
import { verifyPolicy } from '../verify.ts'
import { outcomes } from '../wire/delivery.ts'

export const receiptAnswer = message(
  'ReceiptAnswer',
  {
    outputDigest: field(1, digest),
    attestation: field(2, attestation.codec),
    /** Part of what was signed, where the worker kept a trace (spec S7). */
    traceRoot: field(3, optional(digest)),
    /** What the orchestrator verified before it took the answer; it speaks for itself, and no worker signed it. */
    proof: field(4, optional(zkProofPayload.codec)),
    /** What a proof of kind v3 is about, and such a proof alone. */
    block: field(5, optional(provenBlock.codec)),
  },
  ({ proof, block }) =>
    (proof?.kind === 'v3') === (block !== undefined)
      ? undefined
      : { field: 'block', rule: 'is there exactly where a proof of kind v3 is' },
)
export type ReceiptAnswer = Infer<typeof receiptAnswer>

export const receiptDelivery = message('ReceiptDelivery', {
  deliveryId: field(1, deliveryId),
  workerKey: field(2, publicKey()),
  deadlineMs: field(3, timeMs),
  /** The orchestrator's, over the delivery. */
  attestation: field(4, attestation.codec),
  /** Absent when the worker never answered. */
  answer: field(5, optional(receiptAnswer.codec)),
  outcome: field(6, choice(outcomes)),
  rewardMicroCredit: field(7, microCredit),
})
export type ReceiptDelivery = Infer<typeof receiptDelivery>

const receiptFields = {
  taskId: field(1, taskId),
  kind: field(2, taskKind),
  program: field(3, blob(programBytesMax)),
  programId: field(4, programId),
  seed: field(5, bits64()),
  inputDigest: field(6, digest),
  inputLength: field(7, whole(0, payloadBytesMax)),
  outputDigest: field(8, digest),
  outputLength: field(9, whole(0, payloadBytesMax)),
  /**
   * What the verdict rests on. Agreement: as many distinct workers as `verify` asks for gave equal answers. Checked: the
   * orchestrator checked the answer, as `checkedBy` says. Trusted: neither; the worker was taken at its word.
   */
  basis: field(10, choice(bases)),
  /** What the requester had asked for. */
  verify: field(11, verifyPolicy.codec),
  deliveries: field(12, list(receiptDelivery.codec, deliveriesPerTaskMax)),
  orchestratorKey: field(13, publicKey()),
  decidedAtMs: field(14, timeMs),
  checkedBy: field(15, optional(choice(checkMechanisms))),
}

/** What the receipt's signature covers. */
export const receiptContent = message('ReceiptContent', receiptFields)
export type ReceiptContent = Infer<typeof receiptContent>

export const receipt = message('Receipt', { ...receiptFields, signature: field(16, signature()) })
export type Receipt = Infer<typeof receipt>

export function receiptPayload(content: ReceiptContent): Uint8Array {
  return domainPayload('receipt', receiptContent.encode(content))
}
