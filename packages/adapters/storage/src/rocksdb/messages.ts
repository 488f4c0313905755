/**
 * What crosses between the caller's thread and the database thread. Batches and answers travel as one buffer each,
 * moved and not copied. Readers are numbered by the caller, so it need not wait for one to open before using it.
 */
import type { KeyRange } from '../engine.ts'
import type { StoreErrorKind } from '../storeError.ts'

export type Request =
  | { readonly kind: 'open'; readonly path: string }
  | { readonly kind: 'commit'; readonly batches: readonly Uint8Array[]; readonly sync: boolean }
  | { readonly kind: 'getMany'; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'openScan'; readonly reader: number; readonly range: KeyRange }
  | { readonly kind: 'scan'; readonly reader: number; readonly rowsMax: number }
  | { readonly kind: 'openView'; readonly reader: number }
  | { readonly kind: 'viewGetMany'; readonly reader: number; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'viewScan'; readonly reader: number; readonly range: KeyRange; readonly rowsMax: number }
  | { readonly kind: 'closeReader'; readonly reader: number }
  | { readonly kind: 'close' }

export type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'values'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'page'; readonly bytes: Uint8Array<ArrayBuffer>; readonly finished: boolean }
  | {
      readonly kind: 'failed'
      readonly errorKind: StoreErrorKind
      readonly message: string
      readonly cause: string
    }

export interface Sent {
  readonly id: number
  readonly request: Request
}

export interface Answered {
  readonly id: number
  readonly answer: Answer
}
