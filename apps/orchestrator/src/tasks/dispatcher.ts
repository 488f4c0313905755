/**
 * The dull driver around dispatch: a bounded queue, one input at a time, run to completion. Inputs that wait together
 * are decided together and committed in one synced batch; only then are their effects carried out, in order. Readers
 * see committed state alone. A store that fails ends the process: what is on disk is the truth to restart from.
 */

import {
  createStep,
  type DispatchState,
  type Effect,
  type Input,
  nextDueMs,
  type Reference,
  type Row,
  type Step,
} from '@shardy/dispatch'
import type { Sha256, TimeMs } from '@shardy/protocol'
import type { Clock } from '../clock.ts'

type Timeless<T> = T extends unknown ? Omit<T, 'atMs'> : never
/** An input before the dispatcher has put the time on it. */
export type Happening = Timeless<Input>

export interface Dispatcher {
  /** Resolves with the input's effects once they are durable; undefined when there is no room to queue it. */
  post(happening: Happening): Promise<readonly Effect[]> | undefined
  /** Resolves when everything posted so far is durable, or never will be. */
  caughtUp(): Promise<void>
  /** The state as committed. */
  state(): DispatchState
  /** Takes nothing more, because it is closed or the store failed. */
  isClosed(): boolean
  /** Finishes what is queued and takes no more. */
  close(): Promise<void>
}

export interface DispatcherParts {
  readonly sha256: Sha256
  readonly clock: Clock
  save(rows: readonly Row[], references: readonly Reference[]): Promise<void>
  perform(effect: Effect): void
  /** The store failed; nothing after this is durable. */
  fatal(error: unknown): void
}

const queuedMax = 10_000
/** Inputs decided together, and the rows after which a batch takes no more of them: a store's batch has its bounds. */
const inputsPerBatchMax = 512
const rowsPerBatchMax = 10_000

interface Queued {
  readonly input: Input
  readonly resolve: (effects: readonly Effect[]) => void
  readonly reject: (error: unknown) => void
}

interface Saved {
  readonly rows: Row[]
  readonly references: Reference[]
}

function savedBy(effects: Iterable<Effect>): Saved {
  const rows: Row[] = []
  const references: Reference[] = []
  for (const effect of effects) {
    if (effect.kind !== 'save') continue
    rows.push(...effect.rows)
    references.push(...effect.references)
  }
  return { rows, references }
}

/** The rows of each task stay together, so that a restart between two parts finds whole tasks only. */
function partsOf({ rows, references }: Saved): readonly Saved[] {
  const byTask = new Map<string, Row[]>()
  for (const row of rows) {
    const owner = row.table === 'standings' ? '' : row.record.taskId
    const those = byTask.get(owner)
    if (those === undefined) byTask.set(owner, [row])
    else those.push(row)
  }
  const parts: Saved[] = [{ rows: [], references }]
  for (const those of byTask.values()) {
    const part = parts.at(-1)
    if (part === undefined || part.rows.length >= rowsPerBatchMax) parts.push({ rows: those, references: [] })
    else part.rows.push(...those)
  }
  return parts
}

/** `recovered` is the first step: its effects are saved and carried out before any input. */
export function createDispatcher(parts: DispatcherParts, recovered: Step): Dispatcher {
  const { clock, sha256 } = parts
  const step = createStep(sha256)
  let committed = recovered.state
  let state = recovered.state
  let queue: Queued[] = []
  let running: Promise<void> | undefined
  let latest: Promise<unknown> = Promise.resolve()
  let closed = false
  let cancelTimer: (() => void) | undefined

  function performAll(effects: readonly Effect[]): void {
    for (const effect of effects) if (effect.kind !== 'save') parts.perform(effect)
  }

  function fail(error: unknown): void {
    closed = true
    for (const { reject } of queue) reject(error)
    queue = []
    parts.fatal(error)
  }

  /** Everything that was tried or lost meanwhile is written in parts: it may be more than one batch can hold. */
  async function begin(): Promise<void> {
    try {
      for (const part of partsOf(savedBy(recovered.effects))) {
        if (part.rows.length > 0) await parts.save(part.rows, part.references)
      }
    } catch (error) {
      fail(error)
      return
    }
    performAll(recovered.effects)
    await run()
  }

  /** Decides on the next inputs. */
  function decide(): readonly { readonly queued: Queued; readonly effects: readonly Effect[] }[] {
    const decided: { queued: Queued; effects: readonly Effect[] }[] = []
    let rows = 0
    for (const queued of queue) {
      if (decided.length === inputsPerBatchMax || rows >= rowsPerBatchMax) break
      const made = step(state, queued.input)
      state = made.state
      decided.push({ queued, effects: made.effects })
      for (const effect of made.effects) if (effect.kind === 'save') rows += effect.rows.length
    }
    return decided
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      try {
        const decided = decide()
        const { rows, references } = savedBy(decided.flatMap(({ effects }) => effects))
        if (rows.length > 0) await parts.save(rows, references)
        committed = state
        for (const { queued, effects } of decided) {
          performAll(effects)
          queued.resolve(effects)
        }
        queue = queue.slice(decided.length)
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
    const dueMs = nextDueMs(state)
    if (closed || dueMs === undefined) return
    cancelTimer = clock.after(dueMs - clock.nowMs(), () => {
      // A failed commit is reported once, through `fatal`.
      post({ kind: 'tick' })?.catch(() => {})
    })
  }

  let postedAtMs = clock.nowMs()

  function post(happening: Happening): Promise<readonly Effect[]> | undefined {
    // That a worker left is always heard, or it would be given work for ever; there are as many as connections.
    const isFull = queue.length >= queuedMax && happening.kind !== 'workerLeft'
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
    state: () => committed,
    isClosed: () => closed,
    async close() {
      closed = true
      cancelTimer?.()
      await running
    },
  }
}
