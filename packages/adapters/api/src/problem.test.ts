import { expect, test } from 'bun:test'
import type { ErrorCode } from './errors.ts'
import { errors } from './errors.ts'
import { problem, problemResponse } from './problem.ts'

test('every 503 says when to ask again, and what says so itself is believed', () => {
  for (const code of Object.keys(errors) as ErrorCode[]) {
    const { headers, status } = problemResponse(problem(code, { detail: 'x' }))
    expect([code, headers.get('retry-after')]).toEqual([code, status === 503 ? '5' : null])
  }
  const own = problemResponse(problem('overloaded', { detail: 'x', retryAfterMs: 1_500 }))
  expect(own.headers.get('retry-after')).toBe('2')
})
