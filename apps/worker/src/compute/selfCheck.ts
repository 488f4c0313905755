/**
 * A driver that computes wrongly would make its owner disagree with everyone and never be paid. One small program with
 * odd sizes and all values of a byte finds such a driver before it is offered any work.
 */
import type { Executor } from '@shardy/compute'
import { evaluate, inputLength, matmulProgram, type Program } from '@shardy/tensor'

const program: Program = matmulProgram({ m: 67, k: 35, n: 71 })

export async function isExact(executor: Executor): Promise<boolean> {
  const input = Uint8Array.from(
    { length: inputLength(program) },
    (_, index) => (index * 167 + (index >> 8)) & 0xff,
  )
  const expected = evaluate(program, input)
  const { output } = await executor.execute(program, input)
  return output.length === expected.length && output.every((byte, index) => byte === expected[index])
}
