/**
 * What is known of a value before anything runs: its kind, its shape, and an interval that holds every entry it can ever
 * have (spec T6). The intervals are what proves that no sum overflows and that a cheap check is sound.
 */
import { byteLengthOf, type Dtype, dtypeFacts, type Entries, type Shape } from './tensor.ts'

export interface Range {
  readonly min: number
  readonly max: number
}

export interface Value extends Range {
  readonly dtype: Dtype
  readonly shape: Shape
  /** The entries themselves, for constants that the program carries. */
  readonly known?: Entries | undefined
}

/** Why a node is refused: the rule, in words, with the figures. */
export interface Broken {
  readonly broken: string
}

export function broken(rule: string): Broken {
  return { broken: rule }
}

/** A tensor larger than this is refused wherever it appears. */
export const valueBytesMax = 256 * 2 ** 20
export const rankMax = 6

export function describeType({ dtype, shape }: Pick<Value, 'dtype' | 'shape'>): string {
  return `${dtype}[${shape.join(',')}]`
}

/** A result, or the refusal of one that is too large or whose entries could leave its kind of integer. */
export function resultOf(dtype: Dtype, shape: Shape, range: Range = dtypeFacts[dtype]): Value | Broken {
  const facts = dtypeFacts[dtype]
  if (shape.length < 1 || shape.length > rankMax) {
    return broken(`the result would have ${shape.length} dimensions, allowed is 1 to ${rankMax}`)
  }
  const bytes = byteLengthOf({ dtype, shape })
  if (bytes > valueBytesMax) {
    return broken(
      `the result ${describeType({ dtype, shape })} has ${bytes} bytes, the limit is ${valueBytesMax}`,
    )
  }
  if (range.min < facts.min || range.max > facts.max) {
    return broken(`entries could be ${range.min} to ${range.max}, which overflows ${dtype}`)
  }
  // A product's bound may be -0, which is no integer of its own.
  return { dtype, shape, min: range.min + 0, max: range.max + 0 }
}

/** A result whose entries saturate: the interval ends where its kind of integer does. */
export function saturatedResult(dtype: Dtype, shape: Shape, range: Range): Value | Broken {
  return resultOf(dtype, shape, clampRange(range, dtypeFacts[dtype]))
}

export function clampRange(range: Range, bounds: Range): Range {
  return {
    min: Math.min(Math.max(range.min, bounds.min), bounds.max),
    max: Math.min(Math.max(range.max, bounds.min), bounds.max),
  }
}

export function addRanges(left: Range, right: Range): Range {
  return { min: left.min + right.min, max: left.max + right.max }
}

export function subtractRanges(left: Range, right: Range): Range {
  return { min: left.min - right.max, max: left.max - right.min }
}

export function multiplyRanges(left: Range, right: Range): Range {
  const corners = [left.min * right.min, left.min * right.max, left.max * right.min, left.max * right.max]
  return { min: Math.min(...corners), max: Math.max(...corners) }
}

export function scaleRange({ min, max }: Range, count: number): Range {
  return { min: min * count, max: max * count }
}

/** The largest absolute value of an entry. */
export function magnitude({ min, max }: Range): number {
  return Math.max(Math.abs(min), Math.abs(max))
}

/** The interval that holds both. */
export function joinRanges(left: Range, right: Range): Range {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) }
}
