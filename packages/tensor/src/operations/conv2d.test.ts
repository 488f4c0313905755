import { describe, expect, test } from 'bun:test'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'

const plain = {
  strideH: 1,
  strideW: 1,
  padTop: 0,
  padLeft: 0,
  padBottom: 0,
  padRight: 0,
  dilationH: 1,
  dilationW: 1,
  groups: 1,
  padValue: 0,
}
const ascending = tensor('i8', [1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9])
const window = tensor('i8', [1, 2, 2, 1], [1, 10, 100, 100])

test('a window slides over the image, row by row', () => {
  const result = run('conv2d', plain, ascending, tensor('i8', [1, 2, 2, 1], [1, 2, 3, 4]))
  expect(result).toEqual(tensor('i32', [1, 2, 2, 1], [37, 47, 67, 77]))
})

test('strides skip, and what the last window would need beyond the padding is no window', () => {
  const stepped = { ...plain, strideH: 2, strideW: 2 }
  expect(run('conv2d', stepped, ascending, window)).toEqual(tensor('i32', [1, 1, 1, 1], [921]))
  const padded = run('conv2d', { ...stepped, padRight: 1, padBottom: 1 }, ascending, window)
  expect(padded).toEqual(tensor('i32', [1, 2, 2, 1], [921, 603, 87, 9]))
})

test('padding has the value that the node names', () => {
  const all = { ...plain, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1, padValue: -3 }
  const result = run(
    'conv2d',
    all,
    tensor('i8', [1, 1, 1, 1], [5]),
    tensor('i8', [1, 3, 3, 1], Array(9).fill(1)),
  )
  expect(result).toEqual(tensor('i32', [1, 1, 1, 1], [5 - 8 * 3]))
})

test('padding larger than the image gives windows of padding alone', () => {
  const far = { ...plain, padTop: 3, padValue: 7 }
  const result = run('conv2d', far, tensor('u8', [1, 1, 1, 1], [200]), tensor('i8', [1, 1, 1, 1], [-2]))
  expect(entriesOf(result)).toEqual([-14, -14, -14, -400])
})

test('dilation spreads the window', () => {
  const spread = { ...plain, dilationH: 2, dilationW: 2 }
  expect(entriesOf(run('conv2d', spread, ascending, window))).toEqual([1 + 30 + 700 + 900])
})

test('each group sees its own channels', () => {
  const x = tensor('u8', [1, 1, 1, 4], [1, 2, 3, 4])
  const w = tensor('i8', [4, 1, 1, 2], [1, 10, 2, 20, 3, 30, 4, 40])
  expect(entriesOf(run('conv2d', { ...plain, groups: 2 }, x, w))).toEqual([21, 42, 129, 172])
  const depthwise = tensor('i8', [4, 1, 1, 1], [1, -1, 2, -2])
  expect(entriesOf(run('conv2d', { ...plain, groups: 4 }, x, depthwise))).toEqual([1, -2, 6, -8])
})

describe('the interval of the sums', () => {
  const x = value('u8', [1, 5, 5, 2], { min: 10, max: 20 })
  const w = value('i8', [3, 3, 3, 2], { min: -1, max: 2 })
  test('is that of all products', () => {
    expect(infer('conv2d', plain, x, w)).toEqual(value('i32', [1, 3, 3, 3], { min: -360, max: 720 }))
  })
  test('counts what padding can bring', () => {
    const padded = { ...plain, padRight: 1, padValue: 100 }
    expect(infer('conv2d', padded, x, w)).toEqual(value('i32', [1, 3, 4, 3], { min: -1_800, max: 3_600 }))
  })
  test('must be narrower than the modulus of the check', () => {
    const fits = infer('conv2d', plain, value('u8', [1, 5, 5, 1_321]), value('i8', [1, 5, 5, 1_321]))
    expect(fits.max - fits.min).toBe(33_025 * 65_025)
    const wide = refusal('conv2d', plain, value('u8', [1, 5, 5, 1_322]), value('i8', [1, 5, 5, 1_322]))
    expect(wide).toEndWith('split the 33050 products of a sum and add the parts')
  })
})

const x = value('i8', [1, 4, 4, 6])
const w = value('i8', [8, 3, 3, 6])
const refused = [
  { x: value('i32', [1, 4, 4, 6]), says: 'x is i32[1,4,4,6], expected i8 or u8 of four dimensions' },
  { x: value('i8', [4, 4, 6]), says: 'x is i8[4,4,6], expected i8 or u8 of four dimensions' },
  { w: value('u8', [8, 3, 3, 6]), says: 'w is u8[8,3,3,6], expected i8 of four dimensions' },
  { w: value('i8', [3, 3, 6]), says: 'w is i8[3,3,6], expected i8 of four dimensions' },
  {
    attributes: { groups: 4 },
    says: "groups is 4, which divides not both of x's 6 channels and w's 8 outputs",
  },
  {
    attributes: { groups: 3 },
    says: "groups is 3, which divides not both of x's 6 channels and w's 8 outputs",
  },
  {
    attributes: { groups: 2 },
    says: 'w is i8[8,3,3,6], expected 3 channels: x is i8[1,4,4,6] in 2 groups',
  },
  {
    w: value('i8', [8, 3, 3, 5]),
    says: 'w is i8[8,3,3,5], expected 6 channels: x is i8[1,4,4,6] in 1 groups',
  },
  { attributes: { padValue: 128 }, says: 'padValue is 128, i8 holds -128 to 127' },
  {
    w: value('i8', [1, 1, 65_536, 6]),
    says: 'the window of w, i8[1,1,65536,6], is longer than 65535',
  },
  {
    w: value('i8', [8, 5, 3, 6]),
    says: 'the window of w, i8[8,5,3,6], does not fit into x, i8[1,4,4,6], and its padding',
  },
  {
    attributes: { dilationW: 65_535 },
    says: 'the window of w, i8[8,3,3,6], does not fit into x, i8[1,4,4,6], and its padding',
  },
  {
    x: value('i8', [64, 1, 1, 1]),
    w: value('i8', [1, 1, 1, 1]),
    attributes: { padTop: 65_535, padLeft: 65_535 },
    says: 'the result i32[64,65536,65536,1] has 1099511627776 bytes, the limit is 268435456',
  },
]
for (const { says, attributes, ...operands } of refused) {
  test(`refuses: ${says}`, () => {
    const given = { x, w, ...operands }
    expect(refusal('conv2d', { ...plain, ...attributes }, given.x, given.w)).toBe(says)
  })
}

test('a window that fits exactly has one place', () => {
  const exact = value('i8', [1, 2, 2, 6])
  const pads = { ...plain, padTop: 1, padRight: 1 }
  expect(infer('conv2d', pads, exact, w).shape).toEqual([1, 1, 1, 8])
})
