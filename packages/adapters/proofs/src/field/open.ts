/**
 * The field in WebAssembly, opened: folds and Poseidon commitments on the calling thread. Everything is synchronous once
 * open. A host without WebAssembly is refused in words; it can still fold by `@shardy/protocol`, and cannot commit.
 */
import { type Commitments, createCommitments } from '../commitment/commitment.ts'
import { fieldBase64 } from './field.wasm.ts'
import { createFolds, type Folds } from './fold.ts'
import { createInstance, type FieldExports } from './instance.ts'

export interface Field extends Folds, Commitments {}

export type OpenedField =
  | { readonly ok: true; readonly field: Field }
  | {
      readonly ok: false
      readonly refusal: { readonly kind: 'noWebAssembly' | 'noSimd'; readonly message: string }
    }

export async function openField(): Promise<OpenedField> {
  if (typeof WebAssembly === 'undefined')
    return refuse('noWebAssembly', 'this host has no WebAssembly, or its content security policy forbids it')
  const bytes = Uint8Array.from(atob(fieldBase64), (letter) => letter.charCodeAt(0))
  if (!WebAssembly.validate(bytes))
    return refuse('noSimd', 'this host lacks the SIMD instructions of WebAssembly')
  try {
    const { instance } = await WebAssembly.instantiate(bytes)
    const opened = createInstance(instance.exports as unknown as FieldExports)
    return { ok: true, field: { ...createFolds(opened), ...createCommitments(opened) } }
  } catch (thrown) {
    // A page whose policy lacks 'wasm-unsafe-eval' validates and then refuses to compile.
    return refuse('noWebAssembly', `this host does not run WebAssembly: ${thrown}`)
  }
}

function refuse(kind: 'noWebAssembly' | 'noSimd', message: string): OpenedField {
  return { ok: false, refusal: { kind, message } }
}
