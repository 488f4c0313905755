/**
 * The CPU executor: the plain JavaScript kernel, taken in turns of a few milliseconds, so that the host that runs it
 * still answers its socket and its user. It runs wherever JavaScript does.
 */
import { multiplyMatrices } from './cpuMatmul.ts'
import { admit, closedError, type Executor, throwIfAborted } from './executor.ts'
import { openTurns } from './turns.ts'

export function createCpuExecutor(): Executor {
  const name = 'cpu'
  let closed = false
  return {
    name,
    adapter: 'JavaScript on one core',
    async execute(program, input, { signal, onProgress } = {}) {
      if (closed) throw closedError(name)
      admit(program, input)
      throwIfAborted(signal)
      const work = multiplyMatrices(program, input)
      const turns = openTurns()
      try {
        for (;;) {
          const step = work.next()
          if (step.done) {
            onProgress?.(1000)
            return step.value
          }
          if (!turns.over()) continue
          onProgress?.(Math.floor(1000 * step.value))
          await turns.next()
          if (closed) throw closedError(name)
          throwIfAborted(signal)
        }
      } finally {
        turns.close()
      }
    },
    async close() {
      closed = true
    },
  }
}
