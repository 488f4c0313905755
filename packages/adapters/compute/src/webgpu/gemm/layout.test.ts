import { describe, expect, test } from 'bun:test'
import { depthTiles, packedTileBytes, readsInPlace, rowOfSlot, rowTiles } from './layout.ts'

/** The text is arithmetic that JavaScript reads alike once divisions round down. */
function rowsOfSlots(): number[] {
  return Array.from({ length: 128 }, (_, slot) => {
    const text = rowOfSlot(`${slot}`).replaceAll(/(\d+)u/g, '$1')
    const steps = text.slice(1, -1).split(' + ')
    return steps.reduce((sum, step) => {
      const [first = '0', ...rest] = step.split(' ')
      let value = Number(first)
      for (let at = 0; at < rest.length; at += 2) {
        const operand = Number(rest[at + 1])
        if (rest[at] === '/') value = Math.floor(value / operand)
        else if (rest[at] === '%') value %= operand
        else value *= operand
      }
      return sum + value
    }, 0)
  })
}

describe('slots of a tile', () => {
  test('hold every row once', () => {
    expect(rowsOfSlots().toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 128 }, (_, row) => row),
    )
  })

  test('a quarter of a subgroup, which stores four rows of 32 bytes, meets no bank twice at any odd pitch', () => {
    const rows = rowsOfSlots()
    for (const pitch of [3, 5, 7, 9]) {
      for (let slot = 0; slot < 128; slot += 4) {
        const columns = rows
          .slice(slot, slot + 4)
          .flatMap((row) => [row * pitch, row * pitch + 1].map((vector) => vector % 8))
        expect(new Set(columns).size).toBe(8)
      }
    }
  })
})

test('packed operands are padded to whole tiles, and along k to whole steps', () => {
  expect([1, 128, 129].map(rowTiles)).toEqual([1, 1, 2])
  expect([1, 64, 65].map((k) => depthTiles(k, 1))).toEqual([2, 2, 4])
  expect(depthTiles(17, 4)).toBe(4)
  expect(packedTileBytes(129, 65, 1)).toBe(2 * 4 * 4096)
})

test('whole steps are read in place', () => {
  expect([63, 64, 65, 128].map((k) => readsInPlace(k, 1))).toEqual([false, true, false, true])
  expect(readsInPlace(16, 4)).toBe(true)
})
