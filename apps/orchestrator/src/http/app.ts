/** The orchestrator's HTTP side: each route of the contract bound to what answers it. */
import {
  ApiError,
  openApi,
  problemResponse,
  type Route,
  receiptToJson,
  orchestratorRoutes as routes,
} from '@shardy/api'
import { type Bound, bind } from '@shardy/api/elysia'
import type { RequesterId } from '@shardy/protocol'
import { StoreError } from '@shardy/storage'
import { Elysia } from 'elysia'
import type { Services } from '../orchestrator.ts'
import { makeReceipt } from '../receipts.ts'
import { contentTypes, expositionFor } from '../telemetry/exposition.ts'
import { createHttpFigures } from '../telemetry/httpFigures.ts'
import { requestIdHeader } from '../telemetry/requestId.ts'
import { requesterOf } from './authorization.ts'
import { headBlob, openBlob, openConstant, putBlob } from './blobs.ts'
import { streamEvents } from './taskEvents.ts'
import { cancelTask, forgetTask, ownTask, submitTask } from './tasks.ts'
import { viewTask } from './taskView.ts'
import { viewHealth, viewWorkers } from './workers.ts'

export interface About {
  readonly version: string
  readonly store: string
}

export interface AppOptions {
  /** Anybody may read the metrics, with no key. */
  readonly openMetrics?: boolean
}

/** Answers any request; what no route knows is a problem too. */
export function createApp(
  services: Services,
  about: About,
  { openMetrics = false }: AppOptions = {},
): (request: Request) => Promise<Response> {
  const { apiKeys, archive, dispatcher, log, metrics, requestIds } = services
  const answered = createHttpFigures(metrics)
  const app = new Elysia()
  const bound: Bound = {
    authorize(request, route) {
      if (route.auth && !(openMetrics && route === routes.metrics)) requesterOf(request, apiKeys)
    },
    answered,
    failed(error, route, request) {
      const about = { requestId: requestIds.of(request), method: route.method, path: route.path }
      // Nobody is left to hear an answer.
      if (error instanceof Error && error.name === 'AbortError') log.info('requestBroken', about)
      else log.error('requestFailed', error, about)
      return storeProblem(error)
    },
  }
  const who = (request: Request): RequesterId => requesterOf(request, apiKeys)
  const ok = (json: unknown, status = 200) => ({ status, json })

  bind(app, routes.submitTask, bound, async ({ body, headers }, request) => {
    const { task, isNew } = await submitTask(services, body, headers['idempotency-key'], who(request))
    return ok(await viewTask(services, task), isNew ? 201 : 200)
  })
  bind(app, routes.listTasks, bound, async ({ query }, request) => {
    const { status, limit = '50', cursor } = query
    const page = await archive.list({
      requesterId: who(request),
      limit: Number(limit),
      ...(status && { status }),
      ...(cursor && { cursor }),
    })
    const tasks = await Promise.all(page.tasks.map((task) => viewTask(services, task)))
    return ok({ tasks, ...(page.nextCursor && { nextCursor: page.nextCursor }) })
  })
  bind(app, routes.getTask, bound, async ({ params }, request) =>
    ok(await viewTask(services, await ownTask(services, params.taskId, who(request)))),
  )
  bind(app, routes.cancelTask, bound, async ({ params }, request) => {
    const task = await ownTask(services, params.taskId, who(request))
    return ok(await viewTask(services, await cancelTask(services, task)))
  })
  bind(app, routes.forgetTask, bound, async ({ params }, request) => {
    await forgetTask(services, await ownTask(services, params.taskId, who(request)))
    return new Response(null, { status: 204 })
  })
  bind(app, routes.taskEvents, bound, async ({ params, query, headers }, request) => {
    const task = await ownTask(services, params.taskId, who(request))
    return streamEvents(services, task.taskId, Number(headers['last-event-id'] ?? query.after ?? '0'))
  })
  bind(app, routes.taskReceipt, bound, async ({ params }, request) => {
    const task = await ownTask(services, params.taskId, who(request))
    if (task.status !== 'verified') {
      throw new ApiError(
        'taskNotVerified',
        `task ${task.taskId} is ${task.status}; only verified tasks have receipts`,
      )
    }
    const { standings } = dispatcher.state()
    const deliveries = await archive.deliveries(task)
    return ok(receiptToJson(await makeReceipt(task, deliveries, (id) => standings.get(id), services)))
  })
  bind(app, routes.taskOutput, bound, async ({ params }, request) => {
    const task = await ownTask(services, params.taskId, who(request))
    if (task.outputDigest === undefined) {
      throw new ApiError('taskNotVerified', `task ${task.taskId} is ${task.status}; it has no output`)
    }
    if (!task.keepOutput) {
      throw new ApiError(
        'outputNotKept',
        `task ${task.taskId} asked for the digest alone: ${task.outputDigest}`,
      )
    }
    return openBlob(services, task.outputDigest, request)
  })
  bind(app, routes.putBlob, bound, ({ params, headers }, request) =>
    putBlob(services, params.digest, headers['content-range'], who(request), request),
  )
  bind(app, routes.getBlob, bound, ({ params }, request) => openBlob(services, params.digest, request))
  bind(app, routes.headBlob, bound, ({ params }) => headBlob(services, params.digest))
  bind(app, routes.deliveryConstant, bound, ({ params }, request) => openConstant(services, params, request))
  bind(app, routes.workers, bound, () => ok(viewWorkers(services)))
  bind(app, routes.metrics, bound, async (_, request) => {
    const exposition = expositionFor(request.headers.get('accept'))
    const headers = { 'content-type': contentTypes[exposition], 'cache-control': 'no-store' }
    return new Response(await metrics.scrape(exposition), { headers })
  })
  bind(app, routes.health, bound, () => ok(viewHealth(services, about)))

  const document = openApi(routes, {
    title: 'Shardy orchestrator',
    version: about.version,
    description: 'Submit exact integer programs; get results that distinct workers agreed on, with receipts.',
  })
  app.get('/openapi.json', () => Response.json(document))
  app.all('*', ({ request }: { request: Request }) => {
    const response = noRoute(request)
    answered(undefined, response.status, 0)
    return response
  })

  return async (request) => {
    const asked = withLongHost(request)
    const response = await app.handle(requestIds.share(request, asked))
    response.headers.set(requestIdHeader, requestIds.of(request))
    return response
  }
}

/** Elysia looks for the path behind the eleventh character, which a host of three letters has not reached. */
function withLongHost(request: Request): Request {
  const { origin, pathname, search } = new URL(request.url)
  if (origin.length >= elysiaPathFrom) return request
  return new Request(`http://orchestrator${pathname}${search}`, request)
}

const elysiaPathFrom = 11

/** What a store says of itself that a requester can act on. */
function storeProblem(error: unknown): ApiError | undefined {
  if (!(error instanceof StoreError)) return undefined
  switch (error.kind) {
    case 'overloaded':
    case 'tooManyReaders':
      return new ApiError('overloaded', { detail: 'the store is busy', retryAfterMs: 1_000 })
    case 'closed':
      return new ApiError('shuttingDown', 'the store is closed')
    default:
      return new ApiError('storageFailed', 'the store did not take it; what broke is in our log')
  }
}

const matchers = [
  ...Object.values(routes as Readonly<Record<string, Route>>),
  { method: 'GET', path: '/openapi.json' },
].map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}/?$`) }))

function noRoute(request: Request): Response {
  const { pathname } = new URL(request.url)
  const allowed = matchers.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method)
  const asked = `${request.method} ${pathname.slice(0, 200)}`
  if (allowed.length === 0) {
    return problemResponse(new ApiError('unknownRoute', `${asked}; /openapi.json lists what is here`).problem)
  }
  const response = problemResponse(
    new ApiError('methodNotAllowed', `${asked}; allowed: ${allowed.join(', ')}`).problem,
  )
  response.headers.set('allow', allowed.join(', '))
  return response
}
