/**
 * Lite work on the host's own thread (docs/spec/lite.md), in turns of a few milliseconds: it needs no device, so it runs the
 * same beside every executor.
 */
import { type AnyLiteProgram, beginLite, refuseLiteInput } from '@shardy/lite'
import { describeRefusal } from '@shardy/protocol'
import { ComputeError, type ExecuteOptions, throwIfAborted } from './executor.ts'
import { openTurns } from './turns.ts'

export type LiteOptions = Pick<ExecuteOptions, 'signal' | 'onProgress'>

/** Byte steps between two looks at the clock: well under a millisecond on a server, a few on a weak phone. */
const stepsPerLook = 2 ** 17

export async function executeLite(
  program: AnyLiteProgram,
  input: Uint8Array,
  { signal, onProgress }: LiteOptions = {},
): Promise<Uint8Array> {
  throwIfAborted(signal)
  const refusal = refuseLiteInput(program, input)
  if (refusal !== undefined) throw new ComputeError('inputRefused', describeRefusal(refusal))
  const run = beginLite(program, input)
  const turns = openTurns()
  try {
    for (;;) {
      run.advance(stepsPerLook)
      if (run.doneSteps === run.totalSteps) return run.output()
      if (!turns.over()) continue
      onProgress?.(Math.floor((1000 * run.doneSteps) / run.totalSteps))
      await turns.next()
      throwIfAborted(signal)
    }
  } finally {
    turns.close()
  }
}
