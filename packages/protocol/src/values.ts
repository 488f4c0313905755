/** The codecs of the ids and units that messages share. */
import type {
  DeliveryId,
  Digest,
  DurationMs,
  MicroCredit,
  OrchestratorId,
  ProgramId,
  RequesterId,
  SessionId,
  TaskId,
  TimeMs,
  WorkerId,
} from './ids.ts'
import { amount, choice, hex, whole } from './schema/codec.ts'

export const taskId = hex<TaskId>(16)
export const deliveryId = hex<DeliveryId>(16)
export const sessionId = hex<SessionId>(16)
export const digest = hex<Digest>(32)
export const programId = hex<ProgramId>(32)
export const workerId = hex<WorkerId>(32)
export const orchestratorId = hex<OrchestratorId>(32)
export const requesterId = hex<RequesterId>(32)
export const timeMs = whole<TimeMs>(0, Number.MAX_SAFE_INTEGER)
export const durationMs = whole<DurationMs>(0, Number.MAX_SAFE_INTEGER)
export const microCredit = amount<MicroCredit>()

/** What a task asks for: an exact integer program, a user's own WGSL, or FNV-1a rounds for hosts without a GPU. */
export const taskKinds = ['program', 'shader', 'lite', 'superLite'] as const
export type TaskKind = (typeof taskKinds)[number]
export const taskKind = choice(taskKinds)

/** The zero-knowledge proof that a delivery asks for. */
export const proofKinds = ['none', 'v2', 'v3'] as const
export type ProofKind = (typeof proofKinds)[number]
export const proofKind = choice(proofKinds)

export const executorKinds = ['webgpu', 'cpu'] as const
export type ExecutorKind = (typeof executorKinds)[number]
export const executorKind = choice(executorKinds)
