// Light operations: the reference's bytes where steps, blocks and numbers end, and a thread that is never held for long.
import { afterAll, describe, expect, test } from 'bun:test'
import { evaluate, inferProgram, operandsOf, type Program, readInputs, type Tensor } from '@shardy/tensor'
import { openKernels } from '../wasm/kernels.ts'
import { arrays, type Input, inputFor, programOf } from './craftedPrograms.ts'
import { createCpuExecutor } from './executor.ts'
import type { Multiplier } from './multiplier.ts'
import { runNode } from './node.ts'
import { stepWork } from './steps.ts'

const executor = createCpuExecutor()
afterAll(() => executor.close())

async function expectSame(program: Program, input = inputFor(program)): Promise<void> {
  const { output } = await executor.execute(program, input)
  expect(Buffer.compare(output, evaluate(program, input))).toBe(0)
}

const i8 = (...shape: number[]): Input => ({ dtype: 'i8', shape })
const small = (...shape: number[]): Input => ({ dtype: 'i32', shape, min: -32_767, max: 32_767 })
const large = (...shape: number[]): Input => ({ dtype: 'i32', shape, min: -(2 ** 22), max: 2 ** 22 })
const long = stepWork + 3
const window = (windowH: number, windowW: number) => ({ windowH, windowW, strideH: 1, strideW: 1 })

const cases: readonly (readonly [string, readonly Input[], object])[] = [
  ...[
    [1, 0],
    [1, 8],
    [32_768, 8],
    [65_535, 1],
    [65_536, 8],
  ].flatMap(([alpha, fraction]) =>
    [[long], [1, 40], [40, 1], [3, 2 ** 14 + 1], [500, 40]].map(
      (shape) =>
        [
          `ema of ${shape} by ${alpha} with ${fraction} places`,
          [large(...shape)],
          { op: 'ema', x: 0, alpha, fraction },
        ] as const,
    ),
  ),
  ...(['values', 'indices'] as const).flatMap((result) =>
    [
      [1, 1],
      [7, 7],
      [7, 3],
      [8, 1],
      [9, 8],
      [1000, 1000],
      [1000, 130],
      [2 * long, 2 * long],
      [2 * long, long],
      [2 * long, 5],
    ].flatMap(([n, k]) =>
      (['i8', 'u32'] as const).map(
        (dtype) =>
          [
            `topK, ${result} of ${k} of ${n} ${dtype}`,
            [{ dtype, shape: (n ?? 0) > 1000 ? [1, n] : [3, n] } as Input],
            { op: 'topK', x: 0, k, result },
          ] as const,
      ),
    ),
  ),
  ['argmax of long rows', [i8(2, 2 * long)], { op: 'argmax', x: 0 }],
  ['argmax of one row', [{ dtype: 'u32', shape: [9] }], { op: 'argmax', x: 0 }],
  ['argmax of single entries', [i8(long, 1)], { op: 'argmax', x: 0 }],
  ...[true, false].flatMap((interleaved) =>
    (['i8', 'i32'] as const).flatMap((dtype) =>
      [0, 1, 15].map(
        (shift) =>
          [
            `rotary of ${dtype} by ${shift}, ${interleaved ? 'neighbours' : 'halves'}`,
            [dtype === 'i8' ? i8(2, 50, 6) : small(2, 50, 6), small(50, 3), small(50, 3)],
            { op: 'rotary', x: 0, cos: 1, sin: 2, shift, interleaved },
          ] as const,
      ),
    ),
  ),
  [
    'gather of long rows',
    [i8(3, long), { dtype: 'u8', shape: [4], min: 0, max: 2 }],
    { op: 'gather', table: 0, indices: 1 },
  ],
  [
    'gather of single entries',
    [i8(3), { dtype: 'u8', shape: [2, long], min: 0, max: 2 }],
    { op: 'gather', table: 0, indices: 1 },
  ],
  [
    'softmax of long rows',
    [i8(2, long), { dtype: 'u32', shape: [256], min: 0, max: 16_000 }],
    { op: 'softmax', x: 0, table: 1 },
  ],
  [
    'softmax of nothing',
    [i8(2, 3), { dtype: 'u32', shape: [256], min: 0, max: 0 }],
    { op: 'softmax', x: 0, table: 1 },
  ],
  [
    'rmsNorm of long rows',
    [small(20, 16_384), small(16_384)],
    { op: 'rmsNorm', x: 0, gain: 1, epsilon: 1, shift: 3 },
  ],
  [
    'layerNorm of long rows',
    [small(20, 16_384), small(16_384)],
    { op: 'layerNorm', x: 0, gain: 1, epsilon: 9, shift: 3 },
  ],
  [
    'bias of long rows',
    [{ dtype: 'i32', shape: [2, long], min: -9, max: 9 }, small(long)],
    { op: 'bias', x: 0, b: 1 },
  ],
  ['add of a long row to columns', [i8(2, long), i8(2, 1)], { op: 'add', x: 0, y: 1 }],
  [
    'requantize of long rows',
    [large(2, long)],
    { op: 'requantize', x: 0, multiplier: 77_777, shift: 31, zeroPoint: 3, to: 'i8' },
  ],
  [
    'requantizeChannels of long rows',
    [large(3, long), small(long), { dtype: 'u8', shape: [long], min: 0, max: 62 }],
    { op: 'requantizeChannels', x: 0, multipliers: 1, shifts: 2, zeroPoint: -3, to: 'u8' },
  ],
  [
    'requantizeChannels of many rows',
    [large(9000, 31), small(31), { dtype: 'u8', shape: [31], min: 0, max: 62 }],
    { op: 'requantizeChannels', x: 0, multipliers: 1, shifts: 2, zeroPoint: -3, to: 'i32' },
  ],
  ['clamp', [i8(long)], { op: 'clamp', x: 0, min: -5, max: 6 }],
  ['reshape', [i8(long, 2)], { op: 'reshape', x: 0, shape: [2, long] }],
  ['convert', [i8(long)], { op: 'convert', x: 0, to: 'i32' }],
  ['lookup', [i8(long), { dtype: 'u8', shape: [256] }], { op: 'lookup', x: 0, table: 1 }],
  ['transpose', [i8(5, 7, 4001)], { op: 'transpose', x: 0, permutation: [2, 0, 1] }],
  ['transpose of rows', [i8(3, 2, long)], { op: 'transpose', x: 0, permutation: [1, 0, 2] }],
  [
    'slice of long rows',
    [i8(3, 3 * long)],
    { op: 'slice', x: 0, starts: [1, 5], sizes: [2, long], steps: [1, 2] },
  ],
  [
    'slice of single entries',
    [i8(2 * long, 2)],
    { op: 'slice', x: 0, starts: [1, 1], sizes: [long, 1], steps: [2, 1] },
  ],
  ['concat along the last axis', [i8(2, long), i8(2, 1)], { op: 'concat', xs: [0, 1, 0], axis: 1 }],
  ['concat along the first axis', [i8(2, long), i8(1, long)], { op: 'concat', xs: [0, 1], axis: 0 }],
  ['maxPool of many channels', [i8(1, 2, 2, 2 ** 14 + 5)], { op: 'maxPool', x: 0, ...window(2, 1) }],
  ['averagePool of many channels', [i8(1, 2, 2, 2 ** 14 + 5)], { op: 'averagePool', x: 0, ...window(1, 2) }],
  ['maxPool of a wide window', [i8(1, 2, 50_001, 3)], { op: 'maxPool', x: 0, ...window(2, 50_000) }],
  ['averagePool of a wide window', [i8(1, 1, 60_001, 3)], { op: 'averagePool', x: 0, ...window(1, 60_000) }],
]

const opened = await openKernels()
if (!opened.ok) throw new Error(opened.refusal.message)
const { kernels } = opened
const { matmul } = kernels
const multiplier: Multiplier = {
  pack: (_operand, _part, b, shape) => matmul.packRight(b, shape),
  allocate: (bytes) => new ArrayBuffer(bytes),
  multiply: (a, m, right, c) => matmul.multiply(a, m, right, c),
}

/** The parts done at the pauses of the only node. */
function pausesOf(program: Program): (number | Promise<void>)[] {
  const inputs = readInputs(program, inputFor(program))
  const result = inferProgram(program).values.at(-1)
  if (!inputs.ok || result === undefined) throw new Error('the program has no input or no node')
  const [node] = program.nodes
  const operands =
    node === undefined ? [] : operandsOf(node).map((operand) => inputs.value[operand] as Tensor)
  return [...runNode(kernels, multiplier, program, 0, operands, result)]
}

describe('light operations agree with the reference', () => {
  for (const [name, inputs, node] of cases) {
    test(name, async () => {
      const program = programOf(inputs, node)
      await expectSame(program)
      const pauses = pausesOf(program)
      expect(pauses).toEqual(pauses.toSorted((left, right) => Number(left) - Number(right)))
      expect(pauses.every((part) => typeof part === 'number' && part >= 0 && part <= 1)).toBe(true)
      if (inputs.some(({ shape }) => shape.includes(long))) expect(pauses.length).toBeGreaterThan(0)
    })
  }

  test('ema from one end of its range to the other', async () => {
    const end = 2 ** 22
    for (const alpha of [1, 65_535, 65_536]) {
      const program = programOf([large(6)], { op: 'ema', x: 0, alpha, fraction: 8 })
      await expectSame(program, new Uint8Array(Int32Array.of(-end, end, -end, -end, end, end).buffer))
    }
  })
})

const size = 2 ** 22
const endless: readonly (readonly [string, readonly Input[], object])[] = [
  ['ema', [i8(size)], { op: 'ema', x: 0, alpha: 1000, fraction: 8 }],
  ['topK', [i8(size)], { op: 'topK', x: 0, k: size, result: 'indices' }],
  [
    'rotary',
    [i8(size, 2), small(size, 1), small(size, 1)],
    { op: 'rotary', x: 0, cos: 1, sin: 2, shift: 3, interleaved: true },
  ],
  ['layerNorm', [small(size, 1), small(1)], { op: 'layerNorm', x: 0, gain: 1, epsilon: 1, shift: 0 }],
  [
    'maxPool',
    [i8(1, 2048, 2048, 1)],
    { op: 'maxPool', x: 0, windowH: 1024, windowW: 1024, strideH: 30, strideW: 30 },
  ],
  // One place, whose window is the image.
  ['maxPool of all', [i8(1, 8000, 8000, 1)], { op: 'maxPool', x: 0, ...window(8000, 8000) }],
]

describe('light operations step aside', () => {
  for (const [name, inputs, node] of endless) {
    test(`${name}: timers run while it works, progress rises, and an abort ends it midway`, async () => {
      const program = programOf(inputs, node)
      const input = new Uint8Array(
        program.inputs.reduce((sum, { dtype, shape }) => {
          return sum + arrays[dtype].BYTES_PER_ELEMENT * shape.reduce((product, each) => product * each, 1)
        }, 0),
      )
      let ticks = 0
      const timer = setInterval(() => ticks++, 1)
      const controller = new AbortController()
      const seen: number[] = []
      const onProgress = (permille: number) => {
        seen.push(permille)
        if (ticks > 0) controller.abort()
      }
      const answer = executor.execute(program, input, { signal: controller.signal, onProgress })
      expect(await answer.catch((thrown) => thrown)).toMatchObject({ kind: 'aborted' })
      clearInterval(timer)
      expect(seen).toEqual(seen.toSorted((left, right) => left - right))
      expect(seen.at(-1)).toBeLessThan(1000)
    })
  }
})
