/**
 * What a worker's session remembers. Times are milliseconds on the worker's own clock unless a type says otherwise;
 * `clockOffsetMs` leads to the orchestrator's. Everything here is bounded by `bounds.ts`. All of it is replaced rather than
 * changed, but for `small`, which the step owns and changes in place.
 */

import type { Benchmark, ChainCommitment } from '@shardy/chain'
import type { Work, WorkFacts } from '@shardy/compute/work'
import type {
  Attestation,
  CancelReason,
  Delivery,
  DeliveryId,
  Digest,
  Hello,
  MicroCredit,
  OrchestratorId,
  Outcome,
  ProgramId,
  ProofKind,
  PublicKey,
  RejectReason,
  SessionId,
  TaskId,
  ZkProofPayload,
} from '@shardy/protocol'
import type { Blobs, ProvableProduct, TilePlace } from '@shardy/tensor'
import type { LostReason, StopReason } from './reason.ts'
import { emptySmallWork, type SmallWork } from './small/work.ts'

export interface Orchestrator {
  readonly publicKey: PublicKey
  readonly id: OrchestratorId
  /** Add to a local time for the orchestrator's. */
  readonly clockOffsetMs: number
}

/** The raw frame that must come next. What was rejected meanwhile is still received, and dropped. */
export interface Receiving {
  readonly deliveryId: DeliveryId
  readonly wanted: boolean
  /** A long frame holds up the answers to heartbeats; the line counts as alive until then. */
  readonly patienceEndsAtMs: number
}

interface Numbered {
  /** Which attempt this is, so that what an earlier socket still says is not mistaken. */
  readonly number: number
}

interface Handshake extends Numbered {
  readonly giveUpAtMs: number
}

export interface Admitted extends Numbered {
  readonly kind: 'admitted'
  readonly orchestrator: Orchestrator
  readonly sessionId: SessionId
  readonly heartbeatMs: number
  readonly payloadBytesMax: number
  /** Of the last heartbeat sent. */
  readonly sequence: number
  readonly nextHeartbeatAtMs: number
  readonly heardAtMs: number
  readonly receiving: Receiving | undefined
  /** Until then an output may still be on its way up, with our heartbeats behind it. */
  readonly sendingUntilMs: number
}

export type Connection =
  | { readonly kind: 'idle' }
  | (Handshake & { readonly kind: 'connecting' })
  | (Handshake & { readonly kind: 'opened' })
  | (Handshake & {
      readonly kind: 'challenged'
      readonly orchestrator: Orchestrator
      readonly hello: Omit<Hello, 'signature'>
    })
  | (Handshake & { readonly kind: 'helloSent'; readonly orchestrator: Orchestrator })
  | Admitted
  | { readonly kind: 'waiting'; readonly reason: LostReason; readonly retryAtMs: number }
  | { readonly kind: 'stopped'; readonly reason: StopReason }

export interface Answer {
  readonly outputDigest: Digest
  /** Undefined while no executor keeps a trace. */
  readonly traceRoot: Digest | undefined
  readonly outputLength: number
  /** Kept only where the orchestrator wants it back. */
  readonly output: Uint8Array | undefined
  /** The parts that the interactive check needs (C1), which follow the output; none where none were asked for or they do not fit. */
  readonly transcript: readonly Uint8Array[]
  readonly proof: ZkProofPayload | undefined
  readonly salt: string
}

/** What the proof of a block is made from. */
export interface AuditSource {
  readonly verifierVersion: number
  readonly product: ProvableProduct
  readonly input: Uint8Array
}

/** How far the audit of an answer has come. */
export type Audit =
  | { readonly kind: 'unasked'; readonly source: AuditSource }
  | { readonly kind: 'committing'; readonly source: AuditSource; readonly tile: TilePlace }
  | { readonly kind: 'committed'; readonly source: AuditSource; readonly tile: TilePlace }
  | { readonly kind: 'proving' }
  | { readonly kind: 'proven' }

export type Phase =
  | { readonly kind: 'awaitingPayload' }
  | { readonly kind: 'verifying'; readonly input: Uint8Array }
  | { readonly kind: 'fetching'; readonly input: Uint8Array }
  | { readonly kind: 'queued'; readonly input: Uint8Array; readonly blobs: Blobs }
  | { readonly kind: 'executing'; readonly permille: number; readonly saidPermille: number }
  | { readonly kind: 'signing'; readonly answer: Answer }
  | { readonly kind: 'committed'; readonly answer: Answer; readonly attestation: Attestation }
  /** The audit is undefined where none can be asked for. */
  | { readonly kind: 'answered'; readonly outputDigest: Digest; readonly audit: Audit | undefined }

export interface HeldDelivery {
  /** Counts this worker's deliveries; replies carry it, so a late one never meets another delivery. */
  readonly run: number
  readonly delivery: Delivery
  readonly work: Work
  readonly facts: WorkFacts
  readonly programId: ProgramId
  /** Where a block of it may have to be proven. */
  readonly product: ProvableProduct | undefined
  /** From the execution until the answer, where there is a product. */
  readonly keptInput: Uint8Array | undefined
  readonly phase: Phase
}

/** How a delivery ended for this worker. */
export type Ending =
  | { readonly kind: 'settled'; readonly outcome: Outcome; readonly rewardMicroCredit: MicroCredit }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly text: string }
  | { readonly kind: 'cancelled'; readonly reason: CancelReason }
  /** Answered, but the connection was lost before a verdict came. */
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'connectionLost' }

export interface HistoryEntry {
  readonly deliveryId: DeliveryId
  readonly taskId: TaskId
  /** What it computed, in words; unknown for work that was handed back unread. */
  readonly summary: string | undefined
  readonly proof: ProofKind
  readonly atMs: number
  readonly ending: Ending
}

export interface Totals {
  readonly accepted: number
  /** Settled otherwise than accepted. */
  readonly unpaid: number
  readonly rejected: number
  readonly cancelled: number
  readonly rewardMicroCredit: bigint
}

/** How fast this worker was found to be, and what that means to the orchestrator. */
export interface Standing {
  readonly tier: number
  readonly operationsPerSecond: number
  readonly message: string
}

/** Why the worker gets nothing: a stable name, and words for a person. */
export interface IdleNotice {
  readonly constraint: string
  readonly message: string
  readonly atMs: number
}

/** One at a time: who asks again no longer wants the one before. */
export interface HeldBenchmark {
  readonly benchmarkId: string
  readonly benchmark: Benchmark
  readonly phase:
    | { readonly kind: 'waiting' }
    | { readonly kind: 'running'; readonly run: number }
    | { readonly kind: 'done'; readonly commitment: ChainCommitment }
}

export interface SessionState {
  readonly connection: Connection
  /** Attempts made so far, which number the connections. */
  readonly attempts: number
  /** Attempts in a row that came to nothing; the wait grows with them. */
  readonly failures: number
  /** Until then the orchestrator may still believe in our lost connection. */
  readonly ghostUntilMs: number
  /** Moves on with every draw. */
  readonly jitterSeed: number
  readonly paused: boolean
  readonly hidden: boolean
  /** In order of arrival. */
  readonly deliveries: ReadonlyMap<DeliveryId, HeldDelivery>
  /** Deliveries that came many to a frame. */
  readonly small: SmallWork
  /** Who had the executor last, so that neither many small tasks nor a few large ones starve the others. */
  readonly smallHadTurn: boolean
  readonly benchmark: HeldBenchmark | undefined
  /** Undefined until the orchestrator says so. */
  readonly standing: Standing | undefined
  /** Undefined from the next delivery on. */
  readonly idle: IdleNotice | undefined
  readonly runs: number
  /** The run that the executor has; it is free again only when it replied, even after an abort. */
  readonly executing: number | undefined
  /** Newest first. */
  readonly history: readonly HistoryEntry[]
  readonly totals: Totals
}

export function initialState(jitterSeed: number): SessionState {
  return {
    connection: { kind: 'idle' },
    attempts: 0,
    failures: 0,
    ghostUntilMs: 0,
    jitterSeed: jitterSeed >>> 0,
    paused: false,
    hidden: false,
    deliveries: new Map(),
    small: emptySmallWork(),
    smallHadTurn: false,
    benchmark: undefined,
    standing: undefined,
    idle: undefined,
    runs: 0,
    executing: undefined,
    history: [],
    totals: { accepted: 0, unpaid: 0, rejected: 0, cancelled: 0, rewardMicroCredit: 0n },
  }
}
