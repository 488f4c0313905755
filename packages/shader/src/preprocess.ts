/**
 * Steps that a task puts before its shader, on a buffer of i32 (spec H33). They are part of the task's meaning, so they
 * are exact: whole numbers, one rounding rule, no order left open.
 */

export type PreprocessStep =
  /** The elements from `offset` on, `length` of them. */
  | { readonly kind: 'slice'; readonly binding: number; readonly offset: number; readonly length: number }
  | { readonly kind: 'clamp'; readonly binding: number; readonly min: number; readonly max: number }
  /** y[0] = x[0]; y[i] = y[i-1] + roundShift(alphaNumerator * (x[i] - y[i-1]), shift). */
  | {
      readonly kind: 'ema'
      readonly binding: number
      readonly alphaNumerator: number
      readonly shift: number
    }

/** With alpha at most one, and products below 2^32 · 2^15, every number here is exact in a double. */
export const emaShiftMax = 15

/** floor((x + 2^(s-1)) / 2^s): halves go up. */
export function roundShift(value: number, shift: number): number {
  if (shift === 0) return value
  return Math.floor((value + 2 ** (shift - 1)) / 2 ** shift)
}

/** Why the step does not fit `length` elements, or how many come out. */
export function stepLength(step: PreprocessStep, length: number): number | string {
  switch (step.kind) {
    case 'slice':
      if (step.length < 1) return 'a slice has at least one element'
      if (step.offset + step.length <= length) return step.length
      return `the slice ends at ${step.offset + step.length}, and there are ${length} elements`
    case 'clamp':
      return step.min <= step.max ? length : `clamps to ${step.min} at least and ${step.max} at most`
    case 'ema': {
      const one = 2 ** step.shift
      return step.alphaNumerator <= one
        ? length
        : `alpha is ${step.alphaNumerator} of ${one}, which is above one`
    }
  }
}

export function applyStep(step: PreprocessStep, values: Int32Array): Int32Array {
  switch (step.kind) {
    case 'slice':
      return values.slice(step.offset, step.offset + step.length)
    case 'clamp':
      return values.map((value) => Math.min(Math.max(value, step.min), step.max))
    case 'ema': {
      const { alphaNumerator, shift } = step
      let smooth = values[0] ?? 0
      return values.map((value) => {
        smooth += roundShift(alphaNumerator * (value - smooth), shift)
        return smooth
      })
    }
  }
}
