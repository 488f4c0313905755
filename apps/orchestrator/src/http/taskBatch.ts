/**
 * Many tasks in one request (spec W36, W37). What is alike is read and looked at once: each program with its constants, the
 * terms, the funds, what is known under the idempotency keys. All of it is posted in one go and shares its commits, and each
 * entry is answered for itself.
 */
import { ApiError, retryAfterOf, waitMsOf } from '@shardy/api'
import type { Effect } from '@shardy/dispatch'
import {
  type BatchSubmission,
  batchContentType,
  batchOutcome,
  batchSubmission,
  type Digest,
  describeRefusal,
  describeVerify,
  encodeHex,
  type MicroCredit,
  messageLengthMax,
  programIdOf,
  type RequesterId,
  retryAfterMsMax,
  rewardMicroCreditMax,
  type SubmittedOutcome,
  type SubmittedTask,
  submissionBytesMax,
  type TaskId,
  takenOutcome,
} from '@shardy/protocol'
import { refuseWhenLow } from '../operation/space.ts'
import type { Services } from '../orchestrator.ts'
import { isInline } from '../tasks/payloads.ts'
import { type Request as Asked, isRepeat, newTask, taskIdOf } from '../tasks/submission.ts'
import { refuseByPolicy } from './access.ts'
import type { BodyBudget } from './bodyBudget.ts'
import { entriesAreBounded, pinnedAll, refuseConstants, refuseEntries } from './operands.ts'
import {
  type AskedWork,
  defaults,
  insufficientFunds,
  notTaken,
  quotaExceeded,
  readWork,
  refuseLength,
} from './tasks.ts'
import { verificationOf } from './verification.ts'

/** A program of the batch, or why none of its tasks is taken. */
type Prepared =
  | {
      readonly ok: true
      readonly asked: AskedWork
      readonly request: Omit<Asked, 'seed'>
      readonly isBounded: boolean
    }
  | { readonly ok: false; readonly error: ApiError }

interface Entry {
  readonly index: number
  readonly taskId: TaskId
  readonly prepared: Extract<Prepared, { readonly ok: true }>
  readonly task: SubmittedTask
  readonly spec: ReturnType<typeof newTask>
}

/** Reads a batch and hands it on; its bytes are held until its tasks are taken. Throws when the whole of it cannot be understood: nothing is taken then. */
export async function withBatch<T>(
  budget: BodyBudget,
  request: Request,
  act: (batch: BatchSubmission) => Promise<T>,
): Promise<T> {
  const type = request.headers.get('content-type') ?? ''
  if (type !== batchContentType) {
    const value = JSON.stringify(type.slice(0, 80))
    const detail = `content-type is ${value}, it must be ${batchContentType}`
    throw new ApiError('unsupportedMediaType', {
      detail,
      field: 'content-type',
      value,
      bound: batchContentType,
    })
  }
  return budget.withBody(request, submissionBytesMax, async (bytes) => {
    if (bytes === undefined) throw bodyTooLarge()
    const decoded = batchSubmission.decode(bytes)
    if (decoded.ok) return act(decoded.value)
    const { field } = decoded.refusal
    throw new ApiError('malformedMessage', { detail: describeRefusal(decoded.refusal), field })
  })
}

function bodyTooLarge(): ApiError {
  const bound = `at most ${submissionBytesMax} bytes`
  return new ApiError('bodyTooLarge', { detail: `the body may have ${bound}`, field: 'body', bound })
}

export async function submitBatch(
  services: Services,
  batch: BatchSubmission,
  requester: RequesterId,
): Promise<Response> {
  const outcomes: SubmittedOutcome[] = new Array(batch.tasks.length)
  const { rewardMicroCredit = 0n } = batch.terms
  if (rewardMicroCredit > rewardMicroCreditMax) {
    const value = String(rewardMicroCredit)
    const bound = `a whole number from 0 to ${rewardMicroCreditMax}`
    const detail = `terms.rewardMicroCredit is ${value}; it must be ${bound}`
    throw new ApiError('invalidField', { detail, field: 'terms.rewardMicroCredit', value, bound })
  }
  const prepared = await prepareAll(services, batch)
  const entries = readEntries(services, batch, prepared, requester, outcomes)
  const ids = batch.tasks.flatMap(({ idempotencyKey }, index) => {
    const entry = idempotencyKey === '' ? undefined : entries[index]
    return entry === undefined ? [] : [entry.taskId]
  })
  const pins = prepared.flatMap((each) => (each.ok ? each.asked.facts.constants : []))
  await services.taskTurns.takeAll(ids, () =>
    pinnedAll(services.keeper, [...new Set(pins)], () =>
      take(services, entries, new Set(ids), requester, outcomes),
    ),
  )
  return answer(outcomes)
}

/** Says when to ask again where any of them may be taken then: the longest wait of them. */
function answer(outcomes: readonly SubmittedOutcome[]): Response {
  const content = batchOutcome.encode({ outcomes })
  const headers = new Headers({ 'content-type': batchContentType })
  let waitMs = -1
  for (const { retryAfterMs = -1 } of outcomes) if (retryAfterMs > waitMs) waitMs = retryAfterMs
  if (waitMs >= 0) headers.set('retry-after', retryAfterOf(waitMs))
  return new Response(content as Uint8Array<ArrayBuffer>, { headers })
}

/** Reading a large program takes a while, and a batch of them must not hold up everybody else. */
const pauseBytes = 4096

async function prepareAll(services: Services, { programs, terms }: BatchSubmission): Promise<Prepared[]> {
  const all: Prepared[] = []
  for (const { kind, program } of programs) {
    if (program.length > pauseBytes) await new Promise<void>((resolve) => setImmediate(resolve))
    try {
      const asked = readWork(kind, program, terms.allowInexact)
      const { verify, proof } = terms
      const verification = verificationOf(
        { ...(verify && { verify: describeVerify(verify) }), ...(proof && { proof }) },
        asked.work,
        services.proofs.kinds,
      )
      const request = {
        kind,
        program,
        programId: programIdOf(kind, program, services.sha256),
        facts: asked.facts,
        ...verification,
        priority: terms.priority ?? defaults.priority,
        tierMin: terms.tierMin,
        features: terms.features,
        region: terms.region,
        rewardMicroCredit: terms.rewardMicroCredit ?? (BigInt(defaults.rewardMicroCredit) as MicroCredit),
        timeoutMs: terms.timeoutMs ?? defaults.timeoutMs,
        keepOutput: !terms.digestOnly,
      }
      all.push({ ok: true, asked, request, isBounded: entriesAreBounded(asked.work) })
    } catch (error) {
      all.push({ ok: false, error: asApiError(error) })
    }
  }
  return all
}

/** What can be said of each entry by itself. Nothing is awaited here. */
function readEntries(
  { clock, sha256, randomHex }: Services,
  { tasks }: BatchSubmission,
  prepared: readonly Prepared[],
  requester: RequesterId,
  outcomes: SubmittedOutcome[],
): (Entry | undefined)[] {
  const nowMs = clock.nowMs()
  /** Of tasks without a key: unlike any other. */
  const fresh = randomHex(16 * tasks.length)
  return tasks.map((task, index) => {
    const found = prepared[task.program]
    try {
      if (found === undefined) throw new Error('the message lets no program be missing')
      if (!found.ok) throw found.error
      const { asked, request, isBounded } = found
      refuseLength(asked.facts, task.input.length)
      if (isBounded) refuseEntries(asked.work, task.input)
      const key = task.idempotencyKey
      const taskId =
        key === '' ? (fresh.slice(32 * index, 32 * (index + 1)) as TaskId) : taskIdOf(requester, key, sha256)
      const inputDigest = encodeHex(sha256(task.input)) as Digest
      const spec = newTask({ ...request, seed: task.seed }, inputDigest, requester, taskId, nowMs, sha256)
      return { index, taskId, prepared: found, task, spec }
    } catch (error) {
      outcomes[index] = problemOutcome(asApiError(error))
      return undefined
    }
  })
}

/** Takes what is new, within what policy, quota and funds allow, and waits until all of it is durable. */
async function take(
  services: Services,
  entries: readonly (Entry | undefined)[],
  keyed: ReadonlySet<TaskId>,
  requester: RequesterId,
  outcomes: SubmittedOutcome[],
): Promise<void> {
  const { archive, bookkeeper, dispatcher, keeper, payloads, sha256 } = services
  const earlier = await archive.known([...keyed], (id) => dispatcher.state().tasks.get(id))
  const missing = new Map<object, ApiError | undefined>()
  await bookkeeper.welcome(requester)
  const reward = entries.find((entry) => entry !== undefined)?.spec.rewardMicroCredit
  const wanted = entries.reduce((sum, entry) => (entry === undefined ? sum : sum + 1), 0)
  const funded =
    reward === undefined
      ? { count: 0, refusal: undefined }
      : bookkeeper.reserveUpTo(requester, reward, wanted)
  let left = funded.count
  let outputBytes = 0
  const taken: Entry[] = []
  const posted: Promise<readonly Effect[]>[] = []
  /** Entries that ask for what an earlier one of this batch asks for. */
  const repeats: { readonly index: number; readonly taskId: TaskId }[] = []
  const inBatch = new Map<TaskId, Entry['spec']>()
  try {
    for (const { asked } of new Set(
      entries.flatMap((entry) => (entry === undefined ? [] : [entry.prepared])),
    )) {
      if (asked.work.kind !== 'program' || asked.facts.constants.length === 0) continue
      missing.set(asked, await refuseConstants(asked.work.program, keeper).then(nothing, asApiError))
    }
    for (const entry of entries) {
      if (entry === undefined) continue
      const { index, taskId, prepared, task, spec } = entry
      try {
        const before = earlier.get(taskId)
        const known = before?.spec ?? inBatch.get(taskId)
        if (known !== undefined) {
          if (!isRepeat(known, spec, prepared.request, sha256)) throw conflict(taskId)
          repeats.push({ index, taskId })
          continue
        }
        refuseWhenLow(services)
        const lacking = missing.get(prepared.asked)
        if (lacking !== undefined) throw lacking
        refuseByPolicy(
          services,
          {
            kind: spec.kind,
            programId: spec.programId,
            programBytes: spec.program.length,
            complexity: spec.complexity,
          },
          requester,
        )
        if (spec.keepOutput && !isInline(spec.outputLength)) {
          if (!keeper.fits(requester, outputBytes + spec.outputLength)) throw quotaExceeded(spec.outputLength)
          outputBytes += spec.outputLength
        }
        if (left === 0) throw insufficientFunds(funded.refusal)
        payloads.holdInput(taskId, task.input)
        const happening = dispatcher.post({ kind: 'submit', task: spec })
        if (happening === undefined) {
          payloads.dropInput(taskId)
          throw dispatcher.isClosed()
            ? new ApiError('shuttingDown', 'nothing was changed')
            : new ApiError('overloaded', { detail: 'the queue is full', retryAfterMs: 1_000 })
        }
        left--
        inBatch.set(taskId, spec)
        taken.push(entry)
        posted.push(happening)
      } catch (error) {
        outcomes[index] = problemOutcome(asApiError(error))
      }
    }
    await settleAll(services, taken, posted, outcomes)
    if (taken.length === 0 && repeats.length > 0) await dispatcher.caughtUp()
    for (const { index, taskId } of repeats) {
      const first = taken.find((entry) => entry.taskId === taskId)
      const outcome = first === undefined ? undefined : outcomes[first.index]
      outcomes[index] = outcome?.code ? outcome : takenOutcome(taskId, false)
    }
  } finally {
    if (reward !== undefined) bookkeeper.release(requester, reward, funded.count)
  }
}

async function settleAll(
  { payloads }: Services,
  taken: readonly Entry[],
  posted: readonly Promise<readonly Effect[]>[],
  outcomes: SubmittedOutcome[],
): Promise<void> {
  let settled: (readonly Effect[])[]
  try {
    settled = await Promise.all(posted)
  } catch (cause) {
    for (const { taskId } of taken) payloads.dropInput(taskId)
    throw new ApiError('storageFailed', 'the orchestrator is restarting; ask again with the same keys', {
      cause,
    })
  }
  taken.forEach(({ index, taskId }, at) => {
    const refused = settled[at]?.find((effect) => effect.kind === 'refused')
    if (refused === undefined) {
      outcomes[index] = takenOutcome(taskId, true)
      return
    }
    payloads.dropInput(taskId)
    outcomes[index] = problemOutcome(notTaken(refused.refusal))
  })
}

const nothing = (): undefined => undefined

function conflict(taskId: TaskId): ApiError {
  const detail = `this key belongs to task ${taskId}, which asked for something else`
  return new ApiError('idempotencyConflict', { detail, field: 'idempotencyKey' })
}

/** A bug is nobody's answer. */
function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  throw error
}

/** What one task alone would have been told; where only a header would say how long to wait, the entry does. */
function problemOutcome({ problem }: ApiError): SubmittedOutcome {
  const { code, detail, field, value, bound } = problem
  const waitMs = waitMsOf(problem)
  return {
    taskId: undefined,
    isNew: false,
    code,
    detail: plain(detail),
    field: field === undefined ? undefined : plain(field),
    value: value === undefined ? undefined : plain(value),
    bound: bound === undefined ? undefined : plain(bound),
    retryAfterMs: waitMs === undefined ? undefined : Math.min(Math.ceil(waitMs), retryAfterMsMax),
  }
}

const plain = (text: string): string => text.slice(0, messageLengthMax).replace(/[^\x20-\x7e]/g, '?')
