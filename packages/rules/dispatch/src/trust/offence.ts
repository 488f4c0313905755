/**
 * What a worker can be found guilty of, with the evidence that anyone can repeat (spec A14–A16). A mismatch alone is
 * no offence. Signatures are the host's to verify: `signedStatements` says which.
 */
import type { Attestation, Digest, ProgramId, PublicKey, Statement, WorkerId } from '@shardy/protocol'

export interface SignedStatement {
  readonly statement: Statement
  readonly attestation: Attestation
  readonly publicKey: PublicKey
}

/** What executing the program again, from stored blobs, gave. */
export interface Reexecution {
  readonly arithmetic: 'exact' | 'float'
  readonly programId: ProgramId
  readonly seed: bigint
  readonly inputDigest: Digest
  /** Undefined where it ends without an output, so that whatever is said to be one is wrong. */
  readonly outputDigest: Digest | undefined
}

export type Offence =
  /** The orchestrator's delivery, the worker's answer, and what is right. A broken device can do this. */
  | {
      readonly kind: 'wrongResult'
      readonly delivery: SignedStatement
      readonly result: SignedStatement
      readonly reexecution: Reexecution
    }
  /** Two answers of one worker to one delivery of an exact kind. No honest session signs twice. */
  | {
      readonly kind: 'equivocation'
      readonly first: SignedStatement
      readonly second: SignedStatement
      readonly reexecution: Reexecution
    }
  /** An answer to a delivery that was another worker's. */
  | {
      readonly kind: 'forgedCopy'
      readonly delivery: SignedStatement
      readonly result: SignedStatement
      readonly reexecution: Reexecution
    }

export type OffenceFault =
  | 'floatKind'
  | 'notADelivery'
  | 'notAResult'
  | 'otherDelivery'
  | 'otherTask'
  | 'otherWorker'
  | 'ownDelivery'
  | 'sameAnswer'
  | 'otherComputation'
  | 'rightResult'

/** Why this is no evidence, or undefined when it is, provided that its signatures are good. */
export function offenceFault(offence: Offence): OffenceFault | undefined {
  const { reexecution } = offence
  // Devices may differ honestly; a tolerance is no evidence.
  if (reexecution.arithmetic !== 'exact') return 'floatKind'
  if (offence.kind === 'equivocation') {
    const first = offence.first.statement
    const second = offence.second.statement
    if (first.role !== 'result' || second.role !== 'result') return 'notAResult'
    if (first.deliveryId !== second.deliveryId) return 'otherDelivery'
    if (first.workerId !== second.workerId) return 'otherWorker'
    if (!isSameTask(first, second)) return 'otherTask'
    if (!isOf(reexecution, first)) return 'otherComputation'
    return isSameAnswer(first, second) ? 'sameAnswer' : undefined
  }
  const delivery = offence.delivery.statement
  const result = offence.result.statement
  if (delivery.role !== 'delivery') return 'notADelivery'
  if (result.role !== 'result') return 'notAResult'
  if (delivery.deliveryId !== result.deliveryId) return 'otherDelivery'
  if (!isOf(reexecution, result)) return 'otherComputation'
  if (offence.kind === 'forgedCopy') return delivery.workerId === result.workerId ? 'ownDelivery' : undefined
  if (delivery.workerId !== result.workerId) return 'otherWorker'
  if (!isSameTask(delivery, result)) return 'otherTask'
  return reexecution.outputDigest === result.outputDigest ? 'rightResult' : undefined
}

/** What the host verifies before it posts the offence: each statement's attestation under its key (S4, S5). */
export function signedStatements(offence: Offence): readonly SignedStatement[] {
  return offence.kind === 'equivocation'
    ? [offence.first, offence.second]
    : [offence.delivery, offence.result]
}

export function offender(offence: Offence): WorkerId {
  return (offence.kind === 'equivocation' ? offence.first : offence.result).statement.workerId
}

function isSameTask(a: Statement, b: Statement): boolean {
  return (
    a.taskId === b.taskId &&
    a.programId === b.programId &&
    a.seed === b.seed &&
    a.inputDigest === b.inputDigest
  )
}

function isOf(reexecution: Reexecution, { programId, seed, inputDigest }: Statement): boolean {
  return (
    reexecution.programId === programId &&
    reexecution.seed === seed &&
    reexecution.inputDigest === inputDigest
  )
}

/** The same statement under another signature is the same answer: anyone can make a second form of one. */
function isSameAnswer(first: Statement, second: Statement): boolean {
  if (first.outputDigest !== second.outputDigest) return false
  return (
    first.traceRoot === undefined || second.traceRoot === undefined || first.traceRoot === second.traceRoot
  )
}
