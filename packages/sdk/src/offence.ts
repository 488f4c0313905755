/**
 * Checks the evidence against a worker on this machine (docs/spec/trust.md, A14–A16): the orchestrator signed which task it gave to
 * whom, the worker signed its answer, and running the program again gives another. Nobody's word is taken.
 */
import { decodeBase64, evidenceFromJson, type OffenceEvidence } from '@shardy/api'
import { decodeWork, factsOf, type Work } from '@shardy/compute/work'
import {
  type Attestation,
  attestedPayload,
  type Digest,
  deliveryStatement,
  encodeHex,
  isSignature,
  type OrchestratorId,
  type PublicKey,
  programIdOf,
  resultStatement,
  type Sha256,
  type Signature,
  type Statement,
  type WorkerId,
} from '@shardy/protocol'

export interface OffenceCheck {
  readonly sha256: Sha256
  readonly verify: (
    publicKey: PublicKey,
    payload: Uint8Array,
    signature: Signature,
  ) => boolean | Promise<boolean>
  /** Computes the work anew. Rejections of its own come through. */
  readonly recompute: (work: Work, input: Uint8Array) => Promise<Uint8Array>
  /** The input's bytes where they are not in the evidence; they are compared with its digest here. */
  readonly fetchInput?: ((digest: Digest) => Promise<Uint8Array>) | undefined
  /** Whose delivery it must be. Without it anyone's key will do. */
  readonly orchestratorId?: OrchestratorId | undefined
}

export interface OffenceFacts {
  readonly work: Work
  readonly workerId: WorkerId
  readonly orchestratorId: OrchestratorId
  readonly wrongDigest: Digest
  readonly rightDigest: Digest
  readonly isOrchestratorPinned: boolean
}

export type OffenceProblem =
  | { readonly kind: 'malformed'; readonly field: string; readonly reason: string }
  | { readonly kind: 'unreadableProgram'; readonly reason: string }
  | { readonly kind: 'wrongProgramId' | 'wrongInput'; readonly expected: string; readonly actual: string }
  | { readonly kind: 'wrongWorker' | 'wrongOrchestrator'; readonly expected: string; readonly actual: string }
  /** Devices may differ honestly in it, so another answer is no offence. */
  | { readonly kind: 'notExact' }
  | { readonly kind: 'badDelivery' | 'badAnswer' }
  /** It is what the program gives: nothing is proved against the worker. */
  | { readonly kind: 'rightAnswer'; readonly digest: string }
  /** The answer is wrong, but so is what the orchestrator says is right. */
  | { readonly kind: 'otherRightAnswer'; readonly expected: string; readonly actual: string }

export type CheckedOffence =
  | { readonly ok: true; readonly facts: OffenceFacts }
  | { readonly ok: false; readonly problem: OffenceProblem }

export function describeOffenceProblem(problem: OffenceProblem): string {
  switch (problem.kind) {
    case 'malformed':
      return `it is no evidence: ${problem.field}: ${problem.reason}`
    case 'unreadableProgram':
      return `the program cannot be read: ${problem.reason}`
    case 'wrongProgramId':
      return `the program's id is ${problem.actual}, but its bytes hash to ${problem.expected}`
    case 'wrongInput':
      return `the input should hash to ${problem.expected}, and hashes to ${problem.actual}`
    case 'wrongWorker':
      return `the worker's key hashes to ${problem.expected}, but worker ${problem.actual} is accused`
    case 'wrongOrchestrator':
      return `signed by orchestrator ${problem.actual}, expected ${problem.expected}`
    case 'notExact':
      return 'the shader is not exact: honest devices may differ in it, so another answer is no offence'
    case 'badDelivery':
      return 'the orchestrator did not sign that it gave this task to this worker'
    case 'badAnswer':
      return 'the worker did not sign this answer'
    case 'rightAnswer':
      return `computed again, the output hashes to ${problem.digest}, as the worker said: it did nothing wrong`
    case 'otherRightAnswer':
      return `computed again, the output hashes to ${problem.actual}; the orchestrator calls ${problem.expected} right, which it is not`
  }
}

export async function checkOffence(value: unknown, check: OffenceCheck): Promise<CheckedOffence> {
  const refuse = (problem: OffenceProblem): CheckedOffence => ({ ok: false, problem })
  const parsed = parse(value)
  if (!parsed.ok) return refuse({ kind: 'malformed', field: parsed.field, reason: parsed.reason })
  const { evidence, program, workerKey, orchestratorKey, input: given, delivery, answer } = parsed
  const { sha256, verify } = check
  const programId = programIdOf(evidence.kind, program, sha256)
  if (programId !== evidence.programId) {
    return refuse({ kind: 'wrongProgramId', expected: programId, actual: evidence.programId })
  }
  const decoded = decodeWork(evidence.kind, program)
  if (!decoded.ok) return refuse({ kind: 'unreadableProgram', reason: decoded.reason })
  const { work } = decoded
  if (work.kind === 'shader' && work.shader.exactness.exactness !== 'exact')
    return refuse({ kind: 'notExact' })
  const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest
  const workerId = digestOf(workerKey) as string as WorkerId
  if (workerId !== evidence.workerId) {
    return refuse({ kind: 'wrongWorker', expected: workerId, actual: evidence.workerId })
  }
  const orchestratorId = digestOf(orchestratorKey) as string as OrchestratorId
  if (check.orchestratorId !== undefined && check.orchestratorId !== orchestratorId) {
    return refuse({ kind: 'wrongOrchestrator', expected: check.orchestratorId, actual: orchestratorId })
  }
  const { taskId, deliveryId, deadlineMs, seed, traceRoot } = evidence
  const inputDigest = evidence.input.digest as Digest
  const wrongDigest = evidence.outputDigest as Digest
  const said = {
    taskId,
    deliveryId,
    seed: BigInt(seed),
    payloadDigest: inputDigest,
    deadlineMs,
  } as Parameters<typeof deliveryStatement>[0]
  const isSigned = async (
    key: PublicKey,
    statement: Statement,
    attestation: Attestation,
  ): Promise<boolean> => {
    const payload = attestedPayload(statement, attestation, sha256)
    return payload !== undefined && (await verify(key, payload, attestation.signature))
  }
  if (!(await isSigned(orchestratorKey, deliveryStatement(said, programId, workerId), delivery))) {
    return refuse({ kind: 'badDelivery' })
  }
  const result = { outputDigest: wrongDigest, traceRoot: traceRoot as Digest | undefined }
  if (!(await isSigned(workerKey, resultStatement(said, programId, workerId, result), answer))) {
    return refuse({ kind: 'badAnswer' })
  }
  const input = given ?? (await check.fetchInput?.(inputDigest))
  if (input === undefined)
    return refuse({ kind: 'malformed', field: 'input', reason: 'its bytes are missing' })
  const actual = digestOf(input)
  if (actual !== inputDigest) return refuse({ kind: 'wrongInput', expected: inputDigest, actual })
  const { inputLength } = factsOf(work)
  if (input.length !== inputLength) {
    const reason = `it has ${input.length} bytes, and the program takes ${inputLength}`
    return refuse({ kind: 'malformed', field: 'input', reason })
  }
  const rightDigest = digestOf(await check.recompute(work, input))
  if (rightDigest === wrongDigest) return refuse({ kind: 'rightAnswer', digest: rightDigest })
  const claimed = evidence.rightDigest
  if (claimed !== undefined && claimed !== rightDigest) {
    return refuse({ kind: 'otherRightAnswer', expected: claimed, actual: rightDigest })
  }
  const isOrchestratorPinned = check.orchestratorId !== undefined
  return {
    ok: true,
    facts: { work, workerId, orchestratorId, wrongDigest, rightDigest, isOrchestratorPinned },
  }
}

type Parsed =
  | { readonly ok: false; readonly field: string; readonly reason: string }
  | {
      readonly ok: true
      readonly evidence: OffenceEvidence
      readonly program: Uint8Array
      readonly workerKey: PublicKey
      readonly orchestratorKey: PublicKey
      readonly input: Uint8Array | undefined
      readonly delivery: Attestation
      readonly answer: Attestation
    }

const seedMax = 2n ** 64n - 1n

function parse(given: unknown): Parsed {
  const refuse = (field: string, reason: string): Parsed => ({ ok: false, field, reason })
  const shaped = evidenceFromJson(given)
  if (!shaped.ok) return shaped
  const { evidence: value } = shaped
  if (BigInt(value.seed) > seedMax) return refuse('seed', 'is beyond 64 bits')
  const program = decodeBase64(value.program)
  if (program === undefined) return refuse('program', 'is not base64 in its one spelling')
  const input = value.input.base64 === undefined ? undefined : decodeBase64(value.input.base64)
  if (value.input.base64 !== undefined && input === undefined) {
    return refuse('input.base64', 'is not base64 in its one spelling')
  }
  const keys = [value.workerKey, value.orchestratorKey].map(decodeBase64)
  const [workerKey, orchestratorKey] = keys as [PublicKey | undefined, PublicKey | undefined]
  if (workerKey?.[0] !== 4) return refuse('workerKey', 'is not an uncompressed P-256 point')
  if (orchestratorKey?.[0] !== 4) return refuse('orchestratorKey', 'is not an uncompressed P-256 point')
  const [delivery, answer] = [attestationOf(value.delivery), attestationOf(value.answer)]
  if (delivery === undefined) return refuse('delivery', 'is no attestation')
  if (answer === undefined) return refuse('answer', 'is no attestation')
  return { ok: true, evidence: value, program, workerKey, orchestratorKey, input, delivery, answer }
}

function attestationOf({
  signature,
  index,
  count,
  path,
}: OffenceEvidence['answer']): Attestation | undefined {
  const bytes = decodeBase64(signature)
  if (bytes === undefined || !isSignature(bytes) || index >= count) return undefined
  return { signature: bytes, index, count, path }
}
