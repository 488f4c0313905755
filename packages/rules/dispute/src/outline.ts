/**
 * What a dispute needs to know of a program: which values each node takes and how many bytes it gives. Values are
 * numbered as in the program itself: inputs, then constants, then nodes. Whoever knows the language makes the outline
 * from the program's bytes; it says nothing that the bytes do not.
 */
import type { Digest } from '@shardy/protocol'

export interface NodeOutline {
  /** Values before this node's own. */
  readonly operands: readonly number[]
  readonly byteLength: number
}

export interface ProgramOutline {
  readonly inputCount: number
  /** The digest of each constant that is a blob; undefined where the program holds the bytes itself. */
  readonly constants: readonly (Digest | undefined)[]
  readonly nodes: readonly NodeOutline[]
  /** Values; the output's bytes are theirs, one after the other. */
  readonly outputs: readonly number[]
}

/** Undefined when the bytes are no program. */
export type Outline = (program: Uint8Array) => ProgramOutline | undefined

/** At most so many different nodes are the operands of one node, or the outputs of a program. */
export const shownMax = 64

/** What the bytes of a node, or of the output, follow from. */
export interface Dependencies {
  readonly takesInput: boolean
  readonly constants: readonly Digest[]
  /** Ascending, each once. */
  readonly nodes: readonly number[]
}

/** Of a node, or with `undefined` of the output. */
export function dependenciesOf(outline: ProgramOutline, node: number | undefined): Dependencies {
  const { inputCount, constants, nodes, outputs } = outline
  const values = node === undefined ? outputs : nodes[node]?.operands
  if (values === undefined) throw new RangeError(`the program has no node ${node}`)
  const nodesFrom = inputCount + constants.length
  const end = nodesFrom + (node ?? nodes.length)
  const beyond = values.find((value) => !Number.isSafeInteger(value) || value < 0 || value >= end)
  if (beyond !== undefined) throw new RangeError(`value ${beyond} does not come before node ${node}`)
  const taken = [...new Set(values.filter((value) => value >= nodesFrom))].map((value) => value - nodesFrom)
  if (taken.length > shownMax)
    throw new RangeError(`${taken.length} nodes are taken, allowed are ${shownMax}`)
  return {
    takesInput: values.some((value) => value < inputCount),
    constants: [...new Set(values.flatMap((value) => constants[value - inputCount] ?? []))],
    nodes: taken.sort((one, other) => one - other),
  }
}
