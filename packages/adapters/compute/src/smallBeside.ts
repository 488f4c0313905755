/** A device with the CPU beside it for small programs: handing those over takes longer than computing them. */
import { createCpuExecutor } from './cpu/executor.ts'
import type { Executor } from './executor.ts'

export function createSmallBeside(executor: Executor): Executor {
  const cpu = createCpuExecutor()
  return {
    ...executor,
    executeSmall: (program, input) => cpu.executeSmall?.(program, input),
    async close() {
      await Promise.all([executor.close(), cpu.close()])
    },
  }
}
