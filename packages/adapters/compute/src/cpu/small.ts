/** Small programs from beginning to end on the caller's thread, without turns or promises. */
import {
  complexity,
  inferProgram,
  joinOutputs,
  operandsOf,
  type Program,
  type Tensor,
  type Value,
} from '@shardy/tensor'
import type { ComputeNode } from '@shardy/tensor/check'
import { createComputeNode } from '../checkTools.ts'
import { admit } from '../executor.ts'
import type { Kernels } from '../wasm/kernels.ts'

/** Multiply-adds of what holds the thread for well under a millisecond. */
const smallWorkMax = 2 ** 22

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
    return joinOutputs(program, tensors)
  }
}
