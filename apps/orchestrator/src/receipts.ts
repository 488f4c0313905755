/**
 * Makes the receipt of a task that has an output (spec R1–R4) from the records. The orchestrator attests its deliveries anew,
 * all in one batch: the statements are the same as those it sent, so nothing has to be kept for it.
 */

import type { Identity } from '@shardy/crypto'
import type { DeliveryRecord, StandingRecord, TaskRecord } from '@shardy/dispatch'
import {
  deliveryStatement,
  type Receipt,
  type ReceiptContent,
  type ReceiptDelivery,
  receiptPayload,
} from '@shardy/protocol'
import { describe } from './gateway/outgoing.ts'
import type { Signer } from './signer.ts'

export async function makeReceipt(
  task: TaskRecord,
  standingOf: (workerId: DeliveryRecord['workerId']) => StandingRecord | undefined,
  { identity, signer }: { readonly identity: Identity; readonly signer: Signer },
): Promise<Receipt> {
  const { spec, deliveries, outputDigest, decidedAtMs, basis, checkedBy } = task
  if (outputDigest === undefined || decidedAtMs === undefined || basis === undefined) {
    throw new Error(`task ${spec.taskId} is ${task.status}: only a task with an output has a receipt`)
  }
  const listed = await Promise.all(
    deliveries.map(async (delivery): Promise<ReceiptDelivery> => {
      const {
        deliveryId,
        workerId,
        deadlineMs,
        answer,
        traceRoot,
        proof,
        block,
        outcome,
        rewardMicroCredit,
      } = delivery
      const standing = standingOf(workerId)
      if (standing === undefined || outcome === undefined) {
        throw new Error(`delivery ${deliveryId} of an ended task is not settled by a known worker`)
      }
      return {
        deliveryId,
        workerKey: standing.publicKey,
        deadlineMs,
        attestation: await signer.attest(
          deliveryStatement(describe({ ...delivery, task }), spec.programId, workerId),
        ),
        answer:
          answer && delivery.outputDigest
            ? { outputDigest: delivery.outputDigest, traceRoot, attestation: answer, proof, block }
            : undefined,
        outcome,
        rewardMicroCredit,
      }
    }),
  )
  const content: ReceiptContent = {
    taskId: spec.taskId,
    kind: spec.kind,
    program: spec.program,
    programId: spec.programId,
    seed: spec.seed,
    inputDigest: spec.inputDigest,
    inputLength: spec.inputLength,
    outputDigest,
    outputLength: spec.outputLength,
    basis,
    verify: spec.verify,
    checkedBy,
    deliveries: listed,
    orchestratorKey: identity.publicKey,
    decidedAtMs,
  }
  return { ...content, signature: await identity.sign(receiptPayload(content)) }
}
