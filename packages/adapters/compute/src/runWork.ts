/** Runs work of any kind: programs and shaders on the executor, lite rounds beside it. */
import { ComputeError, type ExecuteOptions, type Executor } from './executor.ts'
import { executeLite } from './lite.ts'
import type { Work } from './work.ts'

export async function runWork(
  executor: Executor,
  work: Work,
  input: Uint8Array,
  options: ExecuteOptions = {},
): Promise<Uint8Array> {
  switch (work.kind) {
    case 'program':
      return (await executor.execute(work.program, input, options)).output
    case 'shader':
      if (executor.runShader === undefined) {
        throw new ComputeError('internal', 'this executor runs no shaders')
      }
      return executor.runShader(work.bytes, input, options)
    case 'lite':
    case 'superLite':
      return executeLite(work.lite, input, options)
  }
}
