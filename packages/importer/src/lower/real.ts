/**
 * Integers that stand for real numbers, brought from one form into another: bytes with one scale, int32 sums with a scale
 * for each channel, int32 with one scale. Every change of form rounds once, as `requantize` or a table of 256 entries does.
 */
import { createEntries, dtypeFacts, type Term } from '@shardy/tensor'
import { refuse } from '../refusal.ts'
import { type Arranged, arranged, isOrdered, losesChannels, type Real } from './lowered.ts'
import { codeOf, isSame, type Quantization, realOf } from './quantization.ts'
import { constantTerm, fixedPoint, fixedPoints, type Scene } from './scene.ts'

export function isBytes({ term }: Arranged): boolean {
  return term.dtype === 'i8' || term.dtype === 'u8'
}

export function magnitudeOf({ min, max }: Term): number {
  return Math.max(Math.abs(min), Math.abs(max))
}

export function isUniform({ scales }: Real): boolean {
  return scales.every((scale) => scale === scales[0])
}

export function scaleOf({ scales }: Real): number {
  return scales[0] ?? 1
}

/** One scale for each entry of the last axis. */
export function channelScales({ scales, term }: Real): readonly number[] {
  const channels = term.shape.at(-1) ?? 1
  return scales.length === channels ? scales : new Array<number>(channels).fill(scales[0] ?? 1)
}

export function isBounded({ min, max }: Real): boolean {
  return min !== Number.NEGATIVE_INFINITY || max !== Number.POSITIVE_INFINITY
}

export const unbounded = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY } as const

export function quantizationOf(real: Real): Quantization {
  const { term, zeroPoint } = real
  if (term.dtype !== 'i8' && term.dtype !== 'u8') throw new Error('sums are not bytes')
  return { dtype: term.dtype, scale: scaleOf(real), zeroPoint }
}

/** The table of a function of one byte. */
export function byteTable(image: (x: number) => number, from: Quantization, to: Quantization, label: string) {
  const table = createEntries(to.dtype, 256)
  for (let index = 0; index < 256; index++) {
    const y = image(realOf(index + dtypeFacts[from.dtype].min, from))
    if (Number.isNaN(y)) refuse('unsupported', label, 'has an image that is not a number')
    table[index] = codeOf(y, to)
  }
  return table
}

function cut(x: number, { min, max }: Real): number {
  return Math.min(Math.max(x, min), max)
}

/** The codes between which bounds lie; rounding keeps order, so cutting codes is cutting what they stand for. */
function cutCodes(term: Term, real: Real, target: Quantization): Term {
  const facts = dtypeFacts[target.dtype]
  const low = real.min === unbounded.min ? facts.min : codeOf(real.min, target)
  const high = real.max === unbounded.max ? facts.max : codeOf(real.max, target)
  if (low <= Math.max(term.min, facts.min) && high >= Math.min(term.max, facts.max)) return term
  return term.clamp(low, high)
}

/** Bytes with this very quantization. */
export function requantized(scene: Scene, real: Real, target: Quantization, label: string): Real {
  const { term, scales, order, folded } = real
  const done = (codes: Term): Real => ({
    ...real,
    ...unbounded,
    term: codes,
    scales: [target.scale],
    zeroPoint: target.zeroPoint,
    order,
    folded,
  })
  if (isBytes(real)) {
    const from = quantizationOf(real)
    if (isSame(from, target)) return done(cutCodes(term, real, target))
    return done(term.lookup(byteTable((x) => cut(x, real), from, target, label)))
  }
  const { dtype: to, zeroPoint } = target
  const factors = scales.map((scale) => scale / target.scale)
  const codes = isUniform(real)
    ? term.requantize({ ...fixedPoint(factors[0] ?? 1, label), zeroPoint, to })
    : byChannel(scene, term, factors, zeroPoint, to, label)
  return done(cutCodes(codes, real, target))
}

function byChannel(
  scene: Scene,
  term: Term,
  factors: readonly number[],
  zeroPoint: number,
  to: 'i8' | 'u8' | 'i32',
  label: string,
): Term {
  const { multipliers, shifts } = fixedPoints(factors, label)
  const row = [factors.length]
  return term.requantizeChannels({
    multipliers: constantTerm(scene, multipliers, row),
    shifts: constantTerm(scene, shifts, row),
    zeroPoint,
    to,
  })
}

/** As bytes, by the quantization that somebody said for this value. */
export function asCodes(scene: Scene, real: Real, label: string): Real {
  if (isBytes(real) && !isBounded(real)) return real
  const found = scene.codes.get(real.name)
  // The same value may lie with its axes otherwise by now.
  if (found !== undefined && isOrdered(found.order, real.order) && found.folded === real.folded) return found
  const target = isBytes(real) ? quantizationOf(real) : scene.targetOf(real.name)
  if (target === undefined) {
    refuse(
      'uncalibrated',
      label,
      `needs '${real.name}' as bytes, and nobody has said its range: give calibration data`,
    )
  }
  const codes = requantized(scene, real, target, label)
  if (real.name !== '') scene.codes.set(real.name, codes)
  return codes
}

/** As bytes, whose bounds are cut, or as sums, likewise. */
export function settled(scene: Scene, real: Real, label: string): Real {
  if (!isBounded(real)) return real
  if (isBytes(real)) return asCodes(scene, real, label)
  const { term, scales, min, max } = real
  if (min === 0 && max === unbounded.max && scales.every((scale) => scale > 0)) {
    return { ...real, ...unbounded, term: term.relu() }
  }
  if (!isUniform(real)) return uniform(scene, real, label)
  const facts = dtypeFacts.i32
  const bound = (x: number) => Math.min(Math.max(Math.round(x / scaleOf(real)), facts.min), facts.max)
  const [low, high] = [bound(min), bound(max)].sort((left, right) => left - right) as [number, number]
  return { ...real, ...unbounded, term: term.clamp(low, high) }
}

/** As int32 whose zero is 0. */
export function asSums(scene: Scene, value: Real, label: string): Real {
  const real = settled(scene, value, label)
  if (!isBytes(real)) return real
  const { term, zeroPoint } = real
  const sums = zeroPoint === 0 ? term.convert('i32') : term.subtract(Int32Array.of(zeroPoint))
  return { ...real, term: sums, zeroPoint: 0 }
}

/** The largest real value that sums can stand for, in size. */
function reachOf({ term, scales }: Real): number {
  return magnitudeOf(term) * scales.reduce((most, scale) => Math.max(most, Math.abs(scale)), 0)
}

/** Sums brought to the scale `unit`; the caller has seen to it that they fit. */
function inUnits(scene: Scene, real: Real, unit: number, label: string): Term {
  const { term, scales } = real
  const factors = scales.map((scale) => scale / unit)
  if (!isUniform(real)) {
    const room = Math.min(Math.ceil(reachOf(real) / unit) + 1, dtypeFacts.i32.max)
    // No entry is beyond this; it tells inference so, which looks at no multiplier of a channel.
    return byChannel(scene, term, factors, 0, 'i32', label).clamp(-room, room)
  }
  const factor = factors[0] ?? 1
  if (factor === 1) return term
  if (Number.isInteger(factor) && Math.abs(factor) < 2 ** 31) return term.multiply(Int32Array.of(factor))
  return term.requantize({ ...fixedPoint(factor, label), to: 'i32' })
}

/** What all of them together may reach, in units: room for their sum, and for one to be added. */
const sumBits = 29
/** Below this many bits under the coarsest scale, nothing more is gained. */
const fineBits = 24

/** Int32 of one and the same scale, fine enough that bringing them there loses nothing that bytes could show. */
export function commonUnits(
  scene: Scene,
  reals: readonly Real[],
  label: string,
  more = 0,
): { readonly terms: readonly Term[]; readonly unit: number } {
  const sums = reals.map((real) => asSums(scene, real, label))
  const reach = sums.reduce((total, real) => total + reachOf(real), more)
  const coarsest = Math.max(...sums.flatMap(({ scales }) => scales.map(Math.abs)))
  const bits = Math.min(
    Math.floor(Math.log2((2 ** sumBits * coarsest) / Math.max(reach, coarsest))),
    fineBits,
  )
  const unit = coarsest / 2 ** bits
  return { terms: sums.map((real) => inUnits(scene, real, unit, label)), unit }
}

/** Int32 of one scale. */
export function uniform(scene: Scene, real: Real, label: string): Real {
  if (isBytes(real)) return asSums(scene, real, label)
  if (isUniform(real)) return settled(scene, real, label)
  const { terms, unit } = commonUnits(scene, [{ ...real, ...unbounded }], label)
  const [term = real.term] = terms
  return settled(scene, { ...real, term, scales: [unit] }, label)
}

/** The same value with its axes in this order; sums whose channels move must get one scale first. */
export function turnedReal(scene: Scene, real: Real, wanted: readonly number[], label: string): Real {
  if (isOrdered(real.order, wanted) && real.folded === undefined) return real
  const single = isUniform(real) || !losesChannels(real, wanted) ? real : oneScale(scene, real, label)
  return { ...single, ...arranged(single, wanted) }
}

/** Bytes where their range is known, else int32 of one scale. */
export function oneScale(scene: Scene, real: Real, label: string): Real {
  if (isUniform(real)) return real
  return scene.targetOf(real.name) === undefined ? uniform(scene, real, label) : asCodes(scene, real, label)
}
