import { describe, expect, test } from 'bun:test'
import { type AnyLiteProgram, computeLite, encodeLite } from '@shardy/lite'
import { createCpuExecutor } from './cpu/executor.ts'
import { executeLite } from './lite.ts'
import { createReferenceExecutor } from './reference.ts'
import { runWork } from './runWork.ts'
import { decodeWork, factsOf } from './work.ts'

/** Far longer than one turn on any host. */
const long: AnyLiteProgram = { kind: 'lite', inputLength: 4_096, rounds: 20_000, lanes: 4 }
const input = Uint8Array.from({ length: 4_096 }, (_, index) => (index * 31) & 0xff)

test("gives the definition's bytes, and says how far it is", async () => {
  const short = { ...long, rounds: 1_500 }
  const said: number[] = []
  const output = await executeLite(short, input, { onProgress: (permille) => said.push(permille) })
  expect(output).toEqual(computeLite(short, input))
  expect(said).toEqual(said.toSorted((one, other) => one - other))
  for (const permille of said) expect(permille).toBeLessThan(1_000)
})

test('steps aside, so that others run and can stop it', async () => {
  const controller = new AbortController()
  const running = executeLite(long, input, { signal: controller.signal })
  setTimeout(() => controller.abort(), 1)
  await expect(running).rejects.toMatchObject({ kind: 'aborted' })
  await expect(executeLite(long, input, { signal: controller.signal })).rejects.toMatchObject({
    kind: 'aborted',
  })
})

test('an input of another length is refused', async () => {
  await expect(executeLite(long, input.subarray(1))).rejects.toMatchObject({
    kind: 'inputRefused',
    message: 'input has 4095 bytes, expected 4096',
  })
})

describe('as work beside any executor', () => {
  const programs: readonly AnyLiteProgram[] = [
    { kind: 'superLite', inputLength: 4_096, rounds: 3 },
    { kind: 'lite', inputLength: 4_096, rounds: 3, lanes: 2 },
  ]
  for (const program of programs) {
    test(program.kind, async () => {
      const decoded = decodeWork(program.kind, encodeLite(program))
      if (!decoded.ok) throw new Error(decoded.reason)
      expect(factsOf(decoded.work)).toMatchObject({
        inputLength: 4_096,
        complexity: 3 * 4_096,
        constants: [],
        outputLength: program.kind === 'lite' ? 16 : 4,
      })
      for (const executor of [createCpuExecutor(), createReferenceExecutor()]) {
        expect(await runWork(executor, decoded.work, input)).toEqual(computeLite(program, input))
        await executor.close()
      }
    })
  }

  test('bytes of the other kind are refused with their field', () => {
    const bytes = encodeLite({ kind: 'superLite', inputLength: 8, rounds: 1 })
    expect(decodeWork('lite', bytes)).toMatchObject({ ok: false, field: 'LiteProgram.lanes' })
  })
})
