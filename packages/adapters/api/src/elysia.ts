/**
 * Binds a route to a handler on Elysia. The route's definition does the checking, so Elysia's own body parsing and
 * validation stay out of the way and an upload reaches its handler as a stream.
 */
import type { Elysia } from 'elysia'
import { type Serve, watchHead } from './head.ts'
import { ApiError, problemResponse } from './problem.ts'
import type { Parsed, Route } from './route.ts'
import { type WithBody, withEachBody, withParsed } from './validation.ts'

export interface Bound {
  /** Called with the raw request before anything is read from it; throws to refuse. */
  readonly authorize: (request: Request, route: Route) => void
  /** A bug or a broken world behind a handler; gives what the requester is told, or nothing for plain `internal`. */
  readonly failed: (error: unknown, route: Route, request: Request) => ApiError | undefined
  /** What reads the JSON bodies of a route; without it they are bounded each by itself. */
  readonly bodiesOf?: (route: Route) => WithBody
  /** Called with every answer's head, whatever it says. */
  readonly answered?: (route: Route, status: number, seconds: number) => void
}

/** JSON with a status, or a response that the handler made itself. */
export type Handled = Response | { readonly status: number; readonly json: unknown }

export function bind<R extends Route>(
  app: Elysia,
  route: R,
  { authorize, failed, answered, bodiesOf }: Bound,
  handle: (parsed: Parsed<R>, request: Request) => Handled | Promise<Handled>,
): void {
  const withBody = bodiesOf?.(route) ?? withEachBody
  async function answer({ request, params }: Parameters<Serve>[0]): Promise<Response> {
    try {
      authorize(request, route)
      const handled = await withParsed(route, request, params, withBody, (parsed) => handle(parsed, request))
      return handled instanceof Response ? handled : Response.json(handled.json, { status: handled.status })
    } catch (error) {
      if (error instanceof ApiError) {
        if (error.problem.status >= 500) failed(error, route, request)
        return problemResponse(error.problem)
      }
      const told = failed(error, route, request) ?? new ApiError('internal', 'what broke is in our log')
      return problemResponse(told.problem)
    }
  }
  const serve: Serve = async (context) => {
    const startedMs = performance.now()
    const response = await answer(context)
    answered?.(route, response.status, (performance.now() - startedMs) / 1000)
    return response
  }
  watchHead(app, route, serve)
  if (route.method === 'HEAD') return
  app.route(route.method, route.path, serve as never, { parse: 'none' } as never)
}
