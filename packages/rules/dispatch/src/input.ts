/** What can happen to dispatch. Time comes with every input; whoever posts one has checked signatures and digests. */
import type {
  Attestation,
  CheckMechanism,
  DeliveryId,
  Digest,
  MicroCredit,
  PresenceState,
  ProvenBlock,
  PublicKey,
  RejectReason,
  TaskId,
  TaskKind,
  TimeMs,
  WorkerId,
  ZkProofPayload,
} from '@shardy/protocol'
import type { TaskRecord, TaskSpec } from './record.ts'

export type NewTask = Omit<TaskSpec, 'submittedAtMs'>

/** What is known of a connected worker: measured by the orchestrator, or the worker's own word where it says so. */
export interface Profile {
  readonly kinds: readonly TaskKind[]
  /** Measured when it was admitted. */
  readonly tier: number
  readonly operationsPerSecond: number
  /** As a part of that, while its tab is hidden; 1000: as fast. */
  readonly hiddenPermille: number
  /** Its own word: who runs it, by a key that owns several workers. Empty: nobody said. */
  readonly operator: string
  /** Adapter vendor and architecture: replicas of float kinds stay within one class. */
  readonly hardwareClass: string
  readonly features: readonly string[]
  readonly region: string
  readonly latencyMs: number
  readonly payloadBytesMax: number
  /** Touched and verified when it was admitted. */
  readonly memoryBytes: number
  /** Deliveries it computes at once. */
  readonly slots: number
  /** Deliveries that may wait there beside those. */
  readonly prefetch: number
  /** The least it works for, for 10^9 operations. */
  readonly askMicroCredit: MicroCredit
}

/** What a worker would lose, from the book: vesting earnings and deposit, and what of them it has asked back. */
export interface Stake {
  readonly lockedMicroCredit: MicroCredit
  readonly withdrawingMicroCredit: MicroCredit
}

/** What a check said of an answer. `unknown`: nothing can be said, for or against it. */
export type CheckVerdict =
  | { readonly kind: 'right'; readonly by: CheckMechanism }
  | {
      readonly kind: 'wrong'
      readonly reason: string
      /** Of the right output; absent where there is none. */
      readonly rightDigest?: Digest | undefined
    }
  | { readonly kind: 'unknown'; readonly reason: string }

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
  /** A dead task gets a new life: its attempts, and time until the deadline. */
  | {
      readonly kind: 'requeue'
      readonly atMs: TimeMs
      readonly task: TaskRecord
      readonly deadlineMs: TimeMs
    }
  | (FromWorker & {
      readonly kind: 'workerJoined'
      readonly publicKey: PublicKey
      readonly profile: Profile
    })
  /** Measured anew; a quarantined worker that passed is free again, if it was asked to after its last offence. */
  | (FromWorker & { readonly kind: 'benchmarked'; readonly profile: Profile; readonly askedAtMs: TimeMs })
  /** It gets nothing new, so that its work does not slow its benchmark; `benchmarked` ends this too. */
  | (FromWorker & { readonly kind: 'measuring'; readonly measuring: boolean })
  | (FromWorker & { readonly kind: 'workerLeft' })
  | (FromWorker & { readonly kind: 'presence'; readonly state: PresenceState })
  | (FromWorker & { readonly kind: 'drainWorker'; readonly draining: boolean })
  | { readonly kind: 'operate'; readonly atMs: TimeMs; readonly mode: DispatchMode }
  | (AboutDelivery & { readonly kind: 'acked' })
  | (AboutDelivery & { readonly kind: 'committed'; readonly commitment: Digest })
  /** The answer's signature and its proof have been verified, and its output is at hand where it is wanted. */
  | (AboutDelivery & {
      readonly kind: 'answered'
      readonly outputDigest: Digest
      readonly traceRoot: Digest | undefined
      /** Opens the commitment where one was asked for. */
      readonly salt: string | undefined
      readonly attestation: Attestation
      readonly proof?: ZkProofPayload | undefined
      readonly block?: ProvenBlock | undefined
      readonly stake: Stake
    })
  | (AboutDelivery & { readonly kind: 'checked'; readonly verdict: CheckVerdict })
  /** Which answers of a float task are the same within its tolerance: equal numbers belong together. */
  | {
      readonly kind: 'compared'
      readonly atMs: TimeMs
      readonly taskId: TaskId
      readonly groups: readonly { readonly deliveryId: DeliveryId; readonly group: number }[]
    }
  /** Something about the answer was unsigned, cut short or did not match its digest. */
  | (AboutDelivery & { readonly kind: 'corrupted'; readonly detail: string })
  /** It could not be sent, for a reason of our own. */
  | (AboutDelivery & { readonly kind: 'unsent'; readonly detail: string })
  | (AboutDelivery & { readonly kind: 'rejected'; readonly reason: RejectReason; readonly message: string })
  | { readonly kind: 'tick'; readonly atMs: TimeMs }

export type InputOf<Kind extends Input['kind']> = Extract<Input, { readonly kind: Kind }>

/** `paused` gives nothing out; `draining` takes no new task and finishes the old. */
export type DispatchMode = 'running' | 'paused' | 'draining'
