import { expect, test } from 'bun:test'
import { type Program, parseProgram } from '@shardy/tensor'
import { packOperands, withoutPrepared } from './packings.ts'
import { planProgram } from './plan.ts'

const limits = {
  maxBufferSize: 256 * 2 ** 20,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxStorageBuffersPerShaderStage: 8,
}
const digest = 'ab'.repeat(32)

/** Two products with the same weights, and what else takes those. */
function weighted(more: readonly object[] = []): Program {
  const parsed = parseProgram({
    inputs: [{ dtype: 'i8', shape: [3, 4] }],
    constants: [{ type: { dtype: 'i8', shape: [4, 4] }, digest }],
    nodes: [
      { op: 'matmul', a: 0, b: 1, transposeB: false },
      { op: 'requantize', x: 2, multiplier: 1, shift: 3, zeroPoint: 0, to: 'i8' },
      { op: 'matmul', a: 3, b: 1, transposeB: false },
      ...more,
    ],
    outputs: [4 + more.length],
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal))
  return parsed.value
}

const bOnly = () => ({ packedBytes: { a: 0, b: 64 }, bLayout: 'columns' })

test('operands that a kernel reads as they lie need no step', () => {
  const plan = planProgram(weighted(), limits)
  const same = packOperands(plan, () => ({ packedBytes: { a: 0, b: 0 }, bLayout: 'rows' }))
  expect(same).toEqual(plan)
})

test('weights are packed once, under a key that names blob, layout and shape', () => {
  const packed = packOperands(planProgram(weighted(), limits), bOnly)
  expect(packed.steps.map(({ kind }) => kind)).toEqual(['pack', 'product', 'product'])
  const [pack] = packed.steps
  expect(pack).toMatchObject({ prepares: `raw ${digest} columns 1x4x4 false` })
  // The bytes that came are needed for packing alone, so they need not stay.
  expect(packed.regions.map(({ source }) => source.kind)).toEqual([
    'given',
    'given',
    'steps',
    'steps',
    'prepared',
  ])
})

test('with packed weights at hand nothing is packed and nothing is uploaded for it', () => {
  const packed = packOperands(planProgram(weighted(), limits), bOnly)
  const { steps } = withoutPrepared(packed, () => true)
  expect(steps.map(({ kind }) => kind)).toEqual(['product', 'product'])
  expect(withoutPrepared(packed, () => false).steps).toEqual(packed.steps)
})

test('weights that another node reads as they are stay as well', () => {
  const packed = packOperands(
    planProgram(
      weighted([
        { op: 'add', x: 1, y: 1 },
        { op: 'matmul', a: 0, b: 1, transposeB: true },
      ]),
      limits,
    ),
    bOnly,
  )
  expect(packed.regions[1]?.source.kind).toBe('given')
  const read = planProgram(weighted([{ op: 'transpose', x: 1, permutation: [1, 0] }]), limits, [2])
  expect(packOperands(read, bOnly).regions.find(({ source }) => source.kind === 'resident')).toBeDefined()
})

test('what a program computes is packed each time', () => {
  const packed = packOperands(planProgram(weighted(), limits), () => ({
    packedBytes: { a: 32, b: 64 },
    bLayout: 'columns',
  }))
  const packs = packed.steps.flatMap((step) => (step.kind === 'pack' ? [step] : []))
  expect(packs.map(({ operand, prepares }) => [operand, prepares !== undefined])).toEqual([
    ['b', true],
    ['a', false],
    ['a', false],
  ])
})
