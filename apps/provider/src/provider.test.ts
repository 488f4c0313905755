import { expect, test } from 'bun:test'
import { ComputeError, createCpuExecutor, type Executor } from '@shardy/compute'
import { generateIdentity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { evaluate, inputLength, matmulProgram, type Program, programId } from '@shardy/tensor'
import {
  connectWebSocket,
  createConstants,
  fetchConstants,
  systemClock,
  workerSocketUrl,
} from '@shardy/worker'
import { startOrchestrator } from '@shardy/worker/testing'
import { createProvider } from './provider.ts'
import { selfTest } from './selfTest.ts'

const identity = await generateIdentity({ extractable: false })
const stopwatchMs = (): number => performance.now()
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
const program: Program = matmulProgram({ m: 3, k: 4, n: 5 })

test('a lost device ends the provider, after the delivery was handed back', async () => {
  const orchestrator = await startOrchestrator()
  try {
    let closed = false
    const cpu = createCpuExecutor()
    let calls = 0
    const executor: Executor = {
      ...cpu,
      execute(work, input, options) {
        calls += 1
        if (programId(work, sha256) !== programId(program, sha256)) return cpu.execute(work, input, options)
        return Promise.reject(new ComputeError('deviceLost', 'unplugged'))
      },
      async close() {
        closed = true
      },
    }
    const lines: string[] = []
    const provider = await createProvider(
      {
        connect: connectWebSocket(workerSocketUrl(orchestrator.url)),
        identity,
        sha256,
        executor,
        constants: createConstants(fetchConstants(orchestrator.url), sha256),
        prover: { kinds: [], prove: async () => [] },
        blockProver: { kinds: [], sums: async () => [], prove: () => Promise.reject(new Error('none')) },
        clock: systemClock,
        random,
        print: (line) => lines.push(line),
        stopwatchMs,
      },
      {
        url: orchestrator.url,
        slots: 1,
        region: '',
        operator: '',
        askMicroCredit: 0n as never,
        memoryTrialBytesMax: 0,
      },
    )
    const line = await orchestrator.line()
    await line.admit()
    await line.deliver(program, new Uint8Array(inputLength(program)))
    await line.expect('ack')
    expect(await line.expect('reject')).toMatchObject({ reason: 'deviceLost' })
    expect(await line.expect('presence')).toEqual({ state: 'leaving' })
    expect(await provider.ended).toBe('deviceLost')
    expect(closed).toBe(true)
    expect(calls).toBeGreaterThan(1)
  } finally {
    await orchestrator.close()
  }
})

test('the self-test finds an executor that is wrong in a single bit', async () => {
  const lines: string[] = []
  const executor: Executor = {
    ...createCpuExecutor(),
    async execute(work, input) {
      const output = evaluate(work, input)
      if (work.inputs[0]?.shape[0] === 37) output[100] = (output[100] ?? 0) ^ 1
      return { output, kept: new Map() }
    },
  }
  const exit = await selfTest({ executor, identity, sha256, print: (line) => lines.push(line), stopwatchMs })
  expect(exit).toBe('selfTestFailed')
  expect(lines.filter((line) => line.includes('WRONG'))).toHaveLength(1)
  expect(lines.at(-1)).toBe('Self-test failed: 1 of 4 products are wrong.')
})
