import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { defaultAdmissionPolicy } from '@shardy/admission'
import { defaultPolicy } from '@shardy/dispatch'
import fc from 'fast-check'
import { defaults, readPolicy, writePolicy } from './policyFile.ts'
import { repeatedKey } from './repeatedKey.ts'

const read = (file: unknown) => readPolicy(JSON.stringify(file))

test('nothing said is the default, and what is in force can be given back', () => {
  expect(read({})).toEqual({ ok: true, policy: defaults })
  expect(readPolicy(writePolicy(defaults))).toEqual({ ok: true, policy: defaults })
})

test('what is said counts, and the rest is as it was', () => {
  const answer = read({
    admission: { slackMs: 9_000, tiers: [{ operationsPerSecondMin: 5 }, {}, { memoryBytesMin: 2 ** 34 }] },
    trust: { boundPpm: 10, leastTaskValueMicroCredit: '5', holdMs: 1_000, forgivenAfterMs: 2_000 },
    dispatch: { driftFactor: 0.25, attemptsMax: 3 },
  })
  if (!answer.ok) throw new Error(answer.refusal.field)
  const { admission, dispatch } = answer.policy
  const [first, second, third] = defaultAdmissionPolicy.tiers
  expect(admission).toEqual({
    ...defaultAdmissionPolicy,
    slackMs: 9_000,
    tiers: [{ ...first, operationsPerSecondMin: 5 }, second, { ...third, memoryBytesMin: 2 ** 34 }],
  })
  expect(dispatch).toMatchObject({
    driftFactor: 0.25,
    attemptsMax: 3,
    leaseFactor: defaultPolicy.leaseFactor,
  })
  expect(dispatch.trust).toMatchObject({ boundPpm: 10, leastTaskValueMicroCredit: 5n, holdMs: 1_000 })
})

const refused: readonly (readonly [unknown, string, string, RegExp])[] = [
  [[], '', '[]', /an object with any of admission, trust, dispatch/],
  [null, '', 'null', /an object/],
  [{ tiers: [] }, 'tiers', '[]', /one of admission, trust, dispatch/],
  [{ admission: 5 }, 'admission', '5', /an object with any of tiers/],
  [{ admission: { slack: 5 } }, 'admission.slack', '5', /one of tiers, /],
  [{ admission: { slackMs: '5' } }, 'admission.slackMs', '"5"', /^a number$/],
  [{ admission: { slackMs: 5 } }, 'admission.slackMs', '5', /^a whole number from 100 to 600000$/],
  [{ admission: { tiers: [{}, {}] } }, 'admission.tiers', '[{},{}]', /a list of 3/],
  [{ admission: { tiers: {} } }, 'admission.tiers', '{}', /a list of 3/],
  [{ admission: { tiers: [1, {}, {}] } }, 'admission.tiers.0', '1', /an object/],
  [
    { admission: { tiers: [{ memory: 1 }, {}, {}] } },
    'admission.tiers.0.memory',
    '1',
    /one of operationsPerSecondMin/,
  ],
  [
    { admission: { tiers: [{}, { operationsPerSecondMin: 1 }, {}] } },
    'admission.tiers.1.operationsPerSecondMin',
    '1',
    /from 20000000 to/,
  ],
  [{ trust: { boundPpm: 1_000_000 } }, 'trust.boundPpm', '1000000', /from 0 to 999999/],
  [{ trust: { stakeParts: 0 } }, 'trust.stakeParts', '0', /from 1 to 1024/],
  [{ trust: { holdMs: 0 } }, 'trust.holdMs', '0', /from 1 to/],
  [{ trust: { leastTaskValueMicroCredit: 0 } }, 'trust.leastTaskValueMicroCredit', '0', /from 1 to/],
  [
    { trust: { leastTaskValueMicroCredit: '1.5' } },
    'trust.leastTaskValueMicroCredit',
    '"1.5"',
    /whole number/,
  ],
  [{ trust: { leastTaskValueMicroCredit: 1.5 } }, 'trust.leastTaskValueMicroCredit', '1.5', /whole number/],
  [{ dispatch: { trust: {} } }, 'dispatch.trust', '{}', /one of liveTasksMax/],
  [{ dispatch: { leaseFactor: 0.5 } }, 'dispatch.leaseFactor', '0.5', /^a number from 1 to 1000$/],
  [{ dispatch: { driftFactor: 2 } }, 'dispatch.driftFactor', '2', /from 0 to 1$/],
  [{ dispatch: { attemptsMax: 65 } }, 'dispatch.attemptsMax', '65', /from 1 to 64/],
  [{ dispatch: { heldBytesMax: 5 } }, 'dispatch.heldBytesMax', '5', /from 134217728 to/],
  [{ dispatch: { backoffMsMin: 0 } }, 'dispatch.backoffMsMin', '0', /from 1 to 30000/],
  [{ dispatch: { leaseMsMax: 14_000 } }, 'dispatch.leaseMsMin', '15000', /from 100 to 14000/],
  [{ dispatch: { liveTasksMax: 5 } }, 'dispatch.liveTasksPerRequesterMax', '100000', /from 1 to 5/],
]
test.each(refused)('refuses %j', (file, field, value, bound) => {
  expect(read(file)).toEqual({ ok: false, refusal: { field, value, bound: expect.stringMatching(bound) } })
})

describe('every number of every section is bounded', () => {
  const { trust, ...dispatch } = defaults.dispatch
  const sections = { admission: defaults.admission, trust, dispatch }
  for (const [section, fields] of Object.entries(sections)) {
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value !== 'number') continue
      test(`${section}.${name}`, () => {
        for (const wrong of [-1, 1e300, 2 ** 53, null, 'x', true, [], {}]) {
          const answer = read({ [section]: { [name]: wrong } })
          expect(answer).toMatchObject({
            ok: false,
            refusal: { field: expect.stringContaining(`${section}.`) },
          })
        }
      })
    }
  }
})

test('what is no JSON, too long, or says a field twice', () => {
  expect(readPolicy('{')).toMatchObject({
    ok: false,
    refusal: { field: '', bound: expect.stringMatching(/^JSON: /) },
  })
  expect(readPolicy(' '.repeat(2 ** 20 + 1))).toMatchObject({
    ok: false,
    refusal: { bound: 'at most 1048576' },
  })
  const twice = '{"admission":{"slackMs":200,"slack\\u004ds":300}}'
  expect(readPolicy(twice)).toEqual({
    ok: false,
    refusal: { field: 'slackMs', value: '"twice"', bound: 'a field once' },
  })
})

test('a key is twice there only within one object', () => {
  expect(repeatedKey('{"a":{"a":"a"},"b":[{"a":1},{"a":"\\"a\\":"}]}')).toBeUndefined()
  expect(repeatedKey('{"a":[{"b":1,"c":"}","b":2}]}')).toBe('b')
})

test('anything at all is read or refused', () => {
  const anything = fc.record(
    { admission: fc.anything(), trust: fc.anything(), dispatch: fc.anything() },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        anything.map((each) => JSON.stringify(each) ?? ''),
      ),
      (text) => {
        expect(typeof readPolicy(text).ok).toBe('boolean')
      },
    ),
  )
})

test('the example in the README may be used', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /```json policy\n([^`]+)```/.exec(readme) ?? []
  expect(readPolicy(example)).toMatchObject({ ok: true })
})
