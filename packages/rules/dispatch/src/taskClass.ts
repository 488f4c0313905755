/**
 * What a task asks of a worker, without what is special to the one task. Tasks of one class queue together, and before any
 * delivery they are all alike to a worker: it compares itself with a class once, not with every task that waits.
 */
import type { ProofKind, TaskKind } from '@shardy/protocol'
import type { ClassQueue, Flow, Queued } from './classQueue.ts'
import type { TaskSpec } from './record.ts'

export interface ClassFacts {
  readonly key: string
  readonly kind: TaskKind
  readonly tierMin: number
  readonly features: readonly string[]
  readonly proof: ProofKind
  /** The larger of input and output. Sizes and prices are rounded against the task, so that classes stay few. */
  readonly payloadBytes: number
  readonly outputBytes: number
  readonly memoryBytes: number
  /** What is paid for 10^9 operations. */
  readonly pricePerGiga: bigint
  /** Workers asked at first. */
  readonly replicas: number
}

export interface ClassOf<Task extends Queued<Task>> extends ClassFacts {
  readonly queue: ClassQueue<Task>
  /** Whose task made it. */
  readonly broughtBy: Flow
  /** Tasks that are live; without any the class is forgotten. */
  liveTasks: number
}

/** Every look at what waits may look at every class, so they are bounded. */
export const classesMax = 4096
/** Nor can one requester use them up. */
export const classesPerRequesterMax = 512

export function classFactsOf(spec: TaskSpec): ClassFacts {
  const { kind, tierMin, features, proof, inputLength, outputLength, verify } = spec
  const payloadBytes = roundUp(Math.max(inputLength, outputLength))
  const outputBytes = roundUp(outputLength)
  const memoryBytes = roundUp(spec.memoryBytes)
  const pricePerGiga = roundDown(priceOf(spec))
  const { replicas } = verify
  // A feature is any text; its length keeps two of them from looking like one.
  const named = features.map((feature) => `${feature.length}:${feature}`).join('')
  const key = [
    kind,
    tierMin,
    proof,
    payloadBytes,
    outputBytes,
    memoryBytes,
    pricePerGiga,
    replicas,
    named,
  ].join(' ')
  return {
    key,
    kind,
    tierMin,
    features,
    proof,
    payloadBytes,
    outputBytes,
    memoryBytes,
    pricePerGiga,
    replicas,
  }
}

/** What each worker gets for 10^9 operations. */
function priceOf({ rewardMicroCredit, complexity, verify }: TaskSpec): bigint {
  const each = rewardMicroCredit / BigInt(verify.agreeing)
  return (each * 1_000_000_000n) / BigInt(Math.max(1, complexity))
}

/** Three leading bits are kept, so that nothing grows by more than a quarter; a power of two stays itself. */
export function roundUp(value: number): number {
  let unit = 1
  while (value > 8 * unit) unit *= 2
  return Math.ceil(value / unit) * unit
}

export function roundDown(value: bigint): bigint {
  let dropped = 0n
  while (value >> dropped >= 8n) dropped++
  return (value >> dropped) << dropped
}
