/**
 * An orchestrator's process in the simulation: the parts that are served, over a disk that may be cut, between a door for requesters
 * and one for workers. Both doors stand in for HTTP and gateway: they verify what those verify, by comparing names
 * instead of computing signatures.
 */
import {
  type Archive,
  type BlobKeeper,
  type Bookkeeper,
  type Checker,
  type Clock,
  createArchive,
  createChecker,
  createCommit,
  createDispatcher,
  createIncoming,
  createPayloads,
  createPool,
  createTurns,
  type Dispatcher,
  defaultEventLogPolicy,
  describe,
  type Happening,
  type Log,
  newTask,
  noProofs,
  type OpenThread,
  openBookkeeper,
  openCounters,
  openEventLog,
  openLocalThread,
  type Payloads,
  type Request,
  type Table,
  taskIdOf,
} from '@shardy/app-orchestrator/parts'
import { sha256 } from '@shardy/crypto/native'
import { type Effect, isCommitFirst, type Profile, recover, type Stake } from '@shardy/dispatch'
import {
  type DeliveryId,
  endingOf,
  type PublicKey,
  type RequesterId,
  type Results,
  type TaskId,
  type TaskStatus,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import { pureTools } from '@shardy/tensor/check'
import type { Disk } from './disk.ts'
import type { FromWorker, ToWorker } from './message.ts'
import type { Oracle } from './oracle.ts'
import type { Planted, Seen } from './plant.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'
import { bookParameters, grantMicroCredit, policy } from './settings.ts'
import { verify } from './signing.ts'
import { digestOf, type Work } from './work.ts'

export interface Host {
  readonly dispatcher: Dispatcher
  readonly bookkeeper: Bookkeeper
  readonly archive: Archive
  readonly payloads: Payloads
  readonly checker: Checker
  readonly store: Store<Table>
  joined(workerId: WorkerId, publicKey: PublicKey, profile: Profile): void
  left(workerId: WorkerId): void
  benchmarked(workerId: WorkerId, profile: Profile): void
  drain(workerId: WorkerId, draining: boolean): void
  said(workerId: WorkerId, message: FromWorker): void
  /** The id once the task is durable, under which it is known for good. */
  submit(asked: Asked): Promise<TaskId | undefined>
  cancel(taskId: TaskId): void
  requeue(taskId: TaskId, timeoutMs: number): Promise<void>
}

export interface Asked {
  readonly requesterId: RequesterId
  readonly key: string
  readonly request: Request
  readonly work: Work
}

export interface HostParts {
  readonly schedule: Schedule
  readonly disk: Disk
  readonly random: Random
  readonly oracle: Oracle
  readonly planted: Planted
  isAlive(): boolean
  /** To the worker's session, if it has one. */
  send(workerId: WorkerId, message: ToWorker): void
  /** Somebody may be told so. */
  ended(taskId: TaskId, status: TaskStatus): void
  /** A part threw: a bug, or a violation that was found inside. */
  broken(error: unknown): void
}

const tools = pureTools(sha256)
const adapters = { tools, random: (length: number) => new Uint8Array(length).fill(7) }
/** What a stranger would check is made elsewhere; here it is enough that each offence has its own. */
async function evidenceOf({ deliveryId }: { readonly deliveryId: DeliveryId }) {
  const bytes = new TextEncoder().encode(deliveryId)
  return { bytes, digest: digestOf(bytes) }
}

/** Every answer here is small enough to lie beside its task. */
const noBlobs = {
  bytes: async (digest: string) => {
    throw new Error(`there is no blob ${digest}`)
  },
} as unknown as BlobKeeper

function quiet(oracle: Oracle): Log {
  const nothing = (): void => {}
  const log: Log = {
    isDebug: false,
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: (event, error, fields) => oracle.logged(event, error, fields),
    sampled: nothing,
    child: () => log,
  }
  return log
}

export async function openHost(parts: HostParts): Promise<Host> {
  const { schedule, disk, random, oracle, planted, isAlive } = parts
  const store = planted.store?.(disk.open()) ?? disk.open()
  const clock: Clock = {
    nowMs: () => schedule.nowMs,
    after: (delayMs, act) => schedule.after(delayMs, () => isAlive() && act()),
  }
  const log = quiet(oracle)
  const payloads = createPayloads(store, noBlobs)
  const archive = createArchive(store, payloads)
  const bookkeeper = await openBookkeeper({
    store,
    clock,
    log,
    parameters: bookParameters,
    grantMicroCredit,
    fatal: parts.broken,
  })
  function stakeOf(workerId: WorkerId): Stake {
    const stake = bookkeeper.stake(workerId)
    oracle.adaptive.staked(workerId, stake.lockedMicroCredit)
    return stake
  }

  const counters = await openCounters(store, (length) => new Uint8Array(length).fill(random.below(256)))
  const epoch = planted.epoch?.(counters.epoch) ?? counters.epoch
  const settings = { policy, sha256, epoch, secret: counters.secret }
  const opened = recover(settings, { ...(await archive.live(stakeOf)), mode: 'running' }, clock.nowMs())
  const recovered = planted.recovered?.(opened) ?? opened
  const { state } = recovered
  const eventLog = await openEventLog(store, defaultEventLogPolicy)
  const taskTurns = createTurns<TaskId>()

  const plannedOf = (happening: Happening): Happening => planted.happening?.(happening, state) ?? happening

  function post(happening: Happening): Promise<readonly Effect[]> | undefined {
    if (!isAlive()) return undefined
    const posted = dispatcher.post(plannedOf(happening))
    posted?.catch(() => {})
    return posted
  }

  function letGo(deliveryId: DeliveryId): void {
    if (!state.deliveries.has(deliveryId) && !state.audits.has(deliveryId)) payloads.dropAnswer(deliveryId)
  }

  const keys = new Map<WorkerId, PublicKey>()
  const incoming = createIncoming({
    sha256,
    verify,
    payloads,
    proofs: noProofs,
    asked: () => undefined,
    // Floats are bytes of no shader's here.
    floatFlaw: () => undefined,
    log,
    state: () => state,
    stake: stakeOf,
    postAll: (_workerId, happenings) =>
      dispatcher.postAll(isAlive() ? happenings.map(plannedOf) : [], () => 'ifThereIsRoom'),
    storeOutput: async () => {},
    random: (length) => new Uint8Array(length),
    send: () => {},
  })

  /** Threads take their time, and now and then one dies over what it was asked. */
  const openThread: OpenThread = (events) =>
    openLocalThread(adapters)({
      ...events,
      said(reply) {
        clock.after(random.below(3_000), () => {
          if (random.chance(0.02)) events.died('it was killed')
          else events.said(reply)
        })
      },
    })

  const checker = createChecker({
    payloads,
    adapters,
    log,
    pool: createPool({
      open: openThread,
      threads: 2,
      clock,
      pause: () => new Promise((resolve) => void clock.after(0, resolve)),
    }),
    readBlob: noBlobs.bytes,
    isWanted: (deliveryId) => state.deliveries.has(deliveryId) || state.audits.has(deliveryId),
    isOpen: (taskId) => state.tasks.has(taskId),
    after: clock.after,
    afterTurn: (act) => void clock.after(0, act),
    nowMs: () => clock.nowMs(),
    post(happening) {
      const letsGo = (): void => {
        if ('deliveryId' in happening) letGo(happening.deliveryId)
      }
      if (happening.kind === 'checked' && isAlive()) {
        oracle.found(happening.deliveryId, happening.verdict.kind === 'wrong', clock.nowMs())
      }
      post(happening)?.then(letsGo, () => {})
    },
  })

  const commit = createCommit({
    store,
    clock,
    archive,
    bookkeeper: {
      entryOf: bookkeeper.entryOf,
      post(entries) {
        const posted = planted.entries?.(entries, oracle.saving) ?? entries
        oracle.posting(posted)
        return bookkeeper.post(posted)
      },
    },
    evidenceOf,
    eventLog,
  })
  const save = planted.save?.(commit) ?? commit

  function perform(effects: readonly Effect[]): void {
    const carriedOut = planted.perform?.(effects, state) ?? effects
    oracle.performing(carriedOut, state)
    for (const effect of carriedOut) {
      switch (effect.kind) {
        case 'deliver': {
          const { task, delivery } = effect
          const { deliveryId, workerId } = delivery
          const described = { ...describe(delivery), programId: task.spec.programId }
          parts.send(workerId, { kind: 'deliver', deliveryId, described, commitsFirst: isCommitFirst(task) })
          break
        }
        case 'closeCommitments':
          parts.send(effect.workerId, { kind: 'closed', deliveryId: effect.deliveryId })
          break
        case 'cancelDelivery':
          parts.send(effect.workerId, { kind: 'cancelled', deliveryId: effect.deliveryId })
          break
        case 'settle': {
          const { workerId, deliveryId, outcome } = effect
          parts.send(workerId, { kind: 'settled', deliveryId, isAccepted: outcome === 'accepted' })
          letGo(deliveryId)
          break
        }
        case 'benchmark':
          parts.send(effect.workerId, { kind: 'benchmark' })
          break
        case 'publish': {
          const ending = endingOf(effect.entry.type)
          if (ending === undefined) break
          payloads.dropInput(effect.task.spec.taskId)
          parts.ended(effect.task.spec.taskId, ending)
          break
        }
        default:
      }
    }
  }

  const seen: Seen = {
    answerOf: (deliveryId) => payloads.answer(deliveryId)?.output,
    rightOf: (taskId) => oracle.workOf(taskId).right.output,
  }
  const dispatcher = createDispatcher(
    {
      clock,
      async save(changes) {
        oracle.commits(changes, state)
        await save(changes)
      },
      begin: planted.begin?.(checker.begin, seen) ?? checker.begin,
      perform,
      fatal: parts.broken,
    },
    recovered,
  )

  function answered(workerId: WorkerId, results: Results): void {
    const key = keys.get(workerId)
    if (key !== undefined) incoming.batchAnswered(workerId, key, results).catch(parts.broken)
  }

  async function takeIn({ requesterId, request, work, key }: Asked): Promise<TaskId | undefined> {
    const taskId = taskIdOf(requesterId, key, sha256)
    const asked = newTask(request, work.inputDigest, requesterId, taskId, clock.nowMs(), sha256)
    const earlier = state.tasks.get(taskId) ?? (planted.forgetsEnded ? undefined : await archive.task(taskId))
    if (earlier !== undefined) {
      await dispatcher.caughtUp()
      return earlier.spec.requestDigest === asked.requestDigest ? taskId : undefined
    }
    const { rewardMicroCredit } = request
    await bookkeeper.welcome(requesterId)
    if (bookkeeper.reserve(requesterId, rewardMicroCredit) !== undefined) return undefined
    try {
      payloads.holdInput(taskId, work.input)
      const effects = await post({ kind: 'submit', task: asked })
      if (effects === undefined || effects.some(({ kind }) => kind === 'refused')) return undefined
      // Memory may be wanted for others: then the input is read from the disk when it is needed.
      if (random.chance(0.2)) payloads.dropInput(taskId)
      return taskId
    } finally {
      bookkeeper.release(requesterId, rewardMicroCredit)
    }
  }

  const host: Host = {
    dispatcher,
    bookkeeper,
    archive,
    payloads,
    checker,
    store,
    joined(workerId, publicKey, profile) {
      keys.set(workerId, publicKey)
      post({ kind: 'workerJoined', workerId, publicKey, profile })
    },
    left: (workerId) => void post({ kind: 'workerLeft', workerId }),
    benchmarked: (workerId, profile) =>
      void post({ kind: 'benchmarked', workerId, profile, askedAtMs: clock.nowMs() }),
    drain: (workerId, draining) => void post({ kind: 'drainWorker', workerId, draining }),
    said(workerId, message) {
      switch (message.kind) {
        case 'answered':
          return answered(workerId, message.results)
        case 'rejected':
          return void post({ ...message, workerId, message: 'not today' })
        default:
          return void post({ ...message, workerId } as Happening)
      }
    },
    submit: (asked) => taskTurns.take(taskIdOf(asked.requesterId, asked.key, sha256), () => takeIn(asked)),
    cancel: (taskId) => void post({ kind: 'cancel', taskId }),
    async requeue(taskId, timeoutMs) {
      const task = await archive.task(taskId)
      if (task?.status !== 'dead') return
      const { requesterId, rewardMicroCredit } = task.spec
      if (bookkeeper.reserve(requesterId, rewardMicroCredit) !== undefined) return
      try {
        oracle.requeueing(taskId)
        await post({ kind: 'requeue', task, deadlineMs: (clock.nowMs() + timeoutMs) as TimeMs })
      } finally {
        bookkeeper.release(requesterId, rewardMicroCredit)
      }
    },
  }
  return host
}
