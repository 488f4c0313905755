/**
 * What a plan is made of: regions of device memory, and steps that read some and write others. Nothing here touches a
 * device, so that every decision about a program can be tested without one.
 */
import type { ProductSpec } from '../gemm/index.ts'

/** WGSL and how it is bound: binding 0 is the step's parameters, then come the buffers it reads, then those it writes. */
export interface Kernel {
  readonly code: string
  readonly reads: number
  readonly writes: number
}

/** Where a region's bytes come from. */
export type Source =
  /** Steps write them, and none is read before it was written. */
  | { readonly kind: 'steps' }
  /** Uploaded for each run: the bytes of an input or of a constant. */
  | { readonly kind: 'given'; readonly value: number }
  /** Uploaded for each run: bytes that the plan itself made. */
  | { readonly kind: 'made'; readonly bytes: Uint8Array }
  /** Uploaded once and kept from run to run under this key, as long as the device has room. */
  | { readonly kind: 'resident'; readonly value: number; readonly key: string }
  /** Made once, by a step that names the same key; kept like the others. */
  | { readonly kind: 'prepared'; readonly key: string }

export interface Region {
  readonly bytes: number
  readonly source: Source
}

/** A part of a region as one binding sees it; it begins at a multiple of `bindingAlignment`. */
export interface Span {
  readonly region: number
  readonly offset: number
  readonly bytes: number
}

export const bindingAlignment = 256
/** Products read bytes by sixteen. */
export const regionAlignment = 16

/** Devices run these at rates that have little to do with each other, so slices learn each of them. */
export const paces = ['product', 'entry', 'series'] as const
export type Pace = (typeof paces)[number]

/**
 * One kernel over the units `from` to `to`: entries, rows, times or whatever its family counts. A device may run any part
 * of that range in a dispatch of its own; parts that follow each other run in order.
 */
export interface KernelStep {
  readonly kind: 'kernel'
  /** What the step is for, in errors. */
  readonly label: string
  readonly kernel: Kernel
  readonly reads: readonly Span[]
  readonly writes: readonly Span[]
  /** The kernel's own parameters, each a word; the range of the dispatch comes before them. */
  readonly params: readonly number[]
  readonly from: number
  readonly to: number
  /** Units that one workgroup takes; or, where every dispatch has the same workgroups, how many those are. */
  readonly groups: { readonly unitsEach: number } | { readonly count: number }
  readonly pace: Exclude<Pace, 'product'>
  /** Steps of about one multiply-add. */
  readonly workPerUnit: number
}

/** Regions of a product's operands, of its result, and of what its epilogue reads. */
export interface ProductRegions {
  readonly a: number
  readonly b: number
  readonly out: number
  readonly bias?: number
  readonly multipliers?: number
  readonly shifts?: number
  readonly table?: number
}

export interface ProductStep {
  readonly kind: 'product'
  readonly label: string
  readonly spec: ProductSpec
  readonly regions: ProductRegions
  readonly work: number
}

/** An operand of a product brought into the order in which its kernel reads it. */
export interface PackStep {
  readonly kind: 'pack'
  readonly label: string
  readonly spec: ProductSpec
  readonly operand: 'a' | 'b'
  readonly source: number
  readonly packed: number
  readonly work: number
  /** The key of the region that it makes; with that at hand, the step is left out. */
  readonly prepares?: string
}

export type Step = KernelStep | ProductStep | PackStep

/** Words of the kernel's own parameters; with the dispatch's two they are the 256 bytes that bindings are aligned to. */
export const paramsMax = 62

export function readsOf(step: Step): readonly number[] {
  if (step.kind === 'kernel') return step.reads.map(({ region }) => region)
  if (step.kind === 'pack') return [step.source]
  const { out, ...read } = step.regions
  return Object.values(read)
}

export function writesOf(step: Step): readonly number[] {
  if (step.kind === 'kernel') return step.writes.map(({ region }) => region)
  return [step.kind === 'pack' ? step.packed : step.regions.out]
}

export function aligned(bytes: number, alignment: number): number {
  return alignment * Math.ceil(bytes / alignment)
}
