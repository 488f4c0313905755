/** Where a program is written: the builder, the blobs of large constants, and what is known of how values are quantized. */
import { type Digest, encodeHex, type Sha256 } from '@shardy/protocol'
import {
  type Dtype,
  dtypeFacts,
  type Entries,
  type ProgramBuilder,
  requantizeScale,
  type Shape,
  type Term,
  tensorBytes,
} from '@shardy/tensor'
import { refuse } from '../refusal.ts'
import type { Real } from './lowered.ts'
import type { Quantization } from './quantization.ts'

export interface Scene {
  readonly builder: ProgramBuilder
  readonly sha256: Sha256
  readonly blobs: Map<Digest, Uint8Array>
  /** How the value of this name is to be quantized, if anybody has said so. */
  readonly targetOf: (name: string) => Quantization | undefined
  /** Bytes for real values that were asked for already. */
  readonly codes: Map<string, Real>
}

/** Larger constants are blobs, so that programs stay far from the bound of their bytes. */
const inlineBytesMax = 512

function dtypeOf(entries: Entries): Dtype {
  if (entries instanceof Int8Array) return 'i8'
  if (entries instanceof Uint8Array) return 'u8'
  return entries instanceof Int32Array ? 'i32' : 'u32'
}

export function constantTerm({ builder, blobs, sha256 }: Scene, entries: Entries, shape: Shape): Term {
  if (entries.byteLength <= inlineBytesMax) return builder.constant(entries, shape)
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const entry of entries) {
    if (entry < min) min = entry
    if (entry > max) max = entry
  }
  const bytes = tensorBytes({ data: entries }).slice()
  const digest = encodeHex(sha256(bytes)) as Digest
  blobs.set(digest, bytes)
  return builder.weights(digest, dtypeOf(entries), shape, { min, max })
}

const i32Max = dtypeFacts.i32.max

/** Numbers that must be int32: a bias that is not cannot be added. */
export function int32Of(numbers: readonly number[], label: string, what: string): Int32Array {
  const odd = numbers.find((number) => !(Math.abs(number) <= i32Max))
  if (odd !== undefined) refuse('unsupported', label, `${what} would be ${odd}, which int32 cannot hold`)
  return Int32Array.from(numbers)
}

/** A factor as `requantize` takes it. */
export function fixedPoint(factor: number, label: string) {
  const size = Math.abs(factor)
  if (size >= 2 ** -62 && size < 2 ** 31 - 1) return requantizeScale(factor)
  return refuse('unsupported', label, `scales differ by ${factor}, which no multiplier of 31 bits gives`)
}

export function fixedPoints(factors: readonly number[], label: string) {
  const scales = factors.map((factor) => fixedPoint(factor, label))
  return {
    multipliers: Int32Array.from(scales, ({ multiplier }) => multiplier),
    shifts: Uint8Array.from(scales, ({ shift }) => shift),
  }
}
