/** Between dispatch and the workers' connections: frames become happenings, effects become frames. */
import type { Delivery, DispatchState, Effect, Stake } from '@shardy/dispatch'
import type {
  DeliveryId,
  Digest,
  Frame,
  PublicKey,
  RequesterId,
  Sha256,
  Signature,
  WorkerId,
} from '@shardy/protocol'
import type { Log } from '../log.ts'
import type { Signer } from '../signer.ts'
import type { Dispatcher, Happening } from '../tasks/dispatcher.ts'
import type { Payloads } from '../tasks/payloads.ts'
import type { Connection, WorkerEvents } from './connection.ts'
import type { Verify } from './handshake.ts'
import { createIncoming } from './incoming.ts'
import { createOutgoing } from './outgoing.ts'

export interface GatewayParts {
  readonly sha256: Sha256
  readonly verify: Verify
  readonly signer: Signer
  readonly payloads: Payloads
  readonly log: Log
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
}

interface Present {
  readonly connection: Connection
  readonly publicKey: PublicKey
  readonly facts: WorkerFacts
}

export interface Gateway {
  readonly events: WorkerEvents
  /** Carries out the effects that concern workers, all of one commit together. */
  perform(effects: readonly Effect[]): void
  facts(workerId: WorkerId): WorkerFacts | undefined
  permille(deliveryId: DeliveryId): number | undefined
}

export function createGateway(parts: GatewayParts): Gateway {
  const { log, payloads } = parts
  const present = new Map<WorkerId, Present>()
  const progress = new Map<DeliveryId, number>()
  const state = (): DispatchState => parts.dispatcher().state()

  /** Resolves once it is decided; undefined when it could not be queued, which ends its worker's connection. */
  function post(happening: Happening): Promise<void> | undefined {
    const dispatcher = parts.dispatcher()
    const posted = dispatcher.post(happening)
    if (posted === undefined) {
      log.info('happeningDropped', { kind: happening.kind })
      if ('workerId' in happening) {
        const code = dispatcher.isClosed() ? 'shuttingDown' : 'overloaded'
        present.get(happening.workerId)?.connection.refuse(code, 'what was said could not be taken')
      }
      return undefined
    }
    // A failed commit is reported once, through the dispatcher's `fatal`.
    return posted.then(
      () => {},
      () => {},
    )
  }

  const isOpen = ({ deliveryId }: Delivery): boolean => state().deliveries.has(deliveryId)
  const outgoing = createOutgoing({
    sha256: parts.sha256,
    signer: parts.signer,
    payloads,
    log,
    sign: parts.sign,
    lineOf: (workerId) => present.get(workerId)?.connection,
    isWanted: isOpen,
    failed({ workerId, deliveryId }, detail) {
      post({ kind: 'corrupted', workerId, deliveryId, detail })
    },
  })
  const incoming = createIncoming({
    sha256: parts.sha256,
    verify: parts.verify,
    payloads,
    log,
    state,
    stake: parts.stake,
    post,
    storeOutput: parts.storeOutput,
  })

  function said(workerId: WorkerId, { type, body }: Frame): Promise<void> | undefined {
    switch (type) {
      case 'presence':
        return post({ kind: 'presence', workerId, state: body.state })
      case 'ack':
        return post({ kind: 'acked', workerId, deliveryId: body.deliveryId })
      case 'progress': {
        const delivery = state().deliveries.get(body.deliveryId)
        if (delivery?.workerId === workerId && delivery.worker !== undefined) {
          progress.set(body.deliveryId, body.permille)
        }
        return undefined
      }
      case 'reject':
        return post({ kind: 'rejected', workerId, ...body })
      case 'commits': {
        let last: Promise<void> | undefined
        for (const commit of body.commits) last = post({ kind: 'committed', workerId, ...commit })
        return last
      }
      case 'results': {
        const key = present.get(workerId)?.publicKey
        return key && incoming.batchAnswered(workerId, key, body)
      }
      default:
        throw new Error(`a connection does not pass on ${type}`)
    }
  }

  return {
    events: {
      joined(connection, { workerId, hello }, profile) {
        const { agent, executor, adapter, publicKey } = hello
        present
          .get(workerId)
          ?.connection.refuse('identityInUse', 'the same identity connected from elsewhere')
        present.set(workerId, { connection, publicKey, facts: { agent, executor, adapter } })
        log.info('workerJoined', { workerId, executor, adapter, tier: profile.tier })
        post({ kind: 'workerJoined', workerId, publicKey, profile })
      },
      left(connection, workerId) {
        if (present.get(workerId)?.connection !== connection) return
        present.delete(workerId)
        log.info('workerLeft', { workerId })
        post({ kind: 'workerLeft', workerId })
      },
      said,
      async answered(workerId, result, raw) {
        const key = present.get(workerId)?.publicKey
        if (key !== undefined) await incoming.answered(workerId, key, result, raw)
      },
    },
    perform(effects) {
      for (const effect of effects) if (effect.kind === 'settle') progress.delete(effect.deliveryId)
      outgoing.perform(effects)
    },
    facts: (workerId) => present.get(workerId)?.facts,
    permille: (deliveryId) => progress.get(deliveryId),
  }
}
