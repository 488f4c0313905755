/**
 * Which programs a block proof can be about (docs/spec/audit.md V1): those whose output is one product of two int8 matrices of the
 * input, transposed or not. For such a one: how long and wide it is, and where its operands lie in the input.
 */
import { blockSide, type Refusal } from '@shardy/protocol'
import type { NodeFor } from '../operations/index.ts'
import { inferProgram, nodePath } from '../program/inference.ts'
import type { Program } from '../program/program.ts'
import { stridesOf } from '../strides.ts'
import { byteLengthOf } from '../tensor.ts'
import { describeType, type Value } from '../value.ts'

/** Where a matrix lies: its entry at (row, column) is the byte at offset + row · rowStride + column · columnStride. */
export interface MatrixView {
  readonly offset: number
  readonly rowStride: number
  readonly columnStride: number
}

/** The output is C = A · B, with A of m × k and B of k × n. */
export interface ProvableProduct {
  /** The node that makes it, counted from the first. */
  readonly node: number
  readonly m: number
  readonly k: number
  readonly n: number
  readonly a: MatrixView
  readonly b: MatrixView
}

export type Provable =
  | { readonly ok: true; readonly product: ProvableProduct }
  | { readonly ok: false; readonly refusal: Refusal }

/** The longest sum of products of int8 whose check by projection is sound at full ranges, and 4,096 blocks of it. */
export const provableLengthMax = 65_535

/** For a program that passed inference. The refusal names the place in the program that no proof can be about. */
export function provableProduct(program: Program): Provable {
  const { outputs, inputs, constants, nodes } = program
  const [output] = outputs
  if (outputs.length !== 1 || output === undefined)
    return refuse(
      'program.outputs',
      `has ${outputs.length} outputs; a proof is about a product that is the only one`,
    )
  const before = inputs.length + constants.length
  const index = output - before
  const node = nodes[index]
  if (node === undefined) throw new RangeError('the output is no node: the program did not pass inference')
  const path = nodePath(index, node)
  if (node.op !== 'matmul') return refuse(path, 'makes the output; a proof is about one that a matmul makes')
  const { values } = inferProgram(program)
  const result = values[output] as Value
  if (result.shape.length !== 2)
    return refuse(path, `makes ${describeType(result)}; a proof is about a product of two dimensions`)
  const a = operandOf(program, values, 'a', node)
  if (!a.ok) return refuse(`${path}.a`, a.rule)
  const b = operandOf(program, values, 'b', node)
  if (!b.ok) return refuse(`${path}.b`, b.rule)
  const [m = 0, n = 0] = result.shape
  const k = values[node.a]?.shape[1] ?? 0
  if (k > provableLengthMax)
    return refuse(path, `adds up ${k} products for each entry; a proof is about ${provableLengthMax} at most`)
  const view = node.transposeB ? transposed(b.view) : b.view
  return { ok: true, product: { node: index, m, k, n, a: a.view, b: view } }
}

/** How many tiles the output has, and of how many blocks each is the sum. What lies beyond an edge counts as zeros. */
export function tilesOf({ m, k, n }: Pick<ProvableProduct, 'm' | 'k' | 'n'>): {
  readonly rows: number
  readonly columns: number
  readonly depth: number
} {
  const blocks = (length: number): number => Math.ceil(length / blockSide)
  return { rows: blocks(m), columns: blocks(n), depth: blocks(k) }
}

function refuse(field: string, rule: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { kind: 'inconsistent', field, rule } }
}

type FoundOperand =
  | { readonly ok: true; readonly view: MatrixView }
  | { readonly ok: false; readonly rule: string }

/** Follows transposes back to the input that they look at. */
function operandOf(
  program: Program,
  values: readonly Value[],
  name: 'a' | 'b',
  matmul: NodeFor<'matmul'>,
): FoundOperand {
  const { inputs, constants, nodes } = program
  let index = matmul[name]
  let isTransposed = false
  for (;;) {
    const type = inputs[index]
    if (type !== undefined) {
      if (type.dtype !== 'i8')
        return { ok: false, rule: `is ${describeType(type)}; a proof is about operands of i8` }
      const [rowStride = 0, columnStride = 0] = stridesOf(type.shape)
      const offset = inputs.slice(0, index).reduce((sum, before) => sum + byteLengthOf(before), 0)
      const view = { offset, rowStride, columnStride }
      return { ok: true, view: isTransposed ? transposed(view) : view }
    }
    const node = nodes[index - inputs.length - constants.length]
    if (node?.op !== 'transpose') {
      const what = node === undefined ? 'a constant' : `what ${node.op} makes`
      return { ok: false, rule: `is ${what}; a proof is about operands that are inputs, transposed or not` }
    }
    if ((values[index] as Value).shape.length !== 2)
      return { ok: false, rule: 'has more than two dimensions' }
    if (node.permutation[0] === 1) isTransposed = !isTransposed
    index = node.x
  }
}

function transposed({ offset, rowStride, columnStride }: MatrixView): MatrixView {
  return { offset, rowStride: columnStride, columnStride: rowStride }
}
