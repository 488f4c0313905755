/**
 * The WASM kernels, opened: exact int8 products, field products and element operations on the calling thread. Everything
 * is synchronous once open; each thread opens its own, since an instance has one memory. A host without WebAssembly or
 * its SIMD instructions is refused in words, and has the definitions in TypeScript.
 */
import { createBits } from './bits.ts'
import { createFieldProducts, type FieldProducts } from './fieldProducts.ts'
import { createInstance, type KernelExports } from './instance.ts'
import { kernelBase64 } from './kernels.wasm.ts'
import { createMatmul, type Int8Matmul } from './matmul.ts'
import { createRequantize } from './requantize.ts'

export interface ElementKernels extends ReturnType<typeof createBits> {
  readonly requantize: ReturnType<typeof createRequantize>
}

export interface Kernels {
  readonly matmul: Int8Matmul
  readonly field: FieldProducts
  readonly elements: ElementKernels
}

export type OpenedKernels =
  | { readonly ok: true; readonly kernels: Kernels }
  | {
      readonly ok: false
      readonly refusal: { readonly kind: 'noWebAssembly' | 'noSimd'; readonly message: string }
    }

export async function openKernels(): Promise<OpenedKernels> {
  if (typeof WebAssembly === 'undefined') {
    return refuse('noWebAssembly', 'this host has no WebAssembly, or its content security policy forbids it')
  }
  const bytes = Uint8Array.from(atob(kernelBase64), (letter) => letter.charCodeAt(0))
  if (!WebAssembly.validate(bytes))
    return refuse('noSimd', 'this host lacks the SIMD instructions of WebAssembly')
  try {
    const { instance } = await WebAssembly.instantiate(bytes)
    return { ok: true, kernels: createKernels(instance.exports as unknown as KernelExports) }
  } catch (thrown) {
    // A page whose policy lacks 'wasm-unsafe-eval' validates and then refuses to compile.
    return refuse('noWebAssembly', `this host does not run WebAssembly: ${thrown}`)
  }
}

function refuse(kind: 'noWebAssembly' | 'noSimd', message: string): OpenedKernels {
  return { ok: false, refusal: { kind, message } }
}

function createKernels(exports: KernelExports): Kernels {
  const instance = createInstance(exports)
  return {
    matmul: createMatmul(instance),
    field: createFieldProducts(instance),
    elements: { ...createBits(instance), requantize: createRequantize(instance) },
  }
}
