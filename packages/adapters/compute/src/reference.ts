/** The definition as an executor. It works in one go without yielding: for tests, small inputs and disputes. */
import { evaluateValues, joinOutputs } from '@shardy/tensor'
import { admit, closedError, type Executor, keepValues, throwIfAborted } from './executor.ts'

export function createReferenceExecutor(): Executor {
  const name = 'reference'
  let closed = false
  return {
    name,
    adapter: 'the definition, one entry after the other',
    async execute(program, input, options = {}) {
      const { signal, onProgress, blobs, keep = [] } = options
      if (closed) throw closedError(name)
      admit(program, input, options)
      throwIfAborted(signal)
      const tensors = evaluateValues(program, input, blobs)
      onProgress?.(1000)
      return { output: joinOutputs(program, tensors), kept: keepValues(keep, tensors) }
    },
    async close() {
      closed = true
    },
  }
}
