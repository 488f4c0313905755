/**
 * One worker's connection. Frames are handled one at a time in the order they came, so a raw frame always belongs to
 * the meta frame before it; what a peer may have waiting is bounded, and anything out of place ends the connection
 * with a refusal that names it.
 */

import type { Identity } from '@shardy/crypto'
import type { OrchestratorId, Sha256, WorkerId } from '@shardy/protocol'
import {
  type Challenge,
  decodeFrame,
  describeRefusal,
  encodeFrame,
  type Frame,
  metaFrameBytesMax,
  type ProfileV2,
  payloadBytesMax,
  type Refusal,
  type RefusalCode,
  type Result,
  type SessionId,
} from '@shardy/protocol'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { BenchmarkFrame } from './admission.ts'
import { closeCodes } from './closeCode.ts'
import { type Admitted, admit, makeChallenge, type Verify } from './handshake.ts'

/** What the transport offers: Bun's WebSocket in production. */
export interface WorkerSocket {
  send(bytes: Uint8Array): void
  /** Resolves once the peer has taken most of what was sent, or is gone; undefined when it has already. */
  drained(): Promise<void> | undefined
  close(code: number, reason: string): void
}

/** Who has come, and all that it says of itself. */
export interface Arrival {
  readonly admitted: Admitted
  readonly said: ProfileV2
  /** The group that its address counts as. */
  readonly address: string
  /** The shortest way there and back that its handshake showed. */
  readonly roundTripMs: number
}

/** What the rest of the orchestrator does with an admitted worker's words. */
export interface WorkerEvents {
  /** Its handshake is complete. A worker that is connected already moves to the newer connection. */
  arrived(connection: Connection, arrival: Arrival): void
  /** It says something else of itself than when it arrived. */
  changed(workerId: WorkerId, said: ProfileV2): void
  /** What it answers to a benchmark. */
  measured(workerId: WorkerId, frame: BenchmarkFrame): void
  left(connection: Connection, workerId: WorkerId): void
  /** Resolves once it is decided what follows; undefined when nothing waits for a decision. */
  said(workerId: WorkerId, frame: Frame): Promise<void> | undefined
  /** What it announces is the answer to something that it has, of the length that the program gives. */
  awaits(workerId: WorkerId, result: Result): boolean
  /** A result with its output, when it announced one. */
  answered(workerId: WorkerId, result: Result, output: Uint8Array | undefined): Promise<void>
}

export interface ConnectionParts {
  readonly clock: Clock
  readonly identity: Identity
  readonly orchestratorId: OrchestratorId
  readonly sha256: Sha256
  readonly verify: Verify
  readonly events: WorkerEvents
  readonly log: Log
  randomHex(bytes: number): string
}

export interface GatewayLimits {
  readonly heartbeatMs: number
  readonly handshakeMs: number
  readonly framesQueuedMax: number
  readonly bytesQueuedMax: number
  /** What one worker said that dispatch has not decided on, each commitment and each answer by itself; what follows waits. */
  readonly undecidedMax: number
  /** How long an announced raw frame may take: nothing else can be heard while it is on its way. */
  readonly rawFrameMs: number
  readonly connectionsMax: number
  /** Strangers in their handshake at once: each may have a frame half sent, which costs memory before it can be judged. */
  readonly handshakesMax: number
}

export const defaultGatewayLimits: GatewayLimits = {
  heartbeatMs: 10_000,
  handshakeMs: 10_000,
  framesQueuedMax: 256,
  bytesQueuedMax: payloadBytesMax + 1024 * 1024,
  undecidedMax: 256,
  rawFrameMs: 120_000,
  connectionsMax: 10_000,
  handshakesMax: 64,
}

type State =
  | { readonly kind: 'challenged'; readonly challenge: Challenge }
  | { readonly kind: 'welcomed'; readonly admitted: Admitted }
  /** Known, and not yet given anything. */
  | { readonly kind: 'arrived'; readonly workerId: WorkerId }
  | { readonly kind: 'joined'; readonly workerId: WorkerId }
  | { readonly kind: 'closed' }

export interface Connection {
  receive(bytes: Uint8Array): void
  /** Sends after everything handed over before; `load` may read what is to be sent. */
  enqueue(load: () => Promise<readonly Uint8Array[]>): void
  refuse(code: RefusalCode, message: string): void
  /** It was measured, and from now on counts as a worker. */
  join(): void
  isPastHandshake(): boolean
  /** The transport is gone. */
  closed(): void
}

const refusalMessage = (message: string): string => message.slice(0, 256).replace(/[^\x20-\x7e]/g, '?')

function codeOf(refusal: Refusal): RefusalCode {
  if (refusal.kind === 'unexpectedFrame') return 'unexpectedFrame'
  return refusal.kind === 'tooLong' && refusal.field === 'frame' ? 'frameTooLarge' : 'malformedFrame'
}

/** What dispatch has to decide on for it. */
function countOf({ type, body }: Frame): number {
  if (type === 'commits') return body.commits.length
  return type === 'results' ? body.results.length : 1
}

/** Of the frame that follows a result: the output, and the parts of its transcript. */
function rawLengthOf({ outputLength, partLengths }: Result): number {
  return partLengths.reduce((sum, length) => sum + length, outputLength)
}

export function openConnection(
  socket: WorkerSocket,
  parts: ConnectionParts,
  limits: GatewayLimits,
  address = 'unknown',
): Connection {
  const { clock, events } = parts
  const challenge = makeChallenge(parts.randomHex(32), parts.identity.publicKey, clock.nowMs())
  let state: State = { kind: 'challenged', challenge }
  let incoming: Uint8Array[] = []
  let bytesQueued = 0
  let heardAtMs = clock.nowMs()
  let handling = false
  let outgoing: Promise<void> = Promise.resolve()
  let outgoingQueued = 0
  let undecided = 0
  /** The result whose raw output is the next frame. */
  let announced: { readonly result: Result; readonly isAwaited: boolean } | undefined
  let saidAtMs = clock.nowMs()
  let roundTripMs = Number.POSITIVE_INFINITY
  let cancelWatch = clock.after(limits.handshakeMs, () =>
    refuse('handshakeTimeout', `no complete handshake within ${limits.handshakeMs} ms`),
  )

  function sendNow(...frames: readonly Uint8Array[]): void {
    if (state.kind === 'closed') return
    for (const frame of frames) socket.send(frame)
  }

  const silenceMsMax = 3 * limits.heartbeatMs

  /** One timer that looks again, rather than one restarted with every frame. */
  function watchHeartbeat(): void {
    const patienceMs = announced?.isAwaited ? Math.max(silenceMsMax, limits.rawFrameMs) : silenceMsMax
    const leftMs = heardAtMs + patienceMs - clock.nowMs()
    if (leftMs <= 0) refuse('heartbeatMissed', `nothing was heard for ${patienceMs} ms`)
    else cancelWatch = clock.after(leftMs, watchHeartbeat)
  }

  function end(): void {
    const before = state
    state = { kind: 'closed' }
    cancelWatch()
    incoming = []
    if (before.kind === 'joined' || before.kind === 'arrived') events.left(connection, before.workerId)
  }

  function refuse(code: RefusalCode, message: string): void {
    if (state.kind === 'closed') return
    sendNow(encodeFrame('refusal', { code, message: refusalMessage(message) }))
    end()
    socket.close(closeCodes[code], code)
  }

  function unexpected(type: string): void {
    refuse('unexpectedFrame', `${type} has no place while ${state.kind}`)
  }

  async function handle(bytes: Uint8Array): Promise<void> {
    if (announced !== undefined && state.kind === 'joined') {
      const { result, isAwaited } = announced
      announced = undefined
      // What came too late, is another's or has another length is told already, and its frame passed over.
      if (isAwaited) await events.answered(state.workerId, result, bytes)
      return
    }
    const decoded = decodeFrame(bytes, 'worker', true)
    if (!decoded.ok) {
      refuse(codeOf(decoded.refusal), describeRefusal(decoded.refusal))
      return
    }
    const frame = decoded.value
    switch (state.kind) {
      case 'challenged':
        if (frame.type !== 'hello') return unexpected(frame.type)
        roundTripMs = heardAtMs - saidAtMs
        return welcome(await admit(frame.body, state.challenge, parts.orchestratorId, parts))
      case 'welcomed':
        if (frame.type !== 'profileV2') return unexpected(frame.type)
        return arrive(state.admitted, frame.body)
      case 'arrived':
        return hear(state.workerId, frame)
      case 'joined':
        return listen(state.workerId, frame)
      case 'closed':
        return
    }
  }

  function welcome(answer: Awaited<ReturnType<typeof admit>>): void {
    if (state.kind === 'closed') return
    if ('code' in answer) {
      refuse(answer.code, answer.message)
      return
    }
    state = { kind: 'welcomed', admitted: answer }
    saidAtMs = clock.nowMs()
    sendNow(
      encodeFrame('welcome', {
        sessionId: parts.randomHex(16) as SessionId,
        heartbeatMs: limits.heartbeatMs as never,
        payloadBytesMax,
      }),
    )
  }

  function arrive(admitted: Admitted, said: ProfileV2): void {
    state = { kind: 'arrived', workerId: admitted.workerId }
    cancelWatch()
    watchHeartbeat()
    roundTripMs = Math.min(roundTripMs, heardAtMs - saidAtMs)
    events.arrived(connection, { admitted, said, address, roundTripMs })
  }

  /** Of one that has not joined: it has nothing to say of work. */
  function hear(workerId: WorkerId, frame: Frame): void {
    switch (frame.type) {
      case 'hello':
        return refuse('replayedHello', 'this connection has said hello already')
      case 'heartbeat':
        return enqueue(async () => [encodeFrame('heartbeat', frame.body)])
      case 'presence':
        return void events.said(workerId, frame)
      case 'benchmarkRoot':
      case 'benchmarkOpening':
        return events.measured(workerId, frame)
      default:
        return unexpected(frame.type)
    }
  }

  async function listen(workerId: WorkerId, frame: Frame): Promise<void> {
    switch (frame.type) {
      case 'hello':
        refuse('replayedHello', 'this connection has said hello already')
        return
      case 'heartbeat':
        // Behind what waits to be read: a peer that beats without reading runs into the limit on that.
        enqueue(async () => [encodeFrame('heartbeat', frame.body)])
        return
      case 'result':
        if (frame.body.outputIncluded && rawLengthOf(frame.body) > 0) {
          const isAwaited = events.awaits(workerId, frame.body)
          announced = { result: frame.body, isAwaited }
          if (!isAwaited) await events.answered(workerId, frame.body, undefined)
        } else await events.answered(workerId, frame.body, undefined)
        return
      case 'profileV2':
        events.changed(workerId, frame.body)
        return
      case 'benchmarkRoot':
      case 'benchmarkOpening':
        events.measured(workerId, frame)
        return
      case 'presence':
      case 'ack':
      case 'progress':
      case 'reject':
      case 'commits':
      case 'results': {
        const count = countOf(frame)
        const decided = events.said(workerId, frame)?.finally(() => {
          undecided -= count
        })
        if (decided === undefined) return
        undecided += count
        if (undecided >= limits.undecidedMax) await decided
        return
      }
      default:
        unexpected(frame.type)
    }
  }

  async function handleAll(): Promise<void> {
    handling = true
    for (let bytes = incoming.shift(); bytes !== undefined; bytes = incoming.shift()) {
      bytesQueued -= bytes.length
      await handle(bytes)
    }
    handling = false
  }

  function enqueue(load: () => Promise<readonly Uint8Array[]>): void {
    if (++outgoingQueued > limits.framesQueuedMax) {
      refuse('overloaded', 'the worker does not read what it is sent')
      return
    }
    outgoing = outgoing
      .then(async () => {
        if (state.kind === 'closed') return
        sendNow(...(await load()))
        await socket.drained()
      })
      .catch((error: unknown) => {
        parts.log.error('frameNotSent', error)
        refuse('overloaded', 'the orchestrator could not send a frame')
      })
      .finally(() => {
        outgoingQueued--
      })
  }

  const isPastHandshake = (): boolean => state.kind === 'arrived' || state.kind === 'joined'

  const connection: Connection = {
    receive(bytes) {
      if (state.kind === 'closed') return
      heardAtMs = clock.nowMs()
      if (!isPastHandshake() && bytes.length > metaFrameBytesMax) {
        refuse('frameTooLarge', `a frame of the handshake has at most ${metaFrameBytesMax} bytes`)
        return
      }
      bytesQueued += bytes.length
      if (incoming.length >= limits.framesQueuedMax || bytesQueued > limits.bytesQueuedMax) {
        refuse('overloaded', 'more frames than can be handled are waiting')
        return
      }
      incoming.push(bytes)
      if (!handling) {
        handleAll().catch((error: unknown) => {
          parts.log.error('frameNotHandled', error)
          refuse('overloaded', 'the orchestrator could not handle the frame')
        })
      }
    },
    enqueue,
    refuse,
    join() {
      if (state.kind === 'arrived') state = { kind: 'joined', workerId: state.workerId }
    },
    isPastHandshake,
    closed: end,
  }

  sendNow(encodeFrame('challenge', challenge))
  return connection
}
