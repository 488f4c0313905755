/** An executor that changes one bit of every answer, and is otherwise a model citizen. */
import { createCpuExecutor, type Executor } from '@shardy/compute'

export function createLiar(): Executor {
  const honest = createCpuExecutor()
  const lie = (output: Uint8Array): Uint8Array => output.with(0, (output[0] ?? 0) ^ 1)
  return {
    ...honest,
    async execute(program, input, options) {
      const execution = await honest.execute(program, input, options)
      return { ...execution, output: lie(execution.output) }
    },
    executeSmall(program, input) {
      const output = honest.executeSmall?.(program, input)
      return output && lie(output)
    },
  }
}
