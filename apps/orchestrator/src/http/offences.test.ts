/** A wrong answer becomes evidence that a stranger repeats with the SDK; forged evidence is refused by name. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { OffenceEvidence, OffencePage } from '@shardy/api'
import { sha256, verifySignatureSync } from '@shardy/crypto/native'
import type { OrchestratorId } from '@shardy/protocol'
import { checkOffence, describeOffenceProblem, type OffenceCheck, type OffenceProblem } from '@shardy/sdk'
import { evaluate } from '@shardy/tensor'
import fc from 'fast-check'
import { digestOf, example, refused, submit, taskOf } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { joinPosted } from '../../test/postedWorker.ts'

let network: TestNetwork
let evidence: OffenceEvidence
let taskId: string
const { submission, output } = example()
const wrong = Uint8Array.from(output, (byte, index) => (index === 0 ? byte ^ 1 : byte))

const check: OffenceCheck = {
  sha256,
  verify: verifySignatureSync,
  async recompute(work, input) {
    if (work.kind !== 'program') throw new Error('the example is a program')
    return evaluate(work.program, input)
  },
}
const kindOf = async (
  value: unknown,
  more: Partial<OffenceCheck> = {},
): Promise<OffenceProblem['kind'] | 'holds'> => {
  const found = await checkOffence(value, { ...check, ...more })
  if (found.ok) return 'holds'
  expect(describeOffenceProblem(found.problem).length).toBeGreaterThan(10)
  return found.problem.kind
}

beforeAll(async () => {
  network = await startTestNetwork()
  taskId = (await submit(network, submission)).taskId
  const liar = await joinPosted(network)
  await liar.answer(taskId, wrong)
  await liar.leave()
  const honest = await joinPosted(network)
  await honest.answer(taskId, output)
  const page = (await (await network.request('/v1/offences')).json()) as OffencePage
  expect(page.offences).toMatchObject([{ workerId: liar.workerId, taskId, outputDigest: digestOf(wrong) }])
  evidence = (await (
    await network.request(`/v1/offences/${page.offences[0]?.deliveryId}`)
  ).json()) as OffenceEvidence
})
afterAll(() => network.stop())

test('the task is verified all the same, and says what went wrong', async () => {
  const task = await taskOf(network, taskId)
  expect(task).toMatchObject({ status: 'verified', outputDigest: digestOf(output) })
  expect(task.deliveries.map(({ outcome }) => outcome)).toEqual(['wrong', 'accepted'])
})

test('the evidence holds, and names both digests', async () => {
  const { orchestratorId } = network.orchestrator.services
  expect(await checkOffence(evidence, { ...check, orchestratorId })).toMatchObject({
    ok: true,
    facts: { wrongDigest: digestOf(wrong), rightDigest: digestOf(output), isOrchestratorPinned: true },
  })
  const { base64, ...input } = evidence.input
  const fetchInput = async () => new Uint8Array(Buffer.from(base64 ?? '', 'base64'))
  expect(await kindOf({ ...evidence, input }, { fetchInput })).toBe('holds')
})

describe('forged evidence is refused', () => {
  const other = '5a'.repeat(32)
  const cases: readonly (readonly [string, OffenceProblem['kind'], () => object])[] = [
    ['another program', 'wrongProgramId', () => ({ programId: other })],
    ['another worker', 'wrongWorker', () => ({ workerId: other })],
    ['another worker with its key', 'wrongWorker', () => ({ workerKey: evidence.orchestratorKey })],
    ['another task', 'badDelivery', () => ({ taskId: 'ab'.repeat(16) })],
    ['another seed', 'badDelivery', () => ({ seed: '1' })],
    ['another deadline', 'badDelivery', () => ({ deadlineMs: evidence.deadlineMs + 1 })],
    ['a delivery of nobody', 'badDelivery', () => ({ delivery: evidence.answer })],
    ['an answer that was never given', 'badAnswer', () => ({ outputDigest: other })],
    ['a trace that was never given', 'badAnswer', () => ({ traceRoot: other })],
    ['an answer of somebody else', 'badAnswer', () => ({ answer: evidence.delivery })],
    ['other bytes as the input', 'wrongInput', () => ({ input: { ...evidence.input, base64: 'AAAA' } })],
    ['no bytes as the input', 'malformed', () => ({ input: { ...evidence.input, base64: undefined } })],
    ['a right answer that is not', 'otherRightAnswer', () => ({ rightDigest: other })],
    ['a seed beyond 64 bits', 'malformed', () => ({ seed: '99999999999999999999' })],
    ['a note', 'malformed', () => ({ note: 'x' })],
  ]
  for (const [story, kind, change] of cases) {
    test(story, async () =>
      expect(await kindOf(JSON.parse(JSON.stringify({ ...evidence, ...change() })))).toBe(kind),
    )
  }

  test('an answer that is right', async () => {
    expect(await kindOf(evidence, { recompute: async () => wrong })).toBe('rightAnswer')
  })
  test('another orchestrator', async () => {
    expect(await kindOf(evidence, { orchestratorId: other as OrchestratorId })).toBe('wrongOrchestrator')
  })
  test('with whatever in whatever field', async () => {
    const names = Object.keys(evidence)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.jsonValue(), async (name, value) => {
        const isSame = ['detail', 'amountMicroCredit', 'atMs', 'consequence'].includes(name)
        const kind = await kindOf({ ...evidence, [name]: value })
        if (!isSame) expect(kind).not.toBe('holds')
      }),
      { numRuns: 300 },
    )
  })
})

test('offences are pages by id, and what is none is named', async () => {
  const next = (await (await network.request(`/v1/offences?cursor=${'f'.repeat(32)}`)).json()) as OffencePage
  expect(next).toEqual({ offences: [] })
  expect(await refused(network.request(`/v1/offences/${'0'.repeat(32)}`))).toBe('unknownOffence')
})
