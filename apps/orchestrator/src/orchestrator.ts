/**
 * An orchestrator, composed: given a store, a place for blobs, an identity and a clock, it serves requesters over HTTP
 * and workers over WebSocket. It opens no socket of its own and reads no environment; `main` does.
 */
import type { AdmissionPolicy } from '@shardy/admission'
import type { Identity } from '@shardy/crypto'
import { type DispatchPolicy, type Effect, recover } from '@shardy/dispatch'
import type { BookParameters } from '@shardy/ledger'
import {
  type DeliveryId,
  type Digest,
  finalEventTypes,
  type MicroCredit,
  type OrchestratorId,
  orchestratorIdOf,
  type Sha256,
  type TaskId,
  type TimeMs,
} from '@shardy/protocol'
import type { AnswerCheckAdapters } from '@shardy/sdk'
import type { BlobStore, Store } from '@shardy/storage'
import { type Audit, openAudit } from './access/audit.ts'
import { type ApiKeys, openApiKeys } from './access/keys.ts'
import { createLimits, type LimitConfig, type Limits } from './access/limits.ts'
import { openWorkPolicy, type WorkPolicy } from './access/workPolicy.ts'
import { type BlobKeeper, type BlobPolicy, openBlobKeeper } from './blobs/keeper.ts'
import { type Bookkeeper, openBookkeeper } from './book/bookkeeper.ts'
import { type Campaigns, createCampaigns } from './campaigns/campaigns.ts'
import { createSubmitter } from './campaigns/submitter.ts'
import { systemResolve, urlPolicyOf, type WebhookSettings } from './campaigns/webhooks/destination.ts'
import { createWebhookSecrets, type WebhookSecrets } from './campaigns/webhooks/secrets.ts'
import { createWebhookSender, type WebhookSender } from './campaigns/webhooks/sender.ts'
import { type Checker, createChecker } from './checks/checker.ts'
import { openLocalThread } from './checks/openThread.ts'
import { createPool, type OpenThread } from './checks/pool.ts'
import type { Clock } from './clock.ts'
import {
  type Connection,
  type GatewayLimits,
  openConnection,
  type WorkerSocket,
} from './gateway/connection.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import type { Verify } from './gateway/handshake.ts'
import type { OpeningsJudge } from './gateway/openings.ts'
import type { Log } from './log.ts'
import { createReplication, type Replication } from './operation/replication.ts'
import { createRetention } from './operation/retention.ts'
import { boundlessSpace, type Space } from './operation/space.ts'
import { noProofs, type Proofs } from './proofs/proofs.ts'
import { createSigner, type Signer } from './signer.ts'
import type { Table } from './tables.ts'
import { type Archive, createArchive } from './tasks/archive.ts'
import { createCommit } from './tasks/commit.ts'
import { openCounters } from './tasks/counters.ts'
import { createDispatcher, type Dispatcher } from './tasks/dispatcher.ts'
import { readDispatchMode } from './tasks/dispatchMode.ts'
import { createEventHub, type EventHub } from './tasks/eventHub.ts'
import { createEvidence } from './tasks/offences.ts'
import { createPayloads, type Payloads } from './tasks/payloads.ts'
import { createDispatchFigures } from './telemetry/dispatchFigures.ts'
import {
  defaultEventLogPolicy,
  type EventLog,
  type EventLogPolicy,
  openEventLog,
} from './telemetry/eventLog.ts'
import { createFollowers, type Followers } from './telemetry/followers.ts'
import { countRefusals } from './telemetry/limitFigures.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import { createRequestIds, type RequestIds } from './telemetry/requestId.ts'
import { createTurns, type Turns } from './turns.ts'

export interface OrchestratorAdapters {
  readonly store: Store<Table>
  readonly blobs: BlobStore
  readonly identity: Identity
  readonly sha256: Sha256
  readonly verify: Verify
  readonly clock: Clock
  readonly log: Log
  /** Given by who counts something of its own in them. */
  readonly metrics?: Metrics
  readonly random: (length: number) => Uint8Array
  /** The store as it was opened, when `store` is one around it; with `hasLog`, a standby may follow it. */
  readonly copied?: Store<Table>
  readonly hasLog?: boolean
  /** Room on the disk; boundless when nobody watches it. */
  readonly space?: Space
  /** What answers are checked with. */
  readonly checks: AnswerCheckAdapters
  /** What larger answers are checked on, beside the loop; left out, they hold it up. */
  /** What proofs are verified by; without it none can be asked for. Closed with the orchestrator. */
  readonly proofs?: Proofs
  readonly checkThreads?: { readonly open: OpenThread; readonly count: number }
  /** What benchmarks' openings are judged by; closed with the orchestrator. */
  readonly openings: OpeningsJudge
  /** The store failed: what is on disk is the truth, so the process has to start again from it. */
  readonly fatal: (error: unknown) => void
}

export interface OrchestratorConfig {
  readonly dispatch: DispatchPolicy
  readonly blobs: BlobPolicy
  readonly gateway: GatewayLimits
  readonly limits: LimitConfig
  /** How workers are measured before they are given anything; `ownWord`: they are believed, which suits tests alone. */
  readonly admission: AdmissionPolicy | 'ownWord'
  readonly eventLog?: EventLogPolicy
  readonly book: BookParameters
  /** Test credits that a requester finds when it comes for the first time. */
  readonly grantMicroCredit: MicroCredit
  readonly blobBytesMax: number
  /** Ended tasks older than this are forgotten; undefined: none. */
  readonly retentionMs?: number | undefined
  /** How often unreferred blobs are looked for. */
  readonly collectMs: number
  /** Where webhooks may go; to public addresses unless given. */
  readonly webhooks?: WebhookSettings & {
    /** Who may sign receivers' certificates, in PEM, where it is not the system that says. */
    readonly authorities?: string
  }
}

/** What the HTTP handlers work with. */
export interface Services {
  readonly store: Store<Table>
  readonly orchestratorId: OrchestratorId
  readonly identity: Identity
  readonly signer: Signer
  readonly sha256: Sha256
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly requestIds: RequestIds
  readonly randomHex: (bytes: number) => string
  readonly startedAtMs: number
  readonly apiKeys: ApiKeys
  readonly audit: Audit
  readonly limits: Limits
  readonly workPolicy: WorkPolicy
  readonly archive: Archive
  readonly blobs: BlobStore
  readonly blobBytesMax: number
  readonly keeper: BlobKeeper
  readonly payloads: Payloads
  readonly bookkeeper: Bookkeeper
  readonly checker: Checker
  readonly proofs: Proofs
  readonly dispatcher: Dispatcher
  /** Submitting and forgetting under one id, in turn. */
  readonly taskTurns: Turns<TaskId>
  /** Operators' orders about dispatch, one after the other: what is kept is what is in force. */
  readonly modeTurns: Turns<'mode'>
  readonly space: Space
  /** What backups are made of. */
  readonly copied: Store<Table>
  readonly replication: Replication | undefined
  /** Aborted when the orchestrator stops. */
  readonly stopping: AbortSignal
  readonly gateway: Gateway
  readonly events: EventHub
  readonly eventLog: EventLog
  readonly followers: Followers
  readonly campaigns: Campaigns
  readonly webhooks: WebhookSender
  readonly webhookSecrets: WebhookSecrets
  readonly webhookSettings: WebhookSettings
}

export interface Orchestrator {
  readonly services: Services
  /** A worker's socket has opened. */
  connect(socket: WorkerSocket, address?: string): Connection
  /** Tells the workers, finishes what is queued; the store stays open for its owner to close. */
  stop(): Promise<void>
}

const compactionStepsMax = 100

export async function createOrchestrator(
  adapters: OrchestratorAdapters,
  config: OrchestratorConfig,
): Promise<Orchestrator> {
  const { store, blobs, identity, sha256, verify, clock, log } = adapters
  const copied = adapters.copied ?? store
  const ending = new AbortController()
  const space = adapters.space ?? boundlessSpace
  const proofs = adapters.proofs ?? noProofs
  const randomHex = (bytes: number): string => adapters.random(bytes).toHex()
  const metrics = adapters.metrics ?? createMetrics((error) => log.error('figureNotRead', error))
  const events = createEventHub()
  const eventLog = await openEventLog(store, config.eventLog ?? defaultEventLogPolicy)
  const followers = createFollowers({ events: eventLog, clock, log, metrics })
  const audit = await openAudit(store, clock, sha256)
  const apiKeys = await openApiKeys(store, clock, sha256, randomHex, audit)
  const workPolicy = await openWorkPolicy(store, clock, audit)
  const keeper = await openBlobKeeper(store, blobs, clock, config.blobs)
  const replication = adapters.hasLog
    ? createReplication({
        store: copied,
        keeper,
        clock,
        deposed: () => adapters.fatal(new Error('another orchestrator was promoted in place of this one')),
      })
    : undefined
  const payloads = createPayloads(store, keeper, undefined, sha256)
  const archive = createArchive(store, payloads)
  const bookkeeper = await openBookkeeper({
    store,
    clock,
    log,
    parameters: config.book,
    grantMicroCredit: config.grantMicroCredit,
    fatal: adapters.fatal,
  })
  const { epoch, secret } = await openCounters(store, adapters.random)
  const sign = (payload: Uint8Array) => identity.sign(payload)
  const signer = createSigner(sign, sha256)
  const evidenceOf = createEvidence({ signer, publicKey: identity.publicKey, sha256, payloads })
  const orchestratorId = orchestratorIdOf(identity.publicKey, sha256)

  const gateway = createGateway({
    sha256,
    verify,
    signer,
    payloads,
    proofs,
    log,
    sign,
    clock,
    random: adapters.random,
    admission: config.admission,
    openings: adapters.openings,
    dispatcher: () => dispatcher,
    stake: (workerId) => bookkeeper.stake(workerId),
    storeOutput: (digest, bytes, owner) => keeper.keep(digest, bytes, owner),
  })

  const { open = openLocalThread(adapters.checks), count = 1 } = adapters.checkThreads ?? {}
  const checked = {
    right: metrics.checks.bind({ verdict: 'right' }),
    wrong: metrics.checks.bind({ verdict: 'wrong' }),
    failed: metrics.checks.bind({ verdict: 'failed' }),
  }
  const checker = createChecker({
    payloads,
    adapters: adapters.checks,
    log,
    pool: createPool({
      open,
      threads: count,
      clock,
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      replaced: (reason) => log.error('checkThreadReplaced', new Error(reason)),
    }),
    readBlob: (digest) => keeper.bytes(digest),
    isWanted(deliveryId) {
      const { deliveries, audits } = dispatcher.state()
      return deliveries.has(deliveryId) || audits.has(deliveryId)
    },
    isOpen: (taskId) => dispatcher.state().tasks.has(taskId),
    after: clock.after,
    afterTurn: (act) => void setImmediate(act),
    nowMs: () => performance.now(),
    checked: (result, ms) => checked[result].observe(ms / 1000),
    post(happening) {
      // A failed commit is reported once, through the dispatcher's `fatal`.
      const decided = dispatcher.post(happening)?.catch(() => {}) ?? Promise.resolve()
      if ('deliveryId' in happening) void decided.then(() => letGo(happening.deliveryId))
    },
  })

  /** An answer is kept until its verdict, and while it is still being checked after its task has ended. */
  function letGo(deliveryId: DeliveryId): void {
    const { deliveries, audits } = dispatcher.state()
    if (!deliveries.has(deliveryId) && !audits.has(deliveryId)) payloads.dropAnswer(deliveryId)
  }

  function perform(effects: readonly Effect[]): void {
    gateway.perform(effects)
    figures.performed(effects)
    for (const effect of effects) {
      if (effect.kind === 'settle') letGo(effect.deliveryId)
      if (effect.kind !== 'publish') continue
      events.publish(effect)
      // By what was recorded and not by how the task is: its end may be decided already, and not be durable.
      if (!finalEventTypes.includes(effect.entry.type)) continue
      payloads.dropInput(effect.task.spec.taskId)
      campaigns.taskEnded(effect.task)
    }
  }

  const figures = createDispatchFigures(metrics, clock, { dispatcher: () => dispatcher, bookkeeper })

  const settings = { policy: config.dispatch, sha256, epoch, secret }
  const mode = await readDispatchMode(store)
  if (mode !== 'running') log.warn('dispatchNotRunning', { mode })
  const recovered = recover(settings, { ...(await archive.live(bookkeeper.stake)), mode }, clock.nowMs())
  const dispatcher = createDispatcher(
    {
      clock,
      save: createCommit({
        evidenceOf,
        store,
        clock,
        archive,
        bookkeeper,
        eventLog,
        written: figures.written,
      }),
      begin: checker.begin,
      perform,
      fatal: adapters.fatal,
    },
    recovered,
  )

  const { feePermille } = config.book
  const webhookSettings = config.webhooks ?? { reach: 'public', resolve: systemResolve }
  const webhookSecrets = createWebhookSecrets(store, sha256)
  const submitter = createSubmitter({
    store,
    blobs,
    clock,
    sha256,
    keeper,
    payloads,
    bookkeeper,
    workPolicy,
    dispatcher,
    feePermille,
    space,
  })
  const campaigns: Campaigns = createCampaigns({
    store,
    blobs,
    keeper,
    clock,
    log,
    sha256,
    submitter,
    feePermille,
    proofKinds: () => proofs.kinds,
    webhook: (event) => webhooks.add(event),
    fatal: adapters.fatal,
  })
  const webhooks = createWebhookSender({
    store,
    rows: campaigns.rows,
    secrets: webhookSecrets,
    clock,
    log,
    sha256,
    resolve: webhookSettings.resolve,
    urlPolicy: urlPolicyOf(webhookSettings.reach),
    authorities: config.webhooks?.authorities,
  })

  /** Answers of open tasks are not referred to yet, and must not go. */
  function digestsInUse(): ReadonlySet<Digest> {
    const inUse = new Set<Digest>()
    const { deliveries, audits } = dispatcher.state()
    for (const { outputDigest } of [...deliveries.values(), ...audits.values()]) {
      if (outputDigest !== undefined) inUse.add(outputDigest)
    }
    return inUse
  }

  let collecting: Promise<void> = Promise.resolve()
  let cancelCollect = clock.after(config.collectMs, collect)
  function collect(): void {
    const inUse = digestsInUse()
    // What is in use no more because it was decided is referred to once that is durable.
    collecting = dispatcher
      .caughtUp()
      .then(() => keeper.collect(inUse))
      .then((dropped) => {
        if (dropped > 0) log.info('blobsCollected', { dropped })
      })
      .catch((error: unknown) => log.error('blobsNotCollected', error))
      .then(compactEvents)
      .then(forgetOld)
      .catch((error: unknown) => log.error('eventsNotCompacted', error))
      .finally(() => {
        cancelCollect = clock.after(config.collectMs, collect)
      })
  }

  const taskTurns = createTurns<TaskId>()
  const retention = createRetention({
    store,
    archive,
    taskTurns,
    isWanted({ spec: { taskId, campaignId } }) {
      if (campaignId !== undefined && campaigns.isLive(campaignId)) return true
      return dispatcher.state().auditsOf.has(taskId)
    },
    caughtUp: () => dispatcher.caughtUp(),
  })
  async function forgetOld(): Promise<void> {
    const { retentionMs } = config
    if (retentionMs === undefined) return
    let forgotten = 0
    for (let step = 0; step < compactionStepsMax && !stopping; step++) {
      const done = await retention.step((clock.nowMs() - retentionMs) as TimeMs)
      forgotten += done.forgotten
      if (!done.more) break
    }
    if (forgotten > 0) log.info('tasksForgotten', { forgotten })
  }

  /** In bounded steps, so that nobody waits long for a turn; what is left over is for the next time. */
  async function compactEvents(): Promise<void> {
    for (let step = 0; step < compactionStepsMax && !stopping; step++) {
      if (!(await eventLog.compact(clock.nowMs()))) return
    }
  }

  const newestAtStart = eventLog.newest()
  const loggedEvents = metrics.eventsLogged.bind({})
  const keptEvents = metrics.eventLogBytes.bind({})
  const waitingChecks = metrics.checksWaiting.bind({})
  const spaceFigures = (['enough', 'low', 'spent'] as const).map(
    (state) => [state, metrics.space.bind({ state })] as const,
  )
  const forgetFigures = metrics.onScrape(() => {
    loggedEvents.value = eventLog.newest() - newestAtStart
    keptEvents.set(eventLog.keptBytes())
    waitingChecks.set(checker.waiting())
    for (const [state, figure] of spaceFigures) figure.set(space.state === state ? 1 : 0)
  })

  const connectionParts = {
    clock,
    identity,
    orchestratorId,
    sha256,
    verify,
    events: gateway.events,
    log,
    randomHex,
    closed(connection: Connection) {
      connections.delete(connection)
      handshaking.delete(connection)
    },
  }

  const connections = new Set<Connection>()
  const handshaking = new Set<Connection>()
  let stopping = false

  function countHandshakes(): number {
    let count = 0
    for (const each of handshaking) {
      if (each.isPastHandshake()) handshaking.delete(each)
      else count++
    }
    return count
  }

  function connect(socket: WorkerSocket, address?: string): Connection {
    const connection = openConnection(socket, connectionParts, config.gateway, address)
    connections.add(connection)
    handshaking.add(connection)
    const { connectionsMax, handshakesMax } = config.gateway
    if (stopping) connection.refuse('shuttingDown', 'the orchestrator is stopping; come back in a moment')
    else if (connections.size > connectionsMax) {
      connection.refuse('overloaded', `${connectionsMax} workers are connected already`)
    } else if (countHandshakes() > handshakesMax) {
      connection.refuse('overloaded', `${handshakesMax} others are in their handshake; come back in a moment`)
    }
    return connection
  }

  await campaigns.start()
  await webhooks.start()

  return {
    services: {
      store,
      orchestratorId,
      identity,
      signer,
      sha256,
      clock,
      log,
      metrics,
      requestIds: createRequestIds(randomHex),
      randomHex,
      startedAtMs: clock.nowMs(),
      apiKeys,
      audit,
      limits: countRefusals(createLimits(config.limits, clock), metrics),
      workPolicy,
      archive,
      blobs,
      blobBytesMax: config.blobBytesMax,
      keeper,
      payloads,
      bookkeeper,
      checker,
      proofs,
      dispatcher,
      taskTurns,
      modeTurns: createTurns<'mode'>(),
      space,
      copied,
      replication,
      stopping: ending.signal,
      gateway,
      events,
      eventLog,
      followers,
      campaigns,
      webhooks,
      webhookSecrets,
      webhookSettings,
    },
    connect,
    async stop() {
      stopping = true
      ending.abort()
      for (const connection of [...connections]) {
        connection.refuse('shuttingDown', 'the orchestrator is stopping; come back in a moment')
      }
      gateway.close()
      await followers.stop()
      await collecting
      cancelCollect()
      forgetFigures()
      await campaigns.close()
      await webhooks.close()
      await dispatcher.close()
      checker.close()
      proofs.close()
      await bookkeeper.close()
    },
  }
}
