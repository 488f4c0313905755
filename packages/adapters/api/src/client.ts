/**
 * A typed client of a set of routes. Failures that a repeat may cure (no line, 429, 503) are repeated a bounded number of
 * times where repeating is safe; every other failure is an `ApiError` with the server's own words. Answers are checked
 * against the route like requests are: whoever listens at an address may be another program.
 */
import { Value } from '@sinclair/typebox/value'
import { readBytes } from './body.ts'
import { ApiError, parseProblem, problemOfStatus, retryAfterMsOf } from './problem.ts'
import type { Answer, Parsed, Route } from './route.ts'
import { check } from './validation.ts'

export interface ClientConfig {
  readonly baseUrl: string
  readonly apiKey?: string | undefined
  readonly fetch?: typeof fetch | undefined
  /** Waits between tries; a test gives its own. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined
  readonly triesMax?: number | undefined
  /** How long a server may take to begin its answer, and to go on with it. */
  readonly quietMsMax?: number | undefined
}

/** Nobody answered at that address. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
  readonly baseUrl: string
  constructor(baseUrl: string, cause: unknown) {
    super(`nobody answers at ${baseUrl}`, { cause })
    this.baseUrl = baseUrl
  }
}

/** Somebody answered, but not as this interface does: a proxy, another program, or another version. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError'
  readonly status: number
  constructor(route: Route, baseUrl: string, status: number, detail: string) {
    super(`${baseUrl} answered ${route.method} ${route.path} with HTTP ${status}, and ${detail}`)
    this.status = status
  }
}

type Given<T> = { readonly [Key in keyof T as T[Key] extends undefined ? never : Key]?: T[Key] }

export interface Call {
  readonly body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: 'HEAD'
  readonly signal?: AbortSignal | undefined
  /** Asking twice does no more than asking once, although it is a POST. */
  readonly isRepeatable?: boolean
}

export interface Client {
  /** The JSON answer of a route. */
  call<R extends Route>(route: R, given?: Given<Parsed<R>>, call?: Call): Promise<Answer<R>>
  /** The raw response of a route whose answer is a stream; already checked to be a success. */
  open<R extends Route>(route: R, given?: Given<Parsed<R>>, call?: Call): Promise<Response>
}

const triesMaxDefault = 4
const quietMsMaxDefault = 60_000
/** A server that asks for more patience than this is asked again all the same. */
const pauseMsMax = 5_000
const problemBytesMax = 64 * 1024
const answerBytesMax = 32 * 1024 * 1024

/** A slow line may still take this long to carry a body; silence only counts after it. */
const slowBytesPerMs = 16

function sendingMs(body: RequestInit['body']): number {
  if (typeof body === 'string') return body.length / slowBytesPerMs
  return body instanceof Uint8Array ? body.length / slowBytesPerMs : 0
}

export function createClient(config: ClientConfig): Client {
  const { baseUrl, apiKey, triesMax = triesMaxDefault, quietMsMax = quietMsMaxDefault } = config
  const send = config.fetch ?? fetch
  const wait = config.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)))

  async function errorOf(route: Route, method: string, response: Response): Promise<Error> {
    if (method === 'HEAD') {
      const problem = problemOfStatus(route, response)
      if (problem !== undefined) return problem
    }
    const bytes = await readBytes(response.body, problemBytesMax, { quietMsMax })
    const text = new TextDecoder().decode(bytes ?? new Uint8Array(0))
    const problem = parseProblem(text)
    if (problem !== undefined) return new ApiError(problem.code, problem)
    const said = JSON.stringify(text.slice(0, 200))
    return new UnexpectedAnswerError(route, baseUrl, response.status, `not as this interface does: ${said}`)
  }

  /** Sends once; the answer must begin in time. */
  async function sendOnce(url: URL, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const late = new AbortController()
    const patienceMs = quietMsMax + sendingMs(init.body)
    // Sending a stream takes as long as it takes.
    const isStream = init.body instanceof ReadableStream
    const timer = isStream ? undefined : setTimeout(() => late.abort(new LateError(patienceMs)), patienceMs)
    try {
      const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
      return await send(url, { ...init, signal: either })
    } finally {
      clearTimeout(timer)
    }
  }

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
    // An id such as `..` would make another address.
    if (route.params) check('path', route.params, params ?? {})
    const path = route.path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params?.[name] ?? ''))
    const url = new URL(path.slice(1), baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`)
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value)
    }
    const sent = new Headers(call.headers)
    for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) sent.set(name, value)
    if (apiKey !== undefined && route.scope !== 'public') sent.set('authorization', `Bearer ${apiKey}`)
    if (body !== undefined) sent.set('content-type', 'application/json')
    const content = body === undefined ? call.body : JSON.stringify(body)
    const method = call.method ?? route.method
    const repeatable = method !== 'POST' || sent.has('idempotency-key') || call.isRepeatable === true
    const init = { method, headers: sent, ...(content !== undefined && { body: content }) }
    for (let tries = 1; ; tries++) {
      let failure: unknown
      let pauseMs = 100 * 2 ** tries
      try {
        const response = await sendOnce(url, init, call.signal)
        if (response.ok) return response
        failure = await errorOf(route, method, response)
        if (response.status !== 503 && response.status !== 429) throw failure
        pauseMs = retryAfterMsOf(failure, response) ?? pauseMs
      } catch (error) {
        if (error === failure || call.signal?.aborted === true) throw error
        failure = new UnreachableError(baseUrl, error)
      }
      // A stream that was partly sent cannot be sent again.
      if (!repeatable || content instanceof ReadableStream || tries >= triesMax) throw failure
      await wait(Math.min(pauseMs, pauseMsMax))
      call.signal?.throwIfAborted()
    }
  }

  async function readAnswer<R extends Route>(route: R, response: Response): Promise<Answer<R>> {
    const { status } = response
    const unexpected = (detail: string) => new UnexpectedAnswerError(route, baseUrl, status, detail)
    const schema = (route as Route).responses[status]
    if (schema === 'none') return undefined as Answer<R>
    if (schema === undefined || typeof schema === 'string') throw unexpected('no JSON is due there')
    let value: unknown
    try {
      const bytes = await readBytes(response.body, answerBytesMax, { quietMsMax })
      if (bytes === undefined) throw unexpected(`more than ${answerBytesMax} bytes`)
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError) throw unexpected('no JSON')
      throw error instanceof UnexpectedAnswerError ? error : new UnreachableError(baseUrl, error)
    }
    const [wrong] = Value.Check(schema, value) ? [] : Value.Errors(schema, value)
    if (wrong === undefined) return value as Answer<R>
    throw unexpected(`${wrong.path.slice(1).replaceAll('/', '.') || 'the whole'} is wrong: ${wrong.message}`)
  }

  return {
    open,
    async call(route, given, call) {
      const response = await open(route, given, call)
      try {
        return await readAnswer(route, response)
      } catch (error) {
        call?.signal?.throwIfAborted()
        throw error
      }
    },
  }
}

/** The server did not begin to answer in time. */
class LateError extends Error {
  override readonly name = 'LateError'
  constructor(quietMsMax: number) {
    super(`no answer within ${quietMsMax} ms`)
  }
}
