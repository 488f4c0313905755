/**
 * From what a requester asked to a task. The id follows from requester and idempotency key, so asking twice with one
 * key is the same task by construction; the request's own digest tells a repeat from a conflict.
 */
import type { WorkFacts } from '@shardy/compute/work'
import type { NewTask } from '@shardy/dispatch'
import {
  type Digest,
  domainPayload,
  encodeHex,
  field,
  type MicroCredit,
  message,
  programIdOf,
  type RequesterId,
  type Sha256,
  type TaskId,
  type TaskKind,
  type TimeMs,
  text,
  values,
} from '@shardy/protocol'

export interface Request {
  readonly kind: TaskKind
  /** The canonical bytes of what is to be run, and what they say. */
  readonly program: Uint8Array
  readonly facts: WorkFacts
  readonly seed: bigint
  readonly redundancy: number
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
  const { kind, program, facts, seed, redundancy, rewardMicroCredit, timeoutMs, keepOutput } = request
  const { complexity, inputLength, outputLength, constants, constantBytes } = facts
  const asked = JSON.stringify({
    kind,
    program: encodeHex(program),
    input: inputDigest,
    seed: String(seed),
    redundancy,
    reward: String(rewardMicroCredit),
    timeoutMs,
    keepOutput,
  })
  return {
    taskId,
    requesterId,
    requestDigest: encodeHex(sha256(Uint8Array.from(asked, (letter) => letter.charCodeAt(0)))) as Digest,
    kind,
    program,
    programId: programIdOf(kind, program, sha256),
    seed,
    complexity,
    inputDigest,
    inputLength,
    outputLength,
    constants,
    constantBytes,
    redundancy,
    rewardMicroCredit,
    keepOutput,
    deadlineMs: (nowMs + timeoutMs) as TimeMs,
  }
}
