/** Runs work of any kind: programs and shaders on the executor, lite rounds beside it. */

import { computeLite, liteSteps, refuseLiteInput } from '@shardy/lite'
import { describeRefusal } from '@shardy/protocol'
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

/** Byte steps of lite rounds that take well under a millisecond. */
const smallStepsMax = 2 ** 17

/** At once on the caller's thread, where that takes a moment only; undefined where it is to be run as any other work. */
export function runSmallWork(executor: Executor, work: Work, input: Uint8Array): Uint8Array | undefined {
  switch (work.kind) {
    case 'program':
      return executor.executeSmall?.(work.program, input)
    case 'shader':
      return undefined
    case 'lite':
    case 'superLite': {
      if (liteSteps(work.lite) > smallStepsMax) return undefined
      const refusal = refuseLiteInput(work.lite, input)
      if (refusal !== undefined) throw new ComputeError('inputRefused', describeRefusal(refusal))
      return computeLite(work.lite, input)
    }
  }
}
