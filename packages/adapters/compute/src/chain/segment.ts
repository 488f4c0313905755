/** The steps of one segment on an executor (docs/spec/benchmark.md, N5 and N7): worker and checker run the very same thing. */
import { type Benchmark, matrixOf, startOf } from '@shardy/chain'
import { type Digest, encodeHex, type Sha256 } from '@shardy/protocol'
import { buildProgram, type Program } from '@shardy/tensor'
import type { Executor } from '../executor.ts'
import { executeLite } from '../lite.ts'

export interface SegmentOptions {
  readonly signal?: AbortSignal | undefined
}

/** So many rows through all the steps of one segment. */
export type RunSegment = (states: Uint8Array, options?: SegmentOptions) => Promise<Uint8Array>

/** Enough for a device to be busy between two calls, and few enough for any host to plan at once. */
const stepsPerProgramMax = 128
/** All values of a program together: sums of four bytes, and bytes. Half of what a program may have. */
const programBytesMax = 2 ** 30

function stepsPerProgram(stateBytes: number): number {
  return Math.max(1, Math.min(stepsPerProgramMax, Math.floor(programBytesMax / (5 * stateBytes))))
}

export function openSegment(benchmark: Benchmark, executor: Executor, sha256: Sha256): RunSegment {
  return benchmark.kind === 'product' ? productSegment(benchmark, executor, sha256) : liteSegment(benchmark)
}

function productSegment(benchmark: Benchmark, executor: Executor, sha256: Sha256): RunSegment {
  const { width, checkpointEvery } = benchmark
  const matrix = matrixOf(benchmark, startOf(benchmark, sha256), sha256)
  const digest = encodeHex(sha256(matrix)) as Digest
  const blobs = new Map([[digest, matrix]])
  const programs = new Map<string, Program>()
  const programOf = (rows: number, steps: number): Program => {
    const key = `${rows}x${steps}`
    const program = programs.get(key) ?? chainProgram(rows, width, steps, digest)
    programs.set(key, program)
    return program
  }
  return async (states, { signal } = {}) => {
    const rows = states.length / width
    let at = states
    for (let left = checkpointEvery; left > 0; ) {
      const steps = Math.min(left, stepsPerProgram(states.length))
      const execution = await executor.execute(programOf(rows, steps), at, { blobs, signal })
      at = execution.output
      left -= steps
    }
    return at
  }
}

/** N5: a step is a product and its requantisation by 9 / 2^13 for a width of 256, and half of that for 1024. */
export function chainProgram(rows: number, width: number, steps: number, matrix: Digest): Program {
  return buildProgram(({ input, weights }) => {
    const w = weights(matrix, 'i8', [width, width])
    let x = input('i8', [rows, width])
    for (let step = 0; step < steps; step++) {
      x = x.matmul(w).requantize({ multiplier: 9, shift: 9 + Math.log2(width) / 2, to: 'i8' })
    }
    return x
  })
}

function liteSegment({ width, checkpointEvery }: Benchmark): RunSegment {
  const program = { kind: 'lite', inputLength: width, lanes: width / 8, rounds: checkpointEvery } as const
  return async (states, options) => {
    const after = new Uint8Array(states.length)
    for (let at = 0; at < states.length; at += width) {
      after.set(await executeLite(program, states.subarray(at, at + width), options), at)
    }
    return after
  }
}
