import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  parameters as bookParameters,
  escrow,
  issue,
  micro,
  openScene,
  payout,
  sha256,
  verdict,
} from '../test/scene.ts'
import {
  type Cost,
  type CostModel,
  cost,
  costModel,
  costModelId,
  defaultCostModel,
  escrowFor,
  quote,
  verifyKinds,
  type Work,
} from './cost.ts'

const tiny: Work = {
  complexity: 32 ** 3,
  inputLength: 2048,
  outputLength: 4096,
  constantBytes: 0,
  replicas: 1,
  verify: 'checked',
  proof: 'none',
}

function quoted(work: Work, model: CostModel = defaultCostModel, feePermille = 50): Cost {
  const result = quote(work, model, feePermille)
  if (!result.ok) throw new Error(Bun.inspect(result.refusal))
  return result.cost
}

const works = fc.record({
  complexity: fc.nat(2 ** 31 - 1),
  inputLength: fc.nat(2 ** 26),
  outputLength: fc.nat(2 ** 26),
  constantBytes: fc.nat(2 ** 30),
  replicas: fc.integer({ min: 0, max: 64 }),
  verify: fc.constantFrom(...verifyKinds),
  proof: fc.constantFrom('none', 'v2', 'v3'),
}) satisfies fc.Arbitrary<Work>

describe('a quote', () => {
  test('says what goes where', () => {
    const { lines, unitsNormalised, perDelivery, microCredit } = quoted(tiny)
    expect(
      lines.map(({ what, unitsNormalised: units, microCredit: micros, to }) => [what, units, micros, to]),
    ).toEqual([
      ['operations', 33n, 33n, 'workers'],
      ['input', 205n, 205n, 'workers'],
      ['output', 410n, 410n, 'workers'],
      ['delivery', 100n, 100n, 'workers'],
      ['verification', 15n, 15n, 'workers'],
      ['fee', 0n, 39n, 'fees'],
    ] as never)
    expect([unitsNormalised, perDelivery, microCredit]).toEqual([763n, 763n, 802n] as never)
  })

  test('adds up, line by line, whatever the work', () => {
    fc.assert(
      fc.property(works, fc.integer({ min: 0, max: 1000 }), (work, feePermille) => {
        const { lines, unitsNormalised, perDelivery, microCredit } = quoted(
          work,
          defaultCostModel,
          feePermille,
        )
        const sum = (of: (line: Cost['lines'][number]) => bigint) =>
          lines.reduce((all, line) => all + of(line), 0n)
        expect(sum((line) => line.unitsNormalised)).toBe(unitsNormalised)
        expect(sum((line) => line.microCredit)).toBe(microCredit)
        expect(sum((line) => (line.to === 'workers' ? line.microCredit : 0n))).toBe(
          perDelivery * BigInt(work.replicas),
        )
        expect(escrowFor(perDelivery, work.replicas, feePermille)).toBe(microCredit)
      }),
    )
  })

  test('never falls when there is more to do, and afterwards costs no more than was quoted', () => {
    fc.assert(
      fc.property(
        works,
        fc.constantFrom('complexity', 'inputLength', 'outputLength', 'constantBytes', 'replicas'),
        (work, name) => {
          const less = { ...work, [name]: Math.floor(work[name] / 2) }
          expect(quoted(less).microCredit <= quoted(work).microCredit).toBe(true)
        },
      ),
    )
  })

  test('is what a book takes: the escrow holds the payouts and the fee, and not one micro-credit less', () => {
    fc.assert(
      fc.property(works, (work) => {
        const { perDelivery, microCredit } = quoted(work, defaultCostModel, bookParameters.feePermille)
        const payouts = Array.from({ length: work.replicas }, (_, index) => payout(`${index}`, perDelivery))
        const { take, requester } = openScene()
        take(0, issue(microCredit + 1n), escrow(microCredit), verdict(payouts))
        expect(requester()).toBe(1n)
        if (work.replicas === 0) return
        const short = openScene()
        short.take(0, issue(microCredit), escrow(microCredit - 1n))
        expect(short.play(0, verdict(payouts))).toMatchObject([{ refusal: { kind: 'insufficientFunds' } }])
      }),
      { numRuns: 30 },
    )
  })

  test('of a single multiply-add is not nothing', () => {
    const model = {
      ...defaultCostModel,
      unitsPerDelivery: 0,
      checkedPermille: 0,
      microCreditPerMillionUnits: 1,
    }
    const { perDelivery } = quoted({ ...tiny, complexity: 1, inputLength: 0, outputLength: 0 }, model)
    expect(perDelivery).toBe(micro(1))
  })

  test('afterwards is the same arithmetic', () => expect(cost).toBe(quote))

  const refused: readonly { desc: string; change: Partial<Work>; refusal: object }[] = [
    { desc: 'half an operation', change: { complexity: 0.5 }, refusal: { field: 'complexity', actual: 0.5 } },
    { desc: 'less than nothing', change: { inputLength: -1 }, refusal: { field: 'inputLength', min: 0 } },
    { desc: 'no number', change: { outputLength: Number.NaN }, refusal: { field: 'outputLength' } },
    { desc: 'more than is exact', change: { constantBytes: 2 ** 53 }, refusal: { field: 'constantBytes' } },
    {
      desc: 'too many replicas',
      change: { replicas: 65 },
      refusal: { field: 'replicas', max: 64, actual: 65 },
    },
    {
      desc: 'too dear',
      change: { complexity: 2 ** 53 - 1, constantBytes: 2 ** 53 - 1, replicas: 64 },
      refusal: { kind: 'tooDear', limit: 10n ** 15n },
    },
  ]
  for (const { desc, change, refusal } of refused) {
    test(`${desc} is refused`, () => {
      const result = quote({ ...tiny, ...change }, defaultCostModel, 50)
      expect(result.ok ? 'quoted' : result.refusal).toMatchObject(refusal)
    })
  }
})

describe('the model', () => {
  test('has one encoding and an id', () => {
    const bytes = costModel.encode(defaultCostModel)
    expect(costModel.decode(bytes)).toEqual({ ok: true, value: defaultCostModel })
    expect(costModelId(defaultCostModel, sha256)).not.toBe(
      costModelId({ ...defaultCostModel, version: 2 }, sha256),
    )
  })
})
