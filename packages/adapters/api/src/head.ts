/**
 * HEAD, kept away from Elysia: for a path that has a GET it never asks the route that was bound for HEAD, and to learn
 * a length it reads the whole body, which for a stream of events never ends.
 */
import type { Elysia } from 'elysia'
import type { Route } from './route.ts'

export type Serve = (context: {
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
}) => Promise<Response>

interface Entry {
  readonly method: Route['method']
  readonly pattern: RegExp
  readonly serve: Serve
}

const entriesOf = new WeakMap<Elysia, Entry[]>()

/** Called for every route; the first call puts a watch on the app. */
export function watchHead(app: Elysia, { method, path }: Route, serve: Serve): void {
  if (method !== 'GET' && method !== 'HEAD') return
  const pattern = new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`)
  const known = entriesOf.get(app)
  const entries = known ?? []
  // A route made for HEAD goes before the GET of the same path.
  if (method === 'HEAD') entries.unshift({ method, pattern, serve })
  else entries.push({ method, pattern, serve })
  if (known !== undefined) return
  entriesOf.set(app, entries)
  app.onRequest(async ({ request }) => (request.method === 'HEAD' ? answerHead(entries, request) : undefined))
}

async function answerHead(entries: readonly Entry[], request: Request): Promise<Response | undefined> {
  const { pathname } = new URL(request.url)
  const entry = entries.find(({ pattern }) => pattern.test(pathname))
  if (entry === undefined) return undefined
  const response = await entry.serve({ request, params: paramsOf(entry, pathname) })
  const { status, headers, body } = response
  body?.cancel().catch(() => {})
  return new Response(null, { status, headers })
}

function paramsOf({ pattern }: Entry, pathname: string): Record<string, string> {
  const groups = pattern.exec(pathname)?.groups ?? {}
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decode(value)]))
}

/** What cannot be decoded stays as it is, and is refused as the id that it is not. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
