/**
 * What a task asks of a worker, without what is special to the one task. Tasks of one class queue together, so that a
 * worker compares itself with a class once and not with every task that waits.
 */
import type { TaskKind } from '@shardy/protocol'
import type { ClassQueue } from './classQueue.ts'
import type { TaskSpec } from './record.ts'

export interface TaskClass {
  readonly key: string
  /** Its place in the table of classes. */
  readonly index: number
  readonly kind: TaskKind
  readonly tierMin: number
  readonly features: readonly string[]
  /** Rounded up to powers of two, so that classes stay few. */
  readonly payloadBytes: number
  readonly memoryBytes: number
  /** What is paid for 10^9 operations, rounded down to a power of two. */
  readonly pricePerGiga: bigint
  readonly queue: ClassQueue
}

/** Beyond this all that differs is put into the classes that ask the most. */
export const classesMax = 4096

export type ClassFacts = Omit<TaskClass, 'index' | 'queue'>

export function classFactsOf(spec: TaskSpec): ClassFacts {
  const { kind, tierMin, features, inputLength, outputLength, memoryBytes } = spec
  const payloadBytes = upperPower(Math.max(inputLength, outputLength))
  const memory = upperPower(memoryBytes)
  const pricePerGiga = lowerPower(priceOf(spec))
  return {
    key: `${kind} ${tierMin} ${payloadBytes} ${memory} ${pricePerGiga} ${features.join(' ')}`,
    kind,
    tierMin,
    features,
    payloadBytes,
    memoryBytes: memory,
    pricePerGiga,
  }
}

/** What each worker gets for 10^9 operations. */
function priceOf({ rewardMicroCredit, complexity, verify }: TaskSpec): bigint {
  const each = rewardMicroCredit / BigInt(verify.agreeing)
  return (each * 1_000_000_000n) / BigInt(Math.max(1, complexity))
}

function upperPower(value: number): number {
  return value <= 1 ? value : 2 ** Math.ceil(Math.log2(value))
}

function lowerPower(value: bigint): bigint {
  return value < 1n ? 0n : 1n << BigInt(value.toString(2).length - 1)
}
