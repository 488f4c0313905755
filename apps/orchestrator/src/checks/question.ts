/** What is said between the orchestrator's loop and a thread that checks. Bytes in a question are the thread's to keep. */
import type { Digest, ProgramId, TaskKind } from '@shardy/protocol'
import type { AnswerVerdict } from '@shardy/sdk'

/** An answer: its bytes with the transcript that came, or its digest where the bytes did not. */
export type Claimed =
  | { readonly kind: 'bytes'; readonly output: Uint8Array; readonly transcript: readonly Uint8Array[] }
  | { readonly kind: 'digest'; readonly outputDigest: Digest }

export type Question =
  | {
      readonly kind: 'answer'
      readonly taskKind: TaskKind
      readonly program: Uint8Array
      readonly programId: ProgramId
      readonly input: Uint8Array
      readonly claimed: Claimed
      readonly constants: readonly Digest[]
    }
  /** Which outputs of a float task are the same. */
  | { readonly kind: 'floats'; readonly outputs: readonly Uint8Array[] }

export type Asked =
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  /** What a reply wanted; the question is still there. */
  | { readonly kind: 'bring'; readonly id: number; readonly blobs: ReadonlyMap<Digest, Uint8Array> }

export type Finding =
  | { readonly kind: 'verdict'; readonly verdict: AnswerVerdict }
  | { readonly kind: 'groups'; readonly groups: readonly number[] }
  | { readonly kind: 'failed'; readonly reason: string }

export type Reply =
  | { readonly kind: 'found'; readonly id: number; readonly finding: Finding }
  | { readonly kind: 'wanted'; readonly id: number; readonly digests: readonly Digest[] }
