/**
 * What follows when a GPU is lost while it works: it is opened again, a few times, and then the CPU goes on. Each life
 * of an executor is a worker of its own, so that device and speed are told anew. Only who demanded WebGPU is left.
 */
import { ComputeError, type Executor } from '@shardy/compute'
import type { ExecutorChoice } from './config.ts'
import { type Chosen, chooseExecutor, type ExecutorSources } from './executorChoice.ts'
import type { Exit } from './exitCode.ts'

/** In the life of the process: a device that is lost over and over costs every task that it is given. */
export const reopeningsMax = 3

export interface DeviceLossAdapters {
  readonly sources: ExecutorSources
  /** Works until there is an end, and closes the executor. */
  readonly work: (executor: Executor) => Promise<Exit>
  readonly print: (line: string) => void
}

export async function workThroughLosses(
  first: Executor,
  choice: ExecutorChoice,
  { sources, work, print }: DeviceLossAdapters,
): Promise<Exit> {
  /** Also a loss before there was a worker, while the speed was measured. */
  async function workOnce(executor: Executor): Promise<Exit> {
    try {
      return await work(executor)
    } catch (thrown) {
      await executor.close()
      if (thrown instanceof ComputeError && thrown.kind === 'deviceLost') return 'deviceLost'
      throw thrown
    }
  }

  async function open(losses: number): Promise<Chosen> {
    if (losses > reopeningsMax) return { ok: false, message: `It was lost ${losses} times.` }
    try {
      return await chooseExecutor(choice, sources)
    } catch (thrown) {
      return { ok: false, message: `It cannot be opened again: ${String(thrown)}.` }
    }
  }

  let executor = first
  for (let losses = 1; ; losses++) {
    const exit = await workOnce(executor)
    if (exit !== 'deviceLost' || executor.name !== 'webgpu') return exit
    print('The GPU was lost.')
    const chosen = await open(losses)
    if (chosen.ok) {
      executor = chosen.executor
      if (chosen.note !== undefined) print(chosen.note)
      if (executor.name === 'webgpu') print(`It is open again, time ${losses} of at most ${reopeningsMax}.`)
      continue
    }
    print(chosen.message)
    if (choice === 'webgpu') return exit
    print('From here on the CPU computes; a restart looks for the GPU again.')
    executor = sources.createCpu()
  }
}
