/** Which checks are so small that they are made at once, and how many of them before the loop turns. */
import type { Work } from '@shardy/compute/work'
import { liteSteps } from '@shardy/lite'
import { inferProgram, operandsOf, type Program, type Value } from '@shardy/tensor'

/**
 * What a check costs the loop, in units of a nanosecond or few: a step that is done again byte by byte is one, a multiply-add of the
 * kernels a sixteenth, a node a thousand.
 */
export const momentCostMax = 2 ** 18
/** Of all checks of one turn: some milliseconds. */
export const turnCostMax = 2 ** 22
const nodeCost = 2 ** 10
const productsPerUnit = 16
const interpretedNodeCost = 64

export function costOf(work: Work): number {
  switch (work.kind) {
    case 'program':
      return programCost(work.program)
    case 'shader':
      return work.shader.work * interpretedNodeCost
    case 'lite':
    case 'superLite':
      return 2 * liteSteps(work.lite)
  }
}

function programCost(program: Program): number {
  const { values, work } = inferProgram(program)
  const first = program.inputs.length + program.constants.length
  let products = 0
  for (const [index, node] of program.nodes.entries()) {
    if (node.op !== 'matmul') continue
    const { shape } = values[operandsOf(node)[0] ?? 0] as Value
    products += sizeOfResult(values[first + index]) * (shape.at(-1) ?? 1)
  }
  // What is no product is counted whole, the entries that go in and out among it.
  const bytes = program.inputs.reduce(
    (sum, { shape }) => sum + shape.reduce((size, side) => size * side, 1),
    0,
  )
  return (
    Math.max(0, work - products) + products / productsPerUnit + program.nodes.length * nodeCost + bytes / 8
  )
}

const sizeOfResult = (value: Value | undefined): number =>
  value?.shape.reduce((size, side) => size * side, 1) ?? 0
