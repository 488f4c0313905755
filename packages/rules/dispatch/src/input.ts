/** What can happen to dispatch. Time comes with every input; whoever posts one has checked signatures and digests. */
import type {
  Attestation,
  DeliveryId,
  Digest,
  PresenceState,
  PublicKey,
  RejectReason,
  TaskId,
  TaskKind,
  TimeMs,
  WorkerId,
} from '@shardy/protocol'
import type { TaskRecord } from './record.ts'

export type NewTask = Pick<
  TaskRecord,
  | 'taskId'
  | 'requesterId'
  | 'requestDigest'
  | 'kind'
  | 'program'
  | 'programId'
  | 'seed'
  | 'complexity'
  | 'inputDigest'
  | 'inputLength'
  | 'outputLength'
  | 'constants'
  | 'constantBytes'
  | 'redundancy'
  | 'rewardMicroCredit'
  | 'keepOutput'
  | 'deadlineMs'
>

interface FromWorker {
  readonly atMs: TimeMs
  readonly workerId: WorkerId
}

interface AboutDelivery extends FromWorker {
  readonly deliveryId: DeliveryId
}

export type Input =
  | { readonly kind: 'submit'; readonly atMs: TimeMs; readonly task: NewTask }
  | { readonly kind: 'cancel'; readonly atMs: TimeMs; readonly taskId: TaskId }
  | (FromWorker & {
      readonly kind: 'workerJoined'
      readonly publicKey: PublicKey
      readonly kinds: readonly TaskKind[]
      readonly operationsPerSecond: number
      readonly payloadBytesMax: number
      readonly slots: number
    })
  | (FromWorker & { readonly kind: 'workerLeft' })
  | (FromWorker & { readonly kind: 'presence'; readonly state: PresenceState })
  | (AboutDelivery & { readonly kind: 'acked' })
  | (AboutDelivery & { readonly kind: 'committed'; readonly commitment: Digest })
  | (AboutDelivery & {
      readonly kind: 'revealed'
      readonly outputDigest: Digest
      readonly traceRoot: Digest | undefined
      readonly salt: string
    })
  /** The answer's signature has been verified and, where output was asked for, the output is stored. */
  | (AboutDelivery & {
      readonly kind: 'answered'
      readonly outputDigest: Digest
      readonly traceRoot: Digest | undefined
      readonly attestation: Attestation
    })
  /** Something about the answer was unsigned, cut short or did not match its digest. */
  | (AboutDelivery & { readonly kind: 'corrupted'; readonly detail: string })
  | (AboutDelivery & { readonly kind: 'rejected'; readonly reason: RejectReason; readonly message: string })
  | { readonly kind: 'tick'; readonly atMs: TimeMs }

export type InputOf<Kind extends Input['kind']> = Extract<Input, { readonly kind: Kind }>
