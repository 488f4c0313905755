/**
 * Everything that can happen to a session. Frames and closures carry the number of their connection, replies to
 * effects that of their run: what is no longer current is ignored.
 */
import type { ChainCommitment } from '@shardy/chain'
import type { Digest, Signature, ZkProofPayload } from '@shardy/protocol'
import type { Blobs } from '@shardy/tensor'

export type FailureReason = 'tooLarge' | 'deviceLost' | 'executionFailed'

/** What became of one of many. */
export type Outcome =
  | {
      readonly ok: true
      readonly output: Uint8Array
      readonly outputDigest: Digest
      readonly proof: ZkProofPayload | undefined
    }
  | { readonly ok: false; readonly reason: FailureReason; readonly text: string }

export type Input =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'hidden'; readonly hidden: boolean }
  /** The time that `nextWakeMs` named has come. */
  | { readonly kind: 'woke' }
  | { readonly kind: 'opened'; readonly connection: number }
  /** `bytes` is undefined for a text frame, which is never valid. */
  | { readonly kind: 'received'; readonly connection: number; readonly bytes: Uint8Array | undefined }
  | { readonly kind: 'closed'; readonly connection: number; readonly code: number; readonly text: string }
  | { readonly kind: 'helloSigned'; readonly connection: number; readonly signature: Signature }
  | { readonly kind: 'helloUnsigned'; readonly connection: number; readonly text: string }
  | {
      readonly kind: 'verified'
      readonly run: number
      readonly inputDigest: Digest
      readonly attestationHolds: boolean
    }
  | { readonly kind: 'batchVerified'; readonly run: number; readonly holds: boolean }
  | { readonly kind: 'constantsFetched'; readonly run: number; readonly blobs: Blobs }
  | { readonly kind: 'constantsNotFetched'; readonly run: number; readonly text: string }
  | { readonly kind: 'progressed'; readonly run: number; readonly permille: number }
  | {
      readonly kind: 'executed'
      readonly run: number
      readonly output: Uint8Array
      readonly outputDigest: Digest
      /** The parts of the transcript, where they were asked for. */
      readonly transcript: readonly Uint8Array[]
      readonly proof: ZkProofPayload | undefined
      /** 32 random bytes in hex, unknown to anyone else. */
      readonly salt: string
    }
  | {
      readonly kind: 'notExecuted'
      readonly run: number
      readonly reason: FailureReason
      readonly text: string
    }
  | {
      readonly kind: 'batchExecuted'
      readonly run: number
      /** Of the first so many, in their order; the rest has not begun. */
      readonly outcomes: readonly Outcome[]
      /** 32 random bytes for each of them, unknown to anyone else. */
      readonly salts: Uint8Array
    }
  | { readonly kind: 'benchmarkRun'; readonly run: number; readonly commitment: ChainCommitment }
  | { readonly kind: 'benchmarkNotRun'; readonly run: number; readonly text: string }
  | { readonly kind: 'sumsCommitted'; readonly run: number; readonly commitments: readonly bigint[] }
  | { readonly kind: 'blockProven'; readonly run: number; readonly proof: ZkProofPayload }
  | { readonly kind: 'auditFailed'; readonly run: number; readonly text: string }
  | { readonly kind: 'resultSigned'; readonly run: number; readonly signature: Signature }
  | { readonly kind: 'resultUnsigned'; readonly run: number; readonly text: string }

export type InputOf<Kind extends Input['kind']> = Extract<Input, { readonly kind: Kind }>
