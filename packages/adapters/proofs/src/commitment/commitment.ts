/**
 * Poseidon commitments to a block's operands and sums (spec E11 to E13), as `task-proof-v3` opens them. They bind and hide
 * nothing: who knows the entries can make them again, which is how an orchestrator checks them.
 */
import { encodeFieldElement } from '@shardy/protocol'
import type { Instance } from '../field/instance.ts'

/** Entries of a block's operand and of a tile of sums: 16 × 16, row by row. */
export const blockEntries = 256

export type Operand = 'a' | 'b'

export interface Commitments {
  /** 256 entries of int8. */
  commitOperand(block: Int8Array, operand: Operand): bigint
  /** 256 entries of int32: what stands in an output's tile, or the sums on the way there. */
  commitSums(tile: Int32Array): bigint
  /** circomlib's Poseidon of 16 elements. */
  poseidon16(inputs: readonly bigint[]): bigint
}

/** Which list a commitment is of; 31 entries of one byte, or 7 of four, make a word. */
const forms = {
  a: { tag: 1, width: 1, wordBytes: 31 },
  b: { tag: 2, width: 1, wordBytes: 31 },
  sums: { tag: 3, width: 4, wordBytes: 28 },
} as const

export function createCommitments({ run, bytes, at, element }: Instance): Commitments {
  let isPrepared = false

  /** Drawing the parameters takes some fifty milliseconds, so it waits until somebody commits. */
  function parameters(): number {
    if (!isPrepared) run.prepare(at.parameters, at.stage)
    isPrepared = true
    return at.parameters
  }

  function commit(entries: Int8Array | Int32Array, form: keyof typeof forms): bigint {
    if (entries.length !== blockEntries)
      throw new RangeError(`a block has ${blockEntries} entries, not ${entries.length}`)
    const { tag, width, wordBytes } = forms[form]
    const from = parameters()
    bytes.set(new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength), at.stage)
    run.commit(from, at.stage, entries.byteLength, width, wordBytes, tag, at.out)
    return element()
  }

  return {
    commitOperand: (block, operand) => commit(block, operand),
    commitSums: (tile) => commit(tile, 'sums'),
    poseidon16(inputs) {
      if (inputs.length !== 16) throw new RangeError(`16 elements are hashed, not ${inputs.length}`)
      const from = parameters()
      inputs.forEach((input, index) => {
        bytes.set(encodeFieldElement(input), at.stage + 32 * index)
      })
      run.poseidon(from, at.stage, at.out)
      return element()
    },
  }
}
