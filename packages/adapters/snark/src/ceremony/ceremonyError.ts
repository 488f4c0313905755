/** Why a ceremony cannot go on here. What a verifier finds wrong is no error but a refusal, in verdict.ts. */
import type { CeremonyRefusal } from './verdict.ts'

export type CeremonyErrorKind =
  /** A file is missing, unreadable, too large, or stands where one should be written. */
  | 'file'
  /** Something that was asked for cannot be: a name, a beacon, a circuit that does not fit. */
  | 'request'
  /** What lies in the folder does not hold, so nothing is built on it. */
  | 'refused'

export class CeremonyError extends Error {
  override readonly name = 'CeremonyError'
  readonly kind: CeremonyErrorKind
  readonly refusal: CeremonyRefusal | undefined
  /** What the person can do about it. */
  readonly next: string | undefined
  constructor(
    kind: CeremonyErrorKind,
    message: string,
    options: { readonly refusal?: CeremonyRefusal; readonly next?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.kind = kind
    this.refusal = options.refusal
    this.next = options.next
  }
}
