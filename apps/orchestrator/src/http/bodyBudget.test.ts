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
