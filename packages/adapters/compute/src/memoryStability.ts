/**
 * How much memory of an executor's device holds what is written to it: trials at rising sizes, up to the first that fails or
 * to the cap. The figure is the worker's own word about its own machine: a liar states another one.
 */
import { ComputeError, type Executor } from './executor.ts'

export interface MemoryStep {
  readonly bytes: number
  readonly ok: boolean
  /** What happened, for a person; absent when it held. */
  readonly reason?: string
}

export interface MemoryStability {
  /** The largest size that held; 0 when none did, or when the executor has no way to try. */
  readonly stableBytes: number
  readonly steps: readonly MemoryStep[]
}

export interface MemoryStabilityOptions {
  /**
   * No more than this is tried. Systems that promise more memory than they have end a process that uses it, and no error
   * comes before: so the cap of a host without a GPU stays well below what is free.
   */
  readonly capBytes: number
  /** Where it begins; each further size is twice the one before. */
  readonly firstBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const firstBytesDefault = 64 * 2 ** 20

/** Rejects when it is aborted or the executor is closed; everything else that goes wrong is part of the answer. */
export async function measureMemoryStability(
  executor: Executor,
  { capBytes, firstBytes = firstBytesDefault, signal }: MemoryStabilityOptions,
): Promise<MemoryStability> {
  const steps: MemoryStep[] = []
  let stableBytes = 0
  if (executor.tryMemory === undefined) return { stableBytes, steps }
  for (const bytes of sizesUpTo(capBytes, firstBytes)) {
    try {
      await executor.tryMemory(bytes, { signal })
    } catch (thrown) {
      if (!(thrown instanceof ComputeError)) throw thrown
      if (thrown.kind === 'aborted' || thrown.kind === 'closed') throw thrown
      steps.push({ bytes, ok: false, reason: `${thrown.kind}: ${thrown.message}` })
      break
    }
    steps.push({ bytes, ok: true })
    stableBytes = bytes
  }
  return { stableBytes, steps }
}

/** Doubling, the cap itself last. Whole words, since that is what devices hold. */
function sizesUpTo(capBytes: number, firstBytes: number): readonly number[] {
  const cap = capBytes - (capBytes % 4)
  const first = firstBytes - (firstBytes % 4)
  if (!(first > 0 && cap > 0 && Number.isSafeInteger(cap) && Number.isSafeInteger(first))) {
    throw new RangeError(`memory from ${firstBytes} to ${capBytes} bytes cannot be tried`)
  }
  const sizes: number[] = []
  for (let bytes = first; bytes < cap; bytes *= 2) sizes.push(bytes)
  return [...sizes, cap]
}
