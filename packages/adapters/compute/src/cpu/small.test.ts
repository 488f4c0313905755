import { expect, test } from 'bun:test'
import { buildProgram, evaluate, inputLength, matmulProgram, type Program } from '@shardy/tensor'
import { ComputeError } from '../executor.ts'
import { createCpuExecutor } from './executor.ts'

const executor = createCpuExecutor()
const bytesFor = (program: Program) =>
  Uint8Array.from({ length: inputLength(program) }, (_, index) => (index * 37) & 0xff)
const run = executor.executeSmall as NonNullable<typeof executor.executeSmall>
// Until the kernels are open nothing is run at once.
await executor.execute(matmulProgram({ m: 1, k: 1, n: 1 }), new Uint8Array(2))

test('gives what the definition gives, in memory of its own', () => {
  const reshaped: Program = buildProgram((b) => b.input('i8', [4, 6]).reshape([6, 4]))
  const several: Program = buildProgram((b) => {
    const x = b.input('i8', [3, 2])
    return [x.matmul(b.input('i8', [2, 5])), x.relu()]
  })
  for (const program of [matmulProgram({ m: 32, k: 32, n: 32 }), reshaped, several]) {
    const input = bytesFor(program)
    const output = run(program, input)
    expect(output).toEqual(evaluate(program, input))
    expect(output?.buffer).not.toBe(input.buffer)
  }
})

test('leaves to turns what holds the thread', () => {
  const large = matmulProgram({ m: 256, k: 256, n: 256 })
  expect(run(large, bytesFor(large))).toBeUndefined()
})

test('refuses input of another length, and everything once it is closed', async () => {
  const program = matmulProgram({ m: 2, k: 2, n: 2 })
  expect(() => run(program, new Uint8Array(7))).toThrow(ComputeError)
  await executor.close()
  expect(() => run(program, bytesFor(program))).toThrow('closed')
})
