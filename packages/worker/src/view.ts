/** The session as a person wants to see it: plain values for a page or a terminal, no bytes and no machinery. */
import type {
  DeliveryId,
  ExecutorKind,
  OrchestratorId,
  PresenceState,
  SessionId,
  TaskId,
  WorkerId,
} from '@shardy/protocol'
import { presenceOf } from './session/presence.ts'
import { describeReason } from './session/reason.ts'
import { countOpen } from './session/small/work.ts'
import type {
  Connection,
  HistoryEntry,
  IdleNotice,
  Phase,
  SessionState,
  Standing,
  Totals,
} from './session/state.ts'
import type { Rules } from './session/turn.ts'

export type ConnectionView =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'admitted'; readonly sessionId: SessionId; readonly orchestratorId: OrchestratorId }
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryAtMs: number }
  | { readonly kind: 'stopped'; readonly reason: string; readonly asked: boolean }

export interface ProfileView {
  readonly operationsPerSecond: number
  readonly payloadBytesMax: number
  readonly slots: number
}

export interface DeliveryView {
  readonly deliveryId: DeliveryId
  readonly taskId: TaskId
  /** What is computed, in words. */
  readonly summary: string
  readonly phase: Phase['kind']
  /** Of the execution. */
  readonly permille: number
}

/** Small deliveries, by number. */
export interface SmallView {
  /** Still to be computed. */
  readonly open: number
  readonly committed: number
  readonly answered: number
}

export interface WorkerView {
  readonly workerId: WorkerId
  readonly executor: ExecutorKind
  readonly adapter: string
  readonly profile: ProfileView
  readonly connection: ConnectionView
  readonly presence: PresenceState
  readonly deliveries: readonly DeliveryView[]
  readonly small: SmallView
  readonly isBenchmarking: boolean
  /** What the orchestrator measured this worker at; undefined until it says so. */
  readonly standing: Standing | undefined
  /** Why it gets no work; undefined while it gets some, or while nobody has said. */
  readonly idle: IdleNotice | undefined
  /** Newest first. */
  readonly history: readonly HistoryEntry[]
  readonly totals: Totals
}

function viewConnection(connection: Connection): ConnectionView {
  switch (connection.kind) {
    case 'idle':
      return { kind: 'idle' }
    case 'connecting':
    case 'opened':
    case 'challenged':
    case 'helloSent':
      return { kind: 'connecting' }
    case 'admitted': {
      const { sessionId, orchestrator } = connection
      return { kind: 'admitted', sessionId, orchestratorId: orchestrator.id }
    }
    case 'waiting': {
      const { reason, retryAtMs } = connection
      return { kind: 'waiting', reason: describeReason(reason), retryAtMs }
    }
    case 'stopped': {
      const { reason } = connection
      return { kind: 'stopped', reason: describeReason(reason), asked: reason.kind === 'asked' }
    }
  }
}

function permilleOf(phase: Phase): number {
  switch (phase.kind) {
    case 'awaitingPayload':
    case 'verifying':
    case 'fetching':
    case 'queued':
      return 0
    case 'executing':
      return phase.permille
    case 'signing':
    case 'committed':
    case 'answered':
      return 1000
  }
}

export function viewOf(rules: Rules, state: SessionState): WorkerView {
  const { workerId, executor, adapter, operationsPerSecond, payloadBytesMax, slots } = rules
  return {
    workerId,
    executor,
    adapter,
    profile: { operationsPerSecond, payloadBytesMax, slots },
    connection: viewConnection(state.connection),
    presence: state.connection.kind === 'stopped' ? 'leaving' : presenceOf(state),
    deliveries: Array.from(state.deliveries.values(), ({ delivery, facts, phase }) => ({
      deliveryId: delivery.deliveryId,
      taskId: delivery.taskId,
      summary: facts.summary,
      phase: phase.kind,
      permille: permilleOf(phase),
    })),
    small: {
      open: countOpen(state.small),
      committed: state.small.counts.committed,
      answered: state.small.counts.signing + state.small.counts.answered,
    },
    isBenchmarking: state.benchmark?.phase.kind === 'running',
    standing: state.standing,
    idle: state.idle,
    history: state.history,
    totals: state.totals,
  }
}
