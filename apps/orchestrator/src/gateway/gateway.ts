/**
 * Between dispatch and the workers' connections: turns frames into happenings and effects into frames. An answer is
 * passed on only after its signature, its length and its digest have been checked and its output is stored; whatever
 * fails is `corrupted`, which is tried again and held against nobody.
 */
import type { DeliveryRecord, Effect, TaskRecord } from '@shardy/dispatch'
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
  /** Tells every worker to go, and why. */
  close(): void
}

export function createGateway(parts: GatewayParts): Gateway {
  const { sha256, log } = parts
  const connections = new Map<WorkerId, { readonly connection: Connection; readonly facts: WorkerFacts }>()
  const progress = new Map<DeliveryId, number>()

  function post(happening: Happening): void {
    const posted = parts.dispatcher().post(happening)
    if (posted === undefined) {
      log.info('happeningDropped', { kind: happening.kind })
      if ('workerId' in happening) {
        connections.get(happening.workerId)?.connection.refuse('overloaded', 'too much is waiting')
      }
      return
    }
    // A failed commit is reported once, through the dispatcher's `fatal`.
    posted.catch(() => {})
  }

  function said(workerId: WorkerId, { type, body }: Frame): void {
    switch (type) {
      case 'presence':
        return post({ kind: 'presence', workerId, state: body.state })
      case 'ack':
        return post({ kind: 'acked', workerId, deliveryId: body.deliveryId })
      case 'progress': {
        const delivery = parts.dispatcher().state().deliveries.get(body.deliveryId)
        if (delivery?.workerId === workerId) progress.set(body.deliveryId, body.permille)
        return
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
    const statement = resultStatement(describe(task, delivery), task.programId, workerId, result.outputDigest)
    const payload = attestedPayload(statement, result.attestation, sha256)
    if (payload === undefined || standing === undefined) return 'the attestation fits no batch'
    const signed = await parts.verify(standing.publicKey, payload, result.attestation.signature)
    return signed ? undefined : 'the answer is not signed by the worker'
  }

  async function answered(workerId: WorkerId, result: Result, output: Uint8Array | undefined): Promise<void> {
    const { deliveryId, outputDigest, attestation } = result
    const state = parts.dispatcher().state()
    const delivery = state.deliveries.get(deliveryId)
    const task = delivery && state.tasks.get(delivery.taskId)
    // Late or foreign: dispatch knows nothing to change, and nothing is stored for it.
    if (delivery === undefined || task === undefined || delivery.workerId !== workerId) return
    const detail = await flaw(workerId, task, delivery, result, output)
    if (detail !== undefined) return post({ kind: 'corrupted', workerId, deliveryId, detail })
    if (output !== undefined) await parts.storeOutput(outputDigest, output, task.requesterId)
    post({ kind: 'answered', workerId, deliveryId, outputDigest, attestation })
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
      const input = await parts.readInput(task.inputDigest)
      const meta = encodeFrame('delivery', deliveryFrame(task, delivery, await attested))
      const open = parts.dispatcher().state().deliveries.get(deliveryId)
      if (open === undefined || open.state === 'settled') return []
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
    close() {
      for (const { connection } of [...connections.values()]) {
        connection.refuse('shuttingDown', 'the orchestrator is stopping; come back in a moment')
      }
    },
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
