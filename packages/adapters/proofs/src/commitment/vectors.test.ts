/** The golden files hold: each is what the definition makes, and what the WebAssembly computes. */
import { describe, expect, test } from 'bun:test'
import { readVector } from '../../test/commitment/vectorFiles.ts'
import { makeVectors } from '../../test/commitment/vectors.ts'
import { openField } from '../field/open.ts'

const files = makeVectors()
const opened = await openField()
if (!opened.ok) throw new Error(opened.refusal.message)
const { commitOperand, commitSums, poseidon16 } = opened.field

test.each(Object.entries(files))('%s is what the definition makes', (name, content) => {
  expect(readVector(name)).toEqual(content)
})

test.each(files['poseidon.json'].cases)('Poseidon of $inputs', ({ inputs, output }) => {
  expect(poseidon16(inputs.map(BigInt)).toString()).toBe(output)
})

describe('commitments.json', () => {
  const { operands, sums } = files['commitments.json']
  test.each(operands)('operands: $name', ({ entries, commitA, commitB }) => {
    expect(commitOperand(Int8Array.from(entries), 'a').toString()).toBe(commitA)
    expect(commitOperand(Int8Array.from(entries), 'b').toString()).toBe(commitB)
  })
  test.each(sums)('sums: $name', ({ entries, commit }) => {
    expect(commitSums(Int32Array.from(entries)).toString()).toBe(commit)
  })
})

test('block.json', () => {
  const block = files['block.json']
  expect(commitOperand(Int8Array.from(block.a), 'a').toString()).toBe(block.commitA)
  expect(commitOperand(Int8Array.from(block.b), 'b').toString()).toBe(block.commitB)
  expect(commitSums(Int32Array.from(block.in)).toString()).toBe(block.commitIn)
  expect(commitSums(Int32Array.from(block.out)).toString()).toBe(block.commitOut)
})
