import { describe, expect, test } from 'bun:test'
import { ApiError, type Problem } from '@shardy/api'
import fc from 'fast-check'
import { createManualClock } from '../../test/manualClock.ts'
import { readLimits } from './limitSettings.ts'
import { createLimits, defaultLimits, type LimitName, limitNames } from './limits.ts'

function refusalOf(act: () => void): Problem | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof ApiError) return error.problem
    throw error
  }
  return undefined
}

describe('a limit', () => {
  for (const name of limitNames) {
    test(`${name} refuses with its name, the value, the bound and when to come back`, () => {
      const clock = createManualClock()
      const limits = createLimits({ ...defaultLimits, [name]: { perSecond: 2, burst: 3 } }, clock)
      limits.take(name, 'who', 3)
      const problem = refusalOf(() => limits.take(name, 'who', 1))
      expect(problem).toMatchObject({ code: 'rateLimited', status: 429, field: name, retryAfterMs: 500 })
      expect(problem?.value).toMatch(/^1 \w+$/)
      expect(problem?.bound).toMatch(/^2 \w+ per second, 3 at once$/)
      expect(problem?.detail).toContain(problem?.bound ?? '?')
      limits.take(name, 'another', 3)
      clock.advance(500)
      limits.take(name, 'who', 1)
      expect(refusalOf(() => limits.take(name, 'who', 1))).toBeDefined()
    })
  }

  test('that is off lets everything through', () => {
    const limits = createLimits({ ...defaultLimits, 'submit.key': undefined }, createManualClock())
    expect(refusalOf(() => limits.take('submit.key', 'who', 1e15))).toBeUndefined()
    limits.charge('submit.key', 'who', 1e15)
  })

  test('of a batch counts what is in it', () => {
    const limits = createLimits(
      { ...defaultLimits, 'submit.key': { perSecond: 1, burst: 10 } },
      createManualClock(),
    )
    limits.take('submit.key', 'who', 7)
    expect(refusalOf(() => limits.take('submit.key', 'who', 4))?.retryAfterMs).toBe(1_000)
    limits.take('submit.key', 'who', 3)
  })
})

describe('limits as they are written', () => {
  test('nothing leaves the defaults', () =>
    expect(readLimits('')).toEqual({ ok: true, limits: defaultLimits }))

  test('each name may be set or switched off', () => {
    for (const name of limitNames) {
      const set = readLimits(`${name}=5/10`)
      expect(set).toEqual({ ok: true, limits: { ...defaultLimits, [name]: { perSecond: 5, burst: 10 } } })
      expect(readLimits(`${name}=off`)).toEqual({ ok: true, limits: { ...defaultLimits, [name]: undefined } })
    }
    expect(readLimits('read.key=1/2,submit.key=off').ok).toBe(true)
  })

  const wrong = [
    'submit',
    'submit.key',
    'submit.key=',
    'submit.key=1',
    'submit.key=0/1',
    'submit.key=1/0',
    'submit.key=-1/1',
    'submit.key=1.5/2',
    'submit.key=1e3/2',
    'submit.key=1/2/3',
    'submit.key=Off',
    'submit.key= 1/2',
    'submit.key=9999999999999/1',
    'open.key=1/1',
    'toString=off',
    '__proto__=off',
    'read.key=1/1,read.key=2/2',
    '=1/1',
  ]
  for (const text of wrong) {
    test(`'${text}' is refused with what it may be`, () => {
      expect(readLimits(text)).toMatchObject({ ok: false, value: text.split(',').at(-1) as string })
    })
  }

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom<LimitName>(...limitNames), (text, name) => {
        for (const each of [text, `${name}=${text}`]) {
          const read = readLimits(each)
          if (!read.ok) expect(read.bound.length).toBeGreaterThan(0)
        }
      }),
    )
  })
})
