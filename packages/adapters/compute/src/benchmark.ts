/**
 * How fast an executor is, measured in well under a second: the figure that a worker states in its profile. It counts
 * everything between input and output bytes, so a device's transfers and start-up costs are in it.
 */
import { complexity, inputLength, matmulProgram, type Program } from '@shardy/tensor'
import type { Executor } from './executor.ts'

const sizes = [64, 128, 256, 512, 1024, 2048] as const
/** A larger product is tried only while it should stay below this, since it has eight times the work. */
const nextBelowMs = 100

function cube(size: number): Program {
  return matmulProgram({ m: size, k: size, n: size })
}

/** Any bytes do, as long as they are not all alike. */
function fill(length: number): Uint8Array {
  const input = new Uint8Array(length)
  for (let index = 0; index < length; index++) input[index] = (index * 167) & 0xff
  return input
}

/** Multiply-adds per second on the largest product that takes a moment. `clock` gives milliseconds. */
export async function measureOpsPerSecond(executor: Executor, clock: () => number): Promise<number> {
  let best = 0
  for (const size of sizes) {
    const program = cube(size)
    const input = fill(inputLength(program))
    let tookMs = Number.POSITIVE_INFINITY
    // The first call of a size pays for compilation and buffers, which a long-lived worker does not.
    for (let call = 0; call < 2; call++) {
      const beganMs = clock()
      await executor.execute(program, input)
      tookMs = Math.min(tookMs, Math.max(clock() - beganMs, 0.001))
    }
    best = Math.max(best, (1000 * complexity(program)) / tookMs)
    if (8 * tookMs > nextBelowMs) break
  }
  return Math.floor(best)
}
