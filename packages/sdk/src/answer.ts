/**
 * Checks an answer without computing it anew (docs/spec/checks.md): products are compared by random projections, which cost
 * a small part of computing them. What is accepted is wrong with a probability below 2^-61; what is refused is wrong.
 */
import { type Digest, encodeHex } from '@shardy/protocol'
import { type Blobs, noBlobs, type Program } from '@shardy/tensor'
import { type CheckTools, check, describeFault, planCheck, policies } from '@shardy/tensor/check'

export interface AnswerCheck {
  readonly program: Program
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
  { program, input, output, blobs = noBlobs }: AnswerCheck,
  { tools, random }: AnswerCheckAdapters,
): string | undefined {
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
