/**
 * What the page and its compute worker say to each other. Every call has a number and is answered exactly once, by
 * its answer or by `failed`; `progressed` may come before. Payloads travel as whole buffers, so that they are
 * transferred and not copied.
 */
import type { ComputeErrorKind } from '@shardy/compute'
import type { ExecutorKind, ZkProofPayload } from '@shardy/protocol'
import type { Blobs, Program, ProvableProduct, TilePlace } from '@shardy/tensor'
import type { Provable, ProvableBlock } from '@shardy/worker'

/** What runs the programs, for a person and for the hello. */
export interface Device {
  readonly executor: ExecutorKind
  readonly adapter: string
  /** A GPU's programming interface carried out by the CPU: exact, but without a GPU's speed. */
  readonly isSoftware: boolean
  /** Why it is not the GPU; undefined when it is. */
  readonly cpuReason: CpuReason | undefined
}

export type CpuReason =
  | { readonly kind: 'asked' }
  | { readonly kind: 'refused'; readonly message: string }
  /** The GPU gave other bytes than the reference on a small program. */
  | { readonly kind: 'inexact'; readonly adapter: string }
  /** The GPU was tried and hung or was lost. */
  | { readonly kind: 'failed'; readonly message: string }

export interface Measured {
  readonly operationsPerSecond: number
  /** Of the device's memory, how much held what was written there. */
  readonly stableBytes: number
}

export type Request =
  | { readonly kind: 'open'; readonly call: number; readonly without: CpuReason | undefined }
  | { readonly kind: 'measure'; readonly call: number }
  | {
      readonly kind: 'execute'
      readonly call: number
      readonly program: Program
      readonly input: ArrayBuffer
      /** The constants that the program names by digest, and the values wanted beside the output. */
      readonly blobs: Blobs
      readonly keep: readonly number[]
    }
  | {
      readonly kind: 'runShader'
      readonly call: number
      readonly task: Uint8Array
      readonly payload: ArrayBuffer
    }
  | { readonly kind: 'prove'; readonly call: number; readonly answers: readonly Provable[] }
  | {
      readonly kind: 'commitSums'
      readonly call: number
      readonly product: ProvableProduct
      readonly input: Uint8Array
      readonly tile: TilePlace
    }
  | { readonly kind: 'proveBlock'; readonly call: number; readonly block: ProvableBlock }
  | { readonly kind: 'tryMemory'; readonly call: number; readonly bytes: number }
  /** Not a call of its own: the execution still answers, usually with the error `aborted`. */
  | { readonly kind: 'abort'; readonly call: number }

export type Answer =
  | { readonly kind: 'opened'; readonly call: number; readonly device: Device }
  | ({ readonly kind: 'measured'; readonly call: number } & Measured)
  | { readonly kind: 'progressed'; readonly call: number; readonly permille: number }
  | {
      readonly kind: 'executed'
      readonly call: number
      readonly output: ArrayBuffer
      readonly kept: ReadonlyMap<number, ArrayBuffer>
    }
  | { readonly kind: 'proven'; readonly call: number; readonly proofs: readonly ZkProofPayload[] }
  | { readonly kind: 'committed'; readonly call: number; readonly sums: readonly bigint[] }
  | { readonly kind: 'blockProven'; readonly call: number; readonly proof: ZkProofPayload }
  | {
      readonly kind: 'failed'
      readonly call: number
      readonly error: ComputeErrorKind
      readonly message: string
    }

export type AnswerOf<Kind extends Answer['kind']> = Extract<Answer, { readonly kind: Kind }>
