/** A failed request as RFC 9457 has it: `application/problem+json`, with our code and the field that was wrong. */
import { type ErrorCode, errors } from './errors.ts'
import type { Route } from './route.ts'

export interface ProblemDetails {
  readonly detail: string
  /** Which field, what it was, and what it may be. */
  readonly field?: string
  readonly value?: string
  readonly bound?: string
  /** Where an upload goes on. */
  readonly offset?: number
  readonly retryAfterMs?: number
  /** The cursor from which events are still there, or the newest. */
  readonly cursor?: number
}

export interface Problem extends ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
}

export function problem(code: ErrorCode, details: ProblemDetails): Problem {
  const { status, title } = errors[code]
  return { ...details, type: `urn:shardy:error:${code}`, title, status, code }
}

const textFields = ['field', 'value', 'bound'] as const
const numberFields = ['offset', 'retryAfterMs', 'cursor'] as const

/** Reads a problem that somebody sent. Undefined when it is none of ours; fields of the wrong kind are left out. */
export function parseProblem(text: string): Problem | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const given = new Map<string, unknown>(Object.entries(parsed))
  const code = given.get('code')
  const detail = given.get('detail')
  if (typeof code !== 'string' || !Object.hasOwn(errors, code) || typeof detail !== 'string') return undefined
  const details: Record<string, string | number> = {}
  for (const name of textFields) {
    const value = given.get(name)
    if (typeof value === 'string') details[name] = value
  }
  for (const name of numberFields) {
    const value = given.get(name)
    if (Number.isSafeInteger(value) && Number(value) >= 0) details[name] = Number(value)
  }
  return problem(code as ErrorCode, { detail, ...details })
}

/** An answer to HEAD has no body: its status and headers say which of the route's errors it is. */
export function problemOfStatus(route: Route, { status, headers }: Response): ApiError | undefined {
  const always: readonly ErrorCode[] = [
    'badApiKey',
    'missingScope',
    'rateLimited',
    'invalidField',
    'shuttingDown',
    'internal',
  ]
  const code = [...route.errors, ...always].find((each) => errors[each].status === status)
  if (code === undefined) return undefined
  const offset = headers.get('upload-offset') ?? ''
  const isOffset = /^[0-9]{1,15}$/.test(offset)
  return new ApiError(code, { detail: `HTTP ${status}`, ...(isOffset && { offset: Number(offset) }) })
}

/** How long to wait before another try, as the problem or the header says (whole seconds only, not dates). */
export function retryAfterMsOf(error: unknown, { headers }: Response): number | undefined {
  const said = error instanceof ApiError ? error.problem.retryAfterMs : undefined
  const header = headers.get('retry-after') ?? ''
  return said ?? (/^[0-9]{1,6}$/.test(header) ? Number(header) * 1000 : undefined)
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

/** What is not now may be soon; every 503 says when to ask again. */
const retryAfterMsDefault = 5_000

/** How long to wait before asking again; undefined where nothing says that it would help. */
export function waitMsOf({ status, retryAfterMs }: Problem): number | undefined {
  return retryAfterMs ?? (status === 503 ? retryAfterMsDefault : undefined)
}

/** As `Retry-After` has it: whole seconds, and none too few. */
export const retryAfterOf = (waitMs: number): string => String(Math.ceil(waitMs / 1000))

export function problemResponse(value: Problem): Response {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  const waitMs = waitMsOf(value)
  if (waitMs !== undefined) headers['retry-after'] = retryAfterOf(waitMs)
  if (value.status === 401) headers['www-authenticate'] = 'Bearer'
  if (value.offset !== undefined) headers['upload-offset'] = String(value.offset)
  return new Response(JSON.stringify(value), { status: value.status, headers })
}
