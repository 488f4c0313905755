/**
 * Checks a receipt without trusting whoever handed it over (spec R1–R4). What it shows is that these keys said these
 * things: that the answer is right follows from recomputing it, which the caller may ask for.
 */
import { decodeWork, factsOf, type Work } from '@shardy/compute/work'
import {
  type Attestation,
  attestedPayload,
  type Digest,
  deliveryStatement,
  encodeHex,
  type MicroCredit,
  type OrchestratorId,
  type ProgramId,
  type PublicKey,
  programIdOf,
  type Receipt,
  type ReceiptDelivery,
  receiptPayload,
  resultStatement,
  type Sha256,
  type Signature,
  type Statement,
  type TaskId,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'
import type { AnswerVerdict } from './answer.ts'
import type { ReceiptProblem } from './receiptProblem.ts'

export interface ReceiptCheck {
  readonly sha256: Sha256
  readonly verify: (
    publicKey: PublicKey,
    payload: Uint8Array,
    signature: Signature,
  ) => boolean | Promise<boolean>
  /** Whose receipt it must be. Without it anyone's key will do, the forger's own included. */
  readonly orchestratorId?: OrchestratorId | undefined
  /** The task that it must be about. Without it the receipt may be of another task with the same program and input. */
  readonly taskId?: TaskId | undefined
  /**
   * What the requester asked for, by its id. Without it the receipt may be of another program that takes as many bytes; then
   * look at `facts.work` yourself.
   */
  readonly programId?: ProgramId | undefined
  /** The bytes that the requester sent and got, when it has them. */
  readonly input?: Uint8Array | undefined
  readonly output?: Uint8Array | undefined
  /** Judges the output; needs `input` and `output`. The workers' signatures fix it before this draws anything at random. */
  readonly checkAnswer?:
    | ((work: Work, input: Uint8Array, output: Uint8Array) => Promise<AnswerVerdict>)
    | undefined
  /** Computes the program anew; needs `input`. Rejections of its own come through. */
  readonly recompute?: ((work: Work, input: Uint8Array) => Promise<Uint8Array>) | undefined
}

/** What a receipt without a problem shows. */
export interface ReceiptFacts {
  readonly taskId: TaskId
  readonly work: Work
  readonly programId: ProgramId
  readonly orchestratorId: OrchestratorId
  readonly inputDigest: Digest
  readonly outputDigest: Digest
  readonly redundancy: number
  readonly agreed: readonly WorkerId[]
  readonly disagreed: readonly WorkerId[]
  /** By the orchestrator's word alone: that it is what the requester offered does not follow. */
  readonly paidMicroCredit: MicroCredit
  readonly decidedAtMs: TimeMs
  /** Which of the optional checks were done. */
  readonly isOrchestratorPinned: boolean
  readonly isTaskPinned: boolean
  readonly isProgramPinned: boolean
  readonly isInputChecked: boolean
  readonly isOutputChecked: boolean
  /** What `checkAnswer` found, where it was asked. */
  readonly answer: Exclude<AnswerVerdict, { readonly kind: 'wrong' }> | undefined
  readonly isRecomputed: boolean
}

export type CheckedReceipt =
  | { readonly ok: true; readonly facts: ReceiptFacts }
  | { readonly ok: false; readonly problems: readonly ReceiptProblem[] }

interface Standing {
  readonly agreed: readonly WorkerId[]
  readonly disagreed: readonly WorkerId[]
}

export async function checkReceipt(receipt: Receipt, check: ReceiptCheck): Promise<CheckedReceipt> {
  const problems: ReceiptProblem[] = []
  if (check.taskId !== undefined && receipt.taskId !== check.taskId) {
    problems.push({ kind: 'otherTask', expected: check.taskId, actual: receipt.taskId })
  }
  const work = checkWork(receipt, check, problems)
  const facts = work && factsOf(work)
  const orchestratorId = await checkOrchestrator(receipt, check, problems)
  for (const delivery of receipt.deliveries) await checkAttestations(receipt, delivery, check, problems)
  const { agreed, disagreed } = checkOutcomes(receipt, check, problems)
  const isInputRight = checkBytes('otherInput', check.input, receipt.inputDigest, check, problems)
  const isOutputRight = checkBytes('otherOutput', check.output, receipt.outputDigest, check, problems)
  // The right bytes for another program: both sides may have signed one that the requester never asked for.
  const isInputFitting =
    facts !== undefined &&
    isInputRight &&
    checkLength('wrongInputLength', check.input, facts.inputLength, problems)
  if (facts && isOutputRight) {
    checkLength('wrongOutputLength', check.output, facts.outputLength, problems)
  }
  if (check.recompute !== undefined && check.input === undefined) problems.push({ kind: 'inputNeeded' })
  if (check.checkAnswer !== undefined) {
    if (check.input === undefined) problems.push({ kind: 'inputNeeded' })
    if (check.output === undefined) problems.push({ kind: 'outputNeeded' })
  }
  let answer: ReceiptFacts['answer']
  if (work && isInputFitting && isOutputRight && check.checkAnswer && check.input && check.output) {
    const verdict = await check.checkAnswer(work, check.input, check.output)
    if (verdict.kind === 'wrong') problems.push({ kind: 'wrongAnswer', reason: verdict.reason })
    else answer = verdict
  }
  let isRecomputed = false
  if (work && isInputFitting && check.recompute && check.input) {
    const output = await check.recompute(work, check.input)
    isRecomputed = checkBytes('recomputedOtherOutput', output, receipt.outputDigest, check, problems)
  }
  if (problems.length > 0 || work === undefined) return { ok: false, problems }
  return {
    ok: true,
    facts: {
      taskId: receipt.taskId,
      work,
      programId: receipt.programId,
      orchestratorId,
      inputDigest: receipt.inputDigest,
      outputDigest: receipt.outputDigest,
      redundancy: receipt.redundancy,
      agreed,
      disagreed,
      paidMicroCredit: receipt.deliveries.reduce(
        (sum, { rewardMicroCredit }) => sum + rewardMicroCredit,
        0n,
      ) as MicroCredit,
      decidedAtMs: receipt.decidedAtMs,
      isOrchestratorPinned: check.orchestratorId !== undefined,
      isTaskPinned: check.taskId !== undefined,
      isProgramPinned: check.programId !== undefined,
      isInputChecked: check.input !== undefined,
      isOutputChecked: check.output !== undefined,
      answer,
      isRecomputed,
    },
  }
}

/** What the bytes say that was to be run, when they can be read. */
function checkWork(
  receipt: Receipt,
  { sha256, programId: asked }: ReceiptCheck,
  problems: ReceiptProblem[],
): Work | undefined {
  const expected = programIdOf(receipt.kind, receipt.program, sha256)
  if (receipt.programId !== expected) {
    problems.push({ kind: 'wrongProgramId', expected, actual: receipt.programId })
  }
  const decoded = decodeWork(receipt.kind, receipt.program)
  if (!decoded.ok) {
    problems.push({ kind: 'unreadableProgram', reason: decoded.reason })
    return undefined
  }
  const { work } = decoded
  const facts = factsOf(work)
  if (asked !== undefined && asked !== expected) {
    problems.push({ kind: 'otherProgram', expected: asked, actual: expected })
  }
  const lengths = [
    ['wrongInputLength', facts.inputLength, receipt.inputLength],
    ['wrongOutputLength', facts.outputLength, receipt.outputLength],
  ] as const
  for (const [kind, wanted, actual] of lengths) {
    if (actual !== wanted) problems.push({ kind, expected: wanted, actual })
  }
  return work
}

async function checkOrchestrator(
  receipt: Receipt,
  { sha256, verify, orchestratorId: expected }: ReceiptCheck,
  problems: ReceiptProblem[],
): Promise<OrchestratorId> {
  const { orchestratorKey, signature } = receipt
  const actual = encodeHex(sha256(orchestratorKey)) as OrchestratorId
  if (expected !== undefined && actual !== expected) {
    problems.push({ kind: 'wrongOrchestrator', expected, actual })
  }
  if (!(await verify(orchestratorKey, receiptPayload(receipt), signature))) {
    problems.push({ kind: 'badReceiptSignature', orchestratorId: actual })
  }
  return actual
}

const workerIdOf = ({ workerKey }: ReceiptDelivery, sha256: Sha256): WorkerId =>
  encodeHex(sha256(workerKey)) as WorkerId

async function checkAttestations(
  receipt: Receipt,
  delivery: ReceiptDelivery,
  { sha256, verify }: ReceiptCheck,
  problems: ReceiptProblem[],
): Promise<void> {
  const { taskId, seed, programId, inputDigest, orchestratorKey } = receipt
  const { deliveryId, deadlineMs, workerKey, answer } = delivery
  const workerId = workerIdOf(delivery, sha256)
  const said = { taskId, deliveryId, seed, payloadDigest: inputDigest, deadlineMs }
  const isAttested = async (
    key: PublicKey,
    statement: Statement,
    attestation: Attestation,
  ): Promise<boolean> => {
    const payload = attestedPayload(statement, attestation, sha256)
    return payload !== undefined && (await verify(key, payload, attestation.signature))
  }
  const given = deliveryStatement(said, programId, workerId)
  if (!(await isAttested(orchestratorKey, given, delivery.attestation))) {
    problems.push({ kind: 'badDeliveryAttestation', deliveryId, workerId })
  }
  if (answer === undefined) return
  const answered = resultStatement(said, programId, workerId, answer)
  if (!(await isAttested(workerKey, answered, answer.attestation))) {
    problems.push({ kind: 'badAnswerAttestation', deliveryId, workerId })
  }
}

/** That each outcome fits its answer, and that enough distinct workers agreed. */
function checkOutcomes(receipt: Receipt, { sha256 }: ReceiptCheck, problems: ReceiptProblem[]): Standing {
  const { outputDigest: expected, redundancy } = receipt
  const agreed = new Set<WorkerId>()
  const disagreed = new Set<WorkerId>()
  const seen = new Set<string>()
  for (const delivery of receipt.deliveries) {
    const { deliveryId, outcome, answer, rewardMicroCredit } = delivery
    const workerId = workerIdOf(delivery, sha256)
    const actual = answer?.outputDigest
    if (seen.has(deliveryId)) problems.push({ kind: 'repeatedDelivery', deliveryId })
    seen.add(deliveryId)
    if (outcome !== 'accepted' && rewardMicroCredit !== 0n) {
      problems.push({ kind: 'paidWithoutAcceptance', deliveryId, workerId, outcome, rewardMicroCredit })
    }
    if (outcome !== 'accepted' && outcome !== 'disagreed') {
      // D17, D19: what was answered before the verdict is part of it, and nothing is taken after it. So this worker
      // was robbed of its verdict, whether it gave the output's digest or another.
      if (actual !== undefined) problems.push({ kind: 'unjudgedAnswer', deliveryId, workerId, outcome })
      continue
    }
    // A worker answers a task once: whoever stands on both sides was made to.
    if (agreed.has(workerId) || disagreed.has(workerId)) {
      problems.push({ kind: 'repeatedWorker', deliveryId, workerId })
    }
    if (actual === undefined) {
      problems.push({ kind: 'missingAnswer', deliveryId, workerId, outcome })
    } else if (outcome === 'disagreed') {
      if (actual === expected)
        problems.push({ kind: 'disagreedSameDigest', deliveryId, workerId, digest: actual })
      disagreed.add(workerId)
    } else if (actual !== expected) {
      problems.push({ kind: 'acceptedOtherDigest', deliveryId, workerId, expected, actual })
    } else {
      agreed.add(workerId)
    }
  }
  if (agreed.size < redundancy) {
    problems.push({ kind: 'tooFewAgreed', expected: redundancy, actual: agreed.size })
  }
  return { agreed: [...agreed], disagreed: [...disagreed] }
}

function checkBytes(
  kind: 'otherInput' | 'otherOutput' | 'recomputedOtherOutput',
  bytes: Uint8Array | undefined,
  expected: Digest,
  { sha256 }: ReceiptCheck,
  problems: ReceiptProblem[],
): boolean {
  if (bytes === undefined) return true
  const actual = encodeHex(sha256(bytes)) as Digest
  if (actual !== expected) problems.push({ kind, expected, actual })
  return actual === expected
}

function checkLength(
  kind: 'wrongInputLength' | 'wrongOutputLength',
  bytes: Uint8Array | undefined,
  expected: number,
  problems: ReceiptProblem[],
): boolean {
  if (bytes === undefined || bytes.length === expected) return true
  problems.push({ kind, expected, actual: bytes.length })
  return false
}
