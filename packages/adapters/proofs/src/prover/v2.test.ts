import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { openV2Verifier, v2ZkeyBytes } from '../../test/v2.ts'
import { fieldOrder } from '../bn254/orders.ts'
import { createV2Prover, v2Signals } from './v2.ts'

const prover = await createV2Prover(v2ZkeyBytes())
const verifier = await openV2Verifier()

const below = (bound: bigint) =>
  fc.oneof(fc.constantFrom(0n, 1n, bound - 1n), fc.bigInt({ min: 0n, max: bound - 1n }))

describe('the prover of v2', () => {
  test('proves every statement within the bounds', () => {
    const statement = fc.record({
      taskId: below(2n ** 128n),
      seed: below(2n ** 64n),
      outputLength: below(2n ** 40n),
      resultDigest: below(fieldOrder),
    })
    fc.assert(
      fc.property(statement, (one) => {
        expect(verifier.verify(prover.prove(one), v2Signals(one))).toEqual({ ok: true })
      }),
      { numRuns: 60 },
    )
  })

  test('blinds: no two proofs of one statement are alike', () => {
    const statement = { taskId: 1n, seed: 2n, outputLength: 3n, resultDigest: 4n }
    const proofs = Array.from({ length: 20 }, () => Buffer.from(prover.prove(statement)).toString('hex'))
    expect(new Set(proofs).size).toBe(20)
    expect(new Set(proofs.map((proof) => proof.slice(0, 64))).size).toBe(20)
  })

  test('is not asked beyond the bounds of ids, seeds and digests', () => {
    const good = { taskId: 1n, seed: 2n, outputLength: 3n, resultDigest: 4n }
    for (const wrong of [
      { taskId: 2n ** 128n },
      { taskId: -1n },
      { seed: 2n ** 64n },
      { outputLength: -1n },
      { resultDigest: fieldOrder },
    ])
      expect(() => prover.prove({ ...good, ...wrong })).toThrow(RangeError)
  })
})
