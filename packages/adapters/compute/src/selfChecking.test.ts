import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { inferProgram, matmulProgram, type Program } from '@shardy/tensor'
import { pureTools } from '@shardy/tensor/check'
import { exampleNames, exampleProgram } from '@shardy/tensor/testing'
import type { Execution, Executor } from './executor.ts'
import { createReferenceExecutor } from './reference.ts'
import { createSelfCheckingExecutor } from './selfChecking.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const adapters = { tools: pureTools(sha256), random }

/** Spoils what an honest executor gives, while there are faults left. */
function faulty(spoil: (execution: Execution, program: Program) => void, faults = Number.POSITIVE_INFINITY) {
  const honest = createReferenceExecutor()
  let calls = 0
  const executor: Executor = {
    ...honest,
    async execute(program, input, options) {
      const execution = await honest.execute(program, input, options)
      calls += 1
      if (calls <= faults) spoil(execution, program)
      return execution
    },
  }
  return { checked: createSelfCheckingExecutor(executor, adapters), calls: () => calls }
}

const product = matmulProgram({ m: 16, k: 9, n: 16 })
const input = random(2 * 9 * 16)

/** A device whose every sum is one too large. */
function shiftSums({ kept, output }: Execution): void {
  for (const bytes of [...kept.values(), output]) {
    for (let index = 0; index < bytes.length; index += 4) bytes[index] = (bytes[index] ?? 0) ^ 1
  }
}

test('honest answers pass, with what was asked for and nothing else', async () => {
  const checked = createSelfCheckingExecutor(createReferenceExecutor(), adapters)
  for (const name of exampleNames) {
    const { program, input: bytes, blobs } = exampleProgram(name)
    const last = inferProgram(program).values.length - 1
    const plain = await createReferenceExecutor().execute(program, bytes, { blobs, keep: [last] })
    expect(await checked.execute(program, bytes, { blobs, keep: [last] })).toEqual(plain)
  }
})

test('a fault that passes is a second try, and the right answer', async () => {
  const { checked, calls } = faulty(shiftSums, 1)
  const expected = await createReferenceExecutor().execute(product, input)
  expect(await checked.execute(product, input)).toEqual(expected)
  expect(calls()).toBe(2)
})

test('a device that stays wrong counts as lost, with the node that showed it', async () => {
  const { checked, calls } = faulty(shiftSums)
  await expect(checked.execute(product, input)).rejects.toMatchObject({
    kind: 'deviceLost',
    message: expect.stringMatching(/computes wrongly: node 0, .* is not the product of its operands, twice/),
  })
  expect(calls()).toBe(2)
})

test('one wrong row of many is found in the course of some executions', async () => {
  const { checked } = faulty(({ output }) => output.fill(0x55, 0, 64))
  const answers = Array.from({ length: 40 }, () =>
    checked.execute(product, input).then(
      () => 'signed',
      () => 'refused',
    ),
  )
  expect(await Promise.all(answers)).toContain('refused')
})
