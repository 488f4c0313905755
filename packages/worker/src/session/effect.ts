/** What a session wants done, in order. Those that take time are answered by an input with the same run or connection. */

import type { Benchmark } from '@shardy/chain'
import type { Work } from '@shardy/compute/work'
import type { DeliveryId, PublicKey, Signature, TaskId, WantedProof } from '@shardy/protocol'
import type { Blobs, Program, ProvableProduct, TilePlace } from '@shardy/tensor'
import type { ProvableBlock } from '../prover.ts'
import type { WorkerEvent } from './event.ts'

/** A proof that is to be made of an answer once it is there. */
export interface WantedAnswerProof extends WantedProof {
  readonly taskId: TaskId
  readonly seed: bigint
}

export interface SmallTask {
  readonly work: Work
  readonly input: Uint8Array
  readonly proof: WantedAnswerProof | undefined
}

/** Why the worker itself ends a connection. */
export type CloseCause = 'leaving' | 'silence' | 'violation' | 'refused'

export type Effect =
  | { readonly kind: 'connect'; readonly connection: number }
  | { readonly kind: 'send'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly connection: number; readonly cause: CloseCause }
  /** → helloSigned | helloUnsigned */
  | { readonly kind: 'signHello'; readonly connection: number; readonly payload: Uint8Array }
  /** → verified */
  | {
      readonly kind: 'verify'
      readonly run: number
      readonly input: Uint8Array
      readonly publicKey: PublicKey
      readonly payload: Uint8Array
      readonly signature: Signature
    }
  /** → batchVerified */
  | {
      readonly kind: 'verifyBatch'
      readonly run: number
      readonly publicKey: PublicKey
      readonly payload: Uint8Array
      readonly signature: Signature
    }
  /** → constantsFetched | constantsNotFetched, also after an abort */
  | {
      readonly kind: 'fetchConstants'
      readonly run: number
      readonly deliveryId: DeliveryId
      readonly program: Program
    }
  /** → progressed, then executed | notExecuted, also after an abort */
  | {
      readonly kind: 'execute'
      readonly run: number
      readonly work: Work
      readonly input: Uint8Array
      readonly blobs: Blobs
      /** Whether the parts of the transcript are wanted beside the output. */
      readonly transcript: boolean
      readonly proof: WantedAnswerProof | undefined
      /** An audit will look at it again; an executor may take what it is given for itself. */
      readonly keepsInput: boolean
    }
  /** → batchExecuted, with as many as fit a moment, and with what was done after an abort */
  | { readonly kind: 'executeBatch'; readonly run: number; readonly batch: readonly SmallTask[] }
  /** → benchmarkRun | benchmarkNotRun, also after an abort */
  | { readonly kind: 'runBenchmark'; readonly run: number; readonly benchmark: Benchmark }
  /** → sumsCommitted | auditFailed */
  | {
      readonly kind: 'commitSums'
      readonly run: number
      readonly product: ProvableProduct
      readonly input: Uint8Array
      readonly tile: TilePlace
    }
  /** → blockProven | auditFailed */
  | { readonly kind: 'proveBlock'; readonly run: number; readonly block: ProvableBlock }
  | { readonly kind: 'abort'; readonly run: number }
  /** → resultSigned | resultUnsigned */
  | { readonly kind: 'signResult'; readonly run: number; readonly payload: Uint8Array }
  | { readonly kind: 'report'; readonly event: WorkerEvent }
