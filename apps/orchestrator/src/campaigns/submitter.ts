/**
 * Items of campaigns as tasks: submits them, looks for them, cancels them. Whoever calls does one of these at a time for a
 * campaign, so that `unknown` is only said while no submission of that task is under way (spec K10).
 */
import {
  type Answered,
  type ItemAttempt,
  itemTaskId,
  itemWork,
  segmentItems,
  segmentOf,
  type TaskEnd,
} from '@shardy/campaign'
import { isEnded, type NewTask, type SubmitRefusal, type TaskRecord, taskRecord } from '@shardy/dispatch'
import {
  type Digest,
  type DurationMs,
  encodeHex,
  type MicroCredit,
  type TaskId,
  type TimeMs,
} from '@shardy/protocol'
import type { BlobStore, Store } from '@shardy/storage'
import type { PolicyRefusal, WorkPolicy } from '../access/workPolicy.ts'
import type { BlobKeeper } from '../blobs/keeper.ts'
import type { Bookkeeper } from '../book/bookkeeper.ts'
import type { Clock } from '../clock.ts'
import { refuseInputEntries } from '../http/operands.ts'
import type { Space } from '../operation/space.ts'
import { idKey, type Table } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'
import type { Dispatcher } from '../tasks/dispatcher.ts'
import { isInline, type Payloads } from '../tasks/payloads.ts'
import { readListed } from './holds.ts'
import { costOf } from './price.ts'
import type { CampaignWork } from './work.ts'

/** What is known of items' tasks after a submission or a look. */
export interface Said {
  readonly answers: readonly Answered[]
  readonly ends: readonly TaskEnd[]
}

export interface Submitter {
  /** `mayGoOn` is asked before each: an item that may no longer go is answered with `later`. */
  submit(work: CampaignWork, items: readonly ItemAttempt[], mayGoOn: () => boolean): Promise<Said>
  look(work: CampaignWork, items: readonly ItemAttempt[]): Promise<Said>
  cancel(work: CampaignWork, items: readonly ItemAttempt[]): Promise<void>
  taskIdOf(work: CampaignWork, item: ItemAttempt): TaskId
  /** What an ended task means for its item. */
  endOf(work: CampaignWork, item: ItemAttempt, task: TaskRecord): TaskEnd
}

export interface SubmitterParts {
  readonly store: Store<Table>
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  readonly keeper: BlobKeeper
  readonly payloads: Payloads
  readonly bookkeeper: Pick<Bookkeeper, 'reserve' | 'release'>
  readonly workPolicy: Pick<WorkPolicy, 'refuse'>
  readonly dispatcher: Dispatcher
  readonly feePermille: number
  readonly space: Space
}

/** Beyond this a store is asked in parts; cancels are posted in parts too. */
const atOnceMax = 1_024
const soonMs = 1_000 as DurationMs
/** For what only a person changes: a drained orchestrator, a quota that is used up. */
const patientMs = 60_000 as DurationMs

type Known = 'live' | TaskRecord | undefined

/** Without the item that it is about. */
type Answer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'later'; readonly retryAfterMs: DurationMs }
  | { readonly kind: 'fundsMissing' }
  | { readonly kind: 'refused'; readonly code: string }

const later = (retryAfterMs: DurationMs): Answer => ({ kind: 'later', retryAfterMs })
const refusedAs = (code: string): Answer => ({ kind: 'refused', code })

interface GivenInput {
  readonly digest: Digest
  readonly bytes: Uint8Array | undefined
}

export function createSubmitter(parts: SubmitterParts): Submitter {
  const { store, blobs, clock, sha256, keeper, payloads, bookkeeper, workPolicy, dispatcher, feePermille } =
    parts
  /** The piece of each campaign's list that was read last: items are submitted nearly in order. */
  const pieces = new WeakMap<
    CampaignWork,
    { readonly segment: number; readonly digests: Promise<readonly Digest[]> }
  >()

  const taskIdOf = ({ campaignId }: CampaignWork, { index, attempt }: ItemAttempt): TaskId =>
    itemTaskId(campaignId, index, attempt, sha256)

  /** A live task is in dispatch or, while its end is being committed, among the live rows; an ended one is archived. */
  async function find(ids: readonly TaskId[]): Promise<Known[]> {
    const known: Known[] = ids.map((id) => (dispatcher.state().tasks.has(id) ? 'live' : undefined))
    for (const table of ['liveTasks', 'tasks'] as const) {
      const missing = known.flatMap((each, place) => (each === undefined ? [place] : []))
      for (let from = 0; from < missing.length; from += atOnceMax) {
        const places = missing.slice(from, from + atOnceMax)
        const rows = await store.getMany(
          table,
          places.map((place) => idKey(ids[place] ?? '')),
        )
        for (const [row, bytes] of rows.entries()) {
          if (bytes === undefined) continue
          known[places[row] ?? -1] = table === 'liveTasks' ? 'live' : decodeRecord(taskRecord, bytes)
        }
      }
    }
    return known
  }

  async function listed(work: CampaignWork, list: Digest, index: number): Promise<Digest | undefined> {
    const segment = segmentOf(index)
    let piece = pieces.get(work)
    if (piece?.segment !== segment) {
      const { count = 0 } = work.manifest.inputs.list ?? {}
      piece = {
        segment,
        digests: readListed(
          blobs,
          list,
          segment * segmentItems,
          Math.min((segment + 1) * segmentItems, count),
        ),
      }
      pieces.set(work, piece)
    }
    return (await piece.digests)[index % segmentItems]
  }

  async function inputOf(
    work: CampaignWork,
    index: number,
  ): Promise<{ readonly seed: bigint; readonly input: GivenInput | undefined }> {
    const { input, seed } = itemWork(work.manifest, index)
    switch (input.kind) {
      case 'bytes':
        return { seed, input: { digest: encodeHex(sha256(input.bytes)) as Digest, bytes: input.bytes } }
      case 'blob':
        return { seed, input: { digest: input.digest, bytes: undefined } }
      case 'listed': {
        const digest = await listed(work, input.list, index)
        return { seed, input: digest && { digest, bytes: undefined } }
      }
    }
  }

  async function submitOne(work: CampaignWork, item: ItemAttempt, taskId: TaskId): Promise<Answer> {
    const { manifest, facts, requesterId, rewardMicroCredit, programId } = work
    if (parts.space.state !== 'enough') return later(patientMs)
    const given = await inputOf(work, item.index)
    if (given.input === undefined) return refusedAs('inputMissing')
    const { digest } = given.input
    return keeper.pinned(digest, async () => {
      const wrong = await refuseInput(work, given.input as GivenInput)
      if (wrong !== undefined) return wrong
      const { keepOutput } = manifest.work
      if (keepOutput && !isInline(facts.outputLength) && !keeper.fits(requesterId, facts.outputLength)) {
        return later(patientMs)
      }
      const { kind, program } = manifest.work
      const offered = { kind, programId, programBytes: program.length, complexity: facts.complexity }
      const denied = workPolicy.refuse(offered, requesterId)
      if (denied !== undefined) return policyAnswer(denied)
      if (bookkeeper.reserve(requesterId, rewardMicroCredit) !== undefined) return { kind: 'fundsMissing' }
      try {
        return await post(work, item, taskId, given.seed, given.input as GivenInput)
      } finally {
        bookkeeper.release(requesterId, rewardMicroCredit)
      }
    })
  }

  /** Called while it is pinned, so that it stays. */
  async function refuseInput(work: CampaignWork, { digest, bytes }: GivenInput): Promise<Answer | undefined> {
    const { facts, requesterId } = work
    const length = bytes?.length ?? (await keeper.length(digest))
    if (length === undefined) return refusedAs('inputMissing')
    if (length !== facts.inputLength) return refusedAs('inputLength')
    try {
      await refuseInputEntries(work.work, async () => bytes ?? keeper.bytes(digest))
    } catch {
      return refusedAs('inputOutOfRange')
    }
    if (bytes === undefined || isInline(bytes.length) || (await keeper.length(digest)) !== undefined)
      return undefined
    if (!keeper.fits(requesterId, bytes.length)) return later(patientMs)
    await keeper.keep(digest, bytes, requesterId)
    return undefined
  }

  async function post(
    work: CampaignWork,
    { index }: ItemAttempt,
    taskId: TaskId,
    seed: bigint,
    input: GivenInput,
  ): Promise<Answer> {
    const holds = input.bytes !== undefined && isInline(input.bytes.length)
    if (holds && input.bytes !== undefined) payloads.holdInput(taskId, input.bytes)
    const posted = dispatcher.post({ kind: 'submit', task: taskOf(work, index, taskId, seed, input.digest) })
    // A commit that failed is told to the process by the dispatcher, and found out about after the restart.
    const effects = await posted?.catch(() => undefined)
    const refused = effects?.find((effect) => effect.kind === 'refused')
    if (effects !== undefined && refused === undefined) return { kind: 'accepted' }
    if (refused?.refusal.kind !== 'duplicate') payloads.dropInput(taskId)
    return refused === undefined ? later(soonMs) : dispatchAnswer(refused.refusal)
  }

  function taskOf(
    work: CampaignWork,
    index: number,
    taskId: TaskId,
    seed: bigint,
    inputDigest: Digest,
  ): NewTask {
    const { campaignId, requesterId, manifest, requestDigest, facts } = work
    const { kind, program, keepOutput } = manifest.work
    const { complexity, inputLength, outputLength, constants, constantBytes, memoryBytes } = facts
    return {
      taskId,
      requesterId,
      requestDigest,
      kind,
      program,
      programId: work.programId,
      seed,
      complexity,
      inputDigest,
      inputLength,
      outputLength,
      constants,
      constantBytes,
      memoryBytes,
      verify: work.verify,
      proof: work.proof,
      exact: work.exact,
      priority: manifest.priority,
      tierMin: 0,
      features: [],
      region: '',
      rewardMicroCredit: work.rewardMicroCredit,
      keepOutput,
      deadlineMs: Math.min(clock.nowMs() + manifest.taskTimeoutMs, manifest.deadlineMs) as TimeMs,
      campaignId: campaignId as string as TaskId,
      campaignItem: index,
    }
  }

  function endOf({ manifest }: CampaignWork, { index, attempt }: ItemAttempt, task: TaskRecord): TaskEnd {
    const { status, outputDigest, deadReason, deliveries } = task
    const paid = deliveries.reduce((sum, { rewardMicroCredit }) => sum + rewardMicroCredit, 0n) as MicroCredit
    const cost = costOf(paid, feePermille)
    // No more than this was in escrow, whatever the fee has become since.
    const most = manifest.rewardMicroCredit
    const about = { index, attempt, costMicroCredit: cost < most ? cost : most }
    if (status === 'dead') return { ...about, status, code: deadReason ?? 'dead' }
    if (status === 'cancelled') return { ...about, status, code: status }
    if ((status === 'verified' || status === 'accepted') && outputDigest !== undefined) {
      return { ...about, status, outputDigest }
    }
    throw new Error(`task ${task.spec.taskId} is ${status} and has no output`)
  }

  function sayKnown(work: CampaignWork, items: readonly ItemAttempt[], known: readonly Known[]): Said {
    const answers: Answered[] = []
    const ends: TaskEnd[] = []
    for (const [place, item] of items.entries()) {
      const task = known[place]
      if (task === undefined) answers.push({ ...item, kind: 'unknown' })
      else if (task === 'live' || !isEnded(task.status)) answers.push({ ...item, kind: 'accepted' })
      else ends.push(endOf(work, item, task))
    }
    return { answers, ends }
  }

  return {
    taskIdOf,
    endOf,
    async submit(work, items, mayGoOn) {
      const ids = items.map((item) => taskIdOf(work, item))
      const known = await find(ids)
      const there = items.flatMap((item, place) =>
        known[place] === undefined ? [] : [{ item, task: known[place] }],
      )
      const said = sayKnown(
        work,
        there.map(({ item }) => item),
        there.map(({ task }) => task),
      )
      const answered = items.flatMap((item, place) => {
        if (known[place] !== undefined) return []
        const answer = mayGoOn()
          ? submitOne(work, item, ids[place] as TaskId)
          : Promise.resolve(later(1 as DurationMs))
        return [answer.then((each): Answered => ({ ...item, ...each }))]
      })
      return { answers: [...said.answers, ...(await Promise.all(answered))], ends: said.ends }
    },
    async look(work, items) {
      return sayKnown(work, items, await find(items.map((item) => taskIdOf(work, item))))
    },
    async cancel(work, items) {
      for (let from = 0; from < items.length; from += atOnceMax) {
        const posted = items
          .slice(from, from + atOnceMax)
          // One for which the queue has no room is cancelled when it is next asked about.
          .map((item) => dispatcher.post({ kind: 'cancel', taskId: taskIdOf(work, item) })?.catch(() => {}))
        await Promise.all(posted)
      }
    },
  }
}

function policyAnswer(refusal: PolicyRefusal): Answer {
  return refusal.kind === 'workRateLimited'
    ? later(Math.max(1, refusal.retryAfterMs) as DurationMs)
    : refusedAs(refusal.kind)
}

function dispatchAnswer(refusal: SubmitRefusal): Answer {
  switch (refusal.kind) {
    case 'duplicate':
      return { kind: 'accepted' }
    case 'draining':
      return later(patientMs)
    case 'overloaded':
    case 'tooManyLive':
    case 'tooVaried':
    case 'beingChecked':
      return later(soonMs)
  }
}
