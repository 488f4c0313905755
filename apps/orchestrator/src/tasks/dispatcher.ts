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
import type { Sha256 } from '@shardy/protocol'
import type { Clock } from '../clock.ts'

type Timeless<T> = T extends unknown ? Omit<T, 'atMs'> : never
/** An input before the dispatcher has put the time on it. */
export type Happening = Timeless<Input>

export interface Dispatcher {
  /** Resolves with the input's effects once they are durable; undefined when there is no room to queue it. */
  post(happening: Happening): Promise<readonly Effect[]> | undefined
  /** The state as committed. */
  state(): DispatchState
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
const batchMax = 512

interface Queued {
  readonly input: Input
  readonly resolve: (effects: readonly Effect[]) => void
  readonly reject: (error: unknown) => void
}

/** `recovered` is the first step: its effects are saved and carried out before any input. */
export function createDispatcher(parts: DispatcherParts, recovered: Step): Dispatcher {
  const { clock, sha256 } = parts
  const step = createStep(sha256)
  let committed = recovered.state
  let state = recovered.state
  let queue: Queued[] = []
  let running: Promise<void> | undefined
  let closed = false
  let cancelTimer: (() => void) | undefined

  async function commit(steps: readonly (readonly Effect[])[]): Promise<void> {
    const rows: Row[] = []
    const references: Reference[] = []
    for (const effects of steps) {
      for (const effect of effects) {
        if (effect.kind !== 'save') continue
        rows.push(...effect.rows)
        references.push(...effect.references)
      }
    }
    if (rows.length > 0) await parts.save(rows, references)
    committed = state
    for (const effects of steps) {
      for (const effect of effects) if (effect.kind !== 'save') parts.perform(effect)
    }
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, batchMax)
      queue = queue.slice(batch.length)
      const steps = batch.map(({ input }) => {
        const made = step(state, input)
        state = made.state
        return made.effects
      })
      try {
        await commit(steps)
      } catch (error) {
        closed = true
        for (const { reject } of [...batch, ...queue]) reject(error)
        queue = []
        parts.fatal(error)
        return
      }
      batch.forEach(({ resolve }, index) => {
        resolve(steps[index] ?? [])
      })
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

  function post(happening: Happening): Promise<readonly Effect[]> | undefined {
    if (closed || queue.length >= queuedMax) return undefined
    const input = { ...happening, atMs: clock.nowMs() } as Input
    return new Promise((resolve, reject) => {
      queue.push({ input, resolve, reject })
      // Deferred, so that inputs of the same turn share a commit.
      running ??= Promise.resolve().then(run)
    })
  }

  running = commit([recovered.effects]).then(run, (error) => {
    closed = true
    parts.fatal(error)
  })

  return {
    post,
    state: () => committed,
    async close() {
      closed = true
      cancelTimer?.()
      await running
    },
  }
}
