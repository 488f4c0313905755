// Products deeper than the kernel takes: on this thread and on others, from constants that are kept, and with pauses.
import { afterAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { Digest } from '@shardy/protocol'
import { evaluate, type Program, tensorType } from '@shardy/tensor'
import { type Input, inputFor, programOf } from './craftedPrograms.ts'
import { createCpuExecutor } from './executor.ts'

const strides = {
  strideH: 40,
  strideW: 40,
  padTop: 0,
  padLeft: 0,
  padBottom: 0,
  padRight: 0,
  dilationH: 1,
  dilationW: 1,
  padValue: 0,
}

const executor = createCpuExecutor()
afterAll(() => executor.close())

describe('products whose rows are longer than the kernel takes', () => {
  const [bits, signs]: Pick<Input, 'min' | 'max'>[] = [
    { min: 0, max: 1 },
    { min: -1, max: 1 },
  ]

  test('are spread over threads', async () => {
    const threaded = createCpuExecutor({ threads: 2 })
    const [m, k, n] = [16, 140_001, 17]
    for (const transposeB of [false, true]) {
      const program = programOf(
        [
          { dtype: 'u8', shape: [m, k], ...bits },
          { dtype: 'i8', shape: transposeB ? [n, k] : [k, n], ...signs },
        ],
        { op: 'matmul', a: 0, b: 1, transposeB },
      )
      const input = inputFor(program)
      const { output } = await threaded.execute(program, input)
      expect(Buffer.compare(output, evaluate(program, input))).toBe(0)
    }
    await threaded.close()
  })

  test('one constant serves as long rows and as a batch of short ones', async () => {
    const k = 2 ** 16
    const blob = Uint8Array.from({ length: 6 * k }, (_, index) => ((index * index) % 7) & 1)
    const digest = createHash('sha256').update(blob).digest('hex') as Digest
    const blobs = new Map([[digest, blob]])
    for (const [left, right] of [
      [
        [2, 3 * k],
        [2, 3 * k],
      ],
      [
        [3, 2, k],
        [3, 2, k],
      ],
      [
        [2, 3 * k],
        [2, 3 * k],
      ],
    ] as const) {
      const program: Program = {
        inputs: [tensorType('u8', left, { min: 0, max: 1 })],
        constants: [{ type: tensorType('i8', right, { min: -1, max: 1 }), digest }],
        nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: true }],
        outputs: [2],
      }
      const input = inputFor(program)
      const { output } = await executor.execute(program, input, { blobs })
      expect(Buffer.compare(output, evaluate(program, input, blobs))).toBe(0)
    }
  })

  test('convolutions pause, and their progress rises', async () => {
    const program = programOf(
      [
        { dtype: 'u8', shape: [1, 1000, 1000, 2], ...bits },
        { dtype: 'i8', shape: [2, 400, 400, 1], ...signs },
      ],
      { op: 'conv2d', x: 0, w: 1, ...strides, groups: 2 },
    )
    const seen: number[] = []
    await executor.execute(program, inputFor(program), { onProgress: (permille) => seen.push(permille) })
    expect(seen.length).toBeGreaterThan(2)
    expect(seen).toEqual(seen.toSorted((left, right) => left - right))
  })
})
