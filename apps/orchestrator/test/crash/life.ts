/**
 * One life of an orchestrator, composed as it is when it serves, over a store that remembers its writes. Requesters call what
 * HTTP calls; workers are frames' happenings, with answers computed by the definition, or changed by those that lie.
 */
import type { Submission } from '@shardy/api'
import { openCheckTools } from '@shardy/compute'
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { type Delivery, defaultPolicy, type Effect, type Profile, type TaskRecord } from '@shardy/dispatch'
import { defaultParameters } from '@shardy/ledger'
import {
  commitTo,
  type Digest,
  encodeHex,
  type MicroCredit,
  type PublicKey,
  type RequesterId,
  type Signature,
  type TaskId,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'
import type { BlobStore } from '@shardy/storage'
import { decodeProgram, evaluate, matmulProgram } from '@shardy/tensor'
import { defaultLimits } from '../../src/access/limits.ts'
import { defaultBlobPolicy } from '../../src/blobs/keeper.ts'
import { defaultGatewayLimits } from '../../src/gateway/connection.ts'
import type { OpeningsJudge } from '../../src/gateway/openings.ts'
import { cancelTask, submitTask } from '../../src/http/tasks.ts'
import { findTask } from '../../src/http/taskView.ts'
import { type Log, silentLog } from '../../src/log.ts'
import { createOrchestrator, type Orchestrator } from '../../src/orchestrator.ts'
import type { Happening } from '../../src/tasks/dispatcher.ts'
import { isInline } from '../../src/tasks/payloads.ts'
import { createManualClock, type ManualClock } from '../manualClock.ts'
import type { Told } from './witness.ts'
import { blobBytesMax, type LoggedStore } from './writeLog.ts'

export const grantMicroCredit = 1_000_000_000n as MicroCredit
export const parameters = defaultParameters

const identity = await generateIdentity({ extractable: false })
const tools = await openCheckTools(sha256)

export const requesterOf = (index: number): RequesterId => `${index}${index}`.repeat(32) as RequesterId
const workerOf = (index: number): WorkerId => index.toString(16).repeat(64) as WorkerId

const profile: Profile = {
  kinds: ['program'],
  tier: 3,
  operationsPerSecond: 1_000_000_000,
  hiddenPermille: 1000,
  operator: '',
  hardwareClass: 'any',
  features: [],
  region: '',
  latencyMs: 10,
  payloadBytesMax: blobBytesMax,
  memoryBytes: 1024 ** 3,
  slots: 4,
  prefetch: 4,
  askMicroCredit: 0n as MicroCredit,
}

/** What a worker does with what it is given. */
export type Manner = 'honest' | 'lying' | 'silent' | 'rejecting' | 'secretive'

export interface Asked {
  readonly key: string
  readonly requester: number
  readonly submission: Submission
}

/** The same for the same key, in every life. */
export function asked(key: string, requester: number, more: Partial<Submission> = {}, size = 3): Asked {
  const shape = { op: 'matmul', m: size, k: 5, n: size } as const
  const seed = sha256(new TextEncoder().encode(key))
  const input = Uint8Array.from({ length: 2 * size * 5 }, (_, index) => seed[index % 32] ?? 0)
  const submission = {
    kind: 'program',
    program: shape,
    input: { base64: input.toBase64() },
    ...more,
  } as const
  return { key, requester, submission }
}

export function answerTo({ submission }: Asked): Uint8Array {
  const { program, input } = submission
  if (!('op' in program) || !('base64' in input)) throw new Error('only products are asked for here')
  return evaluate(matmulProgram(program as never), Uint8Array.fromBase64(input.base64))
}

const nobodyIsMeasured: OpeningsJudge = {
  prepare: () => {},
  check: async () => {
    throw new Error('workers are taken at their word here')
  },
  close: () => {},
}

export interface Life {
  readonly orchestrator: Orchestrator
  readonly clock: ManualClock
  readonly told: Told[]
  /** What should never have happened, in the orchestrator's own words. */
  readonly errors: readonly string[]
  submit(asked: Asked): Promise<TaskId>
  cancel(taskId: TaskId): Promise<void>
  requeue(taskId: TaskId): Promise<void>
  join(worker: number): Promise<void>
  leave(worker: number): Promise<void>
  /** An honest answer, whatever was said before. */
  answer(delivery: Delivery): Promise<boolean>
  /** Until nobody has anything to say at this time. */
  work(manners?: Readonly<Record<number, Manner>>): Promise<void>
  advance(byMs: number): Promise<void>
  task(taskId: TaskId): Promise<TaskRecord | undefined>
  stop(): Promise<void>
}

const salt = 'ab'.repeat(32)
const turnsMax = 500

export async function beginLife(store: LoggedStore, blobs: BlobStore, startMs: number): Promise<Life> {
  const clock = createManualClock(startMs)
  store.clock = clock
  const told: Told[] = []
  const errors: string[] = []
  const log: Log = {
    ...silentLog,
    error: (event, error) => void errors.push(`${event}: ${error instanceof Error ? error.message : error}`),
  }
  let drawn = 0
  // The same bytes in every run, so that a failure is found again.
  const random = (length: number): Uint8Array =>
    sha256(Uint8Array.of(length, ++drawn & 255, drawn >> 8, startMs & 255)).slice(0, length)
  const orchestrator = await createOrchestrator(
    {
      store,
      blobs,
      identity,
      sha256,
      verify: verifySignature,
      clock,
      log,
      random,
      checks: { tools, random },
      openings: nobodyIsMeasured,
      fatal: (error) => void errors.push(`fatal: ${error instanceof Error ? error.stack : error}`),
    },
    {
      dispatch: { ...defaultPolicy, attemptsMax: 4 },
      blobs: defaultBlobPolicy,
      gateway: defaultGatewayLimits,
      limits: defaultLimits,
      admission: 'ownWord',
      book: parameters,
      grantMicroCredit,
      blobBytesMax,
      collectMs: 60_000,
    },
  )
  const { services } = orchestrator
  const { dispatcher, payloads, bookkeeper, checker, keeper } = services

  function tell(promised: Told['promised']): void {
    told.push({ promised, writes: store.writes.length })
  }

  function hear(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'settle') {
        const { deliveryId, workerId, outcome, rewardMicroCredit } = effect
        tell({ kind: 'settled', deliveryId, workerId, outcome, rewardMicroCredit })
      }
      if (effect.kind === 'deliver') {
        const { deliveryId, task } = effect.delivery
        tell({ kind: 'delivered', taskId: task.spec.taskId, deliveryId })
      }
      if (effect.kind !== 'publish') continue
      const { type } = effect.entry
      const { taskId } = effect.task.spec
      if (type === 'requeued') tell({ kind: 'requeued', taskId })
      const ended = endings[type as keyof typeof endings]
      if (ended !== undefined) tell({ kind: 'ended', taskId, status: ended })
    }
  }

  // What is told goes out through one door, whatever brought it about.
  const perform = services.gateway.perform
  services.gateway.perform = (effects) => {
    hear(effects)
    perform(effects)
  }

  async function post(happening: Happening): Promise<void> {
    const posted = dispatcher.post(happening)
    if (posted === undefined) throw new Error('the dispatcher takes nothing')
    await posted
  }

  /** Everything that is under way, timers aside. */
  async function quiet(): Promise<void> {
    for (let turn = 0; turn < turnsMax; turn++) {
      await dispatcher.caughtUp()
      await new Promise((resolve) => setImmediate(resolve))
      if (dispatcher.queued() === 0 && checker.waiting() === 0) return
    }
    throw new Error('there is no end to it')
  }

  async function inputOf(task: Delivery['task']): Promise<Uint8Array> {
    return payloads.input(task.spec)
  }

  async function answerOf({ task }: Delivery, manner: Manner): Promise<Uint8Array> {
    const decoded = decodeProgram(task.spec.program)
    if (!decoded.ok) throw new Error('a broken program')
    const output = evaluate(decoded.value, await inputOf(task)).slice()
    if (manner === 'lying') output[0] = (output[0] ?? 0) ^ 1
    return output
  }

  /** Whether the worker had something to say about it. */
  async function tend(delivery: Delivery, manner: Manner): Promise<boolean> {
    const { workerId, deliveryId, task, worker } = delivery
    if (worker === undefined || manner === 'silent') return false
    if (manner === 'rejecting' && (delivery.state === 'leased' || delivery.state === 'computing')) {
      await post({ kind: 'rejected', workerId, deliveryId, reason: 'busy', message: 'not now' })
      return true
    }
    const isCommitFirst = task.spec.verify.mode === 'quorum'
    switch (delivery.state) {
      case 'leased':
        await post({ kind: 'acked', workerId, deliveryId })
        return true
      case 'computing': {
        if (!isCommitFirst) return answer(delivery, manner)
        const outputDigest = digestOf(await answerOf(delivery, manner))
        const commitment = commitTo(
          { workerId, deliveryId, outputDigest, traceRoot: undefined, salt },
          sha256,
        )
        await post({ kind: 'committed', workerId, deliveryId, commitment })
        return true
      }
      case 'revealing':
        if (manner === 'secretive') return false
        return answer(delivery, manner)
      default:
        return false
    }
  }

  async function answer(delivery: Delivery, manner: Manner): Promise<boolean> {
    const { workerId, deliveryId, task } = delivery
    const output = await answerOf(delivery, manner)
    const outputDigest = digestOf(output)
    // As the gateway does before it passes an answer on.
    const { keepOutput, outputLength, requesterId } = task.spec
    if (keepOutput && !isInline(outputLength)) await keeper.keep(outputDigest, output, requesterId)
    payloads.holdAnswer(deliveryId, { output, transcript: [] })
    await post({
      kind: 'answered',
      workerId,
      deliveryId,
      outputDigest,
      traceRoot: undefined,
      salt: task.spec.verify.mode === 'quorum' ? salt : undefined,
      attestation: { signature: new Uint8Array(64).fill(1) as Signature, index: 0, count: 1, path: [] },
      stake: bookkeeper.stake(workerId),
    })
    return true
  }

  return {
    orchestrator,
    clock,
    told,
    errors,
    async submit({ key, requester, submission }) {
      const { task } = await submitTask(services, submission, key, requesterOf(requester))
      const { taskId } = task.spec
      tell({ kind: 'accepted', taskId })
      return taskId
    },
    async cancel(taskId) {
      const task = await findTask(services, taskId)
      if (task !== undefined) await cancelTask(services, task)
    },
    async requeue(taskId) {
      const task = await services.archive.task(taskId)
      if (task === undefined) throw new Error(`there is no task ${taskId}`)
      await post({ kind: 'requeue', task, deadlineMs: (clock.nowMs() + 600_000) as TimeMs })
    },
    join(worker) {
      const workerId = workerOf(worker)
      const publicKey = new Uint8Array(65).fill(worker).with(0, 4) as PublicKey
      return post({ kind: 'workerJoined', workerId, publicKey, profile })
    },
    answer: (delivery) => answer(delivery, 'honest'),
    leave: (worker) => post({ kind: 'workerLeft', workerId: workerOf(worker) }),
    async work(manners = {}) {
      for (let turn = 0; turn < turnsMax; turn++) {
        await quiet()
        let isActive = false
        for (const delivery of [...dispatcher.state().deliveries.values()]) {
          const manner = manners[Number.parseInt(delivery.workerId[0] ?? '', 16)] ?? 'honest'
          // Several may be under way at once, as they are on a network.
          if (await tend(delivery, manner)) isActive = true
        }
        if (!isActive) return
      }
      throw new Error('the workers never come to rest')
    },
    async advance(byMs) {
      clock.advance(byMs)
      await quiet()
    },
    task: (taskId) => findTask(services, taskId),
    stop: () => orchestrator.stop(),
  }
}

export const digestOf = (bytes: Uint8Array): Digest => encodeHex(sha256(bytes)) as Digest

const endings = {
  task_verified: 'verified',
  task_accepted: 'accepted',
  task_dead: 'dead',
  task_cancelled: 'cancelled',
} as const
