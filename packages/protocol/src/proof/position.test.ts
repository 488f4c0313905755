import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { packPosition, unpackPosition } from './position.ts'

const part = fc.integer({ min: 0, max: 0xffff_ffff })
const position = fc.record({ node: part, tileRow: part, tileColumn: part, depth: part })

test('no two positions are one number (spec E10)', () => {
  fc.assert(fc.property(position, (each) => expect(unpackPosition(packPosition(each))).toEqual(each)))
})

test('every number of 128 bits is a position, and no other is', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (packed) => {
      const unpacked = unpackPosition(packed)
      expect(unpacked && packPosition(unpacked)).toBe(packed)
    }),
  )
  expect(unpackPosition(2n ** 128n)).toBeUndefined()
  expect(unpackPosition(-1n)).toBeUndefined()
})

test('the parts lie one after the other, node first', () => {
  expect(packPosition({ node: 1, tileRow: 2, tileColumn: 3, depth: 4 })).toBe(
    2n ** 96n + 2n * 2n ** 64n + 3n * 2n ** 32n + 4n,
  )
})

test('a part that is not 32 bits is not packed', () => {
  const origin = { node: 0, tileRow: 0, tileColumn: 0, depth: 0 }
  for (const name of ['node', 'tileRow', 'tileColumn', 'depth'] as const)
    for (const value of [-1, 0.5, 2 ** 32])
      expect(() => packPosition({ ...origin, [name]: value })).toThrow(`${name} ${value} is not 32 bits`)
})
