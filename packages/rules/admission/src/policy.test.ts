import { expect, test } from 'bun:test'
import { type AdmissionPolicy, checkedAdmissionPolicy, defaultAdmissionPolicy } from './policy.ts'
import { tierOf } from './tier.ts'

const policy = defaultAdmissionPolicy

test('the defaults may be used', () => {
  expect(checkedAdmissionPolicy(policy)).toBeUndefined()
})

const [first, second, third] = policy.tiers
const wrong: readonly (readonly [Partial<AdmissionPolicy>, string, number, number, number])[] = [
  [
    { tiers: [{ ...first, operationsPerSecondMin: 0 }, second, third] },
    'tiers.0.operationsPerSecondMin',
    0,
    1,
    2 ** 53 - 1,
  ],
  [
    { tiers: [first, { ...second, operationsPerSecondMin: 19e6 }, third] },
    'tiers.1.operationsPerSecondMin',
    19e6,
    20e6,
    2 ** 53 - 1,
  ],
  [
    { tiers: [first, second, { ...third, memoryBytesMin: 5 }] },
    'tiers.2.memoryBytesMin',
    5,
    2 ** 29,
    2 ** 53 - 1,
  ],
  [{ liteOperationsPerSecondMin: 0 }, 'liteOperationsPerSecondMin', 0, 1, 2 ** 53 - 1],
  [{ gpuFirstOperations: 5 }, 'gpuFirstOperations', 5, 2 ** 20, 2 ** 40],
  [{ cpuFirstOperations: 5 }, 'cpuFirstOperations', 5, 2 ** 20, 2 ** 40],
  [{ liteFirstOperations: 2 ** 33 }, 'liteFirstOperations', 2 ** 33, 2 ** 12, 2 ** 32],
  [{ targetMs: 0 }, 'targetMs', 0, 1, 60_000],
  [{ enoughMs: 301 }, 'enoughMs', 301, 0, 300],
  [{ chainsMax: 17 }, 'chainsMax', 17, 1, 16],
  [{ productOpenings: 0 }, 'productOpenings', 0, 1, 16],
  [{ liteOpenings: 1.5 }, 'liteOpenings', 1.5, 1, 16],
  [{ slackMs: 99 }, 'slackMs', 99, 100, 600_000],
  [{ roundTripMsMax: -1 }, 'roundTripMsMax', -1, 0, 60_000],
  [{ underwayMax: 0 }, 'underwayMax', 0, 1, 4_096],
  [{ waitingMax: Number.NaN }, 'waitingMax', Number.NaN, 0, 100_000],
  [{ meanIntervalMs: 999 }, 'meanIntervalMs', 999, 1_000, 31_536_000_000],
  [{ pauseMs: -1 }, 'pauseMs', -1, 0, 86_400_000],
  [{ roundMax: 65 }, 'roundMax', 65, 1, 64],
  [{ underwayMax: 8 }, 'roundMax', 16, 1, 8],
  [{ gatherMs: 600_001 }, 'gatherMs', 600_001, 0, 600_000],
  [{ sharedPermille: 1_001 }, 'sharedPermille', 1_001, 0, 1_000],
  [{ triesMax: 0 }, 'triesMax', 0, 1, 16],
  [{ keepOutMs: Number.POSITIVE_INFINITY }, 'keepOutMs', Number.POSITIVE_INFINITY, 0, 86_400_000],
]
test.each(wrong)('refuses %j', (part, field, value, least, most) => {
  const fault = checkedAdmissionPolicy({ ...policy, ...part })
  expect(fault).toEqual({ kind: 'admissionPolicyFault', field, value, least, most })
})

const gibibyte = 2 ** 30
test.each([
  ['product', 20e6, 0, 1],
  ['product', 1e15, 0, 1],
  ['product', 1e15, gibibyte / 2 - 1, 1],
  ['product', 100e9 - 1, gibibyte, 1],
  ['product', 100e9, gibibyte / 2, 2],
  ['product', 2e12, 4 * gibibyte - 1, 2],
  ['product', 2e12, 4 * gibibyte, 3],
  ['lite', 2e6, 0, 1],
  ['lite', 1e15, 1e15, 1],
] as const)('%s at %p with %p bytes is of tier %p', (chain, rate, bytes, tier) => {
  expect(tierOf(chain, rate, bytes, policy)).toEqual({ ok: true, tier })
})

test('below the minimum, with the value and the bound', () => {
  expect(tierOf('product', 20e6 - 1, 0, policy)).toEqual({
    ok: false,
    field: 'operationsPerSecond',
    measured: 20e6 - 1,
    bound: 20e6,
  })
  expect(tierOf('lite', 1, 0, policy)).toMatchObject({ ok: false, measured: 1, bound: 2e6 })
  const strict: AdmissionPolicy = { ...policy, tiers: [{ ...first, memoryBytesMin: 10 }, second, third] }
  expect(tierOf('product', 1e9, 9, strict)).toEqual({
    ok: false,
    field: 'stableBytes',
    measured: 9,
    bound: 10,
  })
  expect(tierOf('lite', 1e9, 9, strict)).toMatchObject({ ok: false, field: 'stableBytes' })
})
