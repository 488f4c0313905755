/**
 * The CPU executor: node after node in plain JavaScript, taken in turns of a few milliseconds, so that the host that runs
 * it still answers its socket and its user. It runs wherever JavaScript does. Products have a fast kernel; all other
 * operations run by their definition.
 */
import {
  entryAt,
  evaluateNode,
  inferProgram,
  joinOutputs,
  matmulLayout,
  type Node,
  type NodeFor,
  operandsOf,
  type Program,
  type Tensor,
  type Value,
} from '@shardy/tensor'
import { multiplyMatrices } from './cpuMatmul.ts'
import { admit, closedError, type Executor, keepValues, throwIfAborted } from './executor.ts'
import { openTurns } from './turns.ts'

function* runMatmul(
  { transposeB }: NodeFor<'matmul'>,
  [a, b]: readonly Tensor[],
  result: Value,
): Generator<number, Tensor, void> {
  if (a === undefined || b === undefined) throw new Error('a product has two operands')
  const { batch, m, k, n } = matmulLayout(a, b, transposeB)
  const data = new Int32Array(batch * m * n)
  for (let index = 0; index < batch; index++) {
    const columns = b.data.subarray(index * k * n, (index + 1) * k * n)
    const rows = transposeB
      ? Int8Array.from({ length: k * n }, (_, at) => entryAt(columns, (at % n) * k + Math.floor(at / n)))
      : columns
    const work = multiplyMatrices({ m, k, n }, a.data.subarray(index * m * k, (index + 1) * m * k), rows)
    for (let step = work.next(); ; step = work.next()) {
      if (step.done) {
        data.set(step.value, index * m * n)
        break
      }
      yield (index + step.value) / batch
    }
  }
  return { dtype: result.dtype, shape: result.shape, data }
}

function* runNode(
  program: Program,
  index: number,
  node: Node,
  operands: readonly Tensor[],
  result: Value,
): Generator<number, Tensor, void> {
  if (node.op === 'matmul') return yield* runMatmul(node, operands, result)
  return evaluateNode(program, index, operands, result)
}

/** Gives every value of the program; pauses now and then and yields the part that is done, 0 to 1. */
function* runProgram(program: Program, given: readonly Tensor[]): Generator<number, readonly Tensor[], void> {
  const { values } = inferProgram(program)
  const tensors = [...given]
  for (const [index, node] of program.nodes.entries()) {
    const operands = operandsOf(node).map((operand) => tensors[operand] as Tensor)
    const work = runNode(program, index, node, operands, values[tensors.length] as Value)
    for (let step = work.next(); ; step = work.next()) {
      if (step.done) {
        tensors.push(step.value)
        break
      }
      yield (index + step.value) / program.nodes.length
    }
    yield (index + 1) / program.nodes.length
  }
  return tensors
}

export function createCpuExecutor(): Executor {
  const name = 'cpu'
  let closed = false
  return {
    name,
    adapter: 'JavaScript on one core',
    async execute(program, input, options = {}) {
      const { signal, onProgress, keep = [] } = options
      if (closed) throw closedError(name)
      const given = admit(program, input, options)
      throwIfAborted(signal)
      const work = runProgram(program, given)
      const turns = openTurns()
      try {
        for (;;) {
          const step = work.next()
          if (step.done) {
            onProgress?.(1000)
            return { output: joinOutputs(program, step.value), kept: keepValues(keep, step.value) }
          }
          if (!turns.over()) continue
          onProgress?.(Math.floor(1000 * step.value))
          await turns.next()
          if (closed) throw closedError(name)
          throwIfAborted(signal)
        }
      } finally {
        turns.close()
      }
    },
    async close() {
      closed = true
    },
  }
}
