/**
 * Checks an answer without computing it anew (docs/spec/checks.md): products are compared by random projections, which cost
 * a small part of computing them. What is accepted is wrong with a probability below 2^-61; what is refused is wrong.
 */
import type { Work } from '@shardy/compute/work'
import { type Digest, encodeHex } from '@shardy/protocol'
import { interpret, type ShaderTask } from '@shardy/shader'
import { type Blobs, noBlobs } from '@shardy/tensor'
import { type CheckTools, check, describeFault, planCheck, policies } from '@shardy/tensor/check'

export interface AnswerCheck {
  readonly work: Work
  readonly input: Uint8Array
  readonly output: Uint8Array
  readonly blobs?: Blobs | undefined
}

export interface AnswerCheckAdapters {
  readonly tools: CheckTools
  /** So many bytes that nobody could guess before the output was fixed. */
  readonly random: (length: number) => Uint8Array
}

/**
 * What is wrong with the answer, or nothing. The output must have been fixed before this is called: its bytes are here, or
 * its digest is signed. Products whose sums are not part of the output are computed again, since a receipt has no transcript.
 */
export function checkAnswer(
  { work, input, output, blobs = noBlobs }: AnswerCheck,
  { tools, random }: AnswerCheckAdapters,
): string | undefined {
  if (work.kind === 'shader') return checkShader(work.shader, input, output)
  const { program } = work
  const hasSums = planCheck(program, policies.interactive).parts.length === 0
  const verdict = check(
    {
      program,
      input,
      blobs,
      policy: hasSums ? policies.interactive : policies.recompute,
      claim: { output, transcript: [] },
      commitment: { outputDigest: encodeHex(tools.sha256(output)) as Digest, transcriptRoot: undefined },
      challenge: hasSums ? { kind: 'drawn', seed: random(32) } : { kind: 'none' },
    },
    tools,
  )
  return verdict.ok ? undefined : describeFault(verdict)
}

/** Exact shaders are interpreted; of others there is no answer that must be theirs. */
function checkShader(shader: ShaderTask, input: Uint8Array, output: Uint8Array): string | undefined {
  if (shader.exactness.exactness !== 'exact')
    return 'it is of an inexact shader, of which nothing can be checked'
  const interpreted = interpret(shader, input)
  if (interpreted.kind === 'outOfFuel')
    return `invocation ${interpreted.invocation} spends its fuel: there is no output`
  const at = interpreted.bytes.findIndex((byte, index) => byte !== output[index])
  return at < 0 ? undefined : `byte ${at} is ${output[at]}, and ${interpreted.bytes[at]} when computed again`
}
