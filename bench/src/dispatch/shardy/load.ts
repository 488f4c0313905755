/** Small tasks by the thousand: 32 x 32 x 32 exact products, each with an input of its own. */
import type { ManyTask } from '@shardy/sdk'
import { encodeProgram, matmulProgram } from '@shardy/tensor'

const size = 32
const program = encodeProgram(matmulProgram({ m: size, k: size, n: size }))
const inputBytes = 2 * size * size

export function smallTasks(count: number): readonly ManyTask[] {
  // One draw of random bytes is cut at other places for every task: drawing is not what is measured.
  const drawn = crypto.getRandomValues(new Uint8Array(Math.min(65_536, inputBytes + count)))
  return Array.from({ length: count }, (_, index) => {
    const at = (index * 31) % (drawn.length - inputBytes + 1)
    const input = drawn.slice(at, at + inputBytes)
    new DataView(input.buffer).setUint32(0, index)
    return { kind: 'program', program, input }
  })
}
