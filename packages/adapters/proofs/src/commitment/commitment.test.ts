import { expect, test } from 'bun:test'
import fc from 'fast-check'
import * as definition from '../../test/commitment/definition.ts'
import { openField } from '../field/open.ts'

const opened = await openField()
if (!opened.ok) throw new Error(opened.refusal.message)
const { commitOperand, commitSums, poseidon16 } = opened.field

const order = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const edge = fc.constantFrom(0n, 1n, order - 1n, order - 2n, (order - 1n) / 2n, 2n ** 29n - 1n, 2n ** 232n)
const element = fc.oneof(edge, fc.bigInt({ min: 0n, max: order - 1n }))
const int8 = fc.integer({ min: -128, max: 127 })
const int32 = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1))
const of256 = (entry: fc.Arbitrary<number>) => fc.array(entry, { minLength: 256, maxLength: 256 })

test('Poseidon is that of another implementation, of any elements', () => {
  fc.assert(
    fc.property(fc.array(element, { minLength: 16, maxLength: 16 }), (inputs) => {
      expect(poseidon16(inputs)).toBe(definition.poseidon16(inputs))
    }),
    { numRuns: 60 },
  )
})

test('commitments are those of the definition, of views at any alignment', () => {
  fc.assert(
    fc.property(of256(int8), fc.nat(7), (entries, offset) => {
      const block = new Int8Array(new ArrayBuffer(256 + 8), offset, 256)
      block.set(entries)
      expect(commitOperand(block, 'a')).toBe(definition.commitOperand(entries, 'a'))
      expect(commitOperand(block, 'b')).toBe(definition.commitOperand(entries, 'b'))
    }),
    { numRuns: 15 },
  )
  fc.assert(
    fc.property(of256(int32), (entries) => {
      expect(commitSums(Int32Array.from(entries))).toBe(definition.commitSums(entries))
    }),
    { numRuns: 15 },
  )
})

test('every entry counts, and so does which list it is in', () => {
  const seen = new Set<bigint>()
  const block = new Int8Array(256)
  const tile = new Int32Array(256)
  seen.add(commitOperand(block, 'a')).add(commitOperand(block, 'b')).add(commitSums(tile))
  for (let index = 0; index < 256; index++) {
    block[index] = 1
    tile[index] = -1
    seen.add(commitOperand(block, 'a')).add(commitOperand(block, 'b')).add(commitSums(tile))
    block[index] = 0
    tile[index] = 0
  }
  expect(seen.size).toBe(3 * 257)
})

test('a list of another length is a mistake, and so is an input that is no element', () => {
  for (const length of [0, 255, 257])
    expect(() => commitOperand(new Int8Array(length), 'a')).toThrow(`a block has 256 entries, not ${length}`)
  expect(() => commitSums(new Int32Array(64))).toThrow('a block has 256 entries, not 64')
  expect(() => poseidon16([1n])).toThrow('16 elements are hashed, not 1')
  expect(() => poseidon16(Array.from({ length: 16 }, () => order))).toThrow(
    'is no element of the scalar field',
  )
})
