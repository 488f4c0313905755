/**
 * For tests: a real server on a port of the system's choice that checks requests by the routes and answers with what
 * the test hands it. A route without a handler answers `internal`.
 */
import { Elysia } from 'elysia'
import { type Bound, bind, type Handled } from '../src/elysia.ts'
import { orchestratorRoutes as routes } from '../src/orchestrator.ts'
import { ApiError } from '../src/problem.ts'
import type { Parsed, Route } from '../src/route.ts'

type Routes = typeof routes
export type Handlers = {
  readonly [Name in keyof Routes]?: (
    parsed: Parsed<Routes[Name]>,
    request: Request,
  ) => Handled | Promise<Handled>
}

export interface TestServer {
  readonly url: string
  /** `METHOD /path` of every request that came, oldest first. */
  readonly requests: readonly string[]
  /** What handlers threw that was no `ApiError`, and every `ApiError` of 500 and above. */
  readonly failures: readonly unknown[]
  close(): Promise<void>
}

export const testApiKey = 'shardy_test'

export function serveRoutes(handlers: Handlers): TestServer {
  const requests: string[] = []
  const failures: unknown[] = []
  const bound: Bound = {
    authorize(request, { scope }) {
      if (scope === 'public') return
      const given = request.headers.get('authorization')
      if (given === null) throw new ApiError('missingApiKey', 'send a key')
      if (given !== `Bearer ${testApiKey}`) throw new ApiError('badApiKey', 'that key is not known')
    },
    failed(error) {
      failures.push(error)
    },
  }
  const app = new Elysia()
  for (const [name, route] of Object.entries(routes) as [keyof Routes, Route][]) {
    const handle = handlers[name] as ((parsed: unknown, request: Request) => Handled) | undefined
    bind(app, route, bound, (parsed, request) => {
      if (handle === undefined) throw new ApiError('internal', `this test has no ${name}`)
      return handle(parsed, request)
    })
  }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch(request) {
      requests.push(`${request.method} ${new URL(request.url).pathname}`)
      return app.handle(request)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    failures,
    close: () => server.stop(true),
  }
}

export { sampleView } from './sampleView.ts'
