/**
 * One running campaign: a queue of inputs, one step at a time, and after each step first its save, then its other effects. What
 * concerns its tasks goes through a lane of its own, in order, so that a look never overtakes a submission (spec K10).
 */
import type {
  Answered,
  CampaignEvent,
  CampaignState,
  Effect,
  Input,
  ItemAttempt,
  Save,
  TaskEnd,
} from '@shardy/campaign'
import { nextDueMs, settledOf, step } from '@shardy/campaign'
import type { TimeMs } from '@shardy/protocol'
import type { Operation } from '@shardy/storage'
import type { Clock } from '../clock.ts'
import type { Table } from '../tables.ts'
import { createPace, type Pace } from './pace.ts'
import type { Said, Submitter } from './submitter.ts'
import type { CampaignWork } from './work.ts'

export type Command = 'created' | 'recovered' | 'pause' | 'resume' | 'cancel'

export interface RunningCampaign {
  readonly work: CampaignWork
  /** What is decided; a write may still be under way. */
  readonly state: CampaignState
  readonly pace: Pace
  /** Resolves once what follows from it is durable. `more` is written in the same batch. */
  command(kind: Command, more?: readonly Operation<Table>[]): Promise<readonly Effect[]>
  taskEnded(end: TaskEnd): void
  /** Resolves when all that was posted so far is durable. */
  caughtUp(): Promise<void>
  /** Finishes the step that is under way and takes no more. */
  close(): Promise<void>
}

export interface RunningParts {
  readonly clock: Clock
  readonly submitter: Submitter
  save(save: Save, webhooks: readonly CampaignEvent[], more: readonly Operation<Table>[]): Promise<void>
  /** After the save that it is in. */
  publish(event: CampaignEvent): void
  /** Its event is queued durably. */
  webhook(event: CampaignEvent): void
  /** The store failed, or a rule found a bug: what is on disk is the truth to start again from. */
  fatal(error: unknown): void
}

/** Ends and answers that are decided in one step. */
const perStepMax = 1_024

interface Waiting {
  readonly kind: Command
  readonly more: readonly Operation<Table>[]
  readonly resolve: (effects: readonly Effect[]) => void
  readonly reject: (error: unknown) => void
}

export function runCampaign(parts: RunningParts, work: CampaignWork, state: CampaignState): RunningCampaign {
  const { clock, submitter } = parts
  const commands: Waiting[] = []
  let ends: TaskEnd[] = []
  let answers: Answered[] = []
  let running: Promise<void> | undefined
  let lane: Promise<void> = Promise.resolve()
  let cancelTimer: (() => void) | undefined
  let closed = false
  let atMs = 0 as TimeMs
  const pace = createPace(() => settledOf(state.record), clock)

  function fail(error: unknown): void {
    if (closed) return
    closed = true
    cancelTimer?.()
    for (const { reject } of commands.splice(0)) reject(error)
    parts.fatal(error)
  }

  /** Time does not run backwards for the rules, whatever a machine's clock does. */
  function now(): TimeMs {
    atMs = Math.max(atMs, clock.nowMs()) as TimeMs
    return atMs
  }

  function isDue(): boolean {
    const dueMs = nextDueMs(state)
    // Before it is created it has no time of its own.
    return dueMs !== undefined && state.record.events > 0 && dueMs <= now()
  }

  function nextInput(): { readonly input: Input; readonly waiting: Waiting | undefined } | undefined {
    if (closed) return undefined
    const waiting = commands.shift()
    if (waiting !== undefined) return { input: { kind: waiting.kind, atMs: now() }, waiting }
    if (ends.length > 0) {
      const some = ends.splice(0, perStepMax)
      return { input: { kind: 'tasksEnded', atMs: now(), ends: some }, waiting }
    }
    if (answers.length > 0) {
      const some = answers.splice(0, perStepMax)
      return { input: { kind: 'tasksAnswered', atMs: now(), answers: some }, waiting }
    }
    return isDue() ? { input: { kind: 'tick', atMs: now() }, waiting } : undefined
  }

  async function run(): Promise<void> {
    for (let next = nextInput(); next !== undefined; next = nextInput()) {
      const { input, waiting } = next
      try {
        const effects = step(state, input)
        await save(effects, waiting?.more ?? [])
        for (const effect of effects) perform(effect)
        pace.look()
        waiting?.resolve(effects)
      } catch (error) {
        waiting?.reject(error)
        return fail(error)
      }
    }
    running = undefined
    schedule()
  }

  async function save(effects: readonly Effect[], more: readonly Operation<Table>[]): Promise<void> {
    const [first] = effects
    if (first?.kind !== 'save') return
    const webhooks = effects.flatMap((effect) => (effect.kind === 'webhook' ? [effect.event] : []))
    await parts.save(first, webhooks, more)
  }

  function perform(effect: Effect): void {
    switch (effect.kind) {
      case 'save':
      case 'ignored':
        return
      case 'submitItems':
        return inLane(() => submitter.submit(work, effect.items, mayGoOn))
      case 'checkItems':
        return inLane(() => submitter.look(work, effect.items))
      case 'cancelItems':
        return inLane(() => cancel(effect.items))
      case 'publish':
        return parts.publish(effect.event)
      case 'webhook':
        return parts.webhook(effect.event)
    }
  }

  const mayGoOn = (): boolean => !closed && state.record.status === 'running'

  async function cancel(items: readonly ItemAttempt[]): Promise<Said> {
    await submitter.cancel(work, items)
    return { answers: [], ends: [] }
  }

  function inLane(act: () => Promise<Said>): void {
    lane = lane.then(async () => {
      if (closed) return
      try {
        const said = await act()
        answers.push(...said.answers)
        ends.push(...said.ends)
        wake()
      } catch (error) {
        fail(error)
      }
    })
  }

  /** Deferred, so that ends of the same turn share a step. */
  function wake(): void {
    if (!closed) running ??= Promise.resolve().then(run)
  }

  function schedule(): void {
    cancelTimer?.()
    cancelTimer = undefined
    const dueMs = nextDueMs(state)
    if (closed || dueMs === undefined || state.record.events === 0) return
    cancelTimer = clock.after(Math.max(0, dueMs - clock.nowMs()), wake)
  }

  return {
    work,
    state,
    pace,
    command(kind, more = []) {
      if (closed) return Promise.reject(new Error(`campaign ${work.campaignId} takes nothing more`))
      return new Promise((resolve, reject) => {
        commands.push({ kind, more, resolve, reject })
        wake()
      })
    },
    taskEnded(end) {
      if (closed) return
      ends.push(end)
      wake()
    },
    async caughtUp() {
      await running
    },
    async close() {
      closed = true
      cancelTimer?.()
      for (const { reject } of commands.splice(0)) reject(new Error('the orchestrator is stopping'))
      ends = []
      answers = []
      await running
      await lane
    },
  }
}
