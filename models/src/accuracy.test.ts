/** The trained files as they are committed, from bytes to classes: the page about importing says nothing that is not so. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { sha256 } from '@shardy/crypto/native'
import { encodeHex } from '@shardy/protocol'
import { decodeProgram, encodeProgram, inferProgram } from '@shardy/tensor'
import {
  type Accuracy,
  accuracyTable,
  importTrained,
  measureAccuracy,
  modelNames,
  page,
  withTable,
} from './accuracy.ts'
import { type Digits, drawDigits, pixels, testSet, trainingSet } from './digits.ts'

let rows: readonly Accuracy[] = []
beforeAll(async () => {
  rows = await measureAccuracy()
}, 60_000)

test('the table in the docs is what was measured now', () => {
  const text = readFileSync(page, 'utf8')
  expect(text).toBe(withTable(text, accuracyTable(rows)))
})

test('exact programs choose nearly as floats do', () => {
  for (const [index, row] of rows.entries()) {
    if (index % 2 === 0) continue
    const float = rows[index - 1]
    expect(Math.abs(row.correct - (float?.correct ?? 0))).toBeLessThan(0.005 * row.count)
    expect(row.asFloat ?? 0).toBeGreaterThan(0.99 * row.count)
  }
})

describe('programs', () => {
  for (const name of modelNames) {
    test(`${name} passes inference and has one encoding`, () => {
      const { program, blobs } = importTrained(name)
      expect(decodeProgram(encodeProgram(program))).toEqual({ ok: true, value: program })
      expect(inferProgram(program).work).toBeGreaterThan(1_000_000)
      for (const [digest, bytes] of blobs) expect(encodeHex(sha256(bytes))).toBe(digest)
    })
  }
})

test('digits are the same everywhere, and none is both learned from and tested with', () => {
  const [learned, tested] = [drawDigits(500, trainingSet.seed), drawDigits(500, testSet.seed)]
  expect(encodeHex(sha256(learned.images)).slice(0, 16)).toBe('4963866e30290848')
  expect(encodeHex(sha256(tested.images)).slice(0, 16)).toBe('26d8d57a26b1f43a')
  const keys = ({ images }: Digits) =>
    Array.from({ length: 500 }, (_, index) => images.subarray(index * pixels, (index + 1) * pixels).join())
  const known = new Set(keys(learned))
  expect(keys(tested).filter((key) => known.has(key))).toEqual([])
})
