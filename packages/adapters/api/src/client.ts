/**
 * A typed client of a set of routes. Failures that a repeat may cure (no line, 503) are repeated a bounded number of
 * times where repeating is safe; every other failure is an `ApiError` with the server's own words.
 */

import { errors } from './errors.ts'
import { ApiError, type Problem } from './problem.ts'
import type { Answer, Parsed, Route } from './route.ts'

export interface ClientConfig {
  readonly baseUrl: string
  readonly apiKey?: string | undefined
  readonly fetch?: typeof fetch
  /** Waits between tries; a test gives its own. */
  readonly wait?: (ms: number) => Promise<void>
  readonly triesMax?: number
}

/** Nobody answered at that address. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
  constructor(baseUrl: string, cause: unknown) {
    super(`nobody answers at ${baseUrl}`, { cause })
  }
}

type Given<T> = { readonly [Key in keyof T as T[Key] extends undefined ? never : Key]?: T[Key] }

export interface Call {
  readonly body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: 'HEAD'
  readonly signal?: AbortSignal | undefined
}

export interface Client {
  /** The JSON answer of a route. */
  call<R extends Route>(route: R, given?: Given<Parsed<R>>, call?: Call): Promise<Answer<R>>
  /** The raw response of a route whose answer is a stream; already checked to be a success. */
  open<R extends Route>(route: R, given?: Given<Parsed<R>>, call?: Call): Promise<Response>
}

async function problemOf(response: Response): Promise<ApiError> {
  const text = await response.text()
  try {
    const parsed = JSON.parse(text) as Problem
    if (parsed.code in errors) return new ApiError(parsed.code, parsed)
  } catch {
    // Not ours: a proxy or another program answered.
  }
  const detail = `HTTP ${response.status} that is not an answer of this interface: ${text.slice(0, 200)}`
  return new ApiError('internal', detail)
}

export function createClient(config: ClientConfig): Client {
  const { baseUrl, apiKey, triesMax = 4 } = config
  const send = config.fetch ?? fetch
  const wait = config.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)))

  async function open<R extends Route>(
    route: R,
    given: Given<Parsed<R>> = {},
    call: Call = {},
  ): Promise<Response> {
    const { params, query, headers, body } = given as {
      params?: Record<string, string>
      query?: Record<string, string | undefined>
      headers?: Record<string, string | undefined>
      body?: unknown
    }
    const path = route.path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params?.[name] ?? ''))
    const url = new URL(path, baseUrl)
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value)
    }
    const sent = new Headers(call.headers)
    for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) sent.set(name, value)
    if (apiKey !== undefined && route.auth) sent.set('authorization', `Bearer ${apiKey}`)
    if (body !== undefined) sent.set('content-type', 'application/json')
    const content = body === undefined ? call.body : JSON.stringify(body)
    const repeatable = route.method !== 'POST' || sent.has('idempotency-key')
    for (let tries = 1; ; tries++) {
      let failure: unknown
      let pauseMs = 100 * 2 ** tries
      try {
        const response = await send(url, {
          method: call.method ?? route.method,
          headers: sent,
          ...(content !== undefined && { body: content }),
          ...(call.signal && { signal: call.signal }),
        })
        if (response.ok) return response
        const error = await problemOf(response)
        if (error.problem.status !== 503) throw error
        failure = error
        pauseMs = Math.min(error.problem.retryAfterMs ?? pauseMs, 5_000)
      } catch (error) {
        if (error instanceof ApiError || call.signal?.aborted === true) throw error
        failure = new UnreachableError(baseUrl, error)
      }
      // A stream that was partly sent cannot be sent again.
      if (!repeatable || content instanceof ReadableStream || tries >= triesMax) throw failure
      await wait(pauseMs)
    }
  }

  return {
    open,
    async call(route, given, call) {
      const response = await open(route, given, call)
      return (response.status === 204 ? undefined : await response.json()) as Answer<typeof route>
    },
  }
}
