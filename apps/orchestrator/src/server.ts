/**
 * The orchestrator on the network: HTTP through the app, `/v1/worker` upgraded to a WebSocket, everything else the
 * worker page. Bun's own WebSocket server carries the workers: it costs the least per message and per idle line.
 */
import { ApiError, problemResponse } from '@shardy/api'
import { payloadBytesMax } from '@shardy/protocol'
import type { Server, ServerWebSocket } from 'bun'
import type { Network } from './access/address.ts'
import { clientAddress } from './access/clientAddress.ts'
import type { Connection, WorkerSocket } from './gateway/connection.ts'
import { type About, createApp } from './http/app.ts'
import type { BodyLimits } from './http/bodyBudget.ts'
import type { EventSocket } from './http/events.ts'
import { type Page, pageHeaders, servePage } from './http/page.ts'
import { type FindProofFile, serveProofFile } from './http/proofFile.ts'
import { refuseForeign } from './http/visitor.ts'
import type { Orchestrator } from './orchestrator.ts'
import { requestIdHeader } from './telemetry/requestId.ts'

interface Line {
  connection: Connection | undefined
  /** Set on a line on which events go out, and nothing else. */
  readonly events?: EventSocket
  /** As which its limits are counted. */
  readonly address?: string
  /** Called when the socket can take more, or is gone. */
  resume: () => void
}

export interface Serving {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

export interface ServerConfig {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Origins besides our own whose pages may connect. */
  readonly origins: readonly string[]
  /** Proxies whose X-Forwarded-For is believed. */
  readonly proxies: readonly Network[]
  /** PEM: the certificate with its chain, and its key. Undefined serves plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly about: About
  readonly page: Page | undefined
  /** Served beside it, and when there is none. */
  readonly proofFile?: FindProofFile
  readonly blobBytesMax: number
  /** Anybody may read the metrics, with no key. */
  readonly openMetrics?: boolean
  /** How much of what is sent here is held at once, and for how long. */
  readonly bodies?: BodyLimits | undefined
}

/** What may wait in a socket before the next frame is even loaded. */
const unreadBytesMax = 256 * 1024
/** A line on which nothing moves for so long is cut; heartbeats are the protocol's own and far more frequent. */
const idleSeconds = 240

/** A browser that came by TLS once comes by nothing else for a year. */
const tlsHeaders = { 'strict-transport-security': 'max-age=31536000' } as const

/** Made where nothing else is in scope: a line that held on to its request would cost twice the memory. */
function newLine(about: Pick<Line, 'events' | 'address'>): Line {
  return { connection: undefined, resume: nothing, ...about }
}

const nothing = (): void => {}

class BunWorkerSocket implements WorkerSocket {
  readonly #socket: ServerWebSocket<Line>

  constructor(socket: ServerWebSocket<Line>) {
    this.#socket = socket
  }

  send(bytes: Uint8Array): void {
    this.#socket.sendBinary(bytes)
  }

  drained(): Promise<void> | undefined {
    const socket = this.#socket
    if (socket.getBufferedAmount() <= unreadBytesMax) return undefined
    return new Promise((resolve) => {
      socket.data.resume = () => {
        if (socket.getBufferedAmount() <= unreadBytesMax || socket.readyState !== WebSocket.OPEN) resolve()
      }
    })
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }
}

export function serve(orchestrator: Orchestrator, config: ServerConfig): Serving {
  const { openMetrics = false } = config
  const upgraded = new WeakSet<Request>()
  const app = createApp(orchestrator.services, config.about, {
    openMetrics,
    bodies: config.bodies,
    upgrade(request, events) {
      const isUpgraded = server.upgrade(request, { data: newLine({ events }) })
      if (isUpgraded) upgraded.add(request)
      return isUpgraded
    },
  })
  const { limits, log, requestIds } = orchestrator.services
  const headers = Object.entries({ ...pageHeaders, ...(config.tls && tlsHeaders) })

  function withHeaders(response: Response, requestId: string): Response {
    response.headers.set(requestIdHeader, requestId)
    for (const [name, value] of headers) response.headers.set(name, value)
    return response
  }

  function served(url: URL): Response | undefined {
    const proofFile = config.proofFile && serveProofFile(config.proofFile, url)
    return proofFile ?? servePage(config.page, url.pathname)
  }

  async function route(request: Request, server: Server<Line>): Promise<Response | undefined> {
    // A Host header may be anything, and with it the address.
    const url = URL.parse(request.url)
    if (url === null) {
      const value = JSON.stringify((request.headers.get('host') ?? '').slice(0, 80))
      const detail = `host is ${value}, which makes no address`
      throw new ApiError('invalidField', { detail, field: 'host', value, bound: 'a host name' })
    }
    refuseForeign(request, url, config)
    const { pathname } = url
    const forwarded = request.headers.get('x-forwarded-for')
    const address = clientAddress(server.requestIP(request)?.address, forwarded, config.proxies)
    if (pathname === '/v1/worker') {
      limits.take('open.address', address, 1)
      if (server.upgrade(request, { data: newLine({ address }) })) return undefined
      return new Response('Workers connect here by WebSocket.\n', {
        status: 426,
        headers: { upgrade: 'websocket' },
      })
    }
    const isPage = (request.method === 'GET' || request.method === 'HEAD') && !pathname.startsWith('/v1/')
    return (isPage ? served(url) : undefined) ?? (await app(request, address))
  }

  async function answer(request: Request, server: Server<Line>): Promise<Response | undefined> {
    const requestId = requestIds.of(request)
    try {
      const response = await route(request, server)
      return response && !upgraded.has(request) ? withHeaders(response, requestId) : undefined
    } catch (error) {
      if (!(error instanceof ApiError))
        log.error('requestFailed', error, { requestId, method: request.method })
      const told = error instanceof ApiError ? error : new ApiError('internal', 'what broke is in our log')
      return withHeaders(problemResponse(told.problem), requestId)
    }
  }

  const server = Bun.serve<Line>({
    hostname: config.host,
    port: config.port,
    ...(config.tls && { tls: config.tls }),
    // Never a page with our source on it; which must not mean that two processes may share the port.
    development: false,
    reusePort: false,
    // Bodies are limited where they are read, which answers with a problem that names the limit.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // Event streams are quiet for longer than the default.
    idleTimeout: 60,
    fetch: answer,
    websocket: {
      maxPayloadLength: payloadBytesMax + 1024,
      backpressureLimit: payloadBytesMax * 2,
      closeOnBackpressureLimit: true,
      idleTimeout: idleSeconds,
      sendPings: false,
      perMessageDeflate: false,
      open(socket) {
        if (socket.data.events !== undefined) return socket.data.events.opened(socket)
        const connection = orchestrator.connect(new BunWorkerSocket(socket), socket.data.address)
        socket.data.connection = connection
        // Refused at once: the close was told before there was anyone to tell.
        if (socket.readyState !== WebSocket.OPEN) connection.closed()
      },
      message(socket, content) {
        const { connection, events } = socket.data
        if (events !== undefined) return socket.close(1008, 'nothing is taken here')
        if (typeof content === 'string') connection?.refuse('malformedFrame', 'frames are binary')
        // Bun makes a buffer for each message; nobody else has it.
        else connection?.receive(new Uint8Array(content.buffer, content.byteOffset, content.length))
      },
      drain(socket) {
        socket.data.events?.drained()
        socket.data.resume()
      },
      close(socket) {
        socket.data.events?.closed()
        socket.data.connection?.closed()
        socket.data.resume()
      },
    },
  })

  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return {
    url: `${config.tls === undefined ? 'http' : 'https'}://${host}:${server.port}`,
    port: server.port ?? config.port,
    stop: () => server.stop(true),
  }
}
