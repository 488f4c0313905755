/**
 * Everything that can happen to a session. Frames and closures carry the number of their connection, replies to
 * effects that of their run: what is no longer current is ignored.
 */
import type { Digest, Signature } from '@shardy/protocol'
import type { Blobs } from '@shardy/tensor'

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
  | { readonly kind: 'constantsFetched'; readonly run: number; readonly blobs: Blobs }
  | { readonly kind: 'constantsNotFetched'; readonly run: number; readonly text: string }
  | { readonly kind: 'progressed'; readonly run: number; readonly permille: number }
  | {
      readonly kind: 'executed'
      readonly run: number
      readonly output: Uint8Array
      readonly outputDigest: Digest
      /** 32 random bytes in hex, unknown to anyone else. */
      readonly salt: string
    }
  | {
      readonly kind: 'notExecuted'
      readonly run: number
      readonly reason: 'tooLarge' | 'deviceLost' | 'executionFailed'
      readonly text: string
    }
  | { readonly kind: 'resultSigned'; readonly run: number; readonly signature: Signature }
  | { readonly kind: 'resultUnsigned'; readonly run: number; readonly text: string }

export type InputOf<Kind extends Input['kind']> = Extract<Input, { readonly kind: Kind }>
