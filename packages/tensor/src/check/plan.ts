/**
 * What is done with every node (spec C4, C5), as a function of program and policy alone: worker and checker find the same
 * answer without a word. Products that are worth it are projected, and need their sums in the claim; small ones are computed
 * again, and everything else is replayed.
 */

import { conv2dLayout } from '../operations/conv2d.ts'
import { operationOf } from '../operations/index.ts'
import { inferProgram } from '../program/inference.ts'
import type { Program } from '../program/program.ts'
import { byteLengthOf, sizeOf } from '../tensor.ts'
import type { Value } from '../value.ts'
import type { Policy } from './policy.ts'

/** Where the claimed sums of a projected node lie: a part of the transcript, or bytes of the output. */
export type Source =
  | { readonly kind: 'part'; readonly part: number }
  | { readonly kind: 'output'; readonly offset: number }

export type Treatment =
  | { readonly kind: 'projected'; readonly source: Source }
  | { readonly kind: 'recomputed' }
  | { readonly kind: 'replayed' }

export interface CheckPlan {
  /** One for each node. */
  readonly treatments: readonly Treatment[]
  /** The nodes whose sums make the transcript, in order. */
  readonly parts: readonly number[]
  /** The same as values of the program: what an executor has to keep. */
  readonly keep: readonly number[]
  readonly outputLength: number
  /** Where each value that is an output begins there. */
  readonly offsets: ReadonlyMap<number, number>
}

/** Entries that one projection of the node reads; undefined for operations that have none. */
export function projectionSteps(
  program: Program,
  index: number,
  weights: Policy['weights'],
): number | undefined {
  const { values } = inferProgram(program)
  const node = program.nodes[index]
  const valueAt = (at: number) => values[at] as Value
  const isKept = (at: number) =>
    weights === 'kept' && program.constants[at - program.inputs.length]?.digest !== undefined
  const result = valueAt(program.inputs.length + program.constants.length + index)
  if (node?.op === 'matmul') {
    const b = isKept(node.b) && valueAt(node.b).shape.length === 2 ? 0 : sizeOf(valueAt(node.b).shape)
    return sizeOf(valueAt(node.a).shape) + b + sizeOf(result.shape)
  }
  if (node?.op === 'conv2d') {
    const layout = conv2dLayout(valueAt(node.x), valueAt(node.w), node)
    const places = layout.images * layout.outHeight * layout.outWidth
    const patches = places * layout.windowH * layout.windowW * layout.channels
    return patches + (isKept(node.w) ? 0 : sizeOf(valueAt(node.w).shape)) + sizeOf(result.shape)
  }
  return undefined
}

export function planCheck(program: Program, policy: Policy): CheckPlan {
  const { values } = inferProgram(program)
  const first = program.inputs.length + program.constants.length
  const offsets = new Map<number, number>()
  let outputLength = 0
  for (const output of program.outputs) {
    offsets.set(output, outputLength)
    outputLength += byteLengthOf(values[output] as Value)
  }
  const parts: number[] = []
  const treatments = program.nodes.map((node, index): Treatment => {
    const steps = projectionSteps(program, index, policy.weights)
    if (steps === undefined) return { kind: 'replayed' }
    const operation = operationOf(node.op)
    const operands = operation.operandsOf(node).map((operand) => values[operand] as Value)
    const work = operation.work(node, operands, values[first + index] as Value)
    if (policy.repetitions === 0 || work <= policy.recomputeFactor * (policy.repetitions + 1) * steps) {
      return { kind: 'recomputed' }
    }
    const offset = offsets.get(first + index)
    if (offset !== undefined) return { kind: 'projected', source: { kind: 'output', offset } }
    parts.push(index)
    return { kind: 'projected', source: { kind: 'part', part: parts.length - 1 } }
  })
  return { treatments, parts, keep: parts.map((index) => first + index), outputLength, offsets }
}
