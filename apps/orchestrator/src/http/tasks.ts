/** Tasks over HTTP: submit, look, cancel, forget. */
import { ApiError, decodeBase64, type Submission } from '@shardy/api'
import { decodeWork, factsOf, type Work, type WorkFacts } from '@shardy/compute/work'
import { type Effect, isEnded, type NewTask, type SubmitRefusal, type TaskRecord } from '@shardy/dispatch'
import { type BookRefusal, describeBookRefusal } from '@shardy/ledger'
import { type AnyLiteProgram, encodeLite, parseLite } from '@shardy/lite'
import {
  type Digest,
  describeRefusal,
  encodeHex,
  type MicroCredit,
  programIdOf,
  type RequesterId,
  rewardMicroCreditMax,
  type TaskId,
  type TaskKind,
} from '@shardy/protocol'
import { encodeProgram, parseProgram } from '@shardy/tensor'
import { refuseWhenLow } from '../operation/space.ts'
import type { Services } from '../orchestrator.ts'
import type { Happening, Room } from '../tasks/dispatcher.ts'
import { isInline } from '../tasks/payloads.ts'
import { isRepeat, newTask, type Request, taskIdOf } from '../tasks/submission.ts'
import { refuseByPolicy } from './access.ts'
import { pinnedAll, refuseConstants, refuseInputEntries } from './operands.ts'
import { findTask } from './taskView.ts'
import { verificationOf } from './verification.ts'

export const defaults = { rewardMicroCredit: '1000', timeoutMs: 600_000, priority: 5 }
const retryAfterMs = 1_000

/** Posts and waits until it is durable. */
export async function settle(
  services: Services,
  happening: Happening,
  room?: Room,
): Promise<readonly Effect[]> {
  const { dispatcher } = services
  const posted = dispatcher.post(happening, room)
  if (posted === undefined && dispatcher.isClosed()) throw new ApiError('shuttingDown', 'nothing was changed')
  if (posted === undefined) throw new ApiError('overloaded', { detail: 'the queue is full', retryAfterMs })
  try {
    return await posted
  } catch (cause) {
    throw new ApiError(
      'storageFailed',
      'it may or may not have been taken; the orchestrator is restarting, ask again with the same key',
      { cause },
    )
  }
}

/** Somebody else's task is no business of this requester, so it is as unknown as one that never was. */
export async function ownTask(
  services: Services,
  taskId: string,
  requester: RequesterId,
): Promise<TaskRecord> {
  const task = await findTask(services, taskId as TaskId)
  if (task === undefined || task.spec.requesterId !== requester) {
    throw new ApiError('unknownTask', {
      detail: `there is no task ${taskId}`,
      field: 'taskId',
      value: taskId,
    })
  }
  return task
}

function refuseWork(field: string, detail: string, given: Submission['program']): ApiError {
  return new ApiError('invalidField', {
    detail,
    field,
    value: JSON.stringify(given).slice(0, 200),
    bound: detail,
  })
}

/** The canonical bytes of what is to be run. */
function workBytes({ kind, program, input }: Submission): Uint8Array {
  if ('base64' in program) {
    const bytes = decodeBase64(program.base64)
    if (bytes !== undefined) return bytes
    throw refuseWork('program.base64', 'is not base64 in its one spelling', program)
  }
  if (kind === 'lite' || kind === 'superLite') return encodeLite(liteOf(kind, program, input))
  if (kind !== 'program') throw refuseWork('program', `a ${kind} is given as base64`, program)
  const parsed = parseProgram(program)
  if (parsed.ok) return encodeProgram(parsed.value)
  throw refuseWork(parsed.refusal.field, describeRefusal(parsed.refusal), program)
}

function liteOf(
  kind: AnyLiteProgram['kind'],
  program: Submission['program'],
  input: Submission['input'],
): AnyLiteProgram {
  if (!('rounds' in program)) throw refuseWork('program', `a ${kind} is given as rounds or base64`, program)
  const { rounds, lanes } = program
  if ((lanes === undefined) === (kind === 'lite')) {
    const detail = kind === 'lite' ? 'a lite task says its lanes' : 'a superLite task has no lanes'
    throw refuseWork('program.lanes', detail, program)
  }
  const given = 'base64' in input ? decodeBase64(input.base64)?.length : undefined
  const inputLength = program.inputLength ?? given
  if (inputLength === undefined) {
    throw refuseWork('program.inputLength', 'must be said of an input that is a blob', program)
  }
  const parsed = parseLite(
    lanes === undefined
      ? { kind: 'superLite', rounds, inputLength }
      : { kind: 'lite', rounds, lanes, inputLength },
  )
  if (parsed.ok) return parsed.value
  throw refuseWork(parsed.refusal.field, describeRefusal(parsed.refusal), program)
}

export interface AskedWork {
  readonly bytes: Uint8Array
  readonly work: Work
  readonly facts: WorkFacts
}

export function readWork(
  kind: TaskKind,
  bytes: Uint8Array,
  allowInexact: boolean,
  given: Submission['program'] = { base64: '' },
): AskedWork {
  const decoded = decodeWork(kind, bytes)
  if (!decoded.ok) throw refuseWork(decoded.field, decoded.reason, given)
  const { work } = decoded
  if (work.kind === 'shader' && work.shader.exactness.exactness === 'inexact' && !allowInexact) {
    const [first] = work.shader.exactness.reasons
    const why = first === undefined ? '' : `: line ${first.line}, column ${first.column}: ${first.message}`
    const detail = `the shader is not exact, so honest workers may differ${why}; say allowInexact to try it all the same`
    throw refuseWork('allowInexact', detail, given)
  }
  return { bytes, work, facts: factsOf(work) }
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

function requestOf(
  submission: Submission,
  { bytes, work, facts }: AskedWork,
  { sha256, proofs }: Pick<Services, 'sha256' | 'proofs'>,
): Request {
  const reward = submission.rewardMicroCredit ?? defaults.rewardMicroCredit
  return {
    kind: submission.kind,
    program: bytes,
    programId: programIdOf(submission.kind, bytes, sha256),
    facts,
    seed: bounded('seed', submission.seed ?? '0', 2n ** 64n - 1n),
    ...verificationOf(submission, work, proofs.kinds),
    priority: submission.priority ?? defaults.priority,
    tierMin: submission.tierMin ?? 0,
    features: submission.features ?? [],
    region: submission.region ?? '',
    rewardMicroCredit: bounded('rewardMicroCredit', reward, rewardMicroCreditMax) as MicroCredit,
    timeoutMs: submission.timeoutMs ?? defaults.timeoutMs,
    keepOutput: submission.output !== 'digest',
  }
}

export function refuseLength({ inputLength: expected, summary }: WorkFacts, actual: number): void {
  if (actual === expected) return
  throw new ApiError('invalidField', {
    detail: `the input has ${actual} bytes; the program takes ${expected} bytes: ${summary}`,
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

function inputOf({ sha256 }: Services, { input }: Submission, facts: WorkFacts): AskedInput {
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
  refuseLength(facts, bytes.length)
  return { digest: encodeHex(sha256(bytes)) as Digest, bytes }
}

/** Makes sure that the input's bytes are here. Called while they are pinned, so they stay. */
async function keepInput(
  { keeper }: Services,
  { digest, bytes }: AskedInput,
  facts: WorkFacts,
  requester: RequesterId,
): Promise<void> {
  const length = await keeper.length(digest)
  if (length !== undefined) {
    refuseLength(facts, length)
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
  const { clock, sha256, taskTurns } = services
  const { kind, program, allowInexact = false } = submission
  const asking = readWork(kind, workBytes(submission), allowInexact, program)
  const request = requestOf(submission, asking, services)
  const taskId = taskIdOf(requester, idempotencyKey ?? services.randomHex(32), sha256)
  const input = inputOf(services, submission, asking.facts)

  // In turn: of two with the same key the later one finds the task of the earlier one.
  return taskTurns.take(taskId, async () => {
    const asked = newTask(request, input.digest, requester, taskId, clock.nowMs(), sha256)
    const earlier = await findTask(services, taskId)
    if (earlier !== undefined) {
      if (isRepeat(earlier.spec, asked, request, sha256)) return { task: earlier, isNew: false }
      throw new ApiError('idempotencyConflict', {
        detail: `this key belongs to task ${taskId}, which asked for something else`,
        field: 'idempotency-key',
        ...(idempotencyKey && { value: idempotencyKey }),
      })
    }
    const { programId, complexity } = asked
    refuseByPolicy(
      services,
      { kind: asked.kind, programId, programBytes: asked.program.length, complexity },
      requester,
    )
    refuseWhenLow(services)
    return { task: await takeIn(services, asked, asking, input, requester), isNew: true }
  })
}

/** Makes sure that all it needs is here and paid for, and hands it to dispatch. */
async function takeIn(
  services: Services,
  asked: NewTask,
  { work, facts }: AskedWork,
  input: AskedInput,
  requester: RequesterId,
): Promise<TaskRecord> {
  const { keeper, payloads, bookkeeper } = services
  const { taskId, inputDigest, constants, keepOutput, outputLength, rewardMicroCredit } = asked
  return pinnedAll(keeper, [inputDigest, ...constants], async () => {
    if (work.kind === 'program') await refuseConstants(work.program, keeper)
    // A small input lies beside its task; one that was uploaded is a blob, whatever its size.
    const travels = input.bytes !== undefined && isInline(input.bytes.length)
    if (!travels) await keepInput(services, input, facts, requester)
    await refuseInputEntries(work, async () => input.bytes ?? keeper.bytes(inputDigest))
    if (keepOutput && !isInline(outputLength) && !keeper.fits(requester, outputLength)) {
      throw quotaExceeded(outputLength)
    }
    await bookkeeper.welcome(requester)
    const unfunded = bookkeeper.reserve(requester, rewardMicroCredit)
    if (unfunded !== undefined) throw insufficientFunds(unfunded)
    try {
      if (travels && input.bytes !== undefined) payloads.holdInput(taskId, input.bytes)
      const effects = await settle(services, { kind: 'submit', task: asked })
      const refused = effects.find((effect) => effect.kind === 'refused')
      const task = await findTask(services, taskId)
      if (refused !== undefined) throw notTaken(refused.refusal)
      if (task === undefined) throw new Error(`task ${taskId} was taken and is not there`)
      return task
    } catch (error) {
      payloads.dropInput(taskId)
      throw error
    } finally {
      bookkeeper.release(requester, rewardMicroCredit)
    }
  })
}

export function insufficientFunds(refusal: BookRefusal | undefined): ApiError {
  const why = refusal === undefined ? 'the rest was set aside for others' : describeBookRefusal(refusal)
  const detail = `${why}: reward and fee are put in escrow when a task is submitted`
  return new ApiError('insufficientFunds', { detail, field: 'rewardMicroCredit' })
}

export function notTaken(refusal: SubmitRefusal): ApiError {
  switch (refusal.kind) {
    case 'draining':
      return new ApiError('draining', {
        detail: 'an operator lets work run out here; nothing was changed',
        retryAfterMs: 60_000,
      })
    case 'tooManyLive': {
      const bound = `${refusal.liveTasksPerRequesterMax} live tasks`
      return new ApiError('tooManyLive', {
        detail: `you have ${bound}; wait until some have ended`,
        bound,
        retryAfterMs,
      })
    }
    case 'overloaded': {
      const bound = `${refusal.liveTasksMax} live tasks`
      return new ApiError('overloaded', { detail: 'too many tasks are live', bound, retryAfterMs })
    }
    case 'tooVaried':
      return new ApiError('tooVaried', {
        detail:
          'it asks of workers what no waiting task asks, and too many different things are asked already',
        retryAfterMs,
      })
    case 'beingChecked':
      return taskBeingChecked(refusal.taskId)
    case 'duplicate':
      throw new Error(`task ${refusal.taskId} was looked for and not found`)
  }
}

/** Its requester and its worker could get it out of the way, or under another one's id, before the verdict. */
export function refuseBeingChecked({ dispatcher }: Services, { spec: { taskId } }: TaskRecord): void {
  if (dispatcher.state().auditsOf.has(taskId)) throw taskBeingChecked(taskId)
}

function taskBeingChecked(taskId: TaskId): ApiError {
  const detail = `an answer to task ${taskId} is still being checked, and what is found is kept with it`
  return new ApiError('taskBeingChecked', { detail, retryAfterMs })
}

export async function cancelTask(services: Services, task: TaskRecord): Promise<TaskRecord> {
  const { taskId } = task.spec
  const effects: readonly Pick<Effect, 'kind'>[] = isEnded(task.status)
    ? [{ kind: 'ignored' }]
    : await settle(services, { kind: 'cancel', taskId })
  if (effects.some(({ kind }) => kind === 'ignored')) {
    const now = await findTask(services, taskId)
    throw new ApiError('taskEnded', `task ${taskId} is ${now?.status ?? task.status} already`)
  }
  return (await findTask(services, taskId)) ?? task
}

/** A task that is forgotten is unknown, and the campaign would have it computed and paid again (spec K10). */
export function refuseLiveCampaign({ campaigns }: Services, { spec }: TaskRecord): void {
  const { taskId, campaignId } = spec
  if (campaignId === undefined || !campaigns.isLive(campaignId)) return
  const detail = `task ${taskId} belongs to campaign ${campaignId}, which has not ended`
  throw new ApiError('campaignTask', detail)
}

/** In turn with a submission that uses the same key again: it begins a new task under this one's id. */
export async function forgetTask(services: Services, { spec }: TaskRecord): Promise<void> {
  const { taskId } = spec
  const { archive, dispatcher, taskTurns } = services
  await taskTurns.take(taskId, async () => {
    const task = await findTask(services, taskId)
    if (task === undefined) return
    if (!isEnded(task.status)) {
      throw new ApiError('taskNotEnded', `task ${taskId} is ${task.status}; cancel it first`)
    }
    refuseLiveCampaign(services, task)
    refuseBeingChecked(services, task)
    // What was found last, written behind this, would bring half of it back.
    await dispatcher.caughtUp()
    await archive.forget(task)
  })
}
