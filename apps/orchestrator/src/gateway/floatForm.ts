/**
 * The one form in which floats are returned (spec H34). An honest worker's executor brings every output into it before hashing;
 * an output in another form is a slip of its own making and is tried again, held against nobody. Exact outputs are not looked at.
 */
import type { Task } from '@shardy/dispatch'
import type { ProgramId } from '@shardy/protocol'
import { findNonCanonical, parseShaderTask, type ShaderTask } from '@shardy/shader'

type FloatSpec = Pick<Task['spec'], 'kind' | 'program' | 'programId' | 'exact' | 'outputLength'>

/** What is wrong with an output of the right length, in words; undefined when it is in the one form. */
export type FloatFlaw = (spec: FloatSpec, output: Uint8Array) => string | undefined

/** Reading a shader costs more than looking through a small output, so the last ones read are kept. */
const keptShadersMax = 256

export function createFloatFlaw(): FloatFlaw {
  const shaders = new Map<ProgramId, ShaderTask>()

  function shaderOf({ program, programId }: FloatSpec): ShaderTask {
    const known = shaders.get(programId)
    if (known !== undefined) return known
    const parsed = parseShaderTask(program)
    if (!parsed.ok) throw new Error(`a task holds a broken shader: ${parsed.refusal.kind}`)
    if (shaders.size >= keptShadersMax) shaders.clear()
    shaders.set(programId, parsed.value)
    return parsed.value
  }

  return (spec, output) => {
    if (spec.exact || spec.kind !== 'shader') return undefined
    const at = findNonCanonical(shaderOf(spec), output)
    return at === undefined ? undefined : `the NaN at byte ${at} of the output is not 0x7fc00000`
  }
}
