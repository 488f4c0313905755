/**
 * The orchestrator on the network: HTTP through the app, `/v1/worker` upgraded to a WebSocket, everything else the
 * worker page. Bun's own WebSocket server carries the workers: it costs the least per message and per idle line.
 */
import { payloadBytesMax } from '@shardy/protocol'
import type { Server } from 'bun'
import type { Connection } from './gateway/connection.ts'
import { type About, createApp } from './http/app.ts'
import { type Page, pageHeaders, servePage } from './http/page.ts'
import type { Orchestrator } from './orchestrator.ts'

interface Line {
  connection: Connection | undefined
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
  readonly about: About
  readonly page: Page | undefined
  readonly blobBytesMax: number
}

function withHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(pageHeaders)) response.headers.set(name, value)
  return response
}

export function serve(orchestrator: Orchestrator, config: ServerConfig): Serving {
  const app = createApp(orchestrator.services, config.about)

  async function answer(request: Request, server: Server<Line>): Promise<Response | undefined> {
    const { pathname } = new URL(request.url)
    if (pathname === '/v1/worker') {
      if (server.upgrade(request, { data: { connection: undefined } })) return undefined
      return new Response('Workers connect here by WebSocket.\n', {
        status: 426,
        headers: { upgrade: 'websocket' },
      })
    }
    const isPage = request.method === 'GET' && !pathname.startsWith('/v1/')
    const file = isPage ? servePage(config.page, pathname) : undefined
    return withHeaders(file ?? (await app(request)))
  }

  const server = Bun.serve<Line>({
    hostname: config.host,
    port: config.port,
    // Uploads are limited where they are streamed; JSON bodies where they are parsed.
    maxRequestBodySize: config.blobBytesMax + 1,
    // Event streams are quiet for longer than the default.
    idleTimeout: 60,
    fetch: answer,
    websocket: {
      maxPayloadLength: payloadBytesMax + 1024,
      backpressureLimit: payloadBytesMax * 2,
      closeOnBackpressureLimit: true,
      // Heartbeats are the protocol's own.
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
      open(socket) {
        socket.data.connection = orchestrator.connect({
          send: (bytes) => void socket.sendBinary(bytes),
          close: (code, reason) => socket.close(code, reason),
        })
      },
      message(socket, content) {
        const { connection } = socket.data
        if (typeof content === 'string') connection?.refuse('malformedFrame', 'frames are binary')
        // Bun may reuse the buffer once this returns, and frames are handled later.
        else connection?.receive(new Uint8Array(content))
      },
      close(socket) {
        socket.data.connection?.closed()
      },
    },
  })

  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return {
    url: `http://${host}:${server.port}`,
    port: server.port ?? config.port,
    stop: () => server.stop(true),
  }
}
