/** The definition as an executor. It works in one go without yielding: for tests, small inputs and disputes. */
import { evaluate } from '@shardy/tensor'
import { admit, closedError, type Executor, throwIfAborted } from './executor.ts'

export function createReferenceExecutor(): Executor {
  const name = 'reference'
  let closed = false
  return {
    name,
    adapter: 'the definition, one entry after the other',
    async execute(program, input, { signal, onProgress } = {}) {
      if (closed) throw closedError(name)
      admit(program, input)
      throwIfAborted(signal)
      const output = evaluate(program, input)
      onProgress?.(1000)
      return output
    },
    async close() {
      closed = true
    },
  }
}
