import { expect, test } from 'bun:test'
import { batchContentType, submissionBytesMax } from '@shardy/protocol'
import { createBodyBudget, requestBytes } from './bodyBudget.ts'
import { withBatch } from './taskBatch.ts'

const headers = { 'content-type': batchContentType }
const quiet = () =>
  new Request('http://here/', { method: 'POST', headers, body: new ReadableStream<Uint8Array>() })

test('a body under way holds its bytes; beyond the budget others come later, and it lets go at its deadline', async () => {
  const budget = createBodyBudget({ bytesMax: submissionBytesMax + 10, deadlineMs: 50 })
  const slow = withBatch(budget, quiet(), async () => 'taken')
  expect(budget.held()).toBe(submissionBytesMax)
  await expect(withBatch(budget, quiet(), async () => 'taken')).rejects.toMatchObject({
    problem: { code: 'overloaded', status: 503, retryAfterMs: 1_000 },
  })
  await expect(slow).rejects.toMatchObject({
    problem: { code: 'overloaded', detail: expect.stringContaining('within 50 ms') },
  })
  expect(budget.held()).toBe(0)
})

test('a declared length is what is held, and one too large holds nothing', async () => {
  const budget = createBodyBudget({ bytesMax: requestBytes, deadlineMs: 1_000 })
  const declared = (length: number, body: string) =>
    new Request('http://here/', {
      method: 'POST',
      headers: { ...headers, 'content-length': `${length}` },
      body,
    })
  await expect(
    withBatch(budget, declared(submissionBytesMax + 1, 'x'), async () => 'taken'),
  ).rejects.toMatchObject({
    problem: { code: 'bodyTooLarge' },
  })
  await expect(withBatch(budget, declared(requestBytes, 'x'), async () => 'taken')).rejects.toMatchObject({
    problem: { code: 'malformedMessage' },
  })
  expect(budget.held()).toBe(0)
})

test('however short, a body counts as a request, and one that has more than it promised is cut off', async () => {
  const budget = createBodyBudget({ bytesMax: 2 * requestBytes, deadlineMs: 1_000 })
  const lying = (body: string) =>
    new Request('http://here/', { method: 'POST', headers: { 'content-length': '1' }, body })
  await budget.withBody(lying('x'), 10, async (bytes) => {
    expect([bytes?.length, budget.held()]).toEqual([1, requestBytes])
  })
  await budget.withBody(lying('xx'), 10, async (bytes) => expect(bytes).toBeUndefined())
  const chunked = new Request('http://here/', {
    method: 'POST',
    headers: { 'content-length': '1', 'transfer-encoding': 'chunked' },
    body: 'xx',
  })
  await budget.withBody(chunked, 8_000, async (bytes) => {
    expect([bytes?.length, budget.held()]).toEqual([2, 8_000])
  })
  const failing = budget.withBody(lying('x'), 10, async () => {
    throw new Error('broken')
  })
  await expect(failing).rejects.toThrow('broken')
  expect(budget.held()).toBe(0)
})

test('who sends slowly takes half of what others leave, and keeps nobody out', async () => {
  const budget = createBodyBudget(
    { bytesMax: 16 * requestBytes, deadlineMs: 60_000 },
    (request) => request.headers.get('who') ?? '',
  )
  const ends: (() => void)[] = []
  /** A body of so many requests' worth that is under way until it is ended; why it is not let in. */
  async function begin(who: string, requests: number): Promise<string> {
    const length = requests * requestBytes
    const { promise: under, resolve } = Promise.withResolvers<string>()
    const source = {
      pull(controller: ReadableStreamDefaultController<Uint8Array>) {
        resolve('let in')
        return new Promise<void>((end) => {
          ends.push(() => {
            controller.close()
            end()
          })
        })
      },
    }
    // Nothing is asked of it before it is read.
    const body = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 })
    const headers = { who, 'content-length': `${length}` }
    const request = new Request('http://here/', { method: 'POST', headers, body })
    const taken = budget.withBody(request, length, async () => 'taken')
    return Promise.race([under, taken.catch((error) => error.problem.detail as string)])
  }
  // A single body may be larger than a share.
  expect(await begin('greedy', 6)).toBe('let in')
  expect(await begin('greedy', 2)).toBe('let in')
  expect(await begin('greedy', 1)).toBe(
    `bodies of yours of ${8 * requestBytes} bytes are under way already, and ${8 * requestBytes} are your share now`,
  )
  expect(await begin('other', 3)).toBe('let in')
  expect(await begin('other', 2)).toContain('are your share now')
  expect(await begin('third', 5)).toBe('let in')
  expect(await begin('fourth', 1)).toBe(`bodies of ${16 * requestBytes} bytes are under way already`)
  for (const end of ends) end()
  while (budget.held() > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(await begin('greedy', 8)).toBe('let in')
  ends.at(-1)?.()
})
