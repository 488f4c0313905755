/**
 * What a check is carried out with, fast: field products, packing and operations on one core of the checker. A host without
 * WebAssembly's SIMD instructions gets the definitions, which give the same verdicts.
 */
import type { Sha256 } from '@shardy/protocol'
import { matmulLayout, type Node, type Program, type Tensor, type Value } from '@shardy/tensor'
import { type CheckTools, type ComputeNode, pureTools } from '@shardy/tensor/check'
import type { Multiplier } from './cpu/multiplier.ts'
import { runNode } from './cpu/node.ts'
import { type Kernels, openKernels } from './wasm/kernels.ts'

/** One node at a time to its end, on the calling thread. */
export function createComputeNode(kernels: Kernels): ComputeNode {
  const { matmul } = kernels
  const multiplier: Multiplier = {
    pack: (_operand, _part, b, shape) => matmul.packRight(b, shape),
    allocate: (bytes) => new ArrayBuffer(bytes),
    multiply: (a, m, right, c) => matmul.multiply(a, m, right, c),
  }
  return (program: Program, index: number, operands: readonly Tensor[], result: Value): Tensor => {
    const small = runSmallMatmul(kernels, program.nodes[index], operands, result)
    if (small !== undefined) return small
    const work = runNode(kernels, multiplier, program, index, operands, result)
    for (;;) {
      const step = work.next()
      if (step.done) return step.value
    }
  }
}

/** One product that fits the kernels' memory at once; undefined for all others. */
function runSmallMatmul(
  { matmul }: Kernels,
  node: Node | undefined,
  [left, right]: readonly Tensor[],
  { dtype, shape }: Value,
): Tensor | undefined {
  if (node?.op !== 'matmul' || left === undefined || right === undefined) return undefined
  const { batch, m, k, n } = matmulLayout(left, right, node.transposeB)
  const [a, b] = [left.data, right.data]
  if (batch !== 1 || !(b instanceof Int8Array) || !(a instanceof Int8Array || a instanceof Uint8Array)) {
    return undefined
  }
  const data = matmul.multiplySmall(a, m, b, { k, n, layout: node.transposeB ? 'transposed' : 'rows' })
  return data && { dtype, shape, data }
}

export async function openCheckTools(sha256: Sha256): Promise<CheckTools> {
  const opened = await openKernels()
  if (!opened.ok) return pureTools(sha256)
  const { kernels } = opened
  return { sha256, products: kernels.field, bits: kernels.elements, compute: createComputeNode(kernels) }
}
