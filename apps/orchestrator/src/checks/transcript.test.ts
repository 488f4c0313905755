/** From a worker over the wire to a verdict: programs with sums inside, told by liars of every kind. */
import { afterEach, describe, expect, test } from 'bun:test'
import { createCpuExecutor, type Executor, openCheckTools } from '@shardy/compute'
import { sha256, verifySignatureSync } from '@shardy/crypto/native'
import { checkOffenceEvidence, decodeOffenceEvidence } from '@shardy/sdk'
import { buildProgram, encodeProgram, evaluate } from '@shardy/tensor'
import { digestOf, finish, randomBytes, submit, taskOf } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { decodeRecord } from '../tasks/archive.ts'
import { offenceRecord } from '../tasks/offences.ts'

const side = 330
const weights = randomBytes(side * side)
const input = randomBytes(side * side)
const program = buildProgram((b) =>
  b
    .input('i8', [side, side])
    .matmul(b.weights(digestOf(weights), 'i8', [side, side]))
    .requantize({ multiplier: 1, shift: 15, to: 'i8' }),
)
const output = evaluate(program, input, new Map([[digestOf(weights), weights]]))

/** Changes what is given and what is kept, each if asked. */
function createTeller(lies: { readonly output: boolean; readonly sums: boolean }): Executor {
  const { executeSmall: _, ...honest } = createCpuExecutor()
  const flip = (bytes: Uint8Array): Uint8Array => bytes.with(0, (bytes[0] ?? 0) ^ 1)
  return {
    ...honest,
    async execute(asked, given, options) {
      const execution = await honest.execute(asked, given, options)
      const kept = [...execution.kept].map(
        ([value, bytes]) => [value, lies.sums ? flip(bytes) : bytes] as const,
      )
      return { output: lies.output ? flip(execution.output) : execution.output, kept: new Map(kept) }
    },
  }
}

let network: TestNetwork
afterEach(() => network.stop())

async function open(): Promise<string> {
  network = await startTestNetwork()
  await network.request(`/v1/blobs/${digestOf(weights)}`, { method: 'PUT', body: weights })
  const { taskId } = await submit(network, {
    kind: 'program',
    program: { base64: encodeProgram(program).toBase64() },
    input: { base64: input.toBase64() },
  })
  return taskId
}

/** Until a delivery of the task has that outcome. */
async function outcome(taskId: string, wanted: string): Promise<void> {
  for (;;) {
    const { deliveries } = await taskOf(network, taskId)
    if (deliveries.some((delivery) => delivery.outcome === wanted)) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('a program with sums inside', () => {
  test('is checked by projection: nothing large is computed again', async () => {
    const taskId = await open()
    await network.startWorker()
    const task = await finish(network, taskId)
    expect(task).toMatchObject({
      status: 'verified',
      checkedBy: 'projection',
      outputDigest: digestOf(output),
    })
  })

  for (const sums of [false, true]) {
    test(`a lie in the output${sums ? ' and in the sums' : ''} is wrong, with evidence that a stranger checks`, async () => {
      const taskId = await open()
      const liar = await network.startWorker(createTeller({ output: true, sums }))
      await outcome(taskId, 'wrong')
      await liar.stop()
      await network.startWorker()
      expect(await finish(network, taskId)).toMatchObject({
        status: 'verified',
        outputDigest: digestOf(output),
      })
      const records: Uint8Array[] = []
      for await (const { value } of network.store.iterate('offences')) records.push(value)
      const [record] = records.map((bytes) => decodeRecord(offenceRecord, bytes))
      if (record === undefined) throw new Error('the offence is not kept')
      expect(record.rightDigest).toBe(digestOf(output))
      const decoded = decodeOffenceEvidence(record.evidence)
      if (!decoded.ok) throw new Error('the evidence cannot be read')
      const checked = await checkOffenceEvidence(decoded.value, {
        sha256,
        verify: verifySignatureSync,
        tools: await openCheckTools(sha256),
        orchestratorId: network.orchestrator.services.orchestratorId,
        input,
        blobs: new Map([[digestOf(weights), weights]]),
      })
      expect(checked).toMatchObject({
        ok: true,
        facts: { workerId: record.workerId, rightDigest: digestOf(output), wrongDigest: record.outputDigest },
      })
    })
  }

  test('a lie in the sums alone is corrupted, and nobody is called wrong', async () => {
    const taskId = await open()
    const liar = await network.startWorker(createTeller({ output: false, sums: true }))
    await outcome(taskId, 'corrupted')
    await liar.stop()
    await network.startWorker()
    const task = await finish(network, taskId)
    expect(task.status).toBe('verified')
    expect(task.deliveries.map((delivery) => delivery.outcome)).not.toContain('wrong')
    for await (const _ of network.store.iterate('offences')) throw new Error('nobody was wrong')
  })
})
