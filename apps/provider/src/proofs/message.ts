/** What the provider and its proving thread say to each other: every question has a number and is answered once. */
import type { ZkProofPayload } from '@shardy/protocol'
import type { Provable } from '@shardy/worker'

export interface Question {
  readonly number: number
  /** The orchestrator, which has the keys. */
  readonly url: string
  readonly answers: readonly Provable[]
}

export type Reply =
  | { readonly number: number; readonly proofs: readonly ZkProofPayload[] }
  | { readonly number: number; readonly failure: string }
