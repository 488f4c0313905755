/**
 * Input and constants of a program, looked at before a task is accepted: every blob must be here with the right length,
 * and entries must keep to the ranges that the program declares, or every worker would refuse the task alone.
 */
import { ApiError } from '@shardy/api'
import type { Work } from '@shardy/compute/work'
import { type Digest, describeRefusal } from '@shardy/protocol'
import { refusePayload } from '@shardy/shader'
import {
  byteLengthOf,
  dtypeFacts,
  entryOutside,
  type Program,
  readInputs,
  type TensorType,
} from '@shardy/tensor'
import type { BlobKeeper } from '../blobs/keeper.ts'

function isNarrowed({ dtype, min, max }: TensorType): boolean {
  const facts = dtypeFacts[dtype]
  return min > facts.min || max < facts.max
}

/** Whether anything has to be looked for in the input besides its length. */
export function entriesAreBounded(work: Work): boolean {
  return work.kind === 'shader' || (work.kind === 'program' && work.program.inputs.some(isNarrowed))
}

export async function refuseInputEntries(work: Work, read: () => Promise<Uint8Array>): Promise<void> {
  if (entriesAreBounded(work)) refuseEntries(work, await read())
}

export function refuseEntries(work: Work, input: Uint8Array): void {
  if (work.kind === 'shader') {
    const refusal = refusePayload(work.shader, input)
    if (refusal === undefined) return
    throw new ApiError('invalidField', { detail: describeRefusal(refusal), field: 'input' })
  }
  if (work.kind !== 'program') return
  const inputs = readInputs(work.program, input)
  if (inputs.ok) return
  throw new ApiError('invalidField', { detail: describeRefusal(inputs.refusal), field: 'input' })
}

/** Called while the constants are pinned, so that they stay. */
export async function refuseConstants(program: Program, keeper: BlobKeeper): Promise<void> {
  for (const [index, { type, digest }] of program.constants.entries()) {
    if (digest === undefined) continue
    const field = `program.constants[${index}]`
    const length = await keeper.length(digest)
    if (length === undefined) {
      throw new ApiError('constantMissing', {
        detail: `blob ${digest}, which the program names, is not here; PUT /v1/blobs/${digest} first`,
        field,
        value: digest,
      })
    }
    const expected = byteLengthOf(type)
    if (length !== expected) {
      throw new ApiError('invalidField', {
        detail: `blob ${digest} has ${length} bytes, the program's constant has ${expected}`,
        field,
        value: `${length} bytes`,
        bound: `${expected} bytes`,
      })
    }
    const outside = isNarrowed(type) ? entryOutside(type, await keeper.bytes(digest)) : undefined
    if (outside !== undefined) {
      const bound = `${type.min} to ${type.max}`
      throw new ApiError('invalidField', {
        detail: `entry ${outside} of blob ${digest} is outside the ${bound} that the program declares`,
        field,
        bound,
      })
    }
  }
}

/** Keeps several blobs from being collected while `act` runs. */
export function pinnedAll<T>(
  keeper: Pick<BlobKeeper, 'pinned'>,
  [digest, ...rest]: readonly Digest[],
  act: () => Promise<T>,
): Promise<T> {
  if (digest === undefined) return act()
  return keeper.pinned(digest, () => pinnedAll(keeper, rest, act))
}
