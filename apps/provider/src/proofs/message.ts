/** What the provider and its proving thread say to each other: every question has a number and is answered once. */
import type { ZkProofPayload } from '@shardy/protocol'
import type { ProvableProduct, TilePlace } from '@shardy/tensor'
import type { Provable, ProvableBlock } from '@shardy/worker'

/** What is to be done, and what comes of it. */
export interface Work {
  readonly proveAnswers: {
    readonly asked: { readonly answers: readonly Provable[] }
    readonly made: readonly ZkProofPayload[]
  }
  readonly commitSums: {
    readonly asked: {
      readonly product: ProvableProduct
      readonly input: Uint8Array
      readonly tile: TilePlace
    }
    readonly made: readonly bigint[]
  }
  readonly proveBlock: {
    readonly asked: { readonly block: ProvableBlock }
    readonly made: ZkProofPayload
  }
}

export type Asked = { [Kind in keyof Work]: { readonly kind: Kind } & Work[Kind]['asked'] }[keyof Work]

export type Question = Asked & {
  readonly number: number
  /** The orchestrator, which has the keys. */
  readonly url: string
}

export type Reply =
  | { readonly number: number; readonly made: Work[keyof Work]['made'] }
  | { readonly number: number; readonly failure: string }
