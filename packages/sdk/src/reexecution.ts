/**
 * What a piece of work gives when it is done again here, on one core: the one output that an exact program, an exact shader or
 * lite rounds can have. Whoever asks has compared input and blobs with their digests.
 */
import type { Work } from '@shardy/compute/work'
import { computeLite } from '@shardy/lite'
import { describeRefusal } from '@shardy/protocol'
import { interpret, type ShaderTask } from '@shardy/shader'
import {
  type Blobs,
  complexity,
  inferProgram,
  joinOutputs,
  noBlobs,
  operandsOf,
  type Program,
  readConstants,
  readInputs,
  type Tensor,
  tensorBytes,
  type Value,
} from '@shardy/tensor'
import type { ComputeNode } from '@shardy/tensor/check'

export type Reexecuted =
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  /** It ends without an output, so whatever is claimed to be one is none. */
  | { readonly kind: 'noOutput'; readonly reason: string }
  /** It is not done here; nothing is said about what it gives. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** What is computed again in one go at most: a minute or so. */
export const recomputedWorkMax = 2 ** 41
export const interpretedWorkMax = 2 ** 28

export interface Reexecution {
  readonly work: Work
  readonly input: Uint8Array
  readonly blobs?: Blobs | undefined
}

export function reexecute({ work, input, blobs = noBlobs }: Reexecution, compute: ComputeNode): Reexecuted {
  switch (work.kind) {
    case 'program': {
      const steps = complexity(work.program)
      if (steps <= recomputedWorkMax) {
        return computeProgram(work.program, input, blobs, compute)
      }
      return { kind: 'unknown', reason: `${steps} multiply-adds are too many to do again here` }
    }
    case 'shader':
      return interpretShader(work.shader, input)
    case 'lite':
    case 'superLite':
      return { kind: 'output', bytes: computeLite(work.lite, input) }
  }
}

/** What a program may hold to its end; of larger ones, a value is let go behind the last node that takes it. */
const heldBytesMax = 2 ** 26

function computeProgram(program: Program, input: Uint8Array, blobs: Blobs, compute: ComputeNode): Reexecuted {
  const { values, memoryBytes } = inferProgram(program)
  const inputs = readInputs(program, input)
  if (!inputs.ok) return { kind: 'unknown', reason: describeRefusal(inputs.refusal) }
  const constants = readConstants(program, blobs)
  if (!constants.ok) return { kind: 'unknown', reason: describeRefusal(constants.refusal) }
  const tensors: (Tensor | undefined)[] = [...inputs.value, ...constants.value]
  const first = tensors.length
  const lastTaken = memoryBytes > heldBytesMax ? lastTakers(program) : undefined
  for (const [index, node] of program.nodes.entries()) {
    const taken = operandsOf(node)
    const operands = taken.map((operand) => tensors[operand] as Tensor)
    tensors.push(compute(program, index, operands, values[first + index] as Value))
    if (lastTaken === undefined) continue
    for (const operand of taken) if (lastTaken[operand] === index) tensors[operand] = undefined
  }
  const [only] = program.outputs
  const single = program.outputs.length === 1 && only !== undefined ? tensors[only] : undefined
  return { kind: 'output', bytes: single ? tensorBytes(single) : joinOutputs(program, tensors) }
}

/** The last node that takes each value; outputs are taken behind all of them. */
function lastTakers(program: Program): readonly number[] {
  const last: number[] = []
  for (const [index, node] of program.nodes.entries())
    for (const operand of operandsOf(node)) last[operand] = index
  for (const output of program.outputs) last[output] = program.nodes.length
  return last
}

/** Of shaders that are not exact there is no output that must be theirs. */
function interpretShader(shader: ShaderTask, input: Uint8Array): Reexecuted {
  if (shader.exactness.exactness !== 'exact') {
    return { kind: 'unknown', reason: 'the shader is not exact, so no answer must be its only one' }
  }
  if (shader.work > interpretedWorkMax) {
    const reason = `the shader may execute ${shader.work} nodes, too many to interpret here`
    return { kind: 'unknown', reason }
  }
  const interpreted = interpret(shader, input)
  if (interpreted.kind !== 'outOfFuel') return { kind: 'output', bytes: interpreted.bytes }
  const reason = `invocation ${interpreted.invocation} spends its fuel: there is no output`
  return { kind: 'noOutput', reason }
}
