import { expect, test } from 'bun:test'
import { batchContentType, submissionBytesMax } from '@shardy/protocol'
import { createBodyBudget } from './bodyBudget.ts'
import { withBatch } from './taskBatch.ts'

const headers = { 'content-type': batchContentType }
const quiet = () =>
  new Request('http://here/', { method: 'POST', headers, body: new ReadableStream<Uint8Array>() })

test('a body under way holds its bytes; beyond the budget others come later, and it lets go at its deadline', async () => {
  const budget = createBodyBudget(submissionBytesMax + 10)
  const slow = withBatch(budget, quiet(), async () => 'taken', 50)
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
  const budget = createBodyBudget(1_000)
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
  await expect(withBatch(budget, declared(1_000, 'x'), async () => 'taken')).rejects.toMatchObject({
    problem: { code: 'malformedMessage' },
  })
  expect(budget.held()).toBe(0)
})
