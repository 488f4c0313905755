/**
 * The dull driver around dispatch: a bounded queue, one input at a time, run to completion. Inputs that wait together are
 * decided together and committed in one synced batch; only then are their effects carried out, in order. While one commit is
 * written, the next is decided. What no promise rests on, leases above all, is written later, and not at all when the verdict
 * comes first. A store that fails ends the process: what is on disk is the truth to restart from.
 */
import {
  type BookEffect,
  type DispatchState,
  type Effect,
  type Input,
  type LateAudit,
  nextDueMs,
  type Offence,
  type Recovered,
  type Standing,
  step,
  type Task,
} from '@shardy/dispatch'
import { inlinePayloadBytesMax, type TaskId, type TimeMs } from '@shardy/protocol'
import type { Clock } from '../clock.ts'

type Timeless<T> = T extends unknown ? Omit<T, 'atMs'> : never
/** An input before the dispatcher has put the time on it. */
export type Happening = Timeless<Input>

export type Published = Extract<Effect, { readonly kind: 'publish' }>
/** What may begin before anything is durable, because nobody outside hears of it. */
export type Begun = Extract<Effect, { readonly kind: 'check' | 'compare' }>

/** What one commit makes durable, all or nothing. */
export interface Changes {
  /** As they are now; the first time for those that are new. */
  readonly tasks: readonly Task[]
  readonly submitted: ReadonlySet<Task>
  readonly revived: ReadonlySet<Task>
  readonly standings: readonly Standing[]
  readonly lateAudits: readonly LateAudit[]
  readonly entries: readonly BookEffect[]
  readonly offences: readonly Offence[]
  readonly published: readonly Published[]
}

/** `owed`: taken though the queue is full, because whoever says it has had less than its share. */
export type Room = 'owed' | 'ifThereIsRoom'

export interface Dispatcher {
  /** Resolves with the input's effects once they are durable; undefined when there is no room to queue it. */
  post(happening: Happening, room?: Room): Promise<readonly Effect[]> | undefined
  /** Many from one speaker, in their order, up to the first for which there is no room. What comes of each is not told. */
  postAll(happenings: readonly Happening[], roomOf: (index: number) => Room): Posted
  /** Resolves when everything posted so far is durable, or never will be. */
  caughtUp(): Promise<void>
  /** What is decided; it may be a few milliseconds ahead of what is durable. Whoever tells others of it waits for `caughtUp`. */
  state(): DispatchState
  /** Inputs that wait to be decided. */
  queued(): number
  /** Takes nothing more, because it is closed or the store failed. */
  isClosed(): boolean
  /** Finishes what is queued and takes no more. */
  close(): Promise<void>
}

export interface Posted {
  readonly taken: number
  /** Resolves when what was taken is durable, or never will be. */
  readonly decided: Promise<void>
}

export interface DispatcherParts {
  readonly clock: Clock
  /** Takes what it needs of memory before it returns. Written in the order of the calls, and none when one before it was not. */
  save(changes: Changes): Promise<void>
  /** An answer that is known at once comes back as an input; others are posted later. */
  begin(effect: Begun): Happening | undefined
  /** In order, all of one commit together. */
  perform(effects: readonly Effect[]): void
  /** The store failed; nothing after this is durable. */
  fatal(error: unknown): void
  /** Tells how a commit went. */
  committed?(inputs: number, ms: number): void
}

export const queuedMax = 20_000
/** Inputs decided together. */
const inputsPerBatchMax = 1024
/** What one write takes, since a store's batch has its bounds. A task is a handful of operations. */
const tasksPerWriteMax = 8192
const bytesPerWriteMax = 24 * 1024 * 1024
/** How long a change may stay in memory alone when nothing rests on it. */
const laterMs = 500

/**
 * There are as many of these as connections and checks under way. A worker that left would be given work for ever, and an answer
 * whose check is never heard of would wait until its deadline.
 */
const alwaysHeard: ReadonlySet<Happening['kind']> = new Set(['workerLeft', 'tick', 'checked', 'compared'])

interface Queued {
  readonly input: Input
  readonly resolve: (effects: readonly Effect[]) => void
  readonly reject: (error: unknown) => void
}

interface UnderWay {
  readonly decided: readonly Queued[]
  readonly landing: Promise<void>
}

interface Batch {
  readonly effects: Effect[]
  readonly entries: BookEffect[]
  readonly offences: Offence[]
  readonly published: Published[]
  readonly submitted: Set<Task>
  readonly revived: Set<Task>
}

const nothing = (): void => {}

const isUrgent = ({ unsaved }: Task): boolean => unsaved === 'now'

/** More than what is written of it: the record, and what lies beside it. */
function bytesOf({ spec, deliveries, history }: Task): number {
  const { program, inputLength, outputLength, constants } = spec
  const outputs = (1 + deliveries.length) * Math.min(outputLength, inlinePayloadBytesMax)
  const small = Math.min(inputLength, inlinePayloadBytesMax) + outputs + program.length
  return 2_048 + small + 128 * constants.length + 1_024 * deliveries.length + 512 * history.length
}

/** Takes out of the list what is not to be held back. */
function taken<T>(list: T[], isHeld: (each: T) => boolean): readonly T[] {
  const whole = list.splice(0)
  for (const each of whole) if (isHeld(each)) list.push(each)
  return list.length === 0 ? whole : whole.filter((each) => !isHeld(each))
}

/** `recovered` is the first step: its effects are saved and carried out before any input. */
export function createDispatcher(parts: DispatcherParts, recovered: Recovered): Dispatcher {
  const { clock } = parts
  const { state } = recovered
  let queue: Queued[] = []
  /** Decided, and not durable yet. */
  const underWay: UnderWay[] = []
  /** Resolves when what was decided so far is durable and carried out; never rejects. */
  let landed: Promise<void> = Promise.resolve()
  const begun = Promise.resolve().then(begin)
  let running: Promise<void> | undefined = begun.then(run)
  /** What was recovered is decided, and not durable yet, before anything is posted. */
  let latest: Promise<unknown> = begun
  let closed = false
  let cancelTimer: (() => void) | undefined
  let laterDueMs: number | undefined
  const unlogged: Published[] = []

  let failed = false

  /** Once: what comes of it later has the same cause. */
  function fail(error: unknown): void {
    if (failed) return
    failed = true
    closed = true
    for (const { reject } of [...underWay.flatMap(({ decided }) => decided), ...queue]) reject(error)
    underWay.length = 0
    queue = []
    parts.fatal(error)
  }

  const openBatch = (): Batch => ({
    effects: [],
    entries: [],
    offences: [],
    published: [],
    submitted: new Set(),
    revived: new Set(),
  })

  /** Sorts what a step brought about; what checks answer at once is decided in the same batch. */
  function take(batch: Batch, effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'check':
        case 'compare': {
          const answer = parts.begin(effect)
          if (answer !== undefined) take(batch, step(state, { ...answer, atMs: state.atMs } as Input))
          break
        }
        case 'book':
          batch.entries.push(effect.entry)
          break
        case 'offence':
          batch.offences.push(effect.offence)
          break
        case 'publish':
          if (effect.entry.type === 'submitted') batch.submitted.add(effect.task)
          if (effect.entry.type === 'requeued') batch.revived.add(effect.task)
          batch.published.push(effect)
          batch.effects.push(effect)
          break
        default:
          batch.effects.push(effect)
      }
    }
  }

  /** Undefined when nothing has to be written now. What the book is told goes with its task's record, never before it. */
  function changesOf(batch: Batch): Changes | undefined {
    const flushesAll = closed || (laterDueMs !== undefined && laterDueMs <= clock.nowMs())
    const isNothing =
      batch.entries.length === 0 && batch.offences.length === 0 && !state.unsavedTasks.some(isUrgent)
    if (isNothing && !flushesAll) {
      if (state.unsavedTasks.length > 0) laterDueMs ??= clock.nowMs() + laterMs
      // They are told at once to who watches the task, and logged with the next commit.
      unlogged.push(...batch.published.splice(0))
      return undefined
    }
    const urgent = state.unsavedTasks.filter(isUrgent)
    const rest = flushesAll ? state.unsavedTasks.filter((task) => !isUrgent(task)) : []
    const tasks: Task[] = []
    let bytes = 0
    for (const task of [...urgent, ...rest]) {
      bytes += bytesOf(task)
      if (tasks.length > 0 && (tasks.length === tasksPerWriteMax || bytes > bytesPerWriteMax)) break
      tasks.push(task)
    }
    for (const task of tasks) task.unsaved = 'no'
    state.unsavedTasks = state.unsavedTasks.filter(({ unsaved }) => unsaved !== 'no')
    if (state.unsavedTasks.length === 0) laterDueMs = undefined
    else laterDueMs ??= clock.nowMs() + laterMs
    const standings = [...state.unsavedStandings]
    state.unsavedStandings.clear()
    const held = new Set<TaskId>()
    for (const { spec, unsaved } of state.unsavedTasks) if (unsaved === 'now') held.add(spec.taskId)
    const lateAudits: LateAudit[] = []
    for (const [deliveryId, each] of state.unsavedAudits) {
      if (held.has(each.delivery.task.spec.taskId)) continue
      lateAudits.push(each)
      state.unsavedAudits.delete(deliveryId)
    }
    const published = taken(batch.published, ({ task }) => held.has(task.spec.taskId))
    const { submitted, revived } = batch
    return {
      tasks,
      submitted,
      revived,
      standings,
      lateAudits,
      entries: taken(batch.entries, (entry) =>
        held.has(entry.kind === 'slash' ? entry.offence.taskId : entry.taskId),
      ),
      offences: taken(batch.offences, ({ taskId }) => held.has(taskId)),
      published: [...unlogged.splice(0), ...published],
    }
  }

  async function commit(batch: Batch): Promise<void> {
    const saves: Promise<void>[] = []
    for (;;) {
      const changes = changesOf(batch)
      if (changes === undefined) break
      saves.push(parts.save(changes))
      // More than one write can hold: the rest follows in the same turn, before anything is carried out or let go of.
      if (!state.unsavedTasks.some(isUrgent)) break
    }
    await Promise.all(saves)
  }

  /** Carried out when it is durable, and all before it has been. */
  function land(batch: Batch, saved: Promise<void>, then: () => void): Promise<void> {
    const before = landed
    // Its failure is told in its turn.
    saved.catch(() => {})
    landed = (async () => {
      await before
      if (failed) return
      try {
        await saved
        parts.perform(batch.effects)
        then()
      } catch (error) {
        fail(error)
      }
    })()
    return landed
  }

  async function begin(): Promise<void> {
    try {
      const batch = openBatch()
      take(batch, recovered.effects)
      laterDueMs = clock.nowMs()
      await land(batch, commit(batch), () => {})
    } catch (error) {
      fail(error)
    }
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      const [first, second] = underWay
      if (first !== undefined && second !== undefined) {
        await first.landing
        continue
      }
      const startedMs = clock.nowMs()
      const batch = openBatch()
      const decided = queue.splice(0, inputsPerBatchMax)
      try {
        const outcomes = decided.map(({ input }) => {
          const effects = step(state, input)
          take(batch, effects)
          return effects
        })
        const isAlone = batch.offences.length > 0
        const landing = land(batch, commit(batch), () => {
          underWay.shift()
          for (const [index, { resolve }] of decided.entries()) resolve(outcomes[index] ?? [])
          parts.committed?.(decided.length, clock.nowMs() - startedMs)
        })
        underWay.push({ decided, landing })
        // Its evidence is gathered first: what would wait behind it with all its bytes waits in the queue.
        if (isAlone) await landing
        // Also while there is always more to do: leases end, and pauses, for those who keep us busy too.
        if (queue.length > 0) schedule()
      } catch (error) {
        for (const { reject } of decided) reject(error)
        fail(error)
        return
      }
    }
    running = undefined
    schedule()
  }

  function schedule(): void {
    cancelTimer?.()
    cancelTimer = undefined
    const dueMs = Math.min(
      nextDueMs(state) ?? Number.POSITIVE_INFINITY,
      laterDueMs ?? Number.POSITIVE_INFINITY,
    )
    if (closed || dueMs === Number.POSITIVE_INFINITY) return
    cancelTimer = clock.after(Math.max(0, dueMs - clock.nowMs()), () => {
      // A failed commit is reported once, through `fatal`.
      post({ kind: 'tick' })?.catch(() => {})
    })
  }

  let postedAtMs = clock.nowMs()

  function hasRoom({ kind }: Happening, room: Room): boolean {
    return !closed && (queue.length < queuedMax || room === 'owed' || alwaysHeard.has(kind))
  }

  function enqueue(happening: Happening, resolve: Queued['resolve'], reject: Queued['reject']): void {
    // The rules count on time that does not run backwards; a machine's clock may be set back.
    postedAtMs = Math.max(postedAtMs, clock.nowMs()) as TimeMs
    queue.push({ input: { ...happening, atMs: postedAtMs } as Input, resolve, reject })
    // Deferred, so that inputs of the same turn share a commit.
    running ??= Promise.resolve().then(run)
  }

  function post(happening: Happening, room: Room = 'ifThereIsRoom'): Promise<readonly Effect[]> | undefined {
    if (!hasRoom(happening, room)) return undefined
    const posted = new Promise<readonly Effect[]>((resolve, reject) => enqueue(happening, resolve, reject))
    latest = posted
    return posted
  }

  function postAll(happenings: readonly Happening[], roomOf: (index: number) => Room): Posted {
    const untaken = happenings.findIndex((happening, index) => !hasRoom(happening, roomOf(index)))
    const taken = untaken < 0 ? happenings.length : untaken
    if (taken === 0) return { taken, decided: Promise.resolve() }
    const decided = new Promise<void>((resolve) => {
      const end = (): void => resolve()
      for (let index = 0; index < taken; index++) {
        const told = index === taken - 1 ? end : nothing
        enqueue(happenings[index] as Happening, told, told)
      }
    })
    latest = decided
    return { taken, decided }
  }

  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    closed = true
    cancelTimer?.()
    await running
    await landed
    if (failed) return
    try {
      await commit(openBatch())
    } catch (error) {
      fail(error)
    }
  }

  return {
    post,
    postAll,
    caughtUp: () =>
      latest.then(
        () => {},
        () => {},
      ),
    state: () => state,
    queued: () => queue.length,
    isClosed: () => closed,
    close() {
      closing ??= close()
      return closing
    },
  }
}
