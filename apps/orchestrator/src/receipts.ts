/**
 * Makes the receipt of a verified task (spec R1–R4) from the records. The orchestrator attests its deliveries anew,
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
import { describe } from './gateway/gateway.ts'
import type { Signer } from './signer.ts'

export async function makeReceipt(
  task: TaskRecord,
  deliveries: readonly DeliveryRecord[],
  standingOf: (workerId: DeliveryRecord['workerId']) => StandingRecord | undefined,
  { identity, signer }: { readonly identity: Identity; readonly signer: Signer },
): Promise<Receipt> {
  const { outputDigest, decidedAtMs } = task
  if (task.status !== 'verified' || outputDigest === undefined || decidedAtMs === undefined) {
    throw new Error(`task ${task.taskId} is ${task.status}: only a verified task has a receipt`)
  }
  const listed = await Promise.all(
    deliveries.map(async (delivery): Promise<ReceiptDelivery> => {
      const { deliveryId, workerId, deadlineMs, answer, traceRoot, outcome, rewardMicroCredit } = delivery
      const standing = standingOf(workerId)
      if (standing === undefined || outcome === undefined) {
        throw new Error(`delivery ${deliveryId} of an ended task is not settled by a known worker`)
      }
      return {
        deliveryId,
        workerKey: standing.publicKey,
        deadlineMs,
        attestation: await signer.attest(
          deliveryStatement(describe(task, delivery), task.programId, workerId),
        ),
        answer:
          answer && delivery.outputDigest
            ? { outputDigest: delivery.outputDigest, traceRoot, attestation: answer }
            : undefined,
        outcome,
        rewardMicroCredit,
      }
    }),
  )
  const content: ReceiptContent = {
    taskId: task.taskId,
    kind: task.kind,
    program: task.program,
    programId: task.programId,
    seed: task.seed,
    inputDigest: task.inputDigest,
    inputLength: task.inputLength,
    outputDigest,
    outputLength: task.outputLength,
    basis: 'agreement',
    redundancy: task.redundancy,
    deliveries: listed,
    orchestratorKey: identity.publicKey,
    decidedAtMs,
  }
  return { ...content, signature: await identity.sign(receiptPayload(content)) }
}
