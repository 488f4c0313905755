/** A failed request as RFC 9457 has it: `application/problem+json`, with our code and the field that was wrong. */
import { type ErrorCode, errors } from './errors.ts'

export interface ProblemDetails {
  readonly detail: string
  /** Which field, what it was, and what it may be. */
  readonly field?: string
  readonly value?: string
  readonly bound?: string
  /** Where an upload goes on. */
  readonly offset?: number
  readonly retryAfterMs?: number
}

export interface Problem extends ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
}

export function problem(code: ErrorCode, details: ProblemDetails): Problem {
  const { status, title } = errors[code]
  return { type: `urn:shardy:error:${code}`, title, status, code, ...details }
}

/** Thrown by handlers and by the client alike. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly problem: Problem
  constructor(code: ErrorCode, details: ProblemDetails | string, options?: { readonly cause?: unknown }) {
    const whole = problem(code, typeof details === 'string' ? { detail: details } : details)
    super(`${whole.title}: ${whole.detail}`, options)
    this.problem = whole
  }
}

export function problemResponse(value: Problem): Response {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  if (value.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(value.retryAfterMs / 1000))
  if (value.code === 'missingApiKey' || value.code === 'badApiKey') headers['www-authenticate'] = 'Bearer'
  if (value.offset !== undefined) headers['upload-offset'] = String(value.offset)
  return new Response(JSON.stringify(value), { status: value.status, headers })
}
