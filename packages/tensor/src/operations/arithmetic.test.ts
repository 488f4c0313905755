import { describe, expect, test } from 'bun:test'
import { infer, refusal, run, tensor, value } from '../../test/alone.ts'
import { broadcastStrides } from './arithmetic.ts'

const x = tensor('i8', [2, 3], [1, 2, 3, -4, -5, -6])

test('adds, subtracts and multiplies entry by entry, into int32', () => {
  const y = tensor('u8', [2, 3], [0, 1, 2, 255, 255, 255])
  expect(run('add', {}, x, y)).toEqual(tensor('i32', [2, 3], [1, 3, 5, 251, 250, 249]))
  expect(run('subtract', {}, x, y)).toEqual(tensor('i32', [2, 3], [1, 1, 1, -259, -260, -261]))
  expect(run('multiply', {}, x, y)).toEqual(tensor('i32', [2, 3], [0, 2, 6, -1_020, -1_275, -1_530]))
})

describe('y is read as one of the shape of x', () => {
  const cases = [
    { y: tensor('i8', [3], [10, 20, 30]), gives: [11, 22, 33, 6, 15, 24] },
    { y: tensor('i8', [2, 1], [10, 20]), gives: [11, 12, 13, 16, 15, 14] },
    { y: tensor('i8', [1, 3], [10, 20, 30]), gives: [11, 22, 33, 6, 15, 24] },
    { y: tensor('i8', [1], [100]), gives: [101, 102, 103, 96, 95, 94] },
    { y: tensor('i8', [1, 1], [100]), gives: [101, 102, 103, 96, 95, 94] },
  ]
  for (const { y, gives } of cases) {
    test(`[${y.shape.join(',')}]`, () => {
      expect(run('add', {}, x, y)).toEqual(tensor('i32', [2, 3], gives))
    })
  }

  test('never x as one of y: the result has the shape of x', () => {
    expect(refusal('add', {}, value('i8', [3]), value('i8', [2, 3]))).toBe(
      'y is i8[2,3]: its sizes are neither 1 nor those of x, i8[3]',
    )
    expect(refusal('multiply', {}, value('i8', [1]), value('i8', [3]))).toBe(
      'y is i8[3]: its sizes are neither 1 nor those of x, i8[1]',
    )
    expect(refusal('subtract', {}, value('i8', [2, 3]), value('i8', [2]))).toBe(
      'y is i8[2]: its sizes are neither 1 nor those of x, i8[2,3]',
    )
  })

  test('by strides of zero', () => {
    expect(broadcastStrides([3, 1], [2, 3, 4])).toEqual([0, 1, 0])
    expect(broadcastStrides([2, 3, 4], [2, 3, 4])).toEqual([12, 4, 1])
    expect(broadcastStrides([4, 3], [2, 3, 4])).toBeUndefined()
    expect(broadcastStrides([1, 2], [2])).toBeUndefined()
  })
})

describe('what could leave int32 is refused by range', () => {
  const full = value('i32', [2])
  const one = (min: number, max = min) => value('i32', [2], { min, max })
  const refused = [
    { op: 'add', y: one(1), says: 'entries could be -2147483647 to 2147483648, which overflows i32' },
    { op: 'subtract', y: one(1), says: 'entries could be -2147483649 to 2147483646, which overflows i32' },
    { op: 'multiply', y: one(-1), says: 'entries could be -2147483647 to 2147483648, which overflows i32' },
    {
      op: 'add',
      y: value('u32', [2]),
      says: 'entries could be -2147483648 to 6442450942, which overflows i32',
    },
  ] as const
  for (const { op, y, says } of refused)
    test(`${op}: ${says}`, () => expect(refusal(op, {}, full, y)).toBe(says))

  test('also where doubles are no longer exact', () => {
    expect(refusal('multiply', {}, value('u32', [2]), value('u32', [2]))).toMatch(
      /^entries could be 0 to 1844674/,
    )
  })

  test('and what cannot is kept to its ends', () => {
    expect(infer('add', {}, full, one(0))).toEqual(full)
    expect(infer('multiply', {}, one(-7, 3), one(-5, 11))).toEqual(one(-77, 35))
    expect(infer('subtract', {}, one(-7, 3), one(-5, 11))).toEqual(one(-18, 8))
    expect(
      infer(
        'subtract',
        {},
        value('u32', [1], { min: 2 ** 32 - 1, max: 2 ** 32 - 1 }),
        value('u32', [1], { min: 2 ** 31, max: 2 ** 32 - 1 }),
      ),
    ).toEqual(value('i32', [1], { min: 0, max: 2 ** 31 - 1 }))
  })

  test('an interval has no negative zero', () => {
    const { min, max } = infer('multiply', {}, one(-1, 0), value('i32', [2], { min: 0, max: 0 }))
    expect([min, max]).toEqual([0, 0])
  })
})
