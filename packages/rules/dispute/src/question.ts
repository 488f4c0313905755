/** What anyone can execute to decide a dispute (spec B14): one node, or putting the output together, from blobs. */
import type { Digest, ProgramId, TraceLeaf } from '@shardy/protocol'
import type { Evidence } from './evidence.ts'
import { dependenciesOf, type ProgramOutline } from './outline.ts'
import { disputedBy } from './party.ts'

export interface Question {
  readonly program: Uint8Array
  readonly programId: ProgramId
  readonly seed: bigint
  /** The task's input: all inputs of the program, one after the other. */
  readonly inputDigest: Digest
  /** Undefined: put the output together. */
  readonly node: number | undefined
  /** The nodes' values to start from. Inputs and constants come from the task and the program. */
  readonly values: readonly TraceLeaf[]
  /** All that has to be at hand. */
  readonly blobs: readonly Digest[]
}

export function questionOf(
  { program, a, node, shown }: Pick<Evidence, 'program' | 'a' | 'node' | 'shown'>,
  outline: ProgramOutline,
): Question {
  const { programId, seed, inputDigest } = disputedBy(a)
  const { takesInput, constants } = dependenciesOf(outline, node)
  const values = shown.map(({ leaf }) => leaf)
  const blobs = [...(takesInput ? [inputDigest] : []), ...constants, ...values.map(({ digest }) => digest)]
  return { program, programId, seed, inputDigest, node, values, blobs: [...new Set(blobs)] }
}

/** The answer where nothing has to be executed: the output is the bytes of one node. */
export function knownAnswer({ node, values }: Question, { outputs }: ProgramOutline): Digest | undefined {
  const [only] = values
  return node === undefined && outputs.length === 1 ? only?.digest : undefined
}
