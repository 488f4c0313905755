/**
 * Where the random vectors come from (spec C10, C11). Either the checker draws a seed after the worker has bound itself, or
 * the seed is the hash of everything that the check is about, so that anyone can repeat it and nobody can choose it.
 */

import type { DeliveryId, Digest, ProgramId, TaskId, WorkerId } from '@shardy/protocol'
import { domainPayload, field, message, optional, type Sha256, values, whole } from '@shardy/protocol'
import type { ClaimCommitment } from './claim.ts'
import { repetitionsMax } from './field.ts'

export type Challenge =
  | {
      readonly kind: 'drawn'
      /** 32 bytes that the worker could not know when it bound itself. */
      readonly seed: Uint8Array
      /**
       * What had bound it. `arrival` says that the checker held the whole claim when it drew the seed: a commitment to the
       * transcript then adds nothing and may be absent. Left out, it is the commitment, and all of it must be there.
       */
      readonly after?: 'commitment' | 'arrival' | undefined
    }
  | { readonly kind: 'public'; readonly binding: Binding }
  | { readonly kind: 'none' }

/** Whose answer to what it is: a public check is good for no other. */
export interface Binding {
  readonly taskId: TaskId
  readonly deliveryId: DeliveryId
  readonly workerId: WorkerId
}

export const challengeContent = message('ChallengeContent', {
  programId: field(1, values.programId),
  inputDigest: field(2, values.digest),
  taskId: field(3, values.taskId),
  deliveryId: field(4, values.deliveryId),
  workerId: field(5, values.workerId),
  outputDigest: field(6, values.digest),
  transcriptRoot: field(7, optional(values.digest)),
  repetitions: field(8, whole(1, repetitionsMax)),
})

export interface PublicChallenge extends Binding, ClaimCommitment {
  readonly programId: ProgramId
  readonly inputDigest: Digest
  readonly repetitions: number
}

export function publicSeed(content: PublicChallenge, sha256: Sha256): Uint8Array {
  return sha256(domainPayload('challenge', challengeContent.encode(content)))
}
