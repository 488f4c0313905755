/** A plan while it is being written: regions and steps are added to it, node after node. */
import { type Dtype, dtypeFacts, type Shape, sizeOf } from '@shardy/tensor'
import { ComputeError } from '../../executor.ts'
import type { PlanLimits } from '../limits.ts'
import {
  aligned,
  bindingAlignment,
  type KernelStep,
  type ProductStep,
  paramsMax,
  type Region,
  regionAlignment,
  type Source,
  type Span,
  type Step,
} from './step.ts'

/** A tensor that lies in a region from its first byte on. */
export interface Operand {
  readonly region: number
  readonly dtype: Dtype
  readonly shape: Shape
}

export type TensorType = Pick<Operand, 'dtype' | 'shape'>

export interface Draft {
  readonly limits: PlanLimits
  readonly regions: readonly Region[]
  readonly steps: readonly Step[]
  /** Names what is being planned; the steps and refusals that follow carry it. */
  at(label: string): void
  place(type: TensorType, source?: Source): Operand
  emit(step: Omit<KernelStep, 'kind' | 'label'>): void
  emitProduct(step: Omit<ProductStep, 'kind' | 'label'>): void
  /** For what no splitting makes small enough for the device. */
  refuse(what: string): never
}

/** Room for intermediate results of one node; work on more rows than fit is done block by block. */
const scratchBytesMax = 64 * 2 ** 20

/** Whole words. */
export function operandBytes({ dtype, shape }: TensorType): number {
  return aligned(dtypeFacts[dtype].bytes * sizeOf(shape), 4)
}

export function createDraft(limits: PlanLimits): Draft {
  const regions: Region[] = []
  const steps: Step[] = []
  let label = 'program'
  const refuse = (what: string): never => {
    throw new ComputeError('beyondLimits', `${label}: ${what}`)
  }
  return {
    limits,
    regions,
    steps,
    refuse,
    at(what) {
      label = what
    },
    place(type, source = { kind: 'steps' }) {
      const bytes = aligned(operandBytes(type), regionAlignment)
      if (bytes > limits.maxBufferSize) {
        refuse(`needs a buffer of ${bytes} bytes, the device's maxBufferSize is ${limits.maxBufferSize}`)
      }
      regions.push({ bytes, source })
      return { region: regions.length - 1, dtype: type.dtype, shape: type.shape }
    },
    emit(step) {
      const bindings = step.reads.length + step.writes.length
      const { maxStorageBuffersPerShaderStage: bindingsMax, maxStorageBufferBindingSize } = limits
      if (bindings > bindingsMax) {
        const bytes = `at most ${maxStorageBufferBindingSize} bytes`
        refuse(`needs ${bindings} bindings of ${bytes} at once, the device has ${bindingsMax}`)
      }
      if (step.params.length > paramsMax) throw new Error(`${label} has ${step.params.length} parameters`)
      if (step.from < step.to) steps.push({ kind: 'kernel', label, ...step })
    },
    emitProduct(step) {
      steps.push({ kind: 'product', label, ...step })
    },
  }
}

/** The largest binding whose end is aligned, so that another can begin there. */
export function windowBytes({ maxStorageBufferBindingSize }: PlanLimits): number {
  return Math.floor(maxStorageBufferBindingSize / bindingAlignment) * bindingAlignment
}

/** All of an operand, in as many bindings as the device's limit asks for. */
export function windowsOf(operand: Operand, limits: PlanLimits): readonly Span[] {
  const bytes = operandBytes(operand)
  const step = windowBytes(limits)
  const spans: Span[] = []
  for (let offset = 0; offset < bytes; offset += step) {
    spans.push({ region: operand.region, offset, bytes: Math.min(step, bytes - offset) })
  }
  return spans
}

/** The binding for some words of a region, and the word that it begins with. */
export function spanOfWords(
  region: number,
  from: number,
  to: number,
): { readonly span: Span; readonly base: number } {
  const offset = Math.floor((4 * from) / bindingAlignment) * bindingAlignment
  return { span: { region, offset, bytes: 4 * to - offset }, base: offset / 4 }
}

export interface Block {
  readonly from: number
  readonly to: number
}

/** `count` things in blocks of at most `most`; of one block more than `most` only where `multiple` is more. */
export function blocksOf(count: number, most: number, multiple = 1): readonly Block[] {
  const size = Math.min(count, Math.max(multiple, Math.floor(most / multiple) * multiple))
  const blocks: Block[] = []
  for (let from = 0; from < count; from += size) blocks.push({ from, to: Math.min(count, from + size) })
  return blocks
}

/** Rows in blocks whose intermediate results fit the room for them. Blocks of bytes begin at whole words. */
export function rowBlocks({ limits }: Draft, rows: number, scratchBytesPerRow: number): readonly Block[] {
  const room = Math.min(scratchBytesMax, windowBytes(limits))
  return blocksOf(rows, Math.floor(room / scratchBytesPerRow), 4)
}
