/** Between dispatch and the workers' connections: frames become happenings, effects become frames. */
import type { AdmissionPolicy, Measurement } from '@shardy/admission'
import {
  type Delivery,
  type DispatchState,
  type Effect,
  explainIdle,
  type Profile,
  type Stake,
} from '@shardy/dispatch'
import type {
  DeliveryId,
  Digest,
  Frame,
  Hello,
  PresenceState,
  ProfileV2,
  PublicKey,
  RequesterId,
  Sha256,
  Signature,
  TimeMs,
  WantedProof,
  WorkerId,
} from '@shardy/protocol'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Proofs } from '../proofs/proofs.ts'
import type { Signer } from '../signer.ts'
import { type Dispatcher, type Happening, type Posted, queuedMax } from '../tasks/dispatcher.ts'
import type { Payloads } from '../tasks/payloads.ts'
import { createAdmission } from './admission.ts'
import type { Connection, WorkerEvents } from './connection.ts'
import { createFloatFlaw } from './floatForm.ts'
import type { Verify } from './handshake.ts'
import { createIdleNotices } from './idleNotices.ts'
import { createIncoming } from './incoming.ts'
import type { OpeningsJudge } from './openings.ts'
import { createOutgoing } from './outgoing.ts'
import {
  admittedFrame,
  believed,
  likenessOf,
  type MeasuredFacts,
  measuredOf,
  measuredProfile,
  profileOf,
} from './profile.ts'

export interface GatewayParts {
  readonly sha256: Sha256
  readonly verify: Verify
  readonly signer: Signer
  readonly payloads: Payloads
  readonly proofs: Proofs
  readonly log: Log
  readonly clock: Clock
  readonly admission: AdmissionPolicy | 'ownWord'
  readonly openings: OpeningsJudge
  random(length: number): Uint8Array
  dispatcher(): Dispatcher
  stake(workerId: WorkerId): Stake
  sign(payload: Uint8Array): Promise<Signature>
  storeOutput(digest: Digest, bytes: Uint8Array, owner: RequesterId): Promise<void>
}

/** What a person wants to know of a connected worker beyond what dispatch needs. */
export interface WorkerFacts {
  readonly agent: string
  readonly executor: string
  readonly adapter: string
  /** Absent where workers are believed. */
  readonly measured?: MeasuredFacts
}

interface Present {
  readonly connection: Connection
  readonly publicKey: PublicKey
  readonly facts: Pick<WorkerFacts, 'agent' | 'executor' | 'adapter'>
  readonly hello: Hello
  /** The newest; what it changes counts once it was measured again. */
  said: ProfileV2
  readonly address: string
  presence: Exclude<PresenceState, 'leaving'>
  hasJoined: boolean
  measurement: Measurement | undefined
  /** What of it waits to be decided. */
  undecided: number
}

/** How often one worker is told at most why it gets nothing. */
const idleEveryMs = 10_000

function profileFor({ hello, said, measurement }: Present): Profile {
  return profileOf(
    hello,
    said,
    measurement === undefined ? believed(said) : measuredProfile(said, measurement),
  )
}

export interface Gateway {
  readonly events: WorkerEvents
  /** Carries out the effects that concern workers, all of one commit together. */
  perform(effects: readonly Effect[]): void
  facts(workerId: WorkerId): WorkerFacts | undefined
  permille(deliveryId: DeliveryId): number | undefined
  close(): void
}

export function createGateway(parts: GatewayParts): Gateway {
  const { log, payloads } = parts
  const present = new Map<WorkerId, Present>()
  const progress = new Map<DeliveryId, number>()
  const state = (): DispatchState => parts.dispatcher().state()

  /**
   * Resolves once it is decided; undefined when it could not be queued, which ends its worker's connection. A queue that others
   * have filled takes what a worker says all the same, up to its equal share: those who flood it go, and nobody else.
   */
  function post(happening: Happening): Promise<void> | undefined {
    const dispatcher = parts.dispatcher()
    const speaker = 'workerId' in happening ? present.get(happening.workerId) : undefined
    const isWithinShare = speaker !== undefined && speaker.undecided < Math.max(1, queuedMax / present.size)
    const posted = dispatcher.post(happening, isWithinShare ? 'owed' : 'ifThereIsRoom')
    if (posted === undefined) {
      notTaken(happening)
      return undefined
    }
    if (speaker !== undefined) speaker.undecided++
    const decided = (): void => {
      if (speaker !== undefined) speaker.undecided--
    }
    // A failed commit is reported once, through the dispatcher's `fatal`.
    return posted.then(decided, decided)
  }

  /** The same for all that one frame says; resolves once all of it is decided. */
  function postAll(workerId: WorkerId, happenings: readonly Happening[]): Posted {
    const dispatcher = parts.dispatcher()
    const speaker = present.get(workerId)
    const share = Math.max(1, queuedMax / present.size)
    const before = speaker?.undecided ?? share
    const posted = dispatcher.postAll(happenings, (index) =>
      before + index < share ? 'owed' : 'ifThereIsRoom',
    )
    const { taken } = posted
    if (taken < happenings.length) notTaken(happenings[taken] as Happening)
    if (speaker === undefined) return posted
    speaker.undecided += taken
    const decided = posted.decided.then(() => {
      speaker.undecided -= taken
    })
    return { taken, decided }
  }

  function notTaken(happening: Happening): void {
    log.info('happeningDropped', { kind: happening.kind })
    if (!('workerId' in happening)) return
    const code = parts.dispatcher().isClosed() ? 'shuttingDown' : 'overloaded'
    present.get(happening.workerId)?.connection.refuse(code, 'what was said could not be taken')
  }

  /** What is said about others' deliveries, or about none, never comes as far as the queue. */
  const isOwn = (workerId: WorkerId, deliveryId: DeliveryId): boolean =>
    state().deliveries.get(deliveryId)?.workerId === workerId

  const isOpen = ({ deliveryId }: Delivery): boolean => state().deliveries.has(deliveryId)
  /** With which key: one that is still accepted is no other's to choose. A worker that is gone answers nothing, so none outlive us. */
  const askedProofs = new WeakMap<Delivery, WantedProof>()
  const outgoing = createOutgoing({
    sha256: parts.sha256,
    signer: parts.signer,
    payloads,
    proofs: parts.proofs,
    log,
    sign: parts.sign,
    lineOf: (workerId) => present.get(workerId)?.connection,
    isWanted: isOpen,
    asked: (delivery, proof) => askedProofs.set(delivery, proof),
    failed({ workerId, deliveryId }, detail) {
      post({ kind: 'unsent', workerId, deliveryId, detail })
    },
  })
  const incoming = createIncoming({
    sha256: parts.sha256,
    verify: parts.verify,
    payloads,
    proofs: parts.proofs,
    log,
    state,
    stake: parts.stake,
    asked: (delivery) => askedProofs.get(delivery),
    floatFlaw: createFloatFlaw(),
    postAll,
    storeOutput: parts.storeOutput,
    random: parts.random,
    send,
  })

  function changePresence(workerId: WorkerId, presence: PresenceState): Promise<void> | undefined {
    const worker = present.get(workerId)
    if (worker === undefined) return undefined
    if (presence !== 'leaving') {
      worker.presence = presence
      admission?.presence(workerId, presence)
    }
    return worker.hasJoined ? post({ kind: 'presence', workerId, state: presence }) : undefined
  }

  function said(workerId: WorkerId, { type, body }: Frame): Promise<void> | undefined {
    switch (type) {
      case 'presence':
        return changePresence(workerId, body.state)
      case 'ack':
        if (!isOwn(workerId, body.deliveryId)) return undefined
        return post({ kind: 'acked', workerId, deliveryId: body.deliveryId })
      case 'progress': {
        const delivery = state().deliveries.get(body.deliveryId)
        if (delivery?.workerId === workerId && delivery.worker !== undefined) {
          progress.set(body.deliveryId, body.permille)
        }
        return undefined
      }
      case 'reject':
        if (!isOwn(workerId, body.deliveryId)) return undefined
        return post({ kind: 'rejected', workerId, ...body })
      case 'commits': {
        const own = body.commits.filter(({ deliveryId }) => isOwn(workerId, deliveryId))
        return postAll(
          workerId,
          own.map((commit) => ({ kind: 'committed', workerId, ...commit })),
        ).decided
      }
      case 'results': {
        const key = present.get(workerId)?.publicKey
        return key && incoming.batchAnswered(workerId, key, body)
      }
      case 'auditSums':
        return incoming.audits.sumsCame(workerId, body)
      case 'auditProof':
        return incoming.audits.proofCame(workerId, body)
      default:
        throw new Error(`a connection does not pass on ${type}`)
    }
  }

  const admission =
    parts.admission === 'ownWord'
      ? undefined
      : createAdmission(parts.admission, {
          clock: parts.clock,
          sha256: parts.sha256,
          judge: parts.openings,
          log,
          random: parts.random,
          send,
          refuse: (workerId, code, message) => present.get(workerId)?.connection.refuse(code, message),
          hold: (workerId, measuring) => post({ kind: 'measuring', workerId, measuring }),
          isComputing: (workerId) => (state().workers.get(workerId)?.computing ?? 0) > 0,
          admitted: (workerId, measurement) => join(workerId, measurement),
          remeasured: takeMeasurement,
        })

  const notices = createIdleNotices(
    {
      clock: parts.clock,
      workers: () => present.keys(),
      workerCount: () => present.size,
      explain(workerId) {
        const worker = state().workers.get(workerId)
        return worker && explainIdle(state(), worker)
      },
      send,
    },
    idleEveryMs,
  )

  function send(workerId: WorkerId, frame: Uint8Array): void {
    present.get(workerId)?.connection.enqueue(async () => [frame])
  }

  function join(workerId: WorkerId, measurement: Measurement | undefined): void {
    const worker = present.get(workerId)
    if (worker === undefined) return
    const { connection, publicKey, facts, presence } = worker
    worker.measurement = measurement
    worker.hasJoined = true
    connection.join()
    const profile = profileFor(worker)
    const { tier, operationsPerSecond } = profile
    const { executor, adapter } = facts
    log.info('workerJoined', { workerId, executor, adapter, tier, operationsPerSecond })
    if (measurement !== undefined) send(workerId, admittedFrame(measurement))
    post({ kind: 'workerJoined', workerId, publicKey, profile })
    if (presence !== 'available') post({ kind: 'presence', workerId, state: presence })
  }

  function takeMeasurement(workerId: WorkerId, measurement: Measurement, askedAtMs: TimeMs): void {
    const worker = present.get(workerId)
    if (worker === undefined) return
    const { tier, operationsPerSecond, reason, shared } = measurement
    worker.measurement = measurement
    log.info('workerMeasured', { workerId, tier, operationsPerSecond, reason, together: shared?.with.size })
    send(workerId, admittedFrame(measurement))
    post({ kind: 'benchmarked', workerId, profile: profileFor(worker), askedAtMs })
  }

  return {
    events: {
      arrived(connection, { admitted: { workerId, hello }, said: profile, address, roundTripMs }) {
        const { agent, executor, adapter, publicKey } = hello
        present
          .get(workerId)
          ?.connection.refuse('identityInUse', 'the same identity connected from elsewhere')
        present.set(workerId, {
          connection,
          publicKey,
          facts: { agent, executor, adapter },
          hello,
          said: profile,
          address,
          presence: 'available',
          hasJoined: false,
          measurement: undefined,
          undecided: 0,
        })
        if (admission === undefined) join(workerId, undefined)
        else admission.arrived(workerId, likenessOf(hello, profile, address), roundTripMs)
      },
      changed(workerId, profile) {
        const worker = present.get(workerId)
        if (worker === undefined || admission === undefined) return
        worker.said = profile
        admission.changed(workerId, likenessOf(worker.hello, profile, worker.address))
      },
      measured: (workerId, frame) => admission?.heard(workerId, frame),
      left(connection, workerId) {
        const worker = present.get(workerId)
        if (worker?.connection !== connection) return
        present.delete(workerId)
        notices.left(workerId)
        incoming.audits.left(workerId)
        admission?.left(workerId)
        log.info('workerLeft', { workerId })
        if (worker.hasJoined) post({ kind: 'workerLeft', workerId })
      },
      said,
      awaits(workerId, { deliveryId, outputLength }) {
        const delivery = state().deliveries.get(deliveryId)
        return delivery?.workerId === workerId && delivery.task.spec.outputLength === outputLength
      },
      async answered(workerId, result, raw) {
        const key = present.get(workerId)?.publicKey
        if (key !== undefined) await incoming.answered(workerId, key, result, raw)
      },
    },
    perform(effects) {
      for (const effect of effects) {
        if (effect.kind === 'settle') {
          progress.delete(effect.deliveryId)
          incoming.audits.settled(effect.deliveryId)
        } else if (effect.kind === 'benchmark') admission?.wanted(effect.workerId, effect.reason)
      }
      outgoing.perform(effects)
    },
    facts(workerId) {
      const worker = present.get(workerId)
      return (
        worker && { ...worker.facts, ...(worker.measurement && { measured: measuredOf(worker.measurement) }) }
      )
    },
    permille: (deliveryId) => progress.get(deliveryId),
    close() {
      notices.close()
      admission?.close()
    },
  }
}
