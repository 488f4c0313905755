/** Many tasks against a server that reads the batches and answers what the test decides. */
import { afterEach, describe, expect, test } from 'bun:test'
import { ApiError } from '@shardy/api'
import { serveRoutes, type TestServer, testApiKey } from '@shardy/api/testing'
import {
  type BatchSubmission,
  batchContentType,
  batchOutcome,
  batchSubmission,
  batchSubmissionMax,
  inlinePayloadBytesMax,
  messageLengthMax,
  quorum,
  type SubmittedOutcome,
  submissionBytesMax,
  submissionProgramsMax,
  type TaskId,
  takenOutcome,
} from '@shardy/protocol'
import { createRequester } from './requester.ts'
import { batchesOf, type ManyTask } from './submitMany.ts'

const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

const program = Uint8Array.of(1, 2, 3)
const task = (more: Partial<ManyTask> = {}): ManyTask => ({
  kind: 'program',
  program,
  input: Uint8Array.of(7),
  ...more,
})
const many = (count: number, more: Partial<ManyTask> = {}) => Array.from({ length: count }, () => task(more))
const idOf = (number: number) => number.toString(16).padStart(32, '0') as TaskId
const taken = (_: unknown, index: number): SubmittedOutcome => takenOutcome(idOf(index), true)
const refused = (code: string, more: Partial<SubmittedOutcome> = {}): SubmittedOutcome => ({
  ...takenOutcome(idOf(0), false),
  taskId: undefined,
  code,
  ...more,
})

function serve(answer: (batch: BatchSubmission, count: number) => readonly SubmittedOutcome[]) {
  const batches: BatchSubmission[] = []
  const types: (string | null)[] = []
  const server = serveRoutes({
    async submitTasks(_, request) {
      types.push(request.headers.get('content-type'))
      const decoded = batchSubmission.decode(new Uint8Array(await request.arrayBuffer()))
      if (!decoded.ok) throw new Error('no batch came')
      batches.push(decoded.value)
      return new Response(batchOutcome.encode({ outcomes: answer(decoded.value, batches.length) }))
    },
  })
  servers.push(server)
  const requester = createRequester({ url: server.url, apiKey: testApiKey, wait: async () => {} })
  return { requester, batches, types }
}

describe('many tasks', () => {
  test('go in few requests, and their outcomes come back in their order', async () => {
    const { requester, batches, types } = serve(({ tasks }) =>
      tasks.map((each, index) =>
        each.seed === 5n ? refused('insufficientFunds', { detail: 'no credits' }) : taken(each, index),
      ),
    )
    const seen: number[] = []
    const tasks = [...many(1_500), task({ seed: 5n, idempotencyKey: 'mine' })]
    const outcomes = await requester.submitMany(
      tasks,
      { verify: quorum(3, 2), rewardMicroCredit: 9n, output: 'digest' },
      { onProgress: (sent) => seen.push(sent) },
    )
    expect(batches.map(({ tasks }) => tasks.length)).toEqual([batchSubmissionMax, 501])
    expect(types).toEqual([batchContentType, batchContentType])
    expect(seen).toEqual([1_000, 1_501])
    expect(batches[0]).toMatchObject({
      programs: { length: 1 },
      terms: { verify: quorum(3, 2), digestOnly: true },
    })
    expect(outcomes[1_000]).toEqual({ ok: true, taskId: idOf(0), isNew: true })
    expect(outcomes.at(-1)).toEqual({ ok: false, code: 'insufficientFunds', detail: 'no credits' })
    expect(batches[1]?.tasks.at(-1)?.idempotencyKey).toBe('mine')
  })

  test('are asked for again with the same keys after an answer that was lost', async () => {
    const { requester, batches } = serve(({ tasks }, count) => {
      if (count === 1) throw new ApiError('overloaded', 'try again')
      return tasks.map(taken)
    })
    expect(await requester.submitMany(many(3))).toHaveLength(3)
    expect(batches).toHaveLength(2)
    expect(batches[1]).toEqual(batches[0] as BatchSubmission)
    expect(new Set(batches[0]?.tasks.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3)
  })

  test('that were refused say what one alone would be told', async () => {
    const told = { detail: 'too long', field: 'input', value: '7 bytes', bound: '8 bytes', retryAfterMs: 250 }
    const { requester } = serve(() => [refused('tooManyLive', told)])
    expect(await requester.submitMany([task()])).toEqual([{ ok: false, code: 'tooManyLive', ...told }])
    const silent = serve(() => [refused('insufficientFunds', { detail: 'no credits' })])
    expect(await silent.requester.submitMany([task()])).toEqual([
      { ok: false, code: 'insufficientFunds', detail: 'no credits' },
    ])
  })

  test('that say as much as they can are read', async () => {
    const long = 'x'.repeat(messageLengthMax)
    const told = { detail: long, field: long, value: long, bound: long, retryAfterMs: 1 }
    const { requester } = serve(({ tasks }) => tasks.map(() => refused('invalidField', told)))
    expect(await requester.submitMany(many(batchSubmissionMax))).toHaveLength(batchSubmissionMax)
  })

  test('an answer that does not fit what was asked is not believed', async () => {
    const wrong: readonly (readonly SubmittedOutcome[])[] = [
      [],
      [taken(0, 0), taken(0, 1)],
      [refused('constructor')],
    ]
    for (const outcomes of wrong) {
      const { requester } = serve(() => outcomes)
      await expect(requester.submitMany([task()])).rejects.toThrow(/answered POST \/v1\/tasks\/batch/)
    }
  })

  test('nothing is sent when one of them cannot be', async () => {
    const { requester, batches } = serve(({ tasks }) => tasks.map(taken))
    const large = task({ input: new Uint8Array(inlinePayloadBytesMax + 1) })
    await expect(requester.submitMany([...many(1_000), large])).rejects.toThrow(RangeError)
    expect(batches).toEqual([])
    expect(await requester.submitMany([])).toEqual([])
  })
})

test('batches keep to every bound, and can always be encoded', () => {
  const programs = Array.from({ length: submissionProgramsMax + 2 }, (_, index) =>
    new Uint8Array(40_000).fill(index),
  )
  const tasks = programs.flatMap((each) =>
    many(150, { program: each, input: new Uint8Array(inlinePayloadBytesMax) }),
  )
  const batches = [...batchesOf([...tasks, task({ kind: 'lite', program: programs[0] ?? program })], {})]
  expect(batches.reduce((sum, { tasks }) => sum + tasks.length, 0)).toBe(tasks.length + 1)
  for (const batch of batches) {
    expect(batchSubmission.encode(batch).length).toBeLessThanOrEqual(submissionBytesMax)
    expect(batch.tasks.length).toBeLessThanOrEqual(batchSubmissionMax)
  }
})
