import { describe, expect, test } from 'bun:test'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'

const plain = {
  windowH: 2,
  windowW: 2,
  strideH: 1,
  strideW: 1,
  padTop: 0,
  padLeft: 0,
  padBottom: 0,
  padRight: 0,
}
const all = { ...plain, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 }
const image = tensor('i8', [1, 2, 3, 1], [-1, -2, -3, -4, -5, -6])

test('the largest of each window', () => {
  expect(run('maxPool', plain, image)).toEqual(tensor('i8', [1, 1, 2, 1], [-1, -2]))
  const stepped = { ...plain, windowH: 1, windowW: 1, strideW: 2 }
  expect(run('maxPool', stepped, image)).toEqual(tensor('i8', [1, 2, 2, 1], [-1, -3, -4, -6]))
})

test('the mean of each window, halves upward', () => {
  // -12 / 4 and -16 / 4; the columns alone: -2.5, -3.5, -4.5.
  expect(run('averagePool', plain, image)).toEqual(tensor('i8', [1, 1, 2, 1], [-3, -4]))
  expect(entriesOf(run('averagePool', { ...plain, windowW: 1 }, image))).toEqual([-2, -3, -4])
})

test('padding is never an entry: neither larger than all, nor counted', () => {
  expect(run('maxPool', all, image).shape).toEqual([1, 3, 4, 1])
  expect(entriesOf(run('maxPool', all, image))).toEqual([-1, -1, -2, -3, -1, -1, -2, -3, -4, -4, -5, -6])
  expect(entriesOf(run('averagePool', all, image))).toEqual([-1, -1, -2, -3, -2, -3, -4, -4, -4, -4, -5, -6])
})

test('channels and images keep apart', () => {
  const x = tensor('u8', [2, 1, 2, 2], [1, 100, 2, 200, 3, 50, 4, 60])
  const row = { ...plain, windowH: 1 }
  expect(entriesOf(run('maxPool', row, x))).toEqual([2, 200, 4, 60])
  expect(entriesOf(run('averagePool', row, x))).toEqual([2, 150, 4, 55])
})

test('a result lies where x does', () => {
  const x = value('i32', [1, 4, 4, 3], { min: -7, max: 9 })
  expect(infer('maxPool', all, x)).toEqual(value('i32', [1, 5, 5, 3], { min: -7, max: 9 }))
  expect(infer('averagePool', all, x)).toEqual(value('i32', [1, 5, 5, 3], { min: -7, max: 9 }))
})

test('the largest sums', () => {
  const limit = 2 ** 29
  const pair = { ...plain, windowH: 1 }
  const mean = (...entries: number[]) =>
    entriesOf(run('averagePool', pair, tensor('i32', [1, 1, 2, 1], entries)))
  expect(mean(limit / 2, limit / 2)).toEqual([limit / 2])
  expect(mean(-limit / 2, -limit / 2)).toEqual([-limit / 2])
  expect(mean(limit / 2, limit / 2 - 1)).toEqual([limit / 2])
  expect(mean(-limit / 2, 1 - limit / 2)).toEqual([1 - limit / 2])
})

describe('refuses', () => {
  const x = value('i8', [1, 4, 4, 3])
  const refused = [
    { op: 'maxPool', x: value('i8', [4, 4, 3]), says: 'x is i8[4,4,3], expected four dimensions' },
    { op: 'averagePool', x: value('i8', [4, 4]), says: 'x is i8[4,4], expected four dimensions' },
    { op: 'averagePool', x: value('u32', [1, 4, 4, 3]), says: 'x is u32[1,4,4,3], expected i8, u8 or i32' },
    ...['padTop', 'padLeft', 'padBottom', 'padRight'].map((pad) => {
      const pads = { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0, [pad]: 2 }
      const said = [pads.padTop, pads.padLeft, pads.padBottom, pads.padRight].join(', ')
      return {
        op: 'maxPool',
        attributes: pads,
        says: `the padding ${said} is not smaller than the window 2 x 2`,
      } as const
    }),
    {
      op: 'maxPool',
      attributes: { windowH: 5 },
      says: 'the window 5 x 2 does not fit into x, i8[1,4,4,3], and its padding',
    },
    {
      op: 'averagePool',
      attributes: { windowW: 7, padLeft: 1, padRight: 1 },
      says: 'the window 2 x 7 does not fit into x, i8[1,4,4,3], and its padding',
    },
    {
      op: 'averagePool',
      attributes: { windowH: 257, windowW: 256 },
      says: 'the window 257 x 256 has 65792 entries, the limit is 65536',
    },
    {
      op: 'averagePool',
      x: value('i32', [1, 4, 4, 1], { min: -(2 ** 27) - 1, max: 5 }),
      says: 'the sum of a window could be 536870916 in size, the limit is 536870912: x is -134217729 to 5',
    },
  ] as const
  for (const { op, says, ...given } of refused) {
    test(`${op}: ${says}`, () => {
      const { x: operand, attributes } = { x, attributes: {}, ...given }
      expect(refusal(op, { ...plain, ...attributes }, operand)).toBe(says)
    })
  }
})
