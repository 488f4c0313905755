import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { statements } from '../../test/arbitraries.ts'
import { sha256 } from '../../test/sha256.ts'
import type { Signature } from '../ids.ts'
import { statementsPerBatchMax } from '../limits.ts'
import { encodeHex } from '../schema/hex.ts'
import { attestation, attestedPayload, batchContent, batchStatements } from './attestation.ts'
import type { Statement } from './statement.ts'

/** Of the right form; what it covers is not asked here. */
const signature = new Uint8Array(64).fill(1) as Signature

function statementOf(number: number): Statement {
  const id = (first: string, length: number) => `${first}${number.toString(16).padStart(2 * length - 2, '0')}`
  return {
    role: 'result',
    taskId: id('a1', 16),
    deliveryId: id('a2', 16),
    programId: id('a3', 32),
    seed: BigInt(number),
    inputDigest: id('a4', 32),
    outputDigest: id('a5', 32),
    workerId: id('a6', 32),
    deadlineMs: 1_800_000_000_000 + number,
    traceRoot: undefined,
  } as Statement
}

describe('a batch', () => {
  for (const count of [1, 2, 3, 7, 16, 33]) {
    test(`of ${count}: every statement leads to the one signed payload, and no other statement does`, () => {
      const all = Array.from({ length: count }, (_, index) => statementOf(index))
      const batch = batchStatements(all, sha256)
      const attestations = batch.attest(signature)
      expect(attestations).toHaveLength(count)
      for (const [index, value] of attestations.entries()) {
        expect(value).toMatchObject({ index, count, signature })
        expect(attestation.decode(attestation.encode(value))).toEqual({ ok: true, value })
        expect(attestedPayload(all[index] as Statement, value, sha256)).toEqual(batch.payload)
        const other = statementOf(index + 1)
        expect(attestedPayload(other, value, sha256)).not.toEqual(batch.payload)
      }
    })
  }

  test('a single statement needs no path', () => {
    const [only] = batchStatements([statementOf(1)], sha256).attest(signature)
    expect(only).toEqual({ signature, index: 0, count: 1, path: [] })
  })

  test('is never empty', () => {
    expect(() => batchStatements([], sha256)).toThrow('at least one')
  })

  test('another count gives another payload even over the same root', () => {
    const root = 'ab'.repeat(32)
    expect(batchContent.encode({ root, count: 1 })).not.toEqual(batchContent.encode({ root, count: 2 }))
    expect(() => batchContent.encode({ root, count: statementsPerBatchMax + 1 })).toThrow()
  })
})

describe('an attestation that does not fit', () => {
  const all = Array.from({ length: 5 }, (_, index) => statementOf(index))
  const batch = batchStatements(all, sha256)
  const [first] = batch.attest(signature)
  if (first === undefined) throw new Error('a batch of five has a first attestation')
  const value = all[0] as Statement

  const changes: { desc: string; change: Partial<typeof first> }[] = [
    { desc: 'another index', change: { index: 1 } },
    { desc: 'a larger count', change: { count: 6 } },
    { desc: 'a smaller count', change: { count: 4 } },
    { desc: 'a path cut', change: { path: first.path.slice(1) } },
    { desc: 'a path grown', change: { path: [...first.path, 'cd'.repeat(32)] } },
    { desc: 'a path reversed', change: { path: first.path.toReversed() } },
    { desc: 'an empty path', change: { path: [] } },
    { desc: 'a path that is not hex', change: { path: first.path.map(() => 'zz'.repeat(32)) } },
  ]
  for (const { desc, change } of changes) {
    test(desc, () => {
      const payload = attestedPayload(value, { ...first, ...change }, sha256)
      if (payload !== undefined) expect(encodeHex(payload)).not.toBe(encodeHex(batch.payload))
    })
  }

  test('an index outside the batch is refused by the decoder', () => {
    const bytes = attestation.encode({ ...first, index: 4 })
    bytes[67] = 5
    expect(attestation.decode(bytes)).toEqual({
      ok: false,
      refusal: { kind: 'inconsistent', field: 'Attestation.index', rule: 'the index lies within the batch' },
    })
  })
})

test('a statement changed in any one field is another statement (spec S2)', () => {
  fc.assert(
    fc.property(statements, statements, (one, other) => {
      const { payload, attest } = batchStatements([one as Statement], sha256)
      const [attested] = attest(signature)
      if (attested === undefined) throw new Error('a batch of one has one attestation')
      for (const name of Object.keys(one as Statement) as (keyof Statement)[]) {
        const changed = { ...(one as Statement), [name]: (other as Statement)[name] } as Statement
        const isSame = (one as Statement)[name] === changed[name]
        const isWhole = (changed.role === 'result') === (changed.outputDigest !== undefined)
        const isEarly = changed.role === 'delivery' && changed.traceRoot !== undefined
        if (!isWhole) expect(() => attestedPayload(changed, attested, sha256)).toThrow('outputDigest')
        else if (isEarly) expect(() => attestedPayload(changed, attested, sha256)).toThrow('traceRoot')
        else if (isSame) expect(attestedPayload(changed, attested, sha256)).toEqual(payload)
        else expect(attestedPayload(changed, attested, sha256)).not.toEqual(payload)
      }
    }),
  )
})
