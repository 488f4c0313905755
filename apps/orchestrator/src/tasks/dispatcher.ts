/**
 * The dull driver around dispatch: a bounded queue, one input at a time, run to completion. Inputs that wait together are
 * decided together and committed in one synced batch; only then are their effects carried out, in order. What no promise
 * rests on, leases above all, is written later, and not at all when the verdict comes first. A store that fails ends the process:
 * what is on disk is the truth to restart from.
 */
import {
  type BookEffect,
  type DispatchState,
  type Effect,
  type Input,
  nextDueMs,
  type Offence,
  type Recovered,
  type Standing,
  step,
  type Task,
} from '@shardy/dispatch'
import type { TimeMs } from '@shardy/protocol'
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
  readonly entries: readonly BookEffect[]
  readonly offences: readonly Offence[]
  readonly published: readonly Published[]
}

export interface Dispatcher {
  /** Resolves with the input's effects once they are durable; undefined when there is no room to queue it. */
  post(happening: Happening): Promise<readonly Effect[]> | undefined
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

export interface DispatcherParts {
  readonly clock: Clock
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

const queuedMax = 20_000
/** Inputs decided together, and the tasks after which a batch takes no more of them: a store's batch has its bounds. */
const inputsPerBatchMax = 1024
const tasksPerBatchMax = 4096
/** How long a change may stay in memory alone when nothing rests on it. */
const laterMs = 500

interface Queued {
  readonly input: Input
  readonly resolve: (effects: readonly Effect[]) => void
  readonly reject: (error: unknown) => void
}

interface Batch {
  readonly effects: Effect[]
  readonly entries: BookEffect[]
  readonly offences: Offence[]
  readonly published: Published[]
  readonly submitted: Set<Task>
  readonly revived: Set<Task>
}

/** `recovered` is the first step: its effects are saved and carried out before any input. */
export function createDispatcher(parts: DispatcherParts, recovered: Recovered): Dispatcher {
  const { clock } = parts
  const { state } = recovered
  let queue: Queued[] = []
  let running: Promise<void> | undefined
  let latest: Promise<unknown> = Promise.resolve()
  let closed = false
  let cancelTimer: (() => void) | undefined
  let laterDueMs: number | undefined
  const unlogged: Published[] = []

  function fail(error: unknown): void {
    closed = true
    for (const { reject } of queue) reject(error)
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

  /** Undefined when nothing has to be written now. */
  function changesOf(batch: Batch): Changes | undefined {
    const flushesAll = closed || (laterDueMs !== undefined && laterDueMs <= clock.nowMs())
    const tasks: Task[] = []
    const later: Task[] = []
    for (const task of state.unsavedTasks) {
      if (tasks.length < tasksPerBatchMax && (flushesAll || task.unsaved === 'now')) {
        task.unsaved = 'no'
        tasks.push(task)
      } else {
        later.push(task)
      }
    }
    const { entries, offences, published, submitted, revived } = batch
    const isNothing = tasks.length === 0 && entries.length === 0 && offences.length === 0
    if (isNothing && !flushesAll) {
      laterDueMs ??= later.length > 0 ? clock.nowMs() + laterMs : undefined
      // They are told at once to who watches the task, and logged with the next commit.
      unlogged.push(...published)
      return undefined
    }
    state.unsavedTasks = later
    laterDueMs =
      later.length > 0 ? (flushesAll ? clock.nowMs() : (laterDueMs ?? clock.nowMs() + laterMs)) : undefined
    return whole()

    function whole(): Changes {
      const standings = [...state.unsavedStandings]
      state.unsavedStandings.clear()
      const events = unlogged.splice(0)
      events.push(...published)
      return { tasks, submitted, revived, standings, entries, offences, published: events }
    }
  }

  async function commit(batch: Batch): Promise<void> {
    for (;;) {
      const changes = changesOf(batch)
      if (changes === undefined) return
      await parts.save(changes)
      // More than one batch can hold: the rest follows before anything is carried out.
      if (!state.unsavedTasks.some(({ unsaved }) => unsaved === 'now')) return
      batch.entries.length = 0
      batch.offences.length = 0
      batch.published.length = 0
    }
  }

  async function begin(): Promise<void> {
    try {
      const batch = openBatch()
      take(batch, recovered.effects)
      laterDueMs = clock.nowMs()
      await commit(batch)
      parts.perform(batch.effects)
    } catch (error) {
      fail(error)
      return
    }
    await run()
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      const startedMs = clock.nowMs()
      try {
        const batch = openBatch()
        const decided: { readonly queued: Queued; readonly effects: readonly Effect[] }[] = []
        while (decided.length < inputsPerBatchMax && decided.length < queue.length) {
          const queued = queue[decided.length] as Queued
          const effects = step(state, queued.input)
          decided.push({ queued, effects })
          take(batch, effects)
          if (state.unsavedTasks.length >= tasksPerBatchMax) break
        }
        await commit(batch)
        parts.perform(batch.effects)
        for (const { queued, effects } of decided) queued.resolve(effects)
        queue = queue.slice(decided.length)
        parts.committed?.(decided.length, clock.nowMs() - startedMs)
      } catch (error) {
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

  function post(happening: Happening): Promise<readonly Effect[]> | undefined {
    // That a worker left is always heard, or it would be given work for ever; there are as many as connections.
    const isFull = queue.length >= queuedMax && happening.kind !== 'workerLeft' && happening.kind !== 'tick'
    if (closed || isFull) return undefined
    // The rules count on time that does not run backwards; a machine's clock may be set back.
    postedAtMs = Math.max(postedAtMs, clock.nowMs()) as TimeMs
    const input = { ...happening, atMs: postedAtMs } as Input
    const posted = new Promise<readonly Effect[]>((resolve, reject) => {
      queue.push({ input, resolve, reject })
    })
    latest = posted
    // Deferred, so that inputs of the same turn share a commit.
    running ??= Promise.resolve().then(run)
    return posted
  }

  running = Promise.resolve().then(begin)

  return {
    post,
    caughtUp: () =>
      latest.then(
        () => {},
        () => {},
      ),
    state: () => state,
    queued: () => queue.length,
    isClosed: () => closed,
    async close() {
      if (closed) return void (await running)
      closed = true
      cancelTimer?.()
      await running
      try {
        await commit(openBatch())
      } catch (error) {
        fail(error)
      }
    },
  }
}
