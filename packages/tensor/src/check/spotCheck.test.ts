import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { drawProgram } from '../../test/drawProgram.ts'
import { sha256 } from '../../test/sha256.ts'
import { heavyOperations } from '../operations/index.ts'
import { evaluateValues } from '../program/evaluate.ts'
import { type Program, tensorType } from '../program/program.ts'
import { entryAt, mapEntries, type Tensor } from '../tensor.ts'
import { planSpotCheck, runSpotCheck } from './spotCheck.ts'
import { sumAt } from './sum.ts'
import { pureTools } from './tools.ts'

const tools = pureTools(sha256)
const seed = new Uint8Array(32).fill(3)

const program: Program = {
  inputs: [tensorType('i8', [20, 30])],
  constants: [{ type: tensorType('i8', [30, 10]), data: new Uint8Array(300).map((_, index) => index * 7) }],
  nodes: [
    { op: 'matmul', a: 0, b: 1, transposeB: false },
    { op: 'requantize', x: 2, multiplier: 1, shift: 8, zeroPoint: 0, to: 'i8' },
  ],
  outputs: [3],
}
const input = new Uint8Array(600).map((_, index) => index * 11)
const values = evaluateValues(program, input)

function reading(changed: Readonly<Record<number, Tensor>>) {
  return (value: number): Tensor => changed[value] ?? (values[value] as Tensor)
}

function flipped(value: number, entry: number): Tensor {
  const tensor = values[value] as Tensor
  return {
    ...tensor,
    data: mapEntries(tensor.data, tensor.dtype, (one, index) => (index === entry ? one ^ 1 : one)),
  }
}

test('without a budget some sums of every product are looked at, and nothing else', () => {
  const spot = planSpotCheck(program, { steps: 0, sumsPerProduct: 4 }, seed, sha256)
  expect(spot.probes).toMatchObject([{ kind: 'sums', node: 0 }])
  expect(spot.keep).toEqual([2])
  expect(spot.foundIfOne).toBeCloseTo(4 / 400)
  expect(spot.foundIfShare(0.5)).toBe(0)
  const [probe] = spot.probes
  const entries = probe?.kind === 'sums' ? probe.entries : []
  for (let entry = 0; entry < 200; entry++) {
    const verdict = runSpotCheck(program, spot, reading({ 2: flipped(2, entry) }), seed, tools)
    expect(verdict).toEqual(
      entries.includes(entry) ? { ok: false, mechanism: 'recompute', node: 0, entry } : { ok: true },
    )
  }
})

test('with budget enough every entry is looked at', () => {
  const spot = planSpotCheck(program, { steps: 100_000, sumsPerProduct: 4 }, seed, sha256)
  expect(spot.probes).toEqual([
    { kind: 'projection', node: 0 },
    { kind: 'replay', node: 1 },
  ])
  expect(spot.keep).toEqual([2, 3])
  expect(spot.foundIfOne).toBe(1)
  expect(spot.foundIfShare(0.01)).toBe(1)
  expect(runSpotCheck(program, spot, reading({}), seed, tools)).toEqual({ ok: true })
  for (const entry of [0, 77, 199]) {
    const sums = runSpotCheck(program, spot, reading({ 2: flipped(2, entry) }), seed, tools)
    expect(sums).toMatchObject({ ok: false, mechanism: 'projection', node: 0 })
    const narrow = runSpotCheck(program, spot, reading({ 3: flipped(3, entry) }), seed, tools)
    expect(narrow).toEqual({ ok: false, mechanism: 'replay', node: 1, entry })
  }
})

test('a sum on its own is the reference’s, for any product or convolution', () => {
  fc.assert(
    fc.property(fc.gen(), (gen) => {
      const draw = (min: number, max: number) => gen(fc.integer, { min, max })
      const drawn = drawProgram(draw, { sha256, nodes: 2, among: ['matmul', 'conv2d'] })
      const tensors = evaluateValues(drawn.program, drawn.input, drawn.blobs)
      const first = drawn.program.inputs.length + drawn.program.constants.length
      for (const [index, node] of drawn.program.nodes.entries()) {
        expect(heavyOperations.has(node.op)).toBe(true)
        const operands = (
          node.op === 'matmul' ? [node.a, node.b] : node.op === 'conv2d' ? [node.x, node.w] : []
        ).map((operand) => tensors[operand] as Tensor)
        const { data } = tensors[first + index] as Tensor
        for (let entry = 0; entry < data.length; entry += 1 + Math.floor(data.length / 40)) {
          expect(sumAt(node, operands, entry)).toBe(entryAt(data, entry))
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('the honest answer of any program passes whatever is looked at', () => {
  fc.assert(
    fc.property(fc.gen(), fc.nat({ max: 20_000 }), (gen, steps) => {
      const draw = (min: number, max: number) => gen(fc.integer, { min, max })
      const drawn = drawProgram(draw, { sha256, nodes: 5 })
      const tensors = evaluateValues(drawn.program, drawn.input, drawn.blobs)
      const spot = planSpotCheck(drawn.program, { steps, sumsPerProduct: 3 }, seed, sha256)
      const read = (value: number) => {
        const first = drawn.program.inputs.length + drawn.program.constants.length
        expect(value < first || spot.keep.includes(value)).toBe(true)
        return tensors[value] as Tensor
      }
      expect(runSpotCheck(drawn.program, spot, read, seed, tools)).toEqual({ ok: true })
    }),
    { numRuns: 60 },
  )
})
