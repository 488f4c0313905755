// Checks with fast tools give the very verdicts that the definitions give, node, entry and line included, on every cheat.
import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { attempt, cheats, honestClaim, requestOf, strictPolicies } from '@shardy/tensor/adversary'
import { check, pureTools } from '@shardy/tensor/check'
import { openCheckTools } from './checkTools.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

test.each([...strictPolicies])('under %s', async (policy) => {
  const [fast, plain] = [await openCheckTools(sha256), pureTools(sha256)]
  expect(fast.products).not.toBe(plain.products)
  expect(check(requestOf(policy, attempt(honestClaim)), fast)).toMatchObject({ ok: true })
  for (const { name, attempt: make } of cheats) {
    const request = requestOf(policy, make())
    expect([name, check(request, fast)]).toEqual([name, check(request, plain)])
  }
})
