import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { applyStep, emaShiftMax, roundShift, stepLength } from './preprocess.ts'

test('roundShift rounds halves up', () => {
  expect([-6, -5, -4, -3, -2, -1, 0, 1, 2, 3].map((value) => roundShift(value, 2))).toEqual([
    -1, -1, -1, -1, 0, 0, 0, 0, 1, 1,
  ])
  expect(roundShift(-7, 0)).toBe(-7)
})

test('slice and clamp', () => {
  const values = Int32Array.of(5, -9, 7, 100)
  expect(applyStep({ kind: 'slice', binding: 0, offset: 1, length: 2 }, values)).toEqual(Int32Array.of(-9, 7))
  expect(applyStep({ kind: 'clamp', binding: 0, min: -1, max: 6 }, values)).toEqual(
    Int32Array.of(5, -1, 6, 6),
  )
})

test('ema is what unlimited integers give, and never leaves the range of its input', () => {
  const parameters = fc
    .integer({ min: 0, max: emaShiftMax })
    .chain((shift) => fc.tuple(fc.constant(shift), fc.integer({ min: 1, max: 2 ** shift })))
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1, maxLength: 30 }),
      parameters,
      (list, [shift, alphaNumerator]) => {
        const smooth = applyStep({ kind: 'ema', binding: 0, alphaNumerator, shift }, Int32Array.from(list))
        let expected = BigInt(list[0] ?? 0)
        const half = shift === 0 ? 0n : 1n << BigInt(shift - 1)
        list.forEach((value, index) => {
          expected += (BigInt(alphaNumerator) * (BigInt(value) - expected) + half) >> BigInt(shift)
          expect(BigInt(smooth[index] ?? 0)).toBe(expected)
        })
      },
    ),
  )
})

describe('a step that does not fit says why', () => {
  const refused = [
    [{ kind: 'slice', binding: 0, offset: 3, length: 2 }, 'the slice ends at 5, and there are 4 elements'],
    [{ kind: 'slice', binding: 0, offset: 0, length: 0 }, 'a slice has at least one element'],
    [{ kind: 'clamp', binding: 0, min: 2, max: 1 }, 'clamps to 2 at least and 1 at most'],
    [{ kind: 'ema', binding: 0, alphaNumerator: 5, shift: 2 }, 'alpha is 5 of 4, which is above one'],
  ] as const
  for (const [step, says] of refused) test(says, () => expect(stepLength(step, 4)).toBe(says))
})
