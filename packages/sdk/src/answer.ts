/**
 * Checks an answer that was fixed before this begins (docs/spec/checks.md): its digest is signed, or its bytes are here. Products
 * whose sums are at hand are compared by random projections, far cheaper than computing them; everything else is computed again.
 * An answer is called wrong only when doing the work again gives another one: what a stranger can repeat.
 */
import type { Work } from '@shardy/compute/work'
import { type Digest, encodeHex } from '@shardy/protocol'
import { complexity, noBlobs, type Program } from '@shardy/tensor'
import {
  type CheckPlan,
  type CheckTools,
  check,
  describeFault,
  type Policy,
  type Projections,
  planCheck,
  policies,
} from '@shardy/tensor/check'
import { interpretedWorkMax, type Reexecuted, type Reexecution, reexecute } from './reexecution.ts'

export interface AnswerCheck extends Reexecution {
  readonly output: Uint8Array
  /** What came with the answer: the parts that the interactive check needs (C1). Without them everything is computed again. */
  readonly transcript?: readonly Uint8Array[] | undefined
  /** Secret projections of the program's weights (C15): whoever keeps them drops them after every verdict but `right`. */
  readonly projections?: Projections | undefined
}

/** An answer of which only the digest is known. */
export interface DigestCheck extends Reexecution {
  readonly outputDigest: Digest
}

export interface AnswerCheckAdapters {
  readonly tools: CheckTools
  /** So many bytes that nobody could guess before the output was fixed. */
  readonly random: (length: number) => Uint8Array
}

export type AnswerVerdict =
  /** By projection: but for a chance below 2^-61. By recomputation: for certain. */
  | { readonly kind: 'right'; readonly by: 'projection' | 'recomputation' }
  | {
      readonly kind: 'wrong'
      readonly reason: string
      /** Of what doing it again gave; undefined where that ends without an output. */
      readonly rightDigest: Digest | undefined
    }
  /** Nothing can be said here, for or against it. */
  | { readonly kind: 'unknown'; readonly reason: string }

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
  const { work, output, transcript = [] } = asked
  const fault = work.kind === 'program' ? project(work.program, asked, adapters) : 'notProjected'
  if (fault === 'none') return { kind: 'right', by: 'projection' }
  const { tools } = adapters
  const again = reexecute(asked, tools.compute)
  const isRefused = fault !== 'notProjected'
  if (isRefused && again.kind === 'unknown') {
    return { kind: 'unknown', reason: `${fault}, but ${again.reason}` }
  }
  const at = again.kind === 'output' ? differenceOf(again.bytes, output) : 0
  if (at !== undefined)
    return wrongOrUnknown(again, isRefused ? fault : describeByte(again, output, at), tools)
  // A right output is accepted with the transcript that proves it, and with no other: the next check would rest on it.
  if (isRefused && transcript.length > 0) {
    return { kind: 'unknown', reason: `its transcript is wrong: ${fault}` }
  }
  return { kind: 'right', by: 'recomputation' }
}

/** For an answer whose bytes are not at hand: everything is done again, and the digests compared. */
export function checkDigest(
  asked: DigestCheck,
  { tools }: Pick<AnswerCheckAdapters, 'tools'>,
): AnswerVerdict {
  const again = reexecute(asked, tools.compute)
  const digest = again.kind === 'output' ? digestOf(again.bytes, tools) : undefined
  if (digest === asked.outputDigest) return { kind: 'right', by: 'recomputation' }
  return wrongOrUnknown(again, 'its digest is not that of the output when computed again', tools)
}

const digestOf = (bytes: Uint8Array, { sha256 }: CheckTools): Digest => encodeHex(sha256(bytes)) as Digest

function wrongOrUnknown(again: Reexecuted, reason: string, tools: CheckTools): AnswerVerdict {
  switch (again.kind) {
    case 'output':
      return { kind: 'wrong', reason, rightDigest: digestOf(again.bytes, tools) }
    case 'noOutput':
      return { kind: 'wrong', reason: again.reason, rightDigest: undefined }
    case 'unknown':
      return again
  }
}

/**
 * `none` when projections find the answer right, `notProjected` where there is nothing to project or the parts for it did not
 * come, and otherwise what they found.
 */
function project(
  program: Program,
  { input, output, blobs = noBlobs, transcript = [], projections }: AnswerCheck,
  { tools, random }: AnswerCheckAdapters,
): string {
  // At most this much, nothing is worth a projection under C4, unless weights are kept.
  if (projections === undefined && complexity(program) <= projectedWorkMin) return 'notProjected'
  const policy = policyFor(program, transcript.length, projections !== undefined)
  if (policy === undefined) return 'notProjected'
  const verdict = check(
    {
      program,
      input,
      blobs,
      policy,
      claim: { output, transcript },
      challenge: { kind: 'drawn', seed: random(32), after: 'arrival' },
      projections,
    },
    tools,
  )
  return verdict.ok ? 'none' : describeFault(verdict)
}

const projectedWorkMin = 2 ** 22

/**
 * The policy that the parts were made for: projections of the same program take more parts where weights are kept, so their
 * number tells. Undefined where nothing is projected.
 */
function policyFor(program: Program, parts: number, keepsWeights: boolean): Policy | undefined {
  const [interactive, kept] = plansOf(program)
  if (keepsWeights && kept.parts.length === parts && isProjected(kept)) return policies.fixedWeights
  return interactive.parts.length === parts && isProjected(interactive) ? policies.interactive : undefined
}

const isProjected = ({ treatments }: CheckPlan): boolean =>
  treatments.some(({ kind }) => kind === 'projected')

const plans = new WeakMap<Program, readonly [interactive: CheckPlan, kept: CheckPlan]>()

function plansOf(program: Program): readonly [interactive: CheckPlan, kept: CheckPlan] {
  const known = plans.get(program)
  if (known !== undefined) return known
  const made = [planCheck(program, policies.interactive), planCheck(program, policies.fixedWeights)] as const
  plans.set(program, made)
  return made
}

function describeByte(again: Reexecuted, output: Uint8Array, at: number): string {
  if (again.kind !== 'output') return again.reason
  if (again.bytes.length !== output.length) {
    return `it has ${output.length} bytes, not ${again.bytes.length}`
  }
  return `byte ${at} is ${output[at]}, and ${again.bytes[at]} when computed again`
}

/** The first byte where they differ; 0 where their lengths do. */
function differenceOf(computed: Uint8Array, claimed: Uint8Array): number | undefined {
  const { length } = computed
  if (claimed.length !== length) return 0
  // Words first, four bytes at a time, wherever they lie.
  const one = new DataView(computed.buffer, computed.byteOffset, length)
  const other = new DataView(claimed.buffer, claimed.byteOffset, length)
  const end = length - (length % 4)
  let at = 0
  while (at < end && one.getInt32(at) === other.getInt32(at)) at += 4
  for (; at < length; at++) if (computed[at] !== claimed[at]) return at
  return undefined
}
