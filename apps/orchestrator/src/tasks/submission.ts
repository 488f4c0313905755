/**
 * From what a requester asked to a task. The id follows from requester and idempotency key, so asking twice with one
 * key is the same task by construction; the request's own digest tells a repeat from a conflict.
 */
import type { WorkFacts } from '@shardy/compute/work'
import { type NewTask, taskSpec } from '@shardy/dispatch'
import {
  type Digest,
  domainPayload,
  encodeHex,
  field,
  type MicroCredit,
  message,
  type ProgramId,
  type ProofKind,
  type RequesterId,
  type Sha256,
  type TaskId,
  type TaskKind,
  type TimeMs,
  text,
  type VerifyPolicy,
  values,
} from '@shardy/protocol'

export interface Request {
  readonly kind: TaskKind
  /** The canonical bytes of what is to be run, and what they say. */
  readonly program: Uint8Array
  readonly programId: ProgramId
  readonly facts: WorkFacts
  readonly seed: bigint
  readonly verify: VerifyPolicy
  readonly proof: ProofKind
  /** Nothing was said of proofs, and what that means depends on the keys of the day. */
  readonly isProofDefault: boolean
  readonly priority: number
  readonly tierMin: number
  readonly features: readonly string[]
  readonly region: string
  readonly exact: boolean
  readonly rewardMicroCredit: MicroCredit
  readonly timeoutMs: number
  readonly keepOutput: boolean
}

const idempotencyContent = message('IdempotencyContent', {
  requesterId: field(1, values.requesterId),
  key: field(2, text(128)),
})

/** Without a key of the requester's own, a random one makes the task unlike any other. */
export function taskIdOf(requesterId: RequesterId, idempotencyKey: string, sha256: Sha256): TaskId {
  const bytes = domainPayload('idempotency', idempotencyContent.encode({ requesterId, key: idempotencyKey }))
  return encodeHex(sha256(bytes).subarray(0, 16)) as TaskId
}

export function newTask(
  request: Request,
  inputDigest: Digest,
  requesterId: RequesterId,
  taskId: TaskId,
  nowMs: TimeMs,
  sha256: Sha256,
): NewTask {
  const { facts, timeoutMs, isProofDefault: _, ...asked } = request
  const { complexity, inputLength, outputLength, constants, constantBytes, memoryBytes } = facts
  const deadlineMs = (nowMs + timeoutMs) as TimeMs
  const task: Omit<NewTask, 'requestDigest'> = {
    ...asked,
    taskId,
    requesterId,
    complexity,
    inputDigest,
    inputLength,
    outputLength,
    constants,
    constantBytes,
    memoryBytes,
    deadlineMs,
    campaignId: undefined,
    campaignItem: 0,
  }
  return { ...task, requestDigest: requestDigestOf(task, timeoutMs, sha256) }
}

/** Whether a task was asked for by the same request. Who says nothing of proofs asks the same before and after keys have changed. */
export function isRepeat(
  { requestDigest, proof }: Pick<NewTask, 'requestDigest' | 'proof'>,
  asked: NewTask,
  { isProofDefault, timeoutMs }: Pick<Request, 'isProofDefault' | 'timeoutMs'>,
  sha256: Sha256,
): boolean {
  if (requestDigest === asked.requestDigest) return true
  return isProofDefault && requestDigest === requestDigestOf({ ...asked, proof }, timeoutMs, sha256)
}

/** What was asked, without what time and accounting add to it: the same question again is the same request. */
function requestDigestOf(task: Omit<NewTask, 'requestDigest'>, timeoutMs: number, sha256: Sha256): Digest {
  const same = {
    // Its id says as much, and is far shorter.
    program: new Uint8Array(0),
    requestDigest: task.inputDigest,
    submittedAtMs: 0 as TimeMs,
    deadlineMs: timeoutMs as TimeMs,
  }
  const bytes = taskSpec.encode({ ...task, ...same })
  return encodeHex(sha256(domainPayload('idempotency', bytes))) as Digest
}
