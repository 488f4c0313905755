import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { credits, digestOf } from '../test/identity.ts'
import { segmentItems } from './limits.ts'
import { type ItemResult, itemStatuses } from './record.ts'
import { hasOutput, packResults, resultSegment, segmentOf, unpackResults } from './segment.ts'

const resultAt = (index: number, changes: Partial<ItemResult> = {}): ItemResult => ({
  index,
  status: 'verified',
  attempts: 1,
  outputDigest: digestOf(`${index}`),
  costMicroCredit: credits(10),
  code: '',
  ...changes,
})

const fate = fc.record({
  status: fc.constantFrom(...itemStatuses),
  attempts: fc.integer({ min: 0, max: 3 }),
  costMicroCredit: fc.bigInt({ min: 0n, max: 3n }).map((amount) => credits(Number(amount))),
  code: fc.constantFrom('', 'deadline'),
})

describe('a segment', () => {
  test('gives back the results that were packed, through its bytes', () => {
    fc.assert(
      fc.property(fc.array(fate, { minLength: 1, maxLength: 60 }), fc.nat(2_000), (fates, segment) => {
        const results = fates.map((each, place) => {
          const index = segment * segmentItems + place
          return { index, outputDigest: hasOutput(each.status) ? digestOf(`${index}`) : undefined, ...each }
        })
        const decoded = resultSegment.decode(resultSegment.encode(packResults(results)))
        expect(decoded.ok && unpackResults(decoded.value)).toEqual(results)
      }),
    )
  })

  test('holds equal fates as one run', () => {
    const results = [0, 1, 2, 3].map((index) => resultAt(index, index === 2 ? { attempts: 2 } : {}))
    expect(packResults(results).runs.map(({ length }) => length)).toEqual([2, 1, 1])
  })

  test('has 1,024 items', () => {
    expect([0, 1_023, 1_024].map(segmentOf)).toEqual([0, 0, 1])
  })

  const bugs: readonly (readonly [string, readonly ItemResult[], string])[] = [
    ['no result', [], 'no segment'],
    ['results that begin inside', [resultAt(5)], 'no segment'],
    ['a gap', [resultAt(0), resultAt(2)], 'item 1 is missing'],
    ['a digest of what died', [resultAt(0, { status: 'dead' })], 'item 0 is dead with digest'],
    ['no digest of what was verified', [resultAt(0, { outputDigest: undefined })], 'item 0 is verified'],
  ]
  for (const [name, results, message] of bugs) {
    test(`cannot be made of ${name}`, () => expect(() => packResults(results)).toThrow(message))
  }
})

describe('bytes that are no segment', () => {
  const run = { length: 1, status: 'dead' as const, attempts: 1, costMicroCredit: credits(0), code: '' }
  const table: readonly (readonly [string, unknown, string])[] = [
    ['without items', { runs: [], digests: new Uint8Array(0) }, '1 to 1024 items, not 0'],
    [
      'with too many',
      {
        runs: [
          { ...run, length: 1_024 },
          { ...run, attempts: 2 },
        ],
      },
      '1 to 1024 items, not 1025',
    ],
    ['with a run cut in two', { runs: [run, run] }, 'run 1 goes on with the one before it'],
    ['with too few digests', { runs: [{ ...run, status: 'verified' }] }, '1 digests, not 0 bytes'],
    ['with digests of nobody', { runs: [run], digests: new Uint8Array(32) }, '0 digests, not 32 bytes'],
  ]
  for (const [name, changes, rule] of table) {
    test(`are refused: ${name}`, () => {
      const value = { segment: 0, runs: [], digests: new Uint8Array(0), ...(changes as object) }
      expect(() => resultSegment.encode(value)).toThrow(rule)
    })
  }
})
