/**
 * The CPU executor: node after node on the caller's thread, in turns of a few milliseconds, so that the host that runs it
 * still answers its socket and its user. Fast with WebAssembly's SIMD instructions; without them every operation runs by
 * its definition, which is right and slow.
 */
import {
  evaluateNode,
  inferProgram,
  joinOutputs,
  operandsOf,
  type Program,
  type Tensor,
  type Value,
} from '@shardy/tensor'
import { admit, admitShader, closedError, type Executor, keepValues, throwIfAborted } from '../executor.ts'
import { openTurns } from '../turns.ts'
import { type Kernels, openKernels } from '../wasm/kernels.ts'
import type { RightShape } from '../wasm/matmul.ts'
import { tryHostMemory } from './memoryTrial.ts'
import type { Multiplier } from './multiplier.ts'
import { runNode } from './node.ts'
import type { Work } from './products.ts'
import { createResidents, defaultResidentBytesMax, type Residents } from './residents.ts'
import { interpretShader } from './shader.ts'
import { createSmallRunner, type RunSmall } from './small.ts'
import { canShare, openThreads, type Threads } from './threads.ts'

/** How one node is run. */
type RunNode = (index: number, operands: readonly Tensor[], result: Value) => Work

function* byDefinition(program: Program, index: number, operands: readonly Tensor[], result: Value): Work {
  yield 0
  return evaluateNode(program, index, operands, result)
}

/** Every value of the program; at every pause the part that is done, 0 to 1. A value is let go after its last use. */
function* runProgram(
  program: Program,
  given: readonly Tensor[],
  keep: readonly number[],
  run: RunNode,
): Generator<number | Promise<void>, readonly (Tensor | undefined)[], void> {
  const { values } = inferProgram(program)
  const tensors: (Tensor | undefined)[] = [...given]
  const lastUses = lastUsesOf(program, keep)
  for (const [index, node] of program.nodes.entries()) {
    const operands = operandsOf(node).map((operand) => tensors[operand] as Tensor)
    const work = run(index, operands, values[tensors.length] as Value)
    let step = work.next()
    for (; !step.done; step = work.next()) {
      yield typeof step.value === 'number' ? (index + step.value) / program.nodes.length : step.value
    }
    tensors.push(step.value)
    for (const operand of operandsOf(node)) {
      if (lastUses[operand] === index) tensors[operand] = undefined
    }
    yield (index + 1) / program.nodes.length
  }
  return tensors
}

/** For each value the last node that takes it; outputs and what is kept are never done with. */
function lastUsesOf(program: Program, keep: readonly number[]): readonly (number | undefined)[] {
  const lastUses: (number | undefined)[] = []
  for (const [index, node] of program.nodes.entries()) {
    for (const operand of operandsOf(node)) lastUses[operand] = index
  }
  for (const index of [...program.outputs, ...keep]) lastUses[index] = undefined
  return lastUses
}

export interface CpuOptions {
  /** Threads beside the caller's that products are spread over; none where memory cannot be shared. */
  readonly threads?: number
  /** What packed constants may take from one program to the next. */
  readonly residentBytesMax?: number
}

/** Below this many multiply-adds, telling other threads costs more than it saves. */
const threadedWorkMin = 2 ** 23

function openMultiplier(
  { matmul }: Kernels,
  threads: Threads | undefined,
  program: Program,
  residents: Residents,
): Multiplier {
  const allocate = (bytes: number) =>
    threads === undefined ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes)
  const packNew = (b: Int8Array, shape: RightShape) =>
    matmul.packRight(b, shape, new Uint8Array(allocate(matmul.packedLength(shape))))
  return {
    pack: residents.packFor(program, packNew),
    allocate,
    multiply(a, m, right, c) {
      if (threads === undefined || m * right.k * right.n < threadedWorkMin)
        return matmul.multiply(a, m, right, c)
      return threads.multiply(shared(a), m, right, c)
    },
  }
}

function shared(a: Int8Array | Uint8Array): Int8Array | Uint8Array {
  if (a.buffer instanceof SharedArrayBuffer) return a
  const memory = new SharedArrayBuffer(a.length)
  const copy = a instanceof Int8Array ? new Int8Array(memory) : new Uint8Array(memory)
  copy.set(a)
  return copy
}

export function createCpuExecutor({
  threads: count = 0,
  residentBytesMax = defaultResidentBytesMax,
}: CpuOptions = {}): Executor {
  const name = 'cpu'
  let closed = false
  const residents = createResidents(residentBytesMax)
  let runSmall: RunSmall | undefined
  const opening = openKernels().then((opened) => {
    if (opened.ok) runSmall = createSmallRunner(opened.kernels)
    return opened
  })
  const threads = count > 0 && canShare() ? openThreads(count) : undefined

  function runnerOf(program: Program, kernels: Kernels | undefined): RunNode {
    if (kernels === undefined) {
      return (index, operands, result) => byDefinition(program, index, operands, result)
    }
    const multiplier = openMultiplier(kernels, threads, program, residents)
    return (index, operands, result) => runNode(kernels, multiplier, program, index, operands, result)
  }

  return {
    name,
    adapter: threads === undefined ? 'WebAssembly on one core' : `WebAssembly on ${count} threads`,
    async execute(program, input, options = {}) {
      const { signal, onProgress, keep = [] } = options
      if (closed) throw closedError(name)
      const given = admit(program, input, options)
      throwIfAborted(signal)
      const opened = await opening
      const work = runProgram(program, given, keep, runnerOf(program, opened.ok ? opened.kernels : undefined))
      const turns = openTurns()
      try {
        for (;;) {
          const step = work.next()
          if (step.done) {
            onProgress?.(1000)
            return { output: joinOutputs(program, step.value), kept: keepValues(keep, step.value) }
          }
          if (typeof step.value === 'number') {
            if (!turns.over()) continue
            onProgress?.(Math.floor(1000 * step.value))
            await turns.next()
          } else {
            await step.value
          }
          if (closed) throw closedError(name)
          throwIfAborted(signal)
        }
      } finally {
        turns.close()
      }
    },
    executeSmall(program, input) {
      if (closed) throw closedError(name)
      return runSmall?.(program, input)
    },
    async runShader(task, payload, { signal, onProgress } = {}) {
      if (closed) throw closedError(name)
      const shader = admitShader(task, payload)
      throwIfAborted(signal)
      const output = interpretShader(shader, payload)
      onProgress?.(1000)
      return output
    },
    async tryMemory(bytes, { signal } = {}) {
      if (closed) throw closedError(name)
      throwIfAborted(signal)
      await tryHostMemory(bytes, signal)
    },
    async close() {
      closed = true
      threads?.close()
      residents.clear()
    },
  }
}
