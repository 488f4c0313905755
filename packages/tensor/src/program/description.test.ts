import { expect, test } from 'bun:test'
import { matmulProgram } from '../builder/matmulProgram.ts'
import { describeProgram } from './description.ts'
import { type Program, tensorType } from './program.ts'

test('a plain product is told by its shapes', () => {
  expect(describeProgram(matmulProgram({ m: 65, k: 1024, n: 77 }))).toBe(
    'matrix product 65 × 1024 · 1024 × 77',
  )
})

test('another program is told by what it takes and what it is made of, the most frequent first', () => {
  const inputs = [tensorType('i32', [4])]
  const ops = ['relu', 'argmax', 'relu', 'add', 'subtract', 'multiply', 'relu'] as const
  const nodes = ops.map((op) => ({ op, x: 0, y: 0 })) as unknown as Program['nodes']
  expect(describeProgram({ inputs, constants: [], nodes, outputs: [1] })).toBe(
    '7 operations on i32[4]: 3 relu, argmax, add, subtract, …',
  )
  const [first] = nodes
  if (first === undefined) throw new Error('there is a first')
  expect(describeProgram({ inputs, constants: [], nodes: [first], outputs: [1] })).toBe(
    '1 operation on i32[4]: relu',
  )
})
