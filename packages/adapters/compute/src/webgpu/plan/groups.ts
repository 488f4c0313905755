/**
 * Which nodes run together: a product or a pointwise operation, and the pointwise ones after it whose operand nobody else
 * wants. What lies between them is never written to memory. Nodes that no wanted value needs are in no group.
 */
import { type Node, operandsOf, type Program } from '@shardy/tensor'
import { isPointwise } from '../kernels/pointwise.ts'

export interface Group {
  /** Nodes of the program by index, each the operand of the next. */
  readonly nodes: readonly number[]
}

/** How large a group's kernel would be, for the device to say whether it binds that much. */
export type Fits = (nodes: readonly number[]) => boolean

const chainMax = 8

function canLead(node: Node | undefined): boolean {
  return node !== undefined && (node.op === 'matmul' || node.op === 'conv2d' || isPointwise(node))
}

/** How often each value is used by nodes that matter, being wanted counted in: who is used once is used by one node. */
function usesOf({ inputs, constants, nodes }: Program, wanted: ReadonlySet<number>): readonly number[] {
  const first = inputs.length + constants.length
  const uses = new Array<number>(first + nodes.length).fill(0)
  for (const value of wanted) uses[value] = 1
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (uses[first + index] === 0) continue
    for (const operand of operandsOf(node)) uses[operand] = (uses[operand] ?? 0) + 1
  }
  return uses
}

/** The groups, each at the place of its last node: everything that it reads was made before. */
export function groupNodes(program: Program, wanted: ReadonlySet<number>, fits: Fits): readonly Group[] {
  const { inputs, constants, nodes } = program
  const first = inputs.length + constants.length
  const uses = usesOf(program, wanted)
  /** Groups by the value that they end with; a map keeps the order in which its keys came. */
  const groups = new Map<number, readonly number[]>()
  for (const [index, node] of nodes.entries()) {
    if (uses[first + index] === 0) continue
    const [x = -1] = operandsOf(node)
    const before = groups.get(x)
    const joins =
      before !== undefined &&
      isPointwise(node) &&
      canLead(nodes[before[0] ?? -1]) &&
      uses[x] === 1 &&
      before.length < chainMax &&
      fits([...before, index])
    if (joins) groups.delete(x)
    groups.set(first + index, joins ? [...before, index] : [index])
  }
  return [...groups.values()].map((members) => ({ nodes: members }))
}
