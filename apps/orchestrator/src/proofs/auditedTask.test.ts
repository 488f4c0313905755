/** Whole tasks that ask for a proof of a block, over real sockets, with workers as they are; the proof system is an ideal one but where it says so. */
import { afterEach, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { receiptFromJson } from '@shardy/api'
import { createCpuExecutor } from '@shardy/compute'
import { verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { openVerifierPool } from '@shardy/proofs/pool'
import { checkReceipt, createProofVerifier } from '@shardy/sdk'
import { createBlockProver, createKeyLoader } from '@shardy/worker/proving'
import { blocksAlone, commitments, createExactProofs, createExactProver } from '../../test/exactProofs.ts'
import { example, finish, follow, submit } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { openProofs } from './openProofs.ts'

let network: TestNetwork | undefined
afterEach(() => network?.stop())

const exact = createExactProofs()
const honest = createExactProver(exact)
const shape = [20, 40, 33] as const

async function open(): Promise<TestNetwork> {
  network = await startTestNetwork({ proofs: blocksAlone(exact) })
  return network
}

for (const [verify, status] of [
  ['checked', 'verified'],
  ['quorum(2,2)', 'verified'],
  ['audited(1)', 'accepted'],
] as const) {
  test(`with ${verify}, the answer of each is audited, and its receipt has what was proven`, async () => {
    const own = await open()
    await Promise.all([
      own.startWorker(createCpuExecutor(), honest),
      own.startWorker(createCpuExecutor(), honest),
    ])
    const { submission, input, output } = example({ proof: 'v3', verify }, shape)
    const { taskId } = await submit(own, submission)
    expect(['verified', status]).toContain((await finish(own, taskId)).status)
    const json = await (await own.request(`/v1/tasks/${taskId}/receipt`)).json()
    const parsed = receiptFromJson(json)
    if (!parsed.ok) throw new Error(parsed.reason)
    const verifyProof = async (proof: Parameters<typeof exact.verify>[1], signals: readonly bigint[]) => {
      const flaw = await exact.verify('' as never, proof, signals)
      return flaw === undefined
        ? ({ kind: 'holds', trust: 'development' } as const)
        : ({ kind: 'false', reason: flaw.detail } as const)
    }
    const check = { sha256, verify: verifySignature, verifyProof, commitments, input, output }
    const checked = await checkReceipt(parsed.receipt, check)
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
    const { proofs, agreed } = checked.facts
    expect(proofs).toHaveLength(agreed.length)
    for (const proof of proofs)
      expect(proof).toMatchObject({
        kind: 'v3',
        verdict: 'holds',
        block: { blocks: 3, areOperandsChecked: true },
      })
  })
}

test('with the circuit and its key, prover and verifier meet over one block', async () => {
  const folder = path.join(import.meta.dir, '../../../../circuits/artifacts')
  const proofs = await openProofs({
    folder,
    kinds: ['v3'],
    sha256,
    openPool: (key) => openVerifierPool({ key, threads: 1 }),
  })
  network = await startTestNetwork({ proofs })
  const load = createKeyLoader((name) => readFile(path.join(folder, name)), sha256)
  await network.startWorker(createCpuExecutor(), createBlockProver(load, sha256))
  const { submission } = example({ proof: 'v3' }, shape)
  const { taskId } = await submit(network, submission)
  expect((await finish(network, taskId)).status).toBe('verified')
  const parsed = receiptFromJson(await (await network.request(`/v1/tasks/${taskId}/receipt`)).json())
  if (!parsed.ok) throw new Error(parsed.reason)
  const verifyProof = createProofVerifier((name) => readFile(path.join(folder, name)), sha256)
  const checked = await checkReceipt(parsed.receipt, {
    sha256,
    verify: verifySignature,
    verifyProof,
    commitments,
  })
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
  expect(checked.facts.proofs).toMatchObject([{ kind: 'v3', verdict: 'holds', trust: 'development' }])
}, 60_000)

test('a small task is audited too, and a worker that makes no such proofs is not asked', async () => {
  const own = await open()
  await own.startWorker()
  const { submission } = example({ proof: 'v3' }, [1, 1, 1])
  const { taskId } = await submit(own, submission)
  await own.startWorker(createCpuExecutor(), honest)
  const task = await finish(own, taskId)
  expect(task.status).toBe('verified')
  expect(task.deliveries).toHaveLength(1)
})

test('an answer whose proof is false comes to nothing, and somebody else is asked', async () => {
  const own = await open()
  const liar = {
    ...honest,
    prove: async () => ({ kind: 'v3' as const, verifierVersion: 3, proof: new Uint8Array(256) }),
  }
  await own.startWorker(createCpuExecutor(), liar)
  const { submission } = example({ proof: 'v3' }, shape)
  const { taskId } = await submit(own, submission)
  const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
  expect(events.at(-1)).toMatchObject({
    type: 'corrupted',
    detail: 'the proof of a block was refused: the proof is false',
  })
  expect(events.map(({ type }) => type as string)).not.toContain('answered')
  await own.startWorker(createCpuExecutor(), honest)
  expect((await finish(own, taskId)).status).toBe('verified')
})

test('a worker that cannot prove says so, and hands the delivery back', async () => {
  const own = await open()
  const broken = { ...honest, prove: () => Promise.reject(new Error('the key is gone')) }
  await own.startWorker(createCpuExecutor(), broken)
  const { taskId } = await submit(own, example({ proof: 'v3' }, shape).submission)
  const events = await follow(own, taskId, ({ type }) => type === 'rejected')
  expect(events.at(-1)?.detail).toBe('executionFailed: the audit could not be answered: the key is gone')
})
