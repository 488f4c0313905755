import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { tensor } from '../test/alone.ts'
import { stridesOf, viewed, walk, walkView } from './strides.ts'
import { sizeOf } from './tensor.ts'

test('strides are row-major: the last axis lies together', () => {
  expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1])
  expect(stridesOf([5])).toEqual([1])
  expect(stridesOf([])).toEqual([])
})

test('a walk sees every place once, in the order of the entries', () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(shapes, (shape) => {
      const strides = stridesOf(shape)
      let count = 0
      walk(shape, (coordinates, index) => {
        expect(index).toBe(count++)
        expect(coordinates.reduce((sum, at, axis) => sum + at * (strides[axis] ?? 0), 0)).toBe(index)
        for (const [axis, at] of coordinates.entries()) expect(at < (shape[axis] ?? 0)).toBe(true)
      })
      expect(count).toBe(sizeOf(shape))
    }),
  )
})

test('a view reads from an offset on, by strides of its own', () => {
  const x = tensor('i8', [2, 3], [1, 2, 3, 4, 5, 6])
  expect(viewed(x, { shape: [3, 2], offset: 0, strides: [1, 3] })).toEqual(Int8Array.of(1, 4, 2, 5, 3, 6))
  expect(viewed(x, { shape: [2, 2], offset: 1, strides: [3, 0] })).toEqual(Int8Array.of(2, 2, 5, 5))
  const seen: number[][] = []
  walkView({ shape: [1, 2], offset: 5, strides: [7, -2] }, (source, index) => seen.push([source, index]))
  expect(seen).toEqual([
    [5, 0],
    [3, 1],
  ])
})

test('a view that leaves its source is a bug', () => {
  const x = tensor('i8', [2], [1, 2])
  expect(() => viewed(x, { shape: [2], offset: 1, strides: [1] })).toThrow('no entry 2 among 2')
})
