/** The orchestrator's HTTP side: each route of the contract bound to what answers it. */
import {
  ApiError,
  openApi,
  problemResponse,
  type Route,
  receiptToJson,
  roleScopes,
  orchestratorRoutes as routes,
} from '@shardy/api'
import { type Bound, bind } from '@shardy/api/elysia'
import { isEnded } from '@shardy/dispatch'
import type { RequesterId } from '@shardy/protocol'
import { StoreError } from '@shardy/storage'
import { Elysia } from 'elysia'
import { unknownAddress } from '../access/clientAddress.ts'
import { createGate } from '../access/gate.ts'
import type { Services } from '../orchestrator.ts'
import { makeReceipt } from '../receipts.ts'
import { contentTypes, expositionFor } from '../telemetry/exposition.ts'
import type { Viewer } from '../telemetry/follower.ts'
import { createHttpFigures } from '../telemetry/httpFigures.ts'
import { requestIdHeader } from '../telemetry/requestId.ts'
import {
  allowProgram,
  createKey,
  denyProgram,
  listAudit,
  listDenied,
  listKeys,
  revokeKey,
  setPolicy,
  viewPolicy,
} from './access.ts'
import { headBlob, openBlob, openConstant, openInput, openOutput, putBlob } from './blobs.ts'
import { type BodyLimits, createBodyBudget, defaultBodyLimits } from './bodyBudget.ts'
import { streamCampaignEvents } from './campaignEvents.ts'
import {
  commandCampaign,
  createCampaign,
  forgetSecret,
  listCampaigns,
  ownCampaign,
  streamResults,
  viewCampaign,
  viewWebhooks,
} from './campaigns.ts'
import { askedOf, type EventSocket, openEventSocket, streamAllEvents } from './events.ts'
import { viewBalance, viewQuote } from './ledger.ts'
import { getOffence, listOffences } from './offences.ts'
import {
  getDeadLetter,
  listDeadLetters,
  operateDispatch,
  operateWorker,
  purgeDeadLetter,
  requeueDeadLetter,
  viewDispatch,
  viewWorker,
} from './operation.ts'
import { acknowledgeLog, fenceLog, followLog, openLogBlob, streamBackup } from './replication.ts'
import { submitBatch, withBatch } from './taskBatch.ts'
import { streamTaskEvents } from './taskEvents.ts'
import {
  cancelTask,
  forgetTask,
  ownTask,
  refuseBeingChecked,
  refuseLiveCampaign,
  submitTask,
} from './tasks.ts'
import { viewTask, viewTasks } from './taskView.ts'
import { viewHealth, viewWorkers } from './workers.ts'

export interface About {
  readonly version: string
  readonly store: string
}

const requesterScopes: ReadonlySet<string> = new Set(roleScopes.requester)
const operatorBytesMax = 16 * 1024 * 1024

export interface AppOptions {
  /** Anybody may read the metrics, with no key. */
  readonly openMetrics?: boolean
  /** What the bodies of requesters, batches and JSON alike, may come to. */
  readonly bodies?: BodyLimits | undefined
  /** Makes a WebSocket of a request; false when it asks for none. */
  readonly upgrade?: (request: Request, socket: EventSocket) => boolean
}

/** Answers any request; what no route knows is a problem too. `address` is what its limits are counted for. */
export function createApp(
  services: Services,
  about: About,
  { openMetrics = false, bodies: limited = defaultBodyLimits, upgrade = () => false }: AppOptions = {},
): (request: Request, address?: string) => Promise<Response> {
  const { apiKeys, archive, audit, clock, dispatcher, limits, log, metrics, requestIds } = services
  const gate = createGate(apiKeys, limits, clock)
  const answered = createHttpFigures(metrics)
  const who = (request: Request): RequesterId => gate.requester(request)
  const bodies = createBodyBudget(limited, who)
  /** Of its own: no crowd of requesters keeps an operator out, or a standby from saying how far it is. */
  const ordersOfOperators = createBodyBudget({ ...limited, bytesMax: operatorBytesMax })
  const app = new Elysia()
  const bound: Bound = {
    authorize(request, route) {
      const isOpen = openMetrics && route === routes.metrics
      gate.enter(request, isOpen ? 'public' : route.scope)
    },
    answered,
    bodiesOf: ({ scope }) => (requesterScopes.has(scope) ? bodies : ordersOfOperators).withBody,
    failed(error, route, request) {
      const about = { requestId: requestIds.of(request), method: route.method, path: route.path }
      // Nobody is left to hear an answer.
      if (error instanceof Error && error.name === 'AbortError') log.info('requestBroken', about)
      // A crowd that is told to come later must not fill the log as well.
      else if (error instanceof ApiError && error.problem.status === 503)
        log.sampled('notNow', { ...about, code: error.problem.code })
      // Everybody hears it while the disk is full, which is said by the guard.
      else if (error instanceof ApiError && error.problem.code === 'storageFull') log.sampled('noRoom', about)
      else log.error('requestFailed', error, about)
      return storeProblem(error)
    },
  }
  /** Answers with bytes, which are counted once it is known how many there are. */
  async function sent(request: Request, open: () => Promise<Response>): Promise<Response> {
    gate.take(request, 'blobBytes', 1)
    const response = await open()
    const bytes = Number(response.headers.get('content-length') ?? 0)
    if (request.method !== 'HEAD') gate.charge(request, 'blobBytes', bytes - 1)
    return response
  }

  /** A requester sees what is its own; who may see everything does, with the same key and for as long as it works. */
  function viewer(request: Request): Viewer {
    const { keyId, requesterId, held } = gate.key(request)
    const isAllowed = () => apiKeys.isActive(keyId)
    return { kind: held.has('events:readAll') ? 'everything' : 'own', requesterId, isAllowed }
  }
  const ok = (json: unknown, status = 200) => ({ status, json })

  /** What was looked at, standings above all, may be decided and not durable yet. */
  async function onceDurable<T>(seen: T): Promise<T> {
    await dispatcher.caughtUp()
    return seen
  }

  bind(app, routes.submitTask, bound, async ({ body, headers }, request) => {
    const { task, isNew } = await submitTask(services, body, headers['idempotency-key'], who(request))
    return ok(await viewTask(services, task), isNew ? 201 : 200)
  })
  bind(app, routes.submitTasks, bound, (_, request) =>
    withBatch(bodies, request, async (batch) => {
      // One was counted at the gate.
      gate.take(request, 'submit', batch.tasks.length - 1)
      return submitBatch(services, batch, who(request))
    }),
  )
  bind(app, routes.listTasks, bound, async ({ query }, request) => {
    const { status, limit = '50', cursor } = query
    const page = await archive.list({
      requesterId: who(request),
      limit: Number(limit),
      ...(status && { status }),
      ...(cursor && { cursor }),
    })
    const tasks = await viewTasks(services, page.tasks)
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
    const task = await ownTask(services, params.taskId, who(request))
    refuseLiveCampaign(services, task)
    refuseBeingChecked(services, task)
    // Before it is done: what is forgotten leaves no other trace.
    if (isEnded(task.status)) {
      const by = gate.actor(request)
      await audit.append({ action: 'taskForgotten', subject: task.spec.taskId, detail: task.status, by })
    }
    await forgetTask(services, task)
    return new Response(null, { status: 204 })
  })
  bind(app, routes.taskEvents, bound, async ({ params, query, headers }, request) => {
    const task = await ownTask(services, params.taskId, who(request))
    return streamTaskEvents(
      services,
      task.spec.taskId,
      Number(headers['last-event-id'] ?? query.after ?? '0'),
      viewer(request),
    )
  })
  bind(app, routes.taskReceipt, bound, async ({ params }, request) => {
    const task = await ownTask(services, params.taskId, who(request))
    if (task.outputDigest === undefined) {
      throw new ApiError(
        'taskNotVerified',
        `task ${params.taskId} is ${task.status}; only tasks with an output have receipts`,
      )
    }
    // Not before the question: a verdict that falls during the wait is not what was waited for.
    await dispatcher.caughtUp()
    const { standings } = dispatcher.state()
    return ok(receiptToJson(await makeReceipt(task, (id) => standings.get(id), services)))
  })
  bind(app, routes.taskOutput, bound, async ({ params }, request) => {
    const task = await ownTask(services, params.taskId, who(request))
    if (task.outputDigest === undefined) {
      throw new ApiError('taskNotVerified', `task ${params.taskId} is ${task.status}; it has no output`)
    }
    if (!task.spec.keepOutput) {
      throw new ApiError(
        'outputNotKept',
        `task ${params.taskId} asked for the digest alone: ${task.outputDigest}`,
      )
    }
    await dispatcher.caughtUp()
    return sent(request, () => openOutput(services, task, request))
  })
  bind(app, routes.taskInput, bound, async ({ params }, request) => {
    const task = await ownTask(services, params.taskId, who(request))
    return sent(request, () => openInput(services, task, request))
  })
  bind(app, routes.createCampaign, bound, async ({ body, headers }, request) => {
    const key = headers['idempotency-key']
    const { campaign, isNew } = await createCampaign(services, body, key, who(request))
    return ok(campaign, isNew ? 201 : 200)
  })
  bind(app, routes.listCampaigns, bound, async ({ query }, request) =>
    ok(await listCampaigns(services, who(request), query)),
  )
  bind(app, routes.getCampaign, bound, async ({ params }, request) => {
    const found = await ownCampaign(services, params.campaignId, who(request))
    return ok(viewCampaign(found, clock.nowMs()))
  })
  for (const [route, kind] of [
    [routes.pauseCampaign, 'pause'],
    [routes.resumeCampaign, 'resume'],
    [routes.cancelCampaign, 'cancel'],
  ] as const) {
    bind(app, route, bound, async ({ params }, request) => {
      const found = await ownCampaign(services, params.campaignId, who(request))
      return ok(await commandCampaign(services, found, kind))
    })
  }
  bind(app, routes.campaignResults, bound, async ({ params, query }, request) => {
    const found = await ownCampaign(services, params.campaignId, who(request))
    gate.take(request, 'blobBytes', 1)
    const { from = '0', format = 'ndjson' } = query
    const onBytes = (bytes: number): void => gate.charge(request, 'blobBytes', bytes)
    return streamResults(services, found, Number(from), format, onBytes)
  })
  bind(app, routes.campaignEvents, bound, async ({ params, query, headers }, request) => {
    const found = await ownCampaign(services, params.campaignId, who(request))
    return streamCampaignEvents(
      services,
      found,
      Number(headers['last-event-id'] ?? query.after ?? '0'),
      viewer(request),
    )
  })
  bind(app, routes.campaignWebhooks, bound, async ({ params }, request) =>
    ok(await viewWebhooks(services, await ownCampaign(services, params.campaignId, who(request)))),
  )
  bind(app, routes.forgetWebhookSecret, bound, async ({ params }, request) => {
    await forgetSecret(services, params.secretName, who(request))
    return new Response(null, { status: 204 })
  })
  bind(app, routes.putBlob, bound, ({ params, headers }, request) => {
    const declared = Number(request.headers.get('content-length') ?? 0)
    // More than a blob may have is refused further on, and must not be owed for.
    gate.take(request, 'blobBytes', Math.max(1, Math.min(declared, services.blobBytesMax)))
    const onBytes = (bytes: number) => declared === 0 && gate.charge(request, 'blobBytes', bytes)
    return putBlob(services, params.digest, headers['content-range'], who(request), request, onBytes)
  })
  bind(app, routes.getBlob, bound, ({ params }, request) =>
    sent(request, () => openBlob(services, params.digest, request, who(request))),
  )
  bind(app, routes.headBlob, bound, ({ params }, request) => headBlob(services, params.digest, who(request)))
  bind(app, routes.deliveryConstant, bound, ({ params }, request) =>
    sent(request, () => openConstant(services, params, request)),
  )
  bind(app, routes.workers, bound, async () => ok(await onceDurable(viewWorkers(services))))
  bind(app, routes.backup, bound, (_, request) => streamBackup(services, gate.actor(request)))
  bind(app, routes.followLog, bound, ({ query }, request) =>
    followLog(services, query, request.signal, gate.actor(request)),
  )
  bind(app, routes.logBlob, bound, ({ params }) => openLogBlob(services, params.digest))
  bind(app, routes.acknowledgeLog, bound, ({ body }) => acknowledgeLog(services, body))
  bind(app, routes.fenceLog, bound, async ({ body }, request) =>
    ok(await fenceLog(services, body, gate.actor(request))),
  )
  bind(app, routes.events, bound, ({ query, headers }, request) =>
    streamAllEvents(services, askedOf(services, viewer(request), query, headers['last-event-id'])),
  )
  bind(app, routes.eventsSocket, bound, ({ query }, request) => {
    const socket = openEventSocket(services, askedOf(services, viewer(request), query))
    // Never sent: the socket is what answers.
    if (upgrade(request, socket)) return new Response(null)
    throw new ApiError('upgradeRequired', 'ask for a WebSocket; GET /v1/events gives the same without one')
  })
  bind(app, routes.metrics, bound, async (_, request) => {
    const exposition = expositionFor(request.headers.get('accept'))
    const headers = { 'content-type': contentTypes[exposition], 'cache-control': 'no-store' }
    return new Response(await metrics.scrape(exposition), { headers })
  })
  bind(app, routes.createKey, bound, async ({ body }, request) =>
    ok(await createKey(services, body, gate.key(request), gate.actor(request)), 201),
  )
  bind(app, routes.listKeys, bound, ({ query }) => ok(listKeys(services, query)))
  bind(app, routes.revokeKey, bound, async ({ params }, request) =>
    ok(await revokeKey(services, params.keyId, gate.actor(request))),
  )
  bind(app, routes.audit, bound, async ({ query }) => ok(await listAudit(services, query)))
  bind(app, routes.policy, bound, () => ok(viewPolicy(services)))
  bind(app, routes.setPolicy, bound, async ({ body }, request) =>
    ok(await setPolicy(services, body, gate.actor(request))),
  )
  bind(app, routes.denyProgram, bound, async ({ body }, request) =>
    ok(await denyProgram(services, body, gate.actor(request))),
  )
  bind(app, routes.listDenied, bound, ({ query }) => ok(listDenied(services, query)))
  bind(app, routes.allowProgram, bound, async ({ params }, request) => {
    await allowProgram(services, params.programId, gate.actor(request))
    return new Response(null, { status: 204 })
  })
  bind(app, routes.listDeadLetters, bound, async ({ query }) => ok(await listDeadLetters(services, query)))
  bind(app, routes.getDeadLetter, bound, async ({ params }) =>
    ok(await getDeadLetter(services, params.taskId)),
  )
  bind(app, routes.requeueDeadLetter, bound, async ({ params, body }, request) =>
    ok(await requeueDeadLetter(services, params.taskId, body, gate.actor(request))),
  )
  bind(app, routes.purgeDeadLetter, bound, async ({ params }, request) => {
    await purgeDeadLetter(services, params.taskId, gate.actor(request))
    return new Response(null, { status: 204 })
  })
  bind(app, routes.dispatch, bound, () => ok(viewDispatch(services)))
  bind(app, routes.operateDispatch, bound, async ({ params }, request) =>
    ok(await operateDispatch(services, params.order, gate.actor(request))),
  )
  bind(app, routes.getWorker, bound, async ({ params }) =>
    ok(await onceDurable(viewWorker(services, params.workerId))),
  )
  bind(app, routes.operateWorker, bound, async ({ params }, request) =>
    ok(await operateWorker(services, params.workerId, params.order, gate.actor(request))),
  )
  bind(app, routes.listOffences, bound, async ({ query }) => ok(await listOffences(services, query)))
  bind(app, routes.getOffence, bound, async ({ params }) => ok(await getOffence(services, params.deliveryId)))
  bind(app, routes.balance, bound, async (_, request) =>
    ok(await viewBalance(services, who(request), gate.key(request).held.has('tasks:submit'))),
  )
  bind(app, routes.quote, bound, ({ query }) => ok(viewQuote(services, query)))
  bind(app, routes.health, bound, () => ok(viewHealth(services, about)))

  const document = openApi(routes, {
    title: 'Shardy orchestrator',
    version: about.version,
    description:
      'Submit exact integer programs; get results with receipts that say what each rests on: a check, an agreement, or one worker’s word.',
  })
  const counted =
    (answer: (request: Request) => Response) =>
    ({ request }: { request: Request }): Response => {
      try {
        gate.take(request, 'read', 1)
        return answer(request)
      } catch (error) {
        if (error instanceof ApiError) return problemResponse(error.problem)
        throw error
      }
    }
  app.get(
    '/openapi.json',
    counted(() => Response.json(document)),
  )
  const elsewhere = counted(noRoute)
  app.all('*', (context: { request: Request }) => {
    const response = elsewhere(context)
    answered(undefined, response.status, 0)
    return response
  })

  return async (request, address = unknownAddress) => {
    const asked = withLongHost(request)
    gate.arrive(asked, address)
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
    case 'diskFull': {
      const detail = 'the disk is full; nothing was changed, and what was taken is there'
      return new ApiError('storageFull', { detail, retryAfterMs: 30_000 })
    }
    case 'deposed':
      return new ApiError('deposed', 'another orchestrator was promoted in place of this one; ask that one')
    case 'unacknowledged': {
      const detail = 'it is on disk here, and no standby has said that it has it; ask again'
      return new ApiError('unacknowledged', { detail, retryAfterMs: 5_000 })
    }
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
