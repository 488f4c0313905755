/** What a request means that says nothing of proofs, while the keys there are change under it. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { QuoteView, TaskView } from '@shardy/api'
import { defaultCostModel, quote } from '@shardy/ledger'
import { batchContentType, batchOutcome, batchSubmission, type MadeProofKind } from '@shardy/protocol'
import { encodeProgram, matmulProgram } from '@shardy/tensor'
import { manifestJson } from '../../test/campaignWorld.ts'
import { example, refused, submit } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { noProofs } from '../proofs/proofs.ts'

let network: TestNetwork
let kinds: readonly MadeProofKind[] = []
beforeEach(async () => {
  kinds = ['v2']
  network = await startTestNetwork({
    proofs: {
      ...noProofs,
      get kinds() {
        return kinds
      },
    },
  })
})
afterEach(() => network.stop())

const keyed = { headers: { 'idempotency-key': 'again' } }

test('a task that is submitted again is the same, whatever keys there are by then', async () => {
  const { submission } = example()
  const first = await submit(network, submission, keyed)
  expect(first.proof).toBe('v2')
  kinds = []
  expect((await submit(network, submission, keyed)).taskId).toBe(first.taskId)
  // Who says what it meant asks the same as well, and who wants another thing does not.
  kinds = ['v2']
  expect((await submit(network, { ...submission, proof: 'v2' }, keyed)).taskId).toBe(first.taskId)
  const other = network.request('/v1/tasks', { json: { ...submission, proof: 'none' }, ...keyed })
  expect(await refused(other)).toBe('idempotencyConflict')
})

test('so are the tasks of a batch', async () => {
  const body = batchSubmission.encode({
    programs: [{ kind: 'program', program: encodeProgram(matmulProgram({ m: 2, k: 2, n: 2 })) }],
    terms: {
      verify: undefined,
      proof: undefined,
      priority: undefined,
      tierMin: 0,
      features: [],
      region: '',
      rewardMicroCredit: undefined,
      timeoutMs: undefined,
      digestOnly: false,
      allowInexact: false,
    },
    tasks: [{ program: 0, idempotencyKey: 'again', seed: 0n, input: new Uint8Array(8) }],
  })
  const post = async () => {
    const headers = { 'content-type': batchContentType }
    const request = { method: 'POST', body: new Uint8Array(body), headers }
    const response = await network.request('/v1/tasks/batch', request)
    const decoded = batchOutcome.decode(new Uint8Array(await response.arrayBuffer()))
    if (!decoded.ok) throw new Error('the answer cannot be read')
    const [{ code, isNew } = { code: 'nothing', isNew: false }] = decoded.value.outcomes
    return { code, isNew }
  }
  expect(await post()).toEqual({ code: '', isNew: true })
  kinds = []
  expect(await post()).toEqual({ code: '', isNew: false })
})

test('a quote is for what a submission would ask for', async () => {
  const quoted = async () =>
    ((await (await network.request('/v1/quote?complexity=8')).json()) as QuoteView).unitsNormalised
  const task = (await submit(network, example().submission)) as TaskView
  const work = { complexity: 8, inputLength: 0, outputLength: 0, constantBytes: 0, replicas: 1 }
  const priced = (proof: TaskView['proof']): string => {
    const found = quote({ ...work, verify: 'checked', proof }, defaultCostModel, 0)
    if (!found.ok) throw new Error('it is in range')
    return String(found.cost.unitsNormalised)
  }
  expect([await quoted(), task.proof]).toEqual([priced('v2'), 'v2'])
  kinds = []
  expect(await quoted()).toBe(priced('none'))
})

test('a campaign may ask for what there is when it is made, and not when the orchestrator began', async () => {
  const post = () =>
    network.request('/v1/campaigns', {
      json: { manifest: manifestJson({ deadlineMs: Date.now() + 3_600_000, proof: 'v2' }) },
    })
  kinds = []
  expect(await refused(post())).toBe('invalidField')
  kinds = ['v2']
  expect((await post()).status).toBe(201)
})
