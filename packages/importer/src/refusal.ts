/**
 * Why a model was refused: what is wrong, where in the model, and the reason in words. Importing is deeply nested, so inside
 * it a refusal travels as an error; `refusable` turns it into the value that every entrance of this package returns.
 */

export type ImportRefusalKind =
  /** The bytes are no ONNX model. */
  | 'malformed'
  /** A size is beyond what an importer holds in memory. */
  | 'tooLarge'
  /** A correct model that says something which exact programs cannot, or which is not understood here. */
  | 'unsupported'
  /** The model contradicts itself: a missing value, a cycle, shapes that do not fit. */
  | 'inconsistent'
  /** Integers that would not give the same integers as an exact program. */
  | 'inexact'
  /** A real value whose range nobody has said. */
  | 'uncalibrated'

export interface ImportRefusal {
  readonly kind: ImportRefusalKind
  /** Where: a node by name and operator, or another part of the model. */
  readonly node: string
  readonly reason: string
}

export type Imported<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: ImportRefusal }

export function describeImportRefusal({ node, reason }: ImportRefusal): string {
  return `${node}: ${reason}`
}

class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly refusal: ImportRefusal

  constructor(refusal: ImportRefusal) {
    super(describeImportRefusal(refusal))
    this.refusal = refusal
  }
}

export function refuse(kind: ImportRefusalKind, node: string, reason: string): never {
  throw new RefusedError({ kind, node, reason })
}

export function refusable<T>(act: () => T): Imported<T> {
  try {
    return { ok: true, value: act() }
  } catch (thrown) {
    if (thrown instanceof RefusedError) return { ok: false, refusal: thrown.refusal }
    throw thrown
  }
}
