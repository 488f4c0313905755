/**
 * Checks an answer that was fixed before this begins (docs/spec/checks.md): its digest is signed, or its bytes are here. Products
 * whose sums are the output are compared by random projections, far cheaper than computing them; everything else is computed
 * again. What is found wrong is wrong for certain.
 */
import { factsOf, type Work } from '@shardy/compute/work'
import { computeLite } from '@shardy/lite'
import { type Digest, encodeHex } from '@shardy/protocol'
import { interpret, type ShaderTask } from '@shardy/shader'
import { type Blobs, noBlobs, type Program } from '@shardy/tensor'
import { type CheckTools, check, describeFault, planCheck, policies } from '@shardy/tensor/check'

export interface AnswerCheck {
  readonly work: Work
  readonly input: Uint8Array
  readonly output: Uint8Array
  readonly blobs?: Blobs | undefined
  /** What came with the answer: the parts that the interactive check needs (C1). Without them everything is computed again. */
  readonly transcript?: readonly Uint8Array[] | undefined
}

export interface AnswerCheckAdapters {
  readonly tools: CheckTools
  /** So many bytes that nobody could guess before the output was fixed. */
  readonly random: (length: number) => Uint8Array
}

export type AnswerVerdict =
  /** By projection: but for a chance below 2^-61. By recomputation: for certain. */
  | { readonly kind: 'right'; readonly by: 'projection' | 'recomputation' }
  | { readonly kind: 'wrong'; readonly reason: string }
  /** Nothing can be said here, for or against it. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** What is computed again in one go at most: a minute or so. */
const recomputedWorkMax = 2 ** 41
const interpretedWorkMax = 2 ** 28

/** Why no answer to it can be checked here, or undefined when it can: with a transcript, where the program calls for one. */
export function whyUncheckable(work: Work): string | undefined {
  switch (work.kind) {
    case 'program':
    case 'lite':
    case 'superLite':
      return undefined
    case 'shader':
      if (work.shader.exactness.exactness !== 'exact')
        return 'the shader is not exact, so no answer must be its only one'
      if (work.shader.work <= interpretedWorkMax) return undefined
      return `the shader may execute ${work.shader.work} nodes, and at most ${interpretedWorkMax} are interpreted here`
  }
}

export function checkAnswer(asked: AnswerCheck, adapters: AnswerCheckAdapters): AnswerVerdict {
  const { work, input, output } = asked
  const { outputLength } = factsOf(work)
  if (output.length !== outputLength) {
    return { kind: 'wrong', reason: `it has ${output.length} bytes, not ${outputLength}` }
  }
  switch (work.kind) {
    case 'program':
      return checkProgram(work.program, asked, adapters)
    case 'shader':
      return checkShader(work.shader, input, output)
    case 'lite':
    case 'superLite':
      return compare(computeLite(work.lite, input), output)
  }
}

function checkProgram(
  program: Program,
  { work, input, output, blobs = noBlobs, transcript = [] }: AnswerCheck,
  { tools, random }: AnswerCheckAdapters,
): AnswerVerdict {
  const hasSums = planCheck(program, policies.interactive).parts.length === transcript.length
  const { complexity } = factsOf(work)
  if (!hasSums && complexity > recomputedWorkMax) {
    const reason = `its sums are not part of the output, and ${complexity} multiply-adds are too many to do again here`
    return { kind: 'unknown', reason }
  }
  const verdict = check(
    {
      program,
      input,
      blobs,
      policy: hasSums ? policies.interactive : policies.recompute,
      claim: { output, transcript: hasSums ? transcript : [] },
      commitment: { outputDigest: encodeHex(tools.sha256(output)) as Digest, transcriptRoot: undefined },
      challenge: hasSums ? { kind: 'drawn', seed: random(32) } : { kind: 'none' },
    },
    tools,
  )
  if (!verdict.ok) return { kind: 'wrong', reason: describeFault(verdict) }
  return { kind: 'right', by: verdict.cost.projected > 0 ? 'projection' : 'recomputation' }
}

/** Exact shaders are interpreted; of others there is no answer that must be theirs. */
function checkShader(shader: ShaderTask, input: Uint8Array, output: Uint8Array): AnswerVerdict {
  if (shader.exactness.exactness !== 'exact') {
    return { kind: 'unknown', reason: 'the shader is not exact, so no answer must be its only one' }
  }
  if (shader.work > interpretedWorkMax) {
    return {
      kind: 'unknown',
      reason: `the shader may execute ${shader.work} nodes, too many to interpret here`,
    }
  }
  const interpreted = interpret(shader, input)
  if (interpreted.kind === 'outOfFuel') {
    return {
      kind: 'wrong',
      reason: `invocation ${interpreted.invocation} spends its fuel: there is no output`,
    }
  }
  return compare(interpreted.bytes, output)
}

function compare(computed: Uint8Array, output: Uint8Array): AnswerVerdict {
  const at = computed.findIndex((byte, index) => byte !== output[index])
  if (at < 0) return { kind: 'right', by: 'recomputation' }
  return { kind: 'wrong', reason: `byte ${at} is ${output[at]}, and ${computed[at]} when computed again` }
}
