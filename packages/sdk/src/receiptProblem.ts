/** Everything that can be wrong with a receipt: one kind per rule, with what was expected and what was found. */
import {
  type Basis,
  type CheckMechanism,
  type DeliveryId,
  type Digest,
  describeVerify,
  type MicroCredit,
  type OrchestratorId,
  type Outcome,
  type ProgramId,
  type TaskId,
  type VerifyPolicy,
  type WorkerId,
} from '@shardy/protocol'

interface Difference<T> {
  readonly expected: T
  readonly actual: T
}

interface OfDelivery {
  readonly deliveryId: DeliveryId
  readonly workerId: WorkerId
}

export type ReceiptProblem =
  | { readonly kind: 'unreadableProgram'; readonly reason: string }
  | ({ readonly kind: 'otherTask' } & Difference<TaskId>)
  | ({ readonly kind: 'otherProgram' } & Difference<ProgramId>)
  | ({ readonly kind: 'wrongProgramId' } & Difference<ProgramId>)
  | ({ readonly kind: 'wrongInputLength' } & Difference<number>)
  | ({ readonly kind: 'wrongOutputLength' } & Difference<number>)
  | ({ readonly kind: 'wrongOrchestrator' } & Difference<OrchestratorId>)
  | { readonly kind: 'badReceiptSignature'; readonly orchestratorId: OrchestratorId }
  | ({ readonly kind: 'badDeliveryAttestation' } & OfDelivery)
  | ({ readonly kind: 'badAnswerAttestation' } & OfDelivery)
  | ({ readonly kind: 'badProof'; readonly reason: string } & OfDelivery)
  | { readonly kind: 'repeatedDelivery'; readonly deliveryId: DeliveryId }
  | ({ readonly kind: 'repeatedWorker' } & OfDelivery)
  | ({ readonly kind: 'missingAnswer'; readonly outcome: Outcome } & OfDelivery)
  | ({ readonly kind: 'unjudgedAnswer'; readonly outcome: Outcome } & OfDelivery)
  | ({ readonly kind: 'acceptedOtherDigest' } & OfDelivery & Difference<Digest>)
  | ({
      readonly kind: 'refusedSameDigest'
      readonly outcome: 'disagreed' | 'wrong'
      readonly digest: Digest
    } & OfDelivery)
  | { readonly kind: 'basisNotAsked'; readonly basis: Basis; readonly verify: VerifyPolicy }
  | {
      readonly kind: 'checkMisnamed'
      readonly basis: Basis
      readonly checkedBy: CheckMechanism | undefined
    }
  | ({ readonly kind: 'tooFewAccepted'; readonly basis: Basis } & Difference<number>)
  | ({
      readonly kind: 'paidWithoutAcceptance'
      readonly outcome: Outcome
      readonly rewardMicroCredit: MicroCredit
    } & OfDelivery)
  | ({ readonly kind: 'otherInput' } & Difference<Digest>)
  | ({ readonly kind: 'otherOutput' } & Difference<Digest>)
  | { readonly kind: 'inputNeeded' }
  | { readonly kind: 'outputNeeded' }
  | { readonly kind: 'wrongAnswer'; readonly reason: string }
  | ({ readonly kind: 'recomputedOtherOutput' } & Difference<Digest>)

export type ReceiptProblemKind = ReceiptProblem['kind']

/** One English sentence for a person; programs read `kind` and the fields. */
export function describeReceiptProblem(problem: ReceiptProblem): string {
  switch (problem.kind) {
    case 'unreadableProgram':
      return `the program cannot be read: ${problem.reason}`
    case 'otherTask':
      return `it is of task ${problem.actual}, expected ${problem.expected}`
    case 'wrongProgramId':
      return `the program's id is ${problem.actual}, but its bytes hash to ${problem.expected}`
    case 'otherProgram':
      return `the workers computed program ${problem.actual}, you asked for ${problem.expected}`
    case 'wrongInputLength':
      return `the input has ${problem.actual} bytes, but the program takes ${problem.expected}`
    case 'wrongOutputLength':
      return `the output has ${problem.actual} bytes, but the program makes ${problem.expected}`
    case 'wrongOrchestrator':
      return `signed by orchestrator ${problem.actual}, expected ${problem.expected}`
    case 'badReceiptSignature':
      return `the signature over the whole receipt is not that of orchestrator ${problem.orchestratorId}`
    case 'badDeliveryAttestation':
      return `the orchestrator did not sign that it gave delivery ${problem.deliveryId} to worker ${problem.workerId}`
    case 'badAnswerAttestation':
      return `worker ${problem.workerId} did not sign this answer to delivery ${problem.deliveryId}`
    case 'badProof':
      return `the proof of worker ${problem.workerId} for delivery ${problem.deliveryId} does not hold: ${problem.reason}`
    case 'repeatedDelivery':
      return `delivery ${problem.deliveryId} is listed twice`
    case 'repeatedWorker':
      return `worker ${problem.workerId} answered twice; a worker answers a task once`
    case 'missingAnswer':
      return `delivery ${problem.deliveryId} is ${problem.outcome}, but worker ${problem.workerId} gave no answer`
    case 'unjudgedAnswer':
      return `worker ${problem.workerId} signed an answer to delivery ${problem.deliveryId}, which is ${problem.outcome} all the same`
    case 'acceptedOtherDigest':
      return `worker ${problem.workerId} was accepted with ${problem.actual}, but the output is ${problem.expected}`
    case 'refusedSameDigest': {
      const said = problem.outcome === 'wrong' ? 'be wrong' : 'disagree'
      return `worker ${problem.workerId} is said to ${said}, but it gave the output's digest ${problem.digest}`
    }
    case 'basisNotAsked':
      return `the verdict rests on ${problem.basis}, which ${describeVerify(problem.verify)} does not lead to`
    case 'checkMisnamed':
      return problem.checkedBy === undefined
        ? 'the orchestrator says that it checked the answer, and not how'
        : `the verdict rests on ${problem.basis}, and yet a check by ${problem.checkedBy} is named`
    case 'tooFewAccepted':
      return problem.basis === 'agreement'
        ? `${problem.actual} distinct workers agreed on this output, ${problem.expected} had to`
        : `${problem.actual} workers were accepted with this output, ${problem.expected} had to be`
    case 'paidWithoutAcceptance':
      return `delivery ${problem.deliveryId} is ${problem.outcome} and yet paid ${problem.rewardMicroCredit} millionths of a credit`
    case 'otherInput':
      return `this input hashes to ${problem.actual}, the receipt's to ${problem.expected}`
    case 'otherOutput':
      return `this output hashes to ${problem.actual}, the receipt's to ${problem.expected}`
    case 'inputNeeded':
      return 'recomputing or checking the answer needs the input'
    case 'outputNeeded':
      return 'checking the answer needs the output'
    case 'wrongAnswer':
      return `the answer is wrong: ${problem.reason}`
    case 'recomputedOtherOutput':
      return `recomputed, the output hashes to ${problem.actual}, but the receipt says ${problem.expected}`
  }
}
