/**
 * An orchestrator in this process for tests: real store twin, real sockets on a port that the system chose, and
 * workers over those sockets. Nothing in it is told what to say.
 */
import { createCpuExecutor, type Executor } from '@shardy/compute'
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { type DispatchPolicy, defaultPolicy } from '@shardy/dispatch'
import { openBlobStore, openStore } from '@shardy/storage'
import {
  connectWebSocket,
  createWorker,
  type Worker,
  systemClock as workerClock,
  workerSocketUrl,
} from '@shardy/worker'
import { type BlobPolicy, defaultBlobPolicy } from '../src/blobs/keeper.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import { defaultGatewayLimits } from '../src/gateway/connection.ts'
import { silentLog } from '../src/log.ts'
import { createOrchestrator, type Orchestrator } from '../src/orchestrator.ts'
import { type Serving, serve } from '../src/server.ts'
import { schemaVersion, tables } from '../src/tables.ts'

export const blobBytesMax = 1024 * 1024

export interface TestNetwork {
  readonly orchestrator: Orchestrator
  readonly serving: Serving
  readonly apiKey: string
  request(path: string, init?: RequestInit & { readonly anonymous?: boolean }): Promise<Response>
  startWorker(executor?: Executor): Promise<Worker>
  stop(): Promise<void>
}

export async function startTestNetwork(
  options: {
    readonly policy?: Partial<DispatchPolicy>
    readonly blobs?: Partial<BlobPolicy>
    readonly clock?: Clock
  } = {},
): Promise<TestNetwork> {
  const store = await openStore({ kind: 'memory', tables, schemaVersion })
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax })
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
  const orchestrator = await createOrchestrator(
    {
      store,
      blobs,
      identity: await generateIdentity({ extractable: false }),
      sha256,
      verify: verifySignature,
      clock: options.clock ?? systemClock,
      log: silentLog,
      random,
      fatal(error) {
        throw error
      },
    },
    {
      dispatch: { ...defaultPolicy, ...options.policy },
      blobs: { ...defaultBlobPolicy, ...options.blobs },
      gateway: defaultGatewayLimits,
      blobBytesMax,
      collectMs: 60_000,
    },
  )
  const about = { version: '0.0.0', store: 'memory' }
  const serving = serve(orchestrator, { host: '127.0.0.1', port: 0, about, page: undefined, blobBytesMax })
  const apiKey = await orchestrator.services.apiKeys.create('test')
  const workers: Worker[] = []
  return {
    orchestrator,
    serving,
    apiKey,
    request(path, { anonymous = false, ...init } = {}) {
      const headers = new Headers(init.headers)
      if (!anonymous && !headers.has('authorization')) headers.set('authorization', `Bearer ${apiKey}`)
      return fetch(`${serving.url}${path}`, { ...init, headers })
    },
    async startWorker(executor = createCpuExecutor()) {
      const worker = createWorker(
        {
          connect: connectWebSocket(workerSocketUrl(serving.url)),
          identity: await generateIdentity({ extractable: false }),
          sha256,
          executor,
          clock: workerClock,
          random,
          log: () => {},
        },
        { agent: 'test/1', slots: 4, payloadBytesMax: blobBytesMax, operationsPerSecond: 1_000_000_000 },
      )
      workers.push(worker)
      const admitted = new Promise<void>((resolve) => {
        const unsubscribe = worker.subscribe(() => {
          if (worker.getView().connection.kind !== 'admitted') return
          unsubscribe()
          resolve()
        })
      })
      worker.start()
      await admitted
      return worker
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()))
      await orchestrator.stop()
      await serving.stop()
      await blobs.close()
      await store.close()
    },
  }
}
