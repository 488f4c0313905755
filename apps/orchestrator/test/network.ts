/**
 * An orchestrator in this process for tests: real store twin, real sockets on a port that the system chose, and
 * workers over those sockets. Nothing in it is told what to say.
 */
import type { AdmissionPolicy } from '@shardy/admission'
import { createCpuExecutor, type Executor, openCheckTools } from '@shardy/compute'
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { type DispatchPolicy, defaultPolicy } from '@shardy/dispatch'
import { defaultParameters } from '@shardy/ledger'
import type { MicroCredit } from '@shardy/protocol'
import { type BlobStore, openBlobStore, openStore, type Store } from '@shardy/storage'
import {
  type BlockProver,
  connectWebSocket,
  createConstants,
  createWorker,
  fetchConstants,
  type Worker,
  systemClock as workerClock,
  workerSocketUrl,
} from '@shardy/worker'
import type { Network } from '../src/access/address.ts'
import { defaultLimits, type LimitConfig } from '../src/access/limits.ts'
import { type BlobPolicy, defaultBlobPolicy } from '../src/blobs/keeper.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import { defaultGatewayLimits, type GatewayLimits } from '../src/gateway/connection.ts'
import { createOpeningsThread } from '../src/gateway/openings.ts'
import type { BodyLimits } from '../src/http/bodyBudget.ts'
import type { Page } from '../src/http/page.ts'
import { type Log, silentLog } from '../src/log.ts'
import type { Space } from '../src/operation/space.ts'
import { createOrchestrator, type Orchestrator, type OrchestratorConfig } from '../src/orchestrator.ts'
import type { Proofs } from '../src/proofs/proofs.ts'
import { type Serving, serve } from '../src/server.ts'
import { columns, schemaVersion, type Table, tables } from '../src/tables.ts'

export const blobBytesMax = 1024 * 1024
export const collectMs = 60_000

export type Call = RequestInit & {
  readonly anonymous?: boolean
  readonly apiKey?: string
  /** Sent as JSON, with POST unless `method` says otherwise. */
  readonly json?: unknown
}

export interface TestNetwork {
  readonly orchestrator: Orchestrator
  readonly serving: Serving
  readonly apiKey: string
  readonly store: Store<Table>
  readonly blobs: BlobStore
  /** What the orchestrator gave up over. */
  readonly fatal: readonly unknown[]
  request(path: string, call?: Call): Promise<Response>
  startWorker(executor?: Executor, blockProver?: BlockProver): Promise<Worker>
  stop(): Promise<void>
}

export interface TestOptions {
  readonly policy?: Partial<DispatchPolicy>
  readonly blobPolicy?: Partial<BlobPolicy>
  readonly gateway?: Partial<GatewayLimits>
  readonly limits?: Partial<LimitConfig>
  readonly bodies?: BodyLimits
  readonly grantMicroCredit?: bigint
  /** How workers are measured; without it they are believed. */
  readonly admission?: AdmissionPolicy
  readonly webhooks?: OrchestratorConfig['webhooks']
  readonly space?: Space
  readonly retentionMs?: number
  readonly proxies?: readonly Network[]
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly log?: Log
  readonly clock?: Clock
  readonly page?: Page
  /** What proofs are verified by; without it none can be asked for. */
  readonly proofs?: Proofs
  /** Already open; it stays open, so that another network can go on with it. */
  readonly store?: Store<Table>
  readonly blobs?: BlobStore
  /** The store inside `store`, where that is not one that can be copied. */
  readonly copied?: Store<Table>
}

export const openMemoryStore = (): Promise<Store<Table>> =>
  openStore({ kind: 'memory', tables, columns, schemaVersion })

export async function startTestNetwork(options: TestOptions = {}): Promise<TestNetwork> {
  const store = options.store ?? (await openMemoryStore())
  const blobs = options.blobs ?? (await openBlobStore({ kind: 'memory', blobBytesMax }))
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
  const fatal: unknown[] = []
  const orchestrator = await createOrchestrator(
    {
      store,
      ...(options.copied && { copied: options.copied }),
      blobs,
      identity: await generateIdentity({ extractable: false }),
      sha256,
      verify: verifySignature,
      clock: options.clock ?? systemClock,
      log: options.log ?? silentLog,
      random,
      ...(options.space && { space: options.space }),
      ...(options.proofs && { proofs: options.proofs }),
      openings: createOpeningsThread(),
      checks: { tools: await openCheckTools(sha256), random },
      fatal: (error) => fatal.push(error),
    },
    {
      dispatch: { ...defaultPolicy, ...options.policy },
      blobs: { ...defaultBlobPolicy, ...options.blobPolicy },
      gateway: { ...defaultGatewayLimits, ...options.gateway },
      limits: { ...defaultLimits, ...options.limits },
      admission: options.admission ?? 'ownWord',
      book: defaultParameters,
      grantMicroCredit: (options.grantMicroCredit ?? 10n ** 12n) as MicroCredit,
      blobBytesMax,
      collectMs,
      retentionMs: options.retentionMs,
      ...(options.webhooks && { webhooks: options.webhooks }),
    },
  )
  const about = { version: '0.0.0', store: 'memory' }
  const { page } = options
  const { proxies = [], tls } = options
  const place = { host: '127.0.0.1', port: 0, origins: [], proxies, tls }
  const serving = serve(orchestrator, { ...place, about, page, blobBytesMax, bodies: options.bodies })
  const apiKey = await orchestrator.services.apiKeys.create('test', ['requester', 'admin'])
  const workers: Worker[] = []
  return {
    orchestrator,
    serving,
    apiKey,
    store,
    blobs,
    fatal,
    request(path, { anonymous = false, json, apiKey: key = apiKey, ...init } = {}) {
      const headers = new Headers(init.headers)
      if (!anonymous && !headers.has('authorization')) headers.set('authorization', `Bearer ${key}`)
      if (json === undefined) return fetch(`${serving.url}${path}`, { ...init, headers })
      if (!headers.has('content-type')) headers.set('content-type', 'application/json')
      return fetch(`${serving.url}${path}`, { method: 'POST', ...init, headers, body: JSON.stringify(json) })
    },
    async startWorker(executor = createCpuExecutor(), blockProver) {
      const worker = createWorker(
        {
          connect: connectWebSocket(workerSocketUrl(serving.url)),
          identity: await generateIdentity({ extractable: false }),
          sha256,
          executor,
          blockProver,
          constants: createConstants(fetchConstants(serving.url), sha256),
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
      if (options.blobs === undefined) await blobs.close()
      if (options.store === undefined) await store.close()
    },
  }
}
