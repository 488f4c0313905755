/**
 * Many small deliveries in one frame, and many answers in another (spec W30–W35): one signature speaks for all of them. What is
 * larger than `inlinePayloadBytesMax` travels in frames of its own (`delivery.ts`, `result.ts`). Commitments, their close and
 * verdicts go in lists, whatever way their deliveries came.
 */
import { batchMax, inlinePayloadBytesMax, programBytesMax } from '../limits.ts'
import { wantedProof, zkProofPayload } from '../proof/payload.ts'
import { bits64, blob, choice, flag, list, optional, signature, whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { salt } from '../statement/commitment.ts'
import { deliveryId, digest, microCredit, taskId, taskKind, timeMs } from '../values.ts'
import { outcomes } from './delivery.ts'

/** Programs of a batch, each once. */
export const batchProgram = message('BatchProgram', {
  kind: field(1, taskKind),
  program: field(2, blob(programBytesMax)),
})
export type BatchProgram = Infer<typeof batchProgram>

export const batchDelivery = message('BatchDelivery', {
  taskId: field(1, taskId),
  deliveryId: field(2, deliveryId),
  /** Its place in the batch's list of programs. */
  program: field(3, whole(0, batchMax - 1)),
  seed: field(4, bits64()),
  deadlineMs: field(5, timeMs),
  payload: field(6, blob(inlinePayloadBytesMax)),
  commitFirst: field(7, flag()),
  returnOutput: field(8, flag()),
  proof: field(9, optional(wantedProof.codec)),
})
export type BatchDelivery = Infer<typeof batchDelivery>

/** The signature is the orchestrator's, over the batch of the deliveries' statements in their order (S4). */
export const deliveries = message(
  'Deliveries',
  {
    programs: field(1, list(batchProgram.codec, batchMax)),
    deliveries: field(2, list(batchDelivery.codec, batchMax)),
    signature: field(3, signature()),
  },
  (value) => {
    if (value.deliveries.length === 0) return { field: 'deliveries', rule: 'a batch has a delivery' }
    const isListed = value.deliveries.every(({ program }) => program < value.programs.length)
    return isListed ? undefined : { field: 'deliveries', rule: 'every program is listed' }
  },
)
export type Deliveries = Infer<typeof deliveries>

export const batchResult = message('BatchResult', {
  deliveryId: field(1, deliveryId),
  outputDigest: field(2, digest),
  /** Present where it was asked for. */
  output: field(3, optional(blob(inlinePayloadBytesMax))),
  /** Opens the commitment, where one was asked for. */
  salt: field(4, optional(salt)),
  traceRoot: field(5, optional(digest)),
  /** The leaf of its statement: the root can be found where a delivery is no longer known. */
  leaf: field(6, digest),
  proof: field(7, optional(zkProofPayload.codec)),
})
export type BatchResult = Infer<typeof batchResult>

/** The signature is the worker's, over the batch of the results' statements in their order (S4). */
export const results = message(
  'Results',
  {
    results: field(1, list(batchResult.codec, batchMax)),
    signature: field(2, signature()),
  },
  (value) => (value.results.length > 0 ? undefined : { field: 'results', rule: 'a batch has a result' }),
)
export type Results = Infer<typeof results>

export const commit = message('Commit', {
  deliveryId: field(1, deliveryId),
  commitment: field(2, digest),
})

export type Commit = Infer<typeof commit>

export const commits = message('Commits', { commits: field(1, list(commit.codec, batchMax)) })
export type Commits = Infer<typeof commits>

/** For each of these, every worker on the task is bound: show the answer now. */
export const closings = message('Closings', { deliveryIds: field(1, list(deliveryId, batchMax)) })
export type Closings = Infer<typeof closings>

export const settlement = message('Settlement', {
  deliveryId: field(1, deliveryId),
  outcome: field(2, choice(outcomes)),
  rewardMicroCredit: field(3, microCredit),
})

export type Settlement = Infer<typeof settlement>

export const settlements = message('Settlements', {
  settlements: field(1, list(settlement.codec, batchMax)),
})
export type Settlements = Infer<typeof settlements>
