/**
 * From what a requester asked to a task. The id follows from requester and idempotency key, so asking twice with one
 * key is the same task by construction; the request's own digest tells a repeat from a conflict.
 */
import type { NewTask } from '@shardy/dispatch'
import {
  type Digest,
  domainPayload,
  encodeHex,
  field,
  type MicroCredit,
  message,
  type RequesterId,
  type Sha256,
  type TaskId,
  type TimeMs,
  text,
  values,
} from '@shardy/protocol'
import {
  byteLengthOf,
  complexity,
  constantDigests,
  encodeProgram,
  inputLength,
  outputLength,
  type Program,
  programId,
} from '@shardy/tensor'

export interface Request {
  readonly program: Program
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

/** Of the constants that are blobs, each counted once. */
function constantBytes({ constants }: Program): number {
  const lengths = new Map(constants.map(({ type, digest }) => [digest, byteLengthOf(type)]))
  lengths.delete(undefined)
  return [...lengths.values()].reduce((sum, length) => sum + length, 0)
}

export function newTask(
  request: Request,
  inputDigest: Digest,
  requesterId: RequesterId,
  taskId: TaskId,
  nowMs: TimeMs,
  sha256: Sha256,
): NewTask {
  const { program, seed, redundancy, rewardMicroCredit, timeoutMs, keepOutput } = request
  const programBytes = encodeProgram(program)
  const asked = JSON.stringify({
    program: encodeHex(programBytes),
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
    kind: 'program',
    program: programBytes,
    programId: programId(program, sha256),
    seed,
    complexity: complexity(program),
    inputDigest,
    inputLength: inputLength(program),
    outputLength: outputLength(program),
    constants: constantDigests(program),
    constantBytes: constantBytes(program),
    redundancy,
    rewardMicroCredit,
    keepOutput,
    deadlineMs: (nowMs + timeoutMs) as TimeMs,
  }
}
