/** Tasks over HTTP: submit, look, cancel, forget. */
import { ApiError, decodeBase64, type Submission } from '@shardy/api'
import { isEnded, type TaskRecord } from '@shardy/dispatch'
import {
  type Digest,
  describeRefusal,
  encodeHex,
  type MicroCredit,
  type RequesterId,
  rewardMicroCreditMax,
  type TaskId,
} from '@shardy/protocol'
import { decodeProgram, describeProgram, inputLength, type Program, parseProgram } from '@shardy/tensor'
import type { Services } from '../orchestrator.ts'
import type { Happening } from '../tasks/dispatcher.ts'
import { newTask, type Request, taskIdOf } from '../tasks/submission.ts'
import { pinnedAll, refuseConstants, refuseInputEntries } from './operands.ts'
import { findTask } from './taskView.ts'

/** A million test credits. What one worker earns in all must stay within the 63 bits that an amount has. */
const defaults = { redundancy: 2, rewardMicroCredit: '1000', timeoutMs: 600_000 }
const retryAfterMs = 1_000

/** Posts and waits until it is durable. */
async function settle(
  services: Services,
  happening: Happening,
): Promise<readonly { readonly kind: string }[]> {
  const { dispatcher } = services
  const posted = dispatcher.post(happening)
  if (posted === undefined && dispatcher.isClosed()) throw new ApiError('shuttingDown', 'nothing was changed')
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
  const given = submission.program
  const bytes = 'base64' in given ? decodeBase64(given.base64) : undefined
  const parsed = bytes === undefined ? parseProgram(given) : decodeProgram(bytes)
  if (parsed.ok) return parsed.value
  const detail = describeRefusal(parsed.refusal)
  throw new ApiError('invalidField', {
    detail,
    field: parsed.refusal.field,
    value: JSON.stringify(given).slice(0, 200),
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
    rewardMicroCredit: bounded('rewardMicroCredit', reward, rewardMicroCreditMax) as MicroCredit,
    timeoutMs: submission.timeoutMs ?? defaults.timeoutMs,
    keepOutput: submission.output !== 'digest',
  }
}

function refuseLength(program: Program, actual: number): void {
  const expected = inputLength(program)
  if (actual === expected) return
  throw new ApiError('invalidField', {
    detail: `the input has ${actual} bytes; the ${describeProgram(program)} takes ${expected}`,
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
  const bytes = decodeBase64(input.base64)
  if (bytes === undefined) {
    const bound = 'base64 with padding and without spare bits'
    throw new ApiError('invalidField', {
      detail: `input.base64 must be ${bound}`,
      field: 'input.base64',
      bound,
    })
  }
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

export interface Submitted {
  readonly task: TaskRecord
  readonly isNew: boolean
}

export async function submitTask(
  services: Services,
  submission: Submission,
  idempotencyKey: string | undefined,
  requester: RequesterId,
): Promise<Submitted> {
  const { clock, keeper, sha256, taskTurns } = services
  const request = requestOf(submission)
  const { program } = request
  const taskId = taskIdOf(requester, idempotencyKey ?? services.randomHex(32), sha256)
  const input = inputOf(services, submission, program)

  // In turn: of two with the same key the later one finds the task of the earlier one.
  return taskTurns.take(taskId, async () => {
    const asked = newTask(request, input.digest, requester, taskId, clock.nowMs(), sha256)
    const earlier = await findTask(services, taskId)
    if (earlier?.requestDigest === asked.requestDigest) return { task: earlier, isNew: false }
    if (earlier !== undefined) {
      throw new ApiError('idempotencyConflict', {
        detail: `this key belongs to task ${taskId}, which asked for something else`,
        field: 'idempotency-key',
        ...(idempotencyKey && { value: idempotencyKey }),
      })
    }
    return pinnedAll(keeper, [input.digest, ...asked.constants], async () => {
      await refuseConstants(program, keeper)
      await keepInput(services, input, program, requester)
      await refuseInputEntries(program, async () => input.bytes ?? keeper.bytes(input.digest))
      const { keepOutput, outputLength } = asked
      if (keepOutput && !keeper.fits(requester, outputLength)) throw quotaExceeded(outputLength)
      const effects = await settle(services, { kind: 'submit', task: asked })
      const task = await findTask(services, taskId)
      if (task === undefined || effects.some(({ kind }) => kind === 'refused')) {
        throw new ApiError('overloaded', { detail: 'too many tasks are live', retryAfterMs })
      }
      return { task, isNew: true }
    })
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

/** In turn with a submission that uses the same key again: it begins a new task under this one's id. */
export async function forgetTask(services: Services, { taskId }: TaskRecord): Promise<void> {
  const { archive, taskTurns } = services
  await taskTurns.take(taskId, async () => {
    const task = await findTask(services, taskId)
    if (task === undefined) return
    if (!isEnded(task.status)) {
      throw new ApiError('taskNotEnded', `task ${taskId} is ${task.status}; cancel it first`)
    }
    await archive.forget(task)
  })
}
