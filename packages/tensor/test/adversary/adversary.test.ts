// Every way to cheat is caught by every sound policy, by the mechanism and at the node that the table names.
import { describe, expect, test } from 'bun:test'
import { pureBits } from '../../src/check/bits.ts'
import { check } from '../../src/check/check.ts'
import { commitToClaim, makeClaim } from '../../src/check/claim.ts'
import { policies } from '../../src/check/policy.ts'
import { sha256 } from '../sha256.ts'
import { cheats } from './cheats.ts'
import { attempt, commitTo, honest, honestClaim } from './claims.ts'
import { requestOf, strictPolicies, tools } from './requests.ts'
import { blobs, input, program } from './scene.ts'

test('there are at least sixty, no two of one name or one claim', () => {
  expect(cheats.length).toBeGreaterThanOrEqual(60)
  expect(new Set(cheats.map(({ name }) => name)).size).toBe(cheats.length)
})

describe.each([...strictPolicies])('%s', (policy) => {
  test('the honest answer passes', () => {
    const verdict = check(requestOf(policy, attempt(honestClaim)), tools)
    expect(verdict).toMatchObject({ ok: true, cost: { projected: 4, recomputed: 0, replayed: 11 } })
  })

  test.each([...cheats])('$name: $caughtBy at node $node', ({ attempt: make, caughtBy, node }) => {
    const made = make()
    expect([made.claim, made.commitment]).not.toEqual([honestClaim, commitTo(honestClaim)])
    const verdict = check(requestOf(policy, made), tools)
    expect({ ...verdict, entry: undefined, line: undefined }).toEqual({
      ok: false,
      mechanism: caughtBy,
      node,
      entry: undefined,
      line: undefined,
    })
  })
})

describe('recompute', () => {
  const { recompute } = policies
  const output = { ...makeClaim(program, recompute, { output: honest.output, kept: new Map() }, pureBits) }
  const request = { program, input, blobs, policy: recompute, challenge: { kind: 'none' } as const }
  const settle = (claim: typeof output) =>
    check({ ...request, claim, commitment: commitToClaim([], claim, sha256) }, tools)

  test('the honest answer passes, and takes no transcript', () => {
    expect(output.transcript).toEqual([])
    expect(settle(output)).toMatchObject({ ok: true, cost: { projected: 0, recomputed: 4, replayed: 11 } })
  })

  test('every output that is not the honest one is refused', () => {
    let wrong = 0
    for (const { name, attempt: make } of cheats) {
      const { claim } = make()
      const verdict = settle({ output: claim.output, transcript: [] })
      const isHonest = Buffer.compare(claim.output, honest.output) === 0
      if (!isHonest) wrong += 1
      expect([name, verdict.ok]).toEqual([name, isHonest])
      if (!verdict.ok) expect(['recompute', 'replay', 'length']).toContain(verdict.mechanism)
    }
    expect(wrong).toBeGreaterThan(50)
  })
})
