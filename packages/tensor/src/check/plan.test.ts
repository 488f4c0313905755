import { expect, test } from 'bun:test'
import type { Digest } from '@shardy/protocol'
import { matmulProgram } from '../builder/matmulProgram.ts'
import { type Program, tensorType } from '../program/program.ts'
import { planCheck } from './plan.ts'
import { policies } from './policy.ts'

const weights = 'ab'.repeat(32) as Digest

/** Rows through two layers, each narrowed to i8. */
function layers(rows: number, inner: number, outer: number): Program {
  return {
    inputs: [tensorType('i8', [rows, inner])],
    constants: [
      { type: tensorType('i8', [inner, outer]), digest: weights },
      { type: tensorType('i8', [inner, outer]), digest: weights },
    ],
    nodes: [
      { op: 'matmul', a: 0, b: 1, transposeB: false },
      { op: 'requantize', x: 3, multiplier: 1, shift: 12, zeroPoint: 0, to: 'i8' },
      { op: 'matmul', a: 4, b: 2, transposeB: true },
      { op: 'bias', x: 5, b: 6 },
    ].slice(0, 3) as Program['nodes'],
    outputs: [5],
  }
}

test('a product that is the output is read there; others are parts of the transcript', () => {
  const plan = planCheck(layers(512, 1024, 1024), policies.interactive)
  expect(plan.treatments).toEqual([
    { kind: 'projected', source: { kind: 'part', part: 0 } },
    { kind: 'replayed' },
    { kind: 'projected', source: { kind: 'output', offset: 0 } },
  ])
  expect(plan).toMatchObject({ parts: [0], keep: [3], outputLength: 4 * 512 * 1024 })
})

test.each([
  ['interactive', 288, 'recomputed'],
  ['interactive', 289, 'projected'],
  ['fixedWeights', 288, 'recomputed'],
  ['public', 672, 'recomputed'],
  ['public', 673, 'projected'],
  ['recompute', 4_000, 'recomputed'],
] as const)('under %s a product of %d cubed is %s (spec C4)', (name, size, kind) => {
  const [treatment] = planCheck(matmulProgram({ m: size, k: size, n: size }), policies[name]).treatments
  expect(treatment?.kind).toBe(kind)
})

test('weights that are kept cost nothing to read, so few rows are enough to project', () => {
  const program = layers(16, 1024, 1024)
  expect(planCheck(program, policies.interactive).treatments[0]?.kind).toBe('recomputed')
  expect(planCheck(program, policies.fixedWeights).treatments[0]?.kind).toBe('projected')
})
