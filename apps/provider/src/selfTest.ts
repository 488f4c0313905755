/** Shows somebody who sets a provider up that it works: device, identity, and products compared with the reference. */
import { type Executor, measureOpsPerSecond } from '@shardy/compute'
import type { Identity } from '@shardy/crypto'
import { encodeHex, type Sha256, workerIdOf } from '@shardy/protocol'
import { evaluate, inputLength, matmulProgram, type Program } from '@shardy/tensor'
import type { Exit } from './exitCode.ts'
import { describeSpeed } from './speed.ts'

export interface SelfTestAdapters {
  readonly executor: Executor
  readonly identity: Identity
  readonly sha256: Sha256
  readonly print: (line: string) => void
  readonly stopwatchMs: () => number
}

/** Odd sizes, one-entry edges, and one that fills several tiles of any kernel. */
const shapes = [
  { m: 1, k: 1, n: 1 },
  { m: 37, k: 53, n: 29 },
  { m: 1, k: 1023, n: 65 },
  { m: 129, k: 255, n: 131 },
]

function inputOf(program: Program): Uint8Array {
  return Uint8Array.from({ length: inputLength(program) }, (_, index) => (index * 151 + (index >> 5)) & 0xff)
}

export async function selfTest(adapters: SelfTestAdapters): Promise<Exit> {
  const { executor, identity, sha256, print, stopwatchMs } = adapters
  print(`Executor  ${executor.name}`)
  print(`Adapter   ${executor.adapter}`)
  print(`Identity  ${workerIdOf(identity.publicKey, sha256)}`)
  let wrong = 0
  for (const shape of shapes) {
    const { m, k, n } = shape
    const program = matmulProgram(shape)
    const input = inputOf(program)
    const expected = encodeHex(sha256(evaluate(program, input)))
    const beganMs = stopwatchMs()
    const actual = await executor.execute(program, input).then(
      ({ output }) => encodeHex(sha256(output)),
      (thrown: unknown) => `no answer: ${thrown instanceof Error ? thrown.message : thrown}`,
    )
    const name = `Product   ${m} x ${k} by ${k} x ${n}`
    if (actual === expected) {
      print(`${name}: exact, ${(stopwatchMs() - beganMs).toFixed(1)} ms`)
    } else {
      wrong += 1
      print(`${name}: WRONG; the reference gives ${expected}, the executor ${actual}`)
    }
  }
  if (wrong > 0) {
    print(`Self-test failed: ${wrong} of ${shapes.length} products are wrong.`)
    return 'selfTestFailed'
  }
  print(`Speed     ${describeSpeed(await measureOpsPerSecond(executor, stopwatchMs))}`)
  print('Self-test passed.')
  return 'stopped'
}
