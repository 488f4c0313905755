/** Many tasks in one request: each entry is answered for itself, and the whole costs no more than it should. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  adaptive,
  type BatchSubmission,
  batchContentType,
  batchOutcome,
  batchSubmission,
  type Digest,
  type MicroCredit,
  quorum,
  rewardMicroCreditMax,
  type SharedTerms,
  type SubmittedOutcome,
  type SubmittedTask,
  submissionBytesMax,
  takenOutcome,
} from '@shardy/protocol'
import { encodeProgram, matmulProgram, tensorType } from '@shardy/tensor'
import fc from 'fast-check'
import { example, problemOf, submit, taskOf } from '../../test/example.ts'
import { createFailingStore } from '../../test/failingStore.ts'
import { openMemoryStore, startTestNetwork, type TestNetwork } from '../../test/network.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.stop())

const program = encodeProgram(matmulProgram({ m: 2, k: 2, n: 2 }))
const noTerms: SharedTerms = {
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
}
const taskOfBatch = (more: Partial<SubmittedTask> = {}): SubmittedTask => ({
  program: 0,
  idempotencyKey: '',
  seed: 0n,
  input: crypto.getRandomValues(new Uint8Array(8)),
  ...more,
})
const batchOf = (
  tasks: readonly SubmittedTask[],
  terms: Partial<SharedTerms> = {},
  programs: BatchSubmission['programs'] = [{ kind: 'program', program }],
): BatchSubmission => ({ programs, terms: { ...noTerms, ...terms }, tasks })

const post = (body: Uint8Array, type = batchContentType, on = network) =>
  on.request('/v1/tasks/batch', {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': type },
  })

async function outcomesOf(batch: BatchSubmission, on = network): Promise<readonly SubmittedOutcome[]> {
  return (await answerTo(batch, on)).outcomes
}

async function answerTo(batch: BatchSubmission, on = network) {
  const response = await post(batchSubmission.encode(batch), batchContentType, on)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe(batchContentType)
  const decoded = batchOutcome.decode(new Uint8Array(await response.arrayBuffer()))
  if (!decoded.ok) throw new Error('the answer cannot be read')
  return { outcomes: decoded.value.outcomes, retryAfter: response.headers.get('retry-after') }
}
const codesOf = (outcomes: readonly SubmittedOutcome[]) => outcomes.map(({ code }) => code)

describe('what is taken', () => {
  test('has its own id, and the terms that were shared', async () => {
    const terms = {
      verify: quorum(3, 2),
      priority: 9,
      tierMin: 1,
      features: ['shader-f16'],
      digestOnly: true,
    }
    const tasks = Array.from({ length: 300 }, () => taskOfBatch())
    const outcomes = await outcomesOf(batchOf(tasks, terms))
    expect(outcomes.every(({ isNew, code }) => isNew && code === '')).toBe(true)
    expect(new Set(outcomes.map(({ taskId }) => taskId)).size).toBe(300)
    expect(await taskOf(network, outcomes[299]?.taskId ?? '')).toMatchObject({
      status: 'waiting',
      verify: 'quorum(3,2)',
      priority: 9,
      output: 'digest',
      rewardMicroCredit: '1000',
    })
  })

  test('is the same task as one that was submitted alone under the same key', async () => {
    const { submission, input } = example({}, [2, 2, 2])
    const alone = await submit(network, submission, { headers: { 'idempotency-key': 'shared' } })
    const task = taskOfBatch({ idempotencyKey: 'shared', input })
    const [outcome] = await outcomesOf(batchOf([task]))
    expect(outcome).toEqual(takenOutcome(alone.taskId as never, false))
  })

  test('is taken once, however often and however close together it is asked for', async () => {
    const batch = batchOf(
      Array.from({ length: 50 }, (_, index) => taskOfBatch({ idempotencyKey: `k${index}` })),
    )
    const answers = await Promise.all([outcomesOf(batch), outcomesOf(batch), outcomesOf(batch)])
    const ids = answers.map((outcomes) => outcomes.map(({ taskId }) => taskId))
    expect(ids[1]).toEqual(ids[0] as never)
    expect(ids[2]).toEqual(ids[0] as never)
    expect(answers.flat().filter(({ isNew }) => isNew)).toHaveLength(50)
  })

  test('repeats within one batch are one task, and conflicts are told', async () => {
    const same = taskOfBatch({ idempotencyKey: 'twice' })
    const other = taskOfBatch({ idempotencyKey: 'twice', seed: 7n })
    const [first, again, conflict] = await outcomesOf(batchOf([same, same, other]))
    expect(again?.taskId).toBe(first?.taskId as never)
    expect([first?.isNew, again?.isNew]).toEqual([true, false])
    expect(conflict).toMatchObject({ taskId: undefined, code: 'idempotencyConflict' })
  })
})

describe('an entry is refused alone', () => {
  test('for its input, its program, or what the program needs', async () => {
    const broken = { kind: 'program', program: Uint8Array.of(1, 2, 3) } as const
    // A product with weights that nobody has uploaded.
    const lacking = encodeProgram({
      inputs: [tensorType('i8', [2, 2])],
      constants: [{ type: tensorType('i8', [2, 2]), digest: '77'.repeat(32) as Digest }],
      nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
      outputs: [2],
    })
    const tasks = [
      taskOfBatch({ input: new Uint8Array(7) }),
      taskOfBatch(),
      taskOfBatch({ program: 1 }),
      taskOfBatch({ program: 2, input: new Uint8Array(4) }),
    ]
    const programs = [
      { kind: 'program', program } as const,
      broken,
      { kind: 'program', program: lacking } as const,
    ]
    const outcomes = await outcomesOf(batchOf(tasks, {}, programs))
    expect(codesOf(outcomes)).toEqual(['invalidField', '', 'invalidField', 'constantMissing'])
    expect(outcomes[0]?.detail).toBe(
      'the input has 7 bytes; the program takes 8 bytes: matrix product 2 ? 2 ? 2 ? 2',
    )
  })

  test('for what the program denies, and by policy', async () => {
    const { workPolicy } = network.orchestrator.services
    const denied = encodeProgram(matmulProgram({ m: 1, k: 8, n: 0 + 1 }))
    const [before] = await outcomesOf(
      batchOf([taskOfBatch({ input: new Uint8Array(16) })], {}, [{ kind: 'program', program: denied }]),
    )
    const { programId } = await taskOf(network, before?.taskId ?? '')
    await workPolicy.deny({ programId, reason: 'mines' }, {})
    const programs = [{ kind: 'program', program } as const, { kind: 'program', program: denied } as const]
    const tasks = [taskOfBatch({ program: 1, input: new Uint8Array(16) }), taskOfBatch()]
    expect(codesOf(await outcomesOf(batchOf(tasks, {}, programs)))).toEqual(['programDenied', ''])
    await workPolicy.allow(programId, {})
  })

  test('once the funds are used up, and the rest of them stays whole', async () => {
    const poor = await startTestNetwork({ grantMicroCredit: 2_200n })
    const outcomes = await outcomesOf(batchOf([taskOfBatch(), taskOfBatch(), taskOfBatch()]), poor)
    expect(codesOf(outcomes)).toEqual(['', '', 'insufficientFunds'])
    const balance = (await (await poor.request('/v1/balance')).json()) as Record<string, string>
    expect(balance).toMatchObject({
      balanceMicroCredit: '100',
      reservedMicroCredit: '0',
      currency: 'test credits',
    })
    await poor.stop()
  })

  test('while dispatch drains, and when too many of the requester are live', async () => {
    const small = await startTestNetwork({ policy: { liveTasksPerRequesterMax: 2 } })
    const three = batchOf([taskOfBatch(), taskOfBatch(), taskOfBatch()])
    expect(codesOf(await outcomesOf(three, small))).toEqual(['', '', 'tooManyLive'])
    await small.request('/v1/dispatch/drain', { method: 'POST' })
    expect(codesOf(await outcomesOf(three, small))).toEqual(['draining', 'draining', 'draining'])
    // What was refused holds nothing: no input, no funds.
    const balance = (await (await small.request('/v1/balance')).json()) as Record<string, string>
    expect(balance.reservedMicroCredit).toBe('0')
    await small.stop()
  })
})

describe('a refused entry says what a task alone is told', () => {
  /** The same task both ways: the entry, and the problem with its header. */
  async function bothWays(on: TestNetwork, more: Parameters<typeof example>[0] = {}) {
    const { submission, input } = example(more, [2, 2, 2])
    const { outcomes, retryAfter } = await answerTo(batchOf([taskOfBatch({ input })]), on)
    const response = await on.request('/v1/tasks', { json: submission })
    const header = response.headers.get('retry-after')
    return { entry: outcomes[0], retryAfter, problem: await problemOf(response), header }
  }
  const told = ['code', 'detail', 'field', 'value', 'bound', 'retryAfterMs'] as const

  test('the bound and the wait, when too many are live and while work is drained', async () => {
    const small = await startTestNetwork({ policy: { liveTasksPerRequesterMax: 1 } })
    await outcomesOf(batchOf([taskOfBatch()]), small)
    const live = await bothWays(small)
    expect(live.entry).toMatchObject({ code: 'tooManyLive', bound: '1 live tasks', retryAfterMs: 1_000 })
    await small.request('/v1/dispatch/drain', { method: 'POST' })
    const draining = await bothWays(small)
    expect(draining.entry).toMatchObject({ code: 'draining', retryAfterMs: 60_000 })
    for (const { entry, problem, header, retryAfter } of [live, draining]) {
      for (const name of told) expect(entry?.[name]).toBe(problem[name] as never)
      expect(retryAfter).toBe(header)
    }
    await small.stop()
  })

  test('the field, when funds do not suffice; and nobody is asked to come back', async () => {
    const poor = await startTestNetwork({ grantMicroCredit: 10n })
    const { entry, retryAfter, problem } = await bothWays(poor)
    expect(entry).toMatchObject({ code: 'insufficientFunds', field: 'rewardMicroCredit' })
    expect(entry?.field).toBe(problem.field as never)
    expect([entry?.retryAfterMs, retryAfter]).toEqual([undefined, null])
    await poor.stop()
  })

  test('the longest wait is in the header when only some were shed, and none when none was', async () => {
    const small = await startTestNetwork({ policy: { liveTasksPerRequesterMax: 1 } })
    const wrong = taskOfBatch({ input: new Uint8Array(7) })
    const { outcomes, retryAfter } = await answerTo(batchOf([taskOfBatch(), wrong, taskOfBatch()]), small)
    expect(codesOf(outcomes)).toEqual(['', 'invalidField', 'tooManyLive'])
    expect(outcomes[1]).toMatchObject({ field: 'input', retryAfterMs: undefined })
    expect(retryAfter).toBe('1')
    expect((await answerTo(batchOf([wrong]), small)).retryAfter).toBeNull()
    expect((await answerTo(batchOf([taskOfBatch()]))).retryAfter).toBeNull()
    await small.stop()
  })
})

describe('the whole is refused', () => {
  const refusedBy = async (body: Uint8Array, type?: string) => problemOf(await post(body, type))

  test('when it is no message, or another type', async () => {
    const good = batchSubmission.encode(batchOf([taskOfBatch()]))
    expect(await refusedBy(good, 'application/json')).toMatchObject({ code: 'unsupportedMediaType' })
    expect(await refusedBy(new Uint8Array(0))).toMatchObject({ code: 'malformedMessage' })
    expect(await refusedBy(good.subarray(0, -1))).toMatchObject({ code: 'malformedMessage' })
    expect(await refusedBy(Uint8Array.from([...good, 0]))).toMatchObject({ code: 'malformedMessage' })
  })

  test('when it is larger than may be, or counts more than the limit allows', async () => {
    expect(await refusedBy(new Uint8Array(submissionBytesMax + 1))).toMatchObject({ code: 'bodyTooLarge' })
    const slow = await startTestNetwork({ limits: { 'submit.key': { perSecond: 1, burst: 5 } } })
    const six = batchSubmission.encode(batchOf(Array.from({ length: 9 }, () => taskOfBatch())))
    await post(six, batchContentType, slow)
    const again = await problemOf(await post(six, batchContentType, slow))
    expect(again).toMatchObject({ code: 'rateLimited', field: 'submit.key' })
    await slow.stop()
  })

  test('when a term is out of its range', async () => {
    const rich = batchOf([taskOfBatch()], { rewardMicroCredit: (rewardMicroCreditMax + 1n) as MicroCredit })
    expect(await refusedBy(batchSubmission.encode(rich))).toMatchObject({
      code: 'invalidField',
      field: 'terms.rewardMicroCredit',
    })
  })

  test('when the store fails, and nothing of it is promised', async () => {
    const store = createFailingStore(await openMemoryStore())
    const failing = await startTestNetwork({ store })
    await outcomesOf(batchOf([taskOfBatch()]), failing)
    store.fail('failed', 'liveTasks')
    const response = await post(batchSubmission.encode(batchOf([taskOfBatch()])), batchContentType, failing)
    expect(response.status).toBe(507)
    await failing.stop().catch(() => {})
  })

  test('whatever bytes come, they are refused by name or answered entry by entry', async () => {
    const good = batchSubmission.encode(
      batchOf([taskOfBatch(), taskOfBatch({ idempotencyKey: 'x' })], { verify: adaptive }),
    )
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
        const changed = good.slice()
        changed[at] = byte
        return changed
      }),
    )
    await fc.assert(
      fc.asyncProperty(hostile, async (bytes) => {
        const response = await post(bytes)
        if (response.status === 200) {
          expect(batchOutcome.decode(new Uint8Array(await response.arrayBuffer())).ok).toBe(true)
        } else {
          expect(['malformedMessage', 'invalidField']).toContain((await problemOf(response)).code)
        }
      }),
      { numRuns: 300 },
    )
  })
})
