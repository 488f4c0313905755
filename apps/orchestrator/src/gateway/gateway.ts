/**
 * Between dispatch and the workers' connections: turns frames into happenings and effects into frames. An answer is
 * passed on only after its signature, its length and its digest have been checked and its output is stored; whatever
 * fails is `corrupted`, which is tried again and held against nobody.
 */
import { type DeliveryRecord, type Effect, type TaskRecord, takesSlot } from '@shardy/dispatch'
import {
  type Attestation,
  attestedPayload,
  type Delivery,
  type DeliveryId,
  type Digest,
  deliveryStatement,
  encodeFrame,
  encodeHex,
  type Frame,
  type RequesterId,
  type Result,
  resultStatement,
  type Sha256,
  type WorkerId,
} from '@shardy/protocol'
import type { Log } from '../log.ts'
import type { Signer } from '../signer.ts'
import type { Dispatcher, Happening } from '../tasks/dispatcher.ts'
import type { Connection, WorkerEvents } from './connection.ts'
import type { Verify } from './handshake.ts'

/** Which rules decide on a result: 1 is agreement of equal digests. */
export const verifierVersion = 1

export interface GatewayParts {
  readonly sha256: Sha256
  readonly verify: Verify
  readonly signer: Signer
  readonly log: Log
  dispatcher(): Dispatcher
  readInput(digest: Digest): Promise<Uint8Array>
  storeOutput(digest: Digest, bytes: Uint8Array, owner: RequesterId): Promise<void>
}

/** What a person wants to know of a connected worker beyond what dispatch needs. */
export interface WorkerFacts {
  readonly agent: string
  readonly executor: string
  readonly adapter: string
}

export interface Gateway {
  readonly events: WorkerEvents
  /** Carries out the effects that concern workers. */
  perform(effect: Effect): void
  facts(workerId: WorkerId): WorkerFacts | undefined
  permille(deliveryId: DeliveryId): number | undefined
}

export function createGateway(parts: GatewayParts): Gateway {
  const { sha256, log } = parts
  const connections = new Map<WorkerId, { readonly connection: Connection; readonly facts: WorkerFacts }>()
  const progress = new Map<DeliveryId, number>()

  /** Resolves once it is decided; undefined when it could not be queued, which ends its worker's connection. */
  function post(happening: Happening): Promise<void> | undefined {
    const dispatcher = parts.dispatcher()
    const posted = dispatcher.post(happening)
    if (posted === undefined) {
      log.info('happeningDropped', { kind: happening.kind })
      if ('workerId' in happening) {
        const code = dispatcher.isClosed() ? 'shuttingDown' : 'overloaded'
        connections.get(happening.workerId)?.connection.refuse(code, 'what was said could not be taken')
      }
      return undefined
    }
    // A failed commit is reported once, through the dispatcher's `fatal`.
    return posted.then(
      () => {},
      () => {},
    )
  }

  function said(workerId: WorkerId, { type, body }: Frame): Promise<void> | undefined {
    switch (type) {
      case 'presence':
        return post({ kind: 'presence', workerId, state: body.state })
      case 'ack':
        return post({ kind: 'acked', workerId, deliveryId: body.deliveryId })
      case 'progress': {
        const delivery = deliveryOf(workerId, body.deliveryId)
        if (delivery !== undefined && takesSlot(delivery)) progress.set(body.deliveryId, body.permille)
        return undefined
      }
      case 'reject':
        return post({ kind: 'rejected', workerId, ...body })
      case 'commit':
        return post({ kind: 'committed', workerId, ...body })
      case 'reveal':
        return post({ kind: 'revealed', workerId, ...body })
      default:
        throw new Error(`a connection does not pass on ${type}`)
    }
  }

  /** An open delivery that is this worker's. */
  function deliveryOf(workerId: WorkerId, deliveryId: DeliveryId): DeliveryRecord | undefined {
    const delivery = parts.dispatcher().state().deliveries.get(deliveryId)
    return delivery?.workerId === workerId && delivery.state !== 'settled' ? delivery : undefined
  }

  /** Why an answer cannot be taken as it came, in a few words for the task's history. */
  async function flaw(
    workerId: WorkerId,
    task: TaskRecord,
    delivery: DeliveryRecord,
    result: Result,
    output: Uint8Array | undefined,
  ): Promise<string | undefined> {
    if (result.outputLength !== task.outputLength) {
      return `the output has ${result.outputLength} bytes, the program gives ${task.outputLength}`
    }
    if (result.outputIncluded !== task.keepOutput) {
      return task.keepOutput ? 'the output is missing' : 'the output was not asked for'
    }
    if (output !== undefined) {
      if (output.length !== result.outputLength) {
        return `the raw frame has ${output.length} bytes, announced were ${result.outputLength}`
      }
      if (encodeHex(sha256(output)) !== result.outputDigest) return 'the output does not match its digest'
    }
    const standing = parts.dispatcher().state().standings.get(workerId)
    const statement = resultStatement(describe(task, delivery), task.programId, workerId, result)
    const payload = attestedPayload(statement, result.attestation, sha256)
    if (payload === undefined || standing === undefined) return 'the attestation fits no batch'
    const signed = await parts.verify(standing.publicKey, payload, result.attestation.signature)
    return signed ? undefined : 'the answer is not signed by the worker'
  }

  async function answered(workerId: WorkerId, result: Result, output: Uint8Array | undefined): Promise<void> {
    const { deliveryId, outputDigest, traceRoot, attestation } = result
    const delivery = deliveryOf(workerId, deliveryId)
    const task = delivery && parts.dispatcher().state().tasks.get(delivery.taskId)
    // Late or foreign: dispatch knows nothing to change, and nothing is stored for it.
    if (delivery === undefined || task === undefined || delivery.state === 'answered') return
    const detail = await flaw(workerId, task, delivery, result, output)
    if (detail !== undefined) return void post({ kind: 'corrupted', workerId, deliveryId, detail })
    if (output !== undefined) {
      // The reveal came just before, and only what was revealed is worth storing; dispatch refuses any other answer.
      await parts.dispatcher().caughtUp()
      const now = deliveryOf(workerId, deliveryId)
      if (now?.state === 'revealed' && now.outputDigest === outputDigest) {
        try {
          await parts.storeOutput(outputDigest, output, task.requesterId)
        } catch (error) {
          log.error('outputNotStored', error, { deliveryId })
          return void post({
            kind: 'corrupted',
            workerId,
            deliveryId,
            detail: 'the output could not be stored',
          })
        }
      }
    }
    post({ kind: 'answered', workerId, deliveryId, outputDigest, traceRoot, attestation })
  }

  function deliver(task: TaskRecord, delivery: DeliveryRecord): void {
    const { workerId, deliveryId } = delivery
    const target = connections.get(workerId)
    // It left between the decision and now; dispatch hears of that on its own.
    if (target === undefined) return
    const attested = parts.signer.attest(
      deliveryStatement(describe(task, delivery), task.programId, workerId),
    )
    // Awaited inside the queue; without this a failure would count as unhandled until its turn comes.
    attested.catch(() => {})
    target.connection.enqueue(async () => {
      if (deliveryOf(workerId, deliveryId) === undefined) return []
      let input: Uint8Array
      try {
        input = await parts.readInput(task.inputDigest)
      } catch (error) {
        log.error('inputNotRead', error, { deliveryId })
        post({ kind: 'corrupted', workerId, deliveryId, detail: 'the input could not be read' })
        return []
      }
      const meta = encodeFrame('delivery', deliveryFrame(task, delivery, await attested))
      // Reading took a while.
      if (deliveryOf(workerId, deliveryId) === undefined) return []
      return input.length > 0 ? [meta, input] : [meta]
    })
  }

  function send(workerId: WorkerId, frame: Uint8Array): void {
    connections.get(workerId)?.connection.enqueue(async () => [frame])
  }

  return {
    events: {
      joined(connection, { workerId, hello }, profile) {
        const { agent, executor, adapter, publicKey, kinds } = hello
        connections
          .get(workerId)
          ?.connection.refuse('identityInUse', 'the same identity connected from elsewhere')
        connections.set(workerId, { connection, facts: { agent, executor, adapter } })
        log.info('workerJoined', { workerId, executor, adapter })
        post({ kind: 'workerJoined', workerId, publicKey, kinds, ...profile })
      },
      left(connection, workerId) {
        if (connections.get(workerId)?.connection !== connection) return
        connections.delete(workerId)
        log.info('workerLeft', { workerId })
        post({ kind: 'workerLeft', workerId })
      },
      said,
      answered,
    },
    perform(effect) {
      switch (effect.kind) {
        case 'deliver':
          return deliver(effect.task, effect.delivery)
        case 'closeCommitments':
          return send(effect.workerId, encodeFrame('commitmentsClosed', { deliveryId: effect.deliveryId }))
        case 'cancelDelivery': {
          const { deliveryId, reason } = effect
          return send(effect.workerId, encodeFrame('cancel', { deliveryId, reason }))
        }
        case 'settle': {
          const { deliveryId, outcome, rewardMicroCredit } = effect
          progress.delete(deliveryId)
          return send(effect.workerId, encodeFrame('settled', { deliveryId, outcome, rewardMicroCredit }))
        }
        default:
          return
      }
    },
    facts: (workerId) => connections.get(workerId)?.facts,
    permille: (deliveryId) => progress.get(deliveryId),
  }
}

/** The parts of a delivery that both sides' statements cover. */
export function describe(
  { taskId, seed, inputDigest }: TaskRecord,
  { deliveryId, deadlineMs }: DeliveryRecord,
): Pick<Delivery, 'taskId' | 'deliveryId' | 'seed' | 'payloadDigest' | 'deadlineMs'> {
  return { taskId, deliveryId, seed, payloadDigest: inputDigest, deadlineMs }
}

function deliveryFrame(task: TaskRecord, delivery: DeliveryRecord, attestation: Attestation): Delivery {
  return {
    ...describe(task, delivery),
    kind: task.kind,
    program: task.program,
    complexity: task.complexity,
    verifierVersion,
    payloadLength: task.inputLength,
    proof: 'none',
    commitFirst: true,
    returnOutput: task.keepOutput,
    attestation,
  }
}
