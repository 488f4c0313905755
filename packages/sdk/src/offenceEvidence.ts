/**
 * The evidence of a wrong result (docs/spec/trust.md, A14, A15): what the orchestrator signed when it gave the work out, what the
 * worker signed when it answered, and what the work gives when it is done again. Nobody's word is taken: the signatures are verified
 * and the work is done again here. One evidence has one form, so that its digest names it.
 */
import { decodeWork, factsOf, type Work } from '@shardy/compute/work'
import { trust } from '@shardy/dispatch'
import {
  attestation,
  attestedPayload,
  blob,
  type Decoded,
  type DeliveryId,
  type Digest,
  encodeHex,
  field,
  type Infer,
  inlinePayloadBytesMax,
  message,
  type OrchestratorId,
  optional,
  type ProgramId,
  type PublicKey,
  payloadBytesMax,
  programBytesMax,
  programIdOf,
  publicKey,
  type Sha256,
  type Signature,
  statement,
  type TaskId,
  values,
  type WorkerId,
  whole,
} from '@shardy/protocol'
import type { Blobs } from '@shardy/tensor'
import type { CheckTools } from '@shardy/tensor/check'
import { reexecute } from './reexecution.ts'

const signedStatement = message('SignedStatement', {
  statement: field(1, statement.codec),
  attestation: field(2, attestation.codec),
  publicKey: field(3, publicKey()),
})
export type SignedStatement = Infer<typeof signedStatement>

const definition = message(
  'OffenceEvidence',
  {
    kind: field(1, values.taskKind),
    program: field(2, blob(programBytesMax)),
    /** The orchestrator's: this worker was given this work. */
    delivery: field(3, signedStatement.codec),
    /** The worker's: this was its answer, by the digest that is wrong. */
    result: field(4, signedStatement.codec),
    inputLength: field(5, whole(0, payloadBytesMax)),
    /** Where it is small; a larger one is found by the digest in the statements. */
    input: field(6, blob(inlinePayloadBytesMax)),
    /** Of the right output; absent where the work ends without one. */
    rightDigest: field(7, optional(values.digest)),
  },
  ({ inputLength, input }) =>
    input.length === 0 || input.length === inputLength
      ? undefined
      : { field: 'input', rule: 'the input is there as a whole, or not at all' },
)
export type CanonicalOffenceEvidence = Infer<typeof definition>

/** A program, an input that goes with it, and room for two statements with paths as long as a batch's can be. */
export const offenceEvidenceBytesMax = programBytesMax + inlinePayloadBytesMax + 4 * 1024

export function encodeOffenceEvidence(evidence: CanonicalOffenceEvidence): Uint8Array {
  return definition.encode(evidence)
}

export function decodeOffenceEvidence(bytes: Uint8Array): Decoded<CanonicalOffenceEvidence> {
  return definition.decode(bytes)
}

export interface OffenceEvidenceCheck {
  readonly sha256: Sha256
  readonly verify: (
    publicKey: PublicKey,
    payload: Uint8Array,
    signature: Signature,
  ) => boolean | Promise<boolean>
  /** What the work is done again with. */
  readonly tools: Pick<CheckTools, 'compute'>
  /** Whose delivery it must be. Without it anyone's key will do, the accuser's own included. */
  readonly orchestratorId?: OrchestratorId | undefined
  /** Where the evidence only names it. Compared with its digest here, as blobs are. */
  readonly input?: Uint8Array | undefined
  readonly blobs?: Blobs | undefined
}

export interface OffenceEvidenceFacts {
  readonly workerId: WorkerId
  readonly orchestratorId: OrchestratorId
  readonly taskId: TaskId
  readonly deliveryId: DeliveryId
  readonly programId: ProgramId
  readonly wrongDigest: Digest
  readonly rightDigest: Digest | undefined
}

export type OffenceEvidenceProblem =
  | { readonly kind: 'otherProgram'; readonly expected: ProgramId; readonly actual: ProgramId }
  | { readonly kind: 'unreadableProgram'; readonly reason: string }
  | { readonly kind: 'otherOrchestrator'; readonly expected: OrchestratorId; readonly actual: OrchestratorId }
  /** The key is not the one that the worker is named by. */
  | { readonly kind: 'otherWorkerKey'; readonly expected: WorkerId; readonly actual: WorkerId }
  | { readonly kind: 'badDeliverySignature'; readonly orchestratorId: OrchestratorId }
  | { readonly kind: 'badResultSignature'; readonly workerId: WorkerId }
  /** The statements do not belong together, or show nothing that is wrong (A15). */
  | { readonly kind: 'noOffence'; readonly fault: trust.OffenceFault }
  | { readonly kind: 'inputMissing'; readonly digest: Digest }
  | { readonly kind: 'otherInput'; readonly expected: Digest; readonly actual: Digest }
  | { readonly kind: 'wrongInputLength'; readonly expected: number; readonly actual: number }
  | { readonly kind: 'blobsMissing'; readonly digests: readonly Digest[] }
  | { readonly kind: 'otherBlob'; readonly expected: Digest; readonly actual: Digest }
  /** Nothing is shown either way. */
  | { readonly kind: 'notExecuted'; readonly reason: string }
  | {
      readonly kind: 'otherRightDigest'
      readonly expected: Digest | undefined
      readonly actual: Digest | undefined
    }

export type CheckedOffenceEvidence =
  | { readonly ok: true; readonly facts: OffenceEvidenceFacts }
  | { readonly ok: false; readonly problem: OffenceEvidenceProblem }

/** The first problem of several; the cheap ones are looked for first. */
export async function checkOffenceEvidence(
  evidence: CanonicalOffenceEvidence,
  check: OffenceEvidenceCheck,
): Promise<CheckedOffenceEvidence> {
  const refused = (problem: OffenceEvidenceProblem): CheckedOffenceEvidence => ({ ok: false, problem })
  const { sha256, verify, tools, orchestratorId: pinned } = check
  const { kind, program, delivery, result } = evidence
  const given = result.statement
  const programId = programIdOf(kind, program, sha256)
  if (given.programId !== programId) {
    return refused({ kind: 'otherProgram', expected: given.programId, actual: programId })
  }
  const decoded = decodeWork(kind, program)
  if (!decoded.ok) return refused({ kind: 'unreadableProgram', reason: decoded.reason })
  const { work } = decoded

  const orchestratorId = encodeHex(sha256(delivery.publicKey)) as OrchestratorId
  if (pinned !== undefined && pinned !== orchestratorId) {
    return refused({ kind: 'otherOrchestrator', expected: pinned, actual: orchestratorId })
  }
  const workerId = encodeHex(sha256(result.publicKey)) as WorkerId
  if (given.workerId !== workerId) {
    return refused({ kind: 'otherWorkerKey', expected: given.workerId, actual: workerId })
  }
  const fault = faultOf(evidence, work, evidence.rightDigest)
  if (fault !== undefined) return refused({ kind: 'noOffence', fault })
  const isSigned = async ({ statement: said, attestation: by, publicKey: key }: SignedStatement) => {
    const payload = attestedPayload(said, by, sha256)
    return payload !== undefined && (await verify(key, payload, by.signature))
  }
  if (!(await isSigned(delivery))) return refused({ kind: 'badDeliverySignature', orchestratorId })
  if (!(await isSigned(result))) return refused({ kind: 'badResultSignature', workerId })

  const input = inputOf(evidence, work, check)
  if (!(input instanceof Uint8Array)) return refused(input)
  const blobs = blobsOf(work, check)
  if ('kind' in blobs) return refused(blobs)
  const again = reexecute({ work, input, blobs }, tools.compute)
  if (again.kind === 'unknown') return refused({ kind: 'notExecuted', reason: again.reason })
  const rightDigest = again.kind === 'output' ? (encodeHex(sha256(again.bytes)) as Digest) : undefined
  // First of all whether the accused was right after all.
  const found = faultOf(evidence, work, rightDigest)
  if (found !== undefined) return refused({ kind: 'noOffence', fault: found })
  if (rightDigest !== evidence.rightDigest) {
    return refused({ kind: 'otherRightDigest', expected: rightDigest, actual: evidence.rightDigest })
  }
  const { taskId, deliveryId, outputDigest } = given
  if (outputDigest === undefined) throw new Error('a result names its output')
  const wrongDigest = outputDigest
  return {
    ok: true,
    facts: { workerId, orchestratorId, taskId, deliveryId, programId, wrongDigest, rightDigest },
  }
}

function faultOf(
  { delivery, result }: CanonicalOffenceEvidence,
  work: Work,
  outputDigest: Digest | undefined,
): trust.OffenceFault | undefined {
  const isExact = work.kind !== 'shader' || work.shader.exactness.exactness === 'exact'
  const { programId, seed, inputDigest } = result.statement
  const reexecution = {
    arithmetic: isExact ? 'exact' : 'float',
    programId,
    seed,
    inputDigest,
    outputDigest,
  } as const
  return trust.offenceFault({ kind: 'wrongResult', delivery, result, reexecution })
}

function inputOf(
  evidence: CanonicalOffenceEvidence,
  work: Work,
  { sha256, input: brought }: OffenceEvidenceCheck,
): Uint8Array | OffenceEvidenceProblem {
  const { inputDigest } = evidence.result.statement
  const { inputLength } = factsOf(work)
  if (evidence.inputLength !== inputLength) {
    return { kind: 'wrongInputLength', expected: inputLength, actual: evidence.inputLength }
  }
  const input = evidence.input.length === inputLength ? evidence.input : brought
  if (input === undefined) return { kind: 'inputMissing', digest: inputDigest }
  if (input.length !== inputLength) {
    return { kind: 'wrongInputLength', expected: inputLength, actual: input.length }
  }
  const actual = encodeHex(sha256(input)) as Digest
  return actual === inputDigest ? input : { kind: 'otherInput', expected: inputDigest, actual }
}

function blobsOf(work: Work, { sha256, blobs }: OffenceEvidenceCheck): Blobs | OffenceEvidenceProblem {
  const found = new Map<Digest, Uint8Array>()
  const missing: Digest[] = []
  for (const expected of factsOf(work).constants) {
    const bytes = blobs?.get(expected)
    if (bytes === undefined) {
      missing.push(expected)
      continue
    }
    const actual = encodeHex(sha256(bytes)) as Digest
    if (actual !== expected) return { kind: 'otherBlob', expected, actual }
    found.set(expected, bytes)
  }
  return missing.length === 0 ? found : { kind: 'blobsMissing', digests: missing }
}

/** For a person. */
export function describeOffenceEvidenceProblem(problem: OffenceEvidenceProblem): string {
  switch (problem.kind) {
    case 'otherProgram':
      return `the program is ${problem.actual}, and the statements are about ${problem.expected}`
    case 'unreadableProgram':
      return `the program cannot be read: ${problem.reason}`
    case 'otherOrchestrator':
      return `the delivery is orchestrator ${problem.actual}'s, not ${problem.expected}'s`
    case 'otherWorkerKey':
      return `the key is worker ${problem.actual}'s, and the result is worker ${problem.expected}'s`
    case 'badDeliverySignature':
      return `orchestrator ${problem.orchestratorId} has not signed this delivery`
    case 'badResultSignature':
      return `worker ${problem.workerId} has not signed this result`
    case 'noOffence':
      return `it shows no wrong result: ${problem.fault}`
    case 'inputMissing':
      return `the input is not part of it; bring the bytes of ${problem.digest}`
    case 'otherInput':
      return `the input is ${problem.actual}, and the statements are about ${problem.expected}`
    case 'wrongInputLength':
      return `the input has ${problem.actual} bytes, and the program takes ${problem.expected}`
    case 'blobsMissing':
      return `bring the bytes of ${problem.digests.join(', ')}`
    case 'otherBlob':
      return `the bytes that were brought for ${problem.expected} are ${problem.actual}`
    case 'notExecuted':
      return `the work cannot be done again here: ${problem.reason}`
    case 'otherRightDigest':
      return `the work gives ${problem.expected ?? 'no output'}, and the evidence says ${problem.actual ?? 'none'}`
  }
}
