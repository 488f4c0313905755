/** Small programs from beginning to end on the caller's thread, without turns or promises. */
import {
  complexity,
  inferProgram,
  joinOutputs,
  operandsOf,
  type Program,
  type Tensor,
  tensorBytes,
  type Value,
} from '@shardy/tensor'
import type { ComputeNode } from '@shardy/tensor/check'
import { createComputeNode } from '../checkTools.ts'
import { admit } from '../executor.ts'
import type { Kernels } from '../wasm/kernels.ts'

/** Multiply-adds of what holds the thread for well under a millisecond. */
const smallWorkMax = 2 ** 22

/** The bytes of the one output, where nobody else has that memory: another copy would cost a tenth of the whole. */
function ownOutput(
  { outputs }: Program,
  tensors: readonly Tensor[],
  input: Uint8Array,
): Uint8Array | undefined {
  const [index = 0] = outputs
  const tensor = tensors[index]
  if (outputs.length !== 1 || tensor === undefined) return undefined
  const { buffer, byteLength } = tensor.data
  return buffer !== input.buffer && buffer.byteLength === byteLength ? tensorBytes(tensor) : undefined
}

export type RunSmall = (program: Program, input: Uint8Array) => Uint8Array | undefined

export function createSmallRunner(kernels: Kernels): RunSmall {
  const compute: ComputeNode = createComputeNode(kernels)
  const sizes = new WeakMap<Program, boolean>()

  function isSmall(program: Program): boolean {
    let known = sizes.get(program)
    if (known === undefined) {
      known = program.constants.length === 0 && complexity(program) <= smallWorkMax
      sizes.set(program, known)
    }
    return known
  }

  return (program, input) => {
    const tensors: Tensor[] = [...admit(program, input)]
    if (!isSmall(program)) return undefined
    const { values } = inferProgram(program)
    for (const [index, node] of program.nodes.entries()) {
      const operands = operandsOf(node).map((operand) => tensors[operand] as Tensor)
      tensors.push(compute(program, index, operands, values[tensors.length] as Value))
    }
    return ownOutput(program, tensors, input) ?? joinOutputs(program, tensors)
  }
}
