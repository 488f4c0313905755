/** The projection of one node (spec C13, C14): which of the two it is, and in which layout. */
import { conv2dLayout } from '../operations/conv2d.ts'
import { matmulLayout } from '../operations/matmul.ts'
import type { Program } from '../program/program.ts'
import type { Entries, Tensor } from '../tensor.ts'
import type { Value } from '../value.ts'
import { projectConvolution } from './convolution.ts'
import type { FieldProducts } from './field.ts'
import { type KeptProducts, type Projected, projectMatmul, type Sums } from './product.ts'
import type { Vectors } from './vectors.ts'

export interface NodeClaim {
  readonly operands: readonly Tensor[]
  readonly result: Value
  readonly sums: Sums
}

function bytesIn({ data }: { readonly data: Entries }): Int8Array | Uint8Array {
  if (data instanceof Int8Array || data instanceof Uint8Array) return data
  throw new Error('inference lets only i8 and u8 into a product')
}

export function projectNode(
  program: Program,
  index: number,
  { operands, result, sums }: NodeClaim,
  vectors: Vectors,
  products: FieldProducts,
  kept?: KeptProducts | undefined,
): Projected {
  const node = program.nodes[index]
  const [left, right] = operands
  if (left === undefined || right === undefined) throw new Error('a product has two operands')
  const range = { min: result.min, max: result.max }
  const [a, b] = [bytesIn(left), bytesIn(right)]
  if (node?.op === 'matmul') {
    const { transposeB } = node
    const layout = matmulLayout(left, right, transposeB)
    return projectMatmul({ layout, transposeB, a, b, sums, range }, vectors, products, kept)
  }
  if (node?.op === 'conv2d') {
    const layout = conv2dLayout(left, right, node)
    return projectConvolution({ node, layout, x: a, w: b, sums, range }, vectors, products, kept)
  }
  throw new Error(`node ${index} has no projection`)
}
