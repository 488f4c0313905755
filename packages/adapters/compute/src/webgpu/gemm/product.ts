/** What a caller asks of a product of matrices, and what it gets: C = A · B with an epilogue, over buffers of the device. */
import { ComputeError } from '../../executor.ts'
import { type Epilogue, outputKind, refuseEpilogue } from './epilogue.ts'

/** The kernels of exact products, from the one that every device runs to the fastest. */
export type KernelName = 'plain' | 'dot4' | 'subgroup'

export interface Shape {
  readonly batch: number
  readonly m: number
  readonly k: number
  readonly n: number
  /** One B for the whole batch. */
  readonly sharedB: boolean
  /** B lies as n × k, with k contiguous. */
  readonly transposeB: boolean
}

export interface ProductSpec extends Shape {
  /** The kind of A's entries; those of B are always i8. */
  readonly left: 'i8' | 'u8'
  /** B is a weight that is packed once and used often, so packing it always pays. */
  readonly residentB?: boolean
  readonly epilogue?: Epilogue
}

/** f32 in, f32 out, INEXACT. */
export type FloatSpec = Shape

/** A part of the output that one dispatch makes. */
export interface Range {
  readonly firstBatch: number
  readonly batches: number
  readonly firstRow: number
  readonly rows: number
  readonly firstColumn: number
  readonly columns: number
}

export interface Buffers {
  /** The packed operands where `packedBytes` asks for them, otherwise the tensors' own buffers. */
  readonly a: GPUBuffer
  readonly b: GPUBuffer
  readonly out: GPUBuffer
  readonly bias?: GPUBuffer
  readonly multipliers?: GPUBuffer
  readonly shifts?: GPUBuffer
  readonly table?: GPUBuffer
}

export interface Product {
  readonly kernel: KernelName | 'float'
  /** What the packed form of each operand takes; 0 where the kernel reads the tensor itself. */
  readonly packedBytes: { readonly a: number; readonly b: number }
  /** Entries rounded up to whole words. */
  readonly outputBytes: number
  /** Products over the same B with the same layout share its packed form. */
  readonly bLayout: string
  packA(pass: GPUComputePassEncoder, source: GPUBuffer, packed: GPUBuffer): void
  packB(pass: GPUComputePassEncoder, source: GPUBuffer, packed: GPUBuffer): void
  /** Parts in order, each within the device's limits and of about this much work; encode all of one list, the first first. */
  ranges(multiplyAddsMax?: number): readonly Range[]
  /** Without a range: all of them. */
  encode(pass: GPUComputePassEncoder, buffers: Buffers, range?: Range): void
  /** Frees what the product keeps on the device; not the caller's buffers. */
  close(): void
}

export function refuseProduct({ batch, m, k, n, epilogue = {} }: ProductSpec): void {
  for (const [name, size] of Object.entries({ batch, m, k, n })) {
    if (!Number.isSafeInteger(size) || size < 1)
      throw new ComputeError('programRefused', `a product with ${name} = ${size}`)
  }
  const refusal = refuseEpilogue(epilogue)
  if (refusal !== undefined) throw new ComputeError('programRefused', `a product with ${refusal}`)
}

export function outputEntryBytes(epilogue: Epilogue): 1 | 4 {
  return outputKind(epilogue) === 'i32' ? 4 : 1
}
