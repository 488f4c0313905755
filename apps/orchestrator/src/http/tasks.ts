/** Tasks over HTTP: submit, look, cancel, forget. */
import { ApiError, type Submission } from '@shardy/api'
import { isEnded, type TaskRecord } from '@shardy/dispatch'
import {
  type Digest,
  describeRefusal,
  encodeHex,
  type MicroCredit,
  type RequesterId,
  type TaskId,
} from '@shardy/protocol'
import { inputLength, type Program, parseProgram } from '@shardy/tensor'
import type { Services } from '../orchestrator.ts'
import type { Happening } from '../tasks/dispatcher.ts'
import { newTask, type Request, taskIdOf } from '../tasks/submission.ts'
import { findTask } from './taskView.ts'

const defaults = { redundancy: 2, rewardMicroCredit: '1000', timeoutMs: 600_000 }
const retryAfterMs = 1_000

/** Posts and waits until it is durable. */
async function settle(
  services: Services,
  happening: Happening,
): Promise<readonly { readonly kind: string }[]> {
  const posted = services.dispatcher.post(happening)
  if (posted === undefined) throw new ApiError('overloaded', { detail: 'the queue is full', retryAfterMs })
  try {
    return await posted
  } catch (cause) {
    throw new ApiError('storageFailed', 'nothing was changed; the orchestrator is restarting', { cause })
  }
}

/** Somebody else's task is no business of this requester, so it is as unknown as one that never was. */
export async function ownTask(
  services: Services,
  taskId: string,
  requester: RequesterId,
): Promise<TaskRecord> {
  const task = await findTask(services, taskId as TaskId)
  if (task === undefined || task.requesterId !== requester) {
    throw new ApiError('unknownTask', {
      detail: `there is no task ${taskId}`,
      field: 'taskId',
      value: taskId,
    })
  }
  return task
}

function programOf(submission: Submission): Program {
  const parsed = parseProgram(submission.program)
  if (parsed.ok) return parsed.value
  const detail = describeRefusal(parsed.refusal)
  throw new ApiError('invalidField', {
    detail,
    field: parsed.refusal.field,
    value: JSON.stringify(submission.program),
    bound: detail,
  })
}

function bounded(field: string, text: string, max: bigint): bigint {
  const value = BigInt(text)
  if (value <= max) return value
  const bound = `a whole number from 0 to ${max}`
  throw new ApiError('invalidField', {
    detail: `${field} is ${text}; it must be ${bound}`,
    field,
    value: text,
    bound,
  })
}

function requestOf(submission: Submission): Request {
  const reward = submission.rewardMicroCredit ?? defaults.rewardMicroCredit
  return {
    program: programOf(submission),
    seed: bounded('seed', submission.seed ?? '0', 2n ** 64n - 1n),
    redundancy: submission.redundancy ?? defaults.redundancy,
    rewardMicroCredit: bounded('rewardMicroCredit', reward, 2n ** 63n - 1n) as MicroCredit,
    timeoutMs: submission.timeoutMs ?? defaults.timeoutMs,
    keepOutput: submission.output !== 'digest',
  }
}

function refuseLength(program: Program, actual: number): void {
  const expected = inputLength(program)
  if (actual === expected) return
  throw new ApiError('invalidField', {
    detail: `the input has ${actual} bytes; ${JSON.stringify(program)} takes ${expected}: A, then B`,
    field: 'input',
    value: `${actual} bytes`,
    bound: `${expected} bytes`,
  })
}

interface AskedInput {
  readonly digest: Digest
  /** Undefined when the bytes were uploaded before. */
  readonly bytes: Uint8Array | undefined
}

function inputOf({ sha256 }: Services, { input }: Submission, program: Program): AskedInput {
  if ('blob' in input) return { digest: input.blob as Digest, bytes: undefined }
  const bytes = Uint8Array.fromBase64(input.base64)
  refuseLength(program, bytes.length)
  return { digest: encodeHex(sha256(bytes)) as Digest, bytes }
}

/** Makes sure that the input's bytes are here. Called while they are pinned, so they stay. */
async function keepInput(
  { keeper }: Services,
  { digest, bytes }: AskedInput,
  program: Program,
  requester: RequesterId,
): Promise<void> {
  const length = await keeper.length(digest)
  if (length !== undefined) {
    refuseLength(program, length)
    return
  }
  if (bytes === undefined) {
    throw new ApiError('inputMissing', {
      detail: `blob ${digest} is not here; PUT /v1/blobs/${digest} first`,
      field: 'input.blob',
      value: digest,
    })
  }
  if (!keeper.fits(requester, bytes.length)) throw quotaExceeded(bytes.length)
  await keeper.keep(digest, bytes, requester)
}

export function quotaExceeded(bytes: number): ApiError {
  return new ApiError('quotaExceeded', {
    detail: `${bytes} more bytes do not fit; forget ended tasks to let go of their blobs`,
    value: `${bytes} bytes`,
  })
}

export async function submitTask(
  services: Services,
  submission: Submission,
  idempotencyKey: string | undefined,
  requester: RequesterId,
): Promise<{ readonly task: TaskRecord; readonly isNew: boolean }> {
  const { clock, keeper, sha256 } = services
  const request = requestOf(submission)
  const { program } = request
  const taskId = taskIdOf(requester, idempotencyKey ?? services.randomHex(32), sha256)
  const input = inputOf(services, submission, program)
  const asked = newTask(request, input.digest, requester, taskId, clock.nowMs(), sha256)

  const repeated = (task: TaskRecord): { readonly task: TaskRecord; readonly isNew: boolean } => {
    if (task.requestDigest === asked.requestDigest) return { task, isNew: false }
    throw new ApiError('idempotencyConflict', {
      detail: `this key belongs to task ${taskId}, which asked for something else`,
      field: 'idempotency-key',
      ...(idempotencyKey && { value: idempotencyKey }),
    })
  }

  const earlier = await findTask(services, taskId)
  if (earlier !== undefined) return repeated(earlier)
  return keeper.pinned(input.digest, async () => {
    await keepInput(services, input, program, requester)
    const effects = await settle(services, { kind: 'submit', task: asked })
    const task = await findTask(services, taskId)
    if (task === undefined)
      throw new ApiError('overloaded', { detail: 'too many tasks are live', retryAfterMs })
    // Refused although it is there: the same key came twice at once, and the other one was first.
    return effects.some(({ kind }) => kind === 'refused') ? repeated(task) : { task, isNew: true }
  })
}

export async function cancelTask(services: Services, task: TaskRecord): Promise<TaskRecord> {
  const { taskId } = task
  const effects = isEnded(task.status)
    ? [{ kind: 'ignored' }]
    : await settle(services, { kind: 'cancel', taskId })
  if (effects.some(({ kind }) => kind === 'ignored')) {
    const now = await findTask(services, taskId)
    throw new ApiError('taskEnded', `task ${taskId} is ${now?.status ?? task.status} already`)
  }
  return (await findTask(services, taskId)) ?? task
}

export async function forgetTask({ archive }: Services, task: TaskRecord): Promise<void> {
  if (!isEnded(task.status)) {
    throw new ApiError('taskNotEnded', `task ${task.taskId} is ${task.status}; cancel it first`)
  }
  await archive.forget(task)
}
