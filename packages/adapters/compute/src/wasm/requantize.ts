/**
 * Requantization of int32 accumulators: bias, multiplier, rounding shift, zero point, saturation and a lookup, in one
 * pass. Where all shifts can be brought to one of at least 32 without a multiplier leaving 32 bits, four entries go at
 * once and only the high words are kept; everything else goes entry by entry in 64 bits, with the same results.
 */
import { bytesOf, type Instance, KernelError, layOut, requireLength, requireWhole } from './instance.ts'

export interface Requantization {
  /** One for the tensor, or one for each channel. */
  readonly multipliers: Int32Array
  /** As many, each 0 to 62. */
  readonly shifts: Uint8Array
  readonly zeroPoint: number
  /** The size of the last axis. */
  readonly channels: number
  /** One for each channel, added in 32 bits before the multiplication. */
  readonly bias?: Int32Array | undefined
  /** For targets of bytes: y becomes the entry at the byte's own bits, so −1 finds entry 255. */
  readonly table?: Int8Array | Uint8Array | undefined
}

export type RequantizeTarget = Int8Array | Uint8Array | Int32Array

const shiftMax = 62
const blockLength = 1 << 16
/** Entries of the expanded multipliers, biases and shifts. */
const periodMax = 1 << 16
/** A period shorter than this is repeated, so that few blocks end inside one. */
const periodMin = 64

const i32Min = -(2 ** 31)
const i32Max = 2 ** 31 - 1

export function createRequantize(instance: Instance) {
  const { run, bytes, words } = instance
  const at = layOut(instance, {
    source: 4 * blockLength,
    target: 4 * blockLength,
    multipliers: 4 * (periodMax + periodMin),
    biases: 4 * (periodMax + periodMin),
    shifts: periodMax + periodMin,
    table: 256,
  })

  /** Both may be one buffer when their entries are of one size; the target is returned. */
  return function requantize<T extends RequantizeTarget>(
    source: Int32Array,
    target: T,
    how: Requantization,
  ): T {
    requireRequantization(source, target, how)
    instance.claim(at)
    const { channels, multipliers, shifts, zeroPoint, bias, table } = how
    const size = target instanceof Int32Array ? 4 : 1
    const kind = target instanceof Int8Array ? 0 : target instanceof Uint8Array ? 1 : 2
    const out = bytesOf(target)
    if (table !== undefined) bytes.set(bytesOf(table), at.table)
    const common = commonShift(multipliers, shifts)
    const isFast = common !== undefined && Math.abs(zeroPoint) < 2 ** 30

    const isPerTensor = multipliers.length === 1 && bias === undefined
    const width = isPerTensor ? 1 : channels
    // Whole rows one after the other where there is room for a period of their parameters, else parts of each row.
    const isWhole = repeated(width) <= periodMax
    const part = Math.min(width, periodMax)
    for (let first = 0; first < width; first += part) {
      const taken = Math.min(part, width - first)
      const period = isWhole ? repeated(taken) : Math.ceil(taken / 4) * 4
      for (let entry = 0; entry < period; entry++) {
        const channel = first + (entry % taken)
        const shift = shifts[shifts.length === 1 ? 0 : channel] ?? 0
        const multiplier = multipliers[multipliers.length === 1 ? 0 : channel] ?? 0
        const scale = isFast ? 2 ** (common - shift) : 1
        words[at.multipliers / 4 + entry] = multiplier * scale
        words[at.biases / 4 + entry] = bias?.[channel] ?? 0
        bytes[at.shifts + entry] = shift
      }
      const blockMax = isWhole ? Math.floor(blockLength / period) * period : taken
      const rowLength = isWhole ? source.length : taken
      const rowStride = isWhole ? source.length : width
      for (let row = 0; row < source.length; row += rowStride) {
        for (let from = 0; from < rowLength; from += blockMax) {
          const start = row + first + from
          const length = Math.min(blockMax, rowLength - from)
          words.set(source.subarray(start, start + length), at.source / 4)
          if (isFast) {
            run.requantize_high(
              at.source,
              at.target,
              length,
              at.multipliers,
              at.biases,
              period,
              common,
              zeroPoint,
              kind,
            )
          } else {
            run.requantize_any(
              at.source,
              at.target,
              length,
              at.multipliers,
              at.biases,
              at.shifts,
              period,
              zeroPoint,
              kind,
            )
          }
          if (table !== undefined) run.look_up(at.target, length, at.table)
          out.set(bytes.subarray(at.target, at.target + size * length), size * start)
        }
      }
    }
    return target
  }
}

/** The least multiple of both `width` and four that is no shorter than `periodMin`. */
function repeated(width: number): number {
  const four = width % 4 === 0 ? width : width % 2 === 0 ? 2 * width : 4 * width
  return four * Math.max(1, Math.ceil(periodMin / four))
}

/** A shift of 32 to 62 that every channel can take: multiplier · 2^(common − shift) must stay within 32 bits. */
function commonShift(multipliers: Int32Array, shifts: Uint8Array): number | undefined {
  let most = shiftMax
  let least = 32
  for (let channel = 0; channel < shifts.length; channel++) {
    const shift = shifts[channel] ?? 0
    const multiplier = multipliers[channel] ?? 0
    // The bits between the multiplier's own and the sign.
    const room = Math.clz32(multiplier ^ (multiplier >> 31)) - 1
    if (multiplier !== 0) most = Math.min(most, shift + room)
    least = Math.max(least, shift)
  }
  return least <= most ? least : undefined
}

function requireRequantization(source: Int32Array, target: RequantizeTarget, how: Requantization): void {
  const { channels, multipliers, shifts, zeroPoint, bias, table } = how
  requireWhole('channels', channels, 1, 2 ** 31 - 1)
  requireLength('target', target.length, source.length)
  if (source.length % channels !== 0) {
    throw new KernelError('length', `source has length ${source.length}, no multiple of ${channels} channels`)
  }
  if (multipliers.length !== 1) requireLength('multipliers', multipliers.length, channels)
  requireLength('shifts', shifts.length, multipliers.length)
  for (const shift of shifts) requireWhole('shift', shift, 0, shiftMax)
  requireWhole('zeroPoint', zeroPoint, i32Min, i32Max)
  if (bias !== undefined) requireLength('bias', bias.length, channels)
  if (table === undefined) return
  requireLength('table', table.length, 256)
  if (target instanceof Int32Array) throw new KernelError('parameter', 'a lookup takes targets of bytes')
}
