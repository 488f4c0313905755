/** An executor that changes one bit of every answer, and is otherwise a model citizen. */
import { createCpuExecutor, type Executor } from '@shardy/compute'

export function createLiar(): Executor {
  const honest = createCpuExecutor()
  return {
    ...honest,
    async execute(program, input, options) {
      const execution = await honest.execute(program, input, options)
      const { output } = execution
      output[0] = (output[0] ?? 0) ^ 1
      return execution
    },
  }
}
