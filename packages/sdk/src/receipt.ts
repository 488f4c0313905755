/**
 * Checks a receipt without trusting whoever handed it over (spec R1–R4). What it shows is that these keys said these
 * things, and `facts.meaning` says how far that goes. That the answer is right follows from checking or recomputing it
 * here, which the caller may ask for.
 */
import { decodeWork, factsOf, type Work } from '@shardy/compute/work'
import {
  type Attestation,
  attestedPayload,
  type Basis,
  type BlockCommitments,
  type CheckMechanism,
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
  type VerifyPolicy,
  type WorkerId,
} from '@shardy/protocol'
import type { AnswerVerdict } from './answer.ts'
import { type ReceiptMeaning, receiptMeaning } from './receiptMeaning.ts'
import type { ReceiptProblem } from './receiptProblem.ts'
import { checkProof, type ProofCheck, type ReceiptProof, type VerifyProof } from './receiptProof.ts'

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
  /** Verifies the proofs that came with answers. What such a proof proves is little: docs/spec/proofs.md. */
  readonly verifyProof?: VerifyProof | undefined
  /** With them, a block that was proven is compared with `input` and `output`. */
  readonly commitments?: BlockCommitments | undefined
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
  /** How it was to be verified; that the requester asked for that is the orchestrator's word. */
  readonly verify: VerifyPolicy
  readonly basis: Basis
  readonly checkedBy: CheckMechanism | undefined
  /** What the receipt proves and what not, in plain words, before `checkAnswer` and `recompute`. */
  readonly meaning: ReceiptMeaning
  /** Distinct workers whose accepted answer is this output. */
  readonly agreed: readonly WorkerId[]
  /** Of work that is not exact: accepted with other bytes, which the orchestrator says are within the tolerance. */
  readonly tolerated: readonly WorkerId[]
  readonly disagreed: readonly WorkerId[]
  /** Whose answer the orchestrator found wrong; another answer than this output, in any case. */
  readonly wrong: readonly WorkerId[]
  /** Whose answer the orchestrator could not check, and did not pay. */
  readonly unchecked: readonly WorkerId[]
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
  readonly proofs: readonly ReceiptProof[]
}

export type CheckedReceipt =
  | { readonly ok: true; readonly facts: ReceiptFacts }
  | { readonly ok: false; readonly problems: readonly ReceiptProblem[] }

type Standing = Pick<ReceiptFacts, 'agreed' | 'tolerated' | 'disagreed' | 'wrong' | 'unchecked'>

export async function checkReceipt(receipt: Receipt, check: ReceiptCheck): Promise<CheckedReceipt> {
  const problems: ReceiptProblem[] = []
  if (check.taskId !== undefined && receipt.taskId !== check.taskId) {
    problems.push({ kind: 'otherTask', expected: check.taskId, actual: receipt.taskId })
  }
  const work = checkWork(receipt, check, problems)
  const facts = work && factsOf(work)
  const orchestratorId = await checkOrchestrator(receipt, check, problems)
  for (const delivery of receipt.deliveries) await checkAttestations(receipt, delivery, check, problems)
  const isExact = work?.kind !== 'shader' || work.shader.exactness.exactness === 'exact'
  const standing = checkOutcomes(receipt, isExact, check, problems)
  checkBasis(receipt, standing, problems)
  const isInputRight = checkBytes('otherInput', check.input, receipt.inputDigest, check, problems)
  const isOutputRight = checkBytes('otherOutput', check.output, receipt.outputDigest, check, problems)
  // The right bytes for another program: both sides may have signed one that the requester never asked for.
  const isInputFitting =
    facts !== undefined &&
    isInputRight &&
    checkLength('wrongInputLength', check.input, facts.inputLength, problems)
  const isOutputFitting =
    facts !== undefined &&
    isOutputRight &&
    checkLength('wrongOutputLength', check.output, facts.outputLength, problems)
  const proofCheck = {
    ...check,
    input: isInputFitting ? check.input : undefined,
    output: isOutputFitting ? check.output : undefined,
  }
  const proofs = await checkProofs(receipt, work, proofCheck, problems)
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
      verify: receipt.verify,
      basis: receipt.basis,
      checkedBy: receipt.checkedBy,
      meaning: receiptMeaning(receipt, { isExact, accepted: acceptedCount(standing) }),
      ...standing,
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
      proofs,
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

/** The proofs in it, but for those that are false, which are problems. */
async function checkProofs(
  receipt: Receipt,
  work: Work | undefined,
  check: ProofCheck,
  problems: ReceiptProblem[],
): Promise<readonly ReceiptProof[]> {
  const proofs: ReceiptProof[] = []
  for (const delivery of receipt.deliveries) {
    const { deliveryId, answer } = delivery
    if (answer?.proof === undefined) continue
    const workerId = workerIdOf(delivery, check.sha256)
    const checked = await checkProof(receipt, { deliveryId, workerId, answer }, answer.proof, work, check)
    if (checked.ok) proofs.push(checked.proof)
    else problems.push({ kind: 'badProof', deliveryId, workerId, reason: checked.reason })
  }
  return proofs
}

/** That each outcome fits its answer. */
function checkOutcomes(
  receipt: Receipt,
  isExact: boolean,
  { sha256 }: ReceiptCheck,
  problems: ReceiptProblem[],
): Standing {
  const { outputDigest: expected, verify } = receipt
  const agreed = new Set<WorkerId>()
  const tolerated = new Set<WorkerId>()
  const disagreed = new Set<WorkerId>()
  const wrong = new Set<WorkerId>()
  const unchecked = new Set<WorkerId>()
  const judged = new Set<WorkerId>()
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
    if (outcome !== 'accepted' && outcome !== 'disagreed' && outcome !== 'wrong') {
      // D17, D19: what was answered before the verdict is part of it, and nothing is taken after it. So this worker
      // was robbed of its verdict, whether it gave the output's digest or another. Only an answer that nobody else is
      // asked for can be given up because it could not be checked.
      if (actual !== undefined && outcome === 'corrupted' && verify.mode !== 'quorum') unchecked.add(workerId)
      else if (actual !== undefined) problems.push({ kind: 'unjudgedAnswer', deliveryId, workerId, outcome })
      continue
    }
    // A worker answers a task once: whoever stands on both sides was made to.
    if (judged.has(workerId)) problems.push({ kind: 'repeatedWorker', deliveryId, workerId })
    judged.add(workerId)
    if (actual === undefined) {
      problems.push({ kind: 'missingAnswer', deliveryId, workerId, outcome })
    } else if (outcome === 'accepted') {
      if (actual === expected) agreed.add(workerId)
      else if (isExact) {
        problems.push({ kind: 'acceptedOtherDigest', deliveryId, workerId, expected, actual })
      } else tolerated.add(workerId)
    } else {
      if (actual === expected) {
        problems.push({ kind: 'refusedSameDigest', deliveryId, workerId, outcome, digest: actual })
      }
      if (outcome === 'wrong') wrong.add(workerId)
      else disagreed.add(workerId)
    }
  }
  return {
    agreed: [...agreed],
    tolerated: [...tolerated],
    disagreed: [...disagreed],
    wrong: [...wrong],
    unchecked: [...unchecked],
  }
}

const acceptedCount = ({ agreed, tolerated }: Standing): number => agreed.length + tolerated.length

/** Which bases a way of verifying can lead to: never a weaker one than was asked for. */
const basesOf = {
  checked: ['checked'],
  quorum: ['agreement', 'checked'],
  audited: ['checked', 'trusted'],
  adaptive: ['agreement', 'checked', 'trusted'],
} as const satisfies Readonly<Record<VerifyPolicy['mode'], readonly Basis[]>>

/** That the verdict rests on what it says, as far as signatures can show that. */
function checkBasis(
  { basis, verify, checkedBy }: Receipt,
  standing: Standing,
  problems: ReceiptProblem[],
): void {
  const allowed: readonly Basis[] = basesOf[verify.mode]
  if (!allowed.includes(basis)) problems.push({ kind: 'basisNotAsked', basis, verify })
  if ((basis === 'checked') !== (checkedBy !== undefined)) {
    problems.push({ kind: 'checkMisnamed', basis, checkedBy })
  }
  // How many an adaptive task was given to is drawn and not said; one alone is no agreement.
  const expected = basis === 'agreement' ? Math.max(2, verify.agreeing) : 1
  const actual = acceptedCount(standing)
  // The output itself must be somebody's signed answer.
  if (actual < expected || standing.agreed.length === 0) {
    problems.push({
      kind: 'tooFewAccepted',
      basis,
      expected,
      actual: standing.agreed.length === 0 ? 0 : actual,
    })
  }
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
