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
  /** The transport of a connection is gone. */
  closed(connection: Connection): void
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

/** A class, and not closures: ten thousand idle workers hold one each. */
class WorkerConnection implements Connection {
  readonly #socket: WorkerSocket
  readonly #parts: ConnectionParts
  readonly #limits: GatewayLimits
  readonly #address: string
  #state: State
  #incoming: Uint8Array[] = []
  #bytesQueued = 0
  #heardAtMs: number
  #handling = false
  #outgoing: Promise<void> | undefined
  #outgoingQueued = 0
  #undecided = 0
  /** The result whose raw output is the next frame. */
  #announced: { readonly result: Result; readonly isAwaited: boolean } | undefined
  #saidAtMs: number
  #roundTripMs = Number.POSITIVE_INFINITY
  #cancelWatch: () => void

  constructor(socket: WorkerSocket, parts: ConnectionParts, limits: GatewayLimits, address: string) {
    const { clock } = parts
    const challenge = makeChallenge(parts.randomHex(32), parts.identity.publicKey, clock.nowMs())
    this.#socket = socket
    this.#parts = parts
    this.#limits = limits
    this.#address = address
    this.#state = { kind: 'challenged', challenge }
    this.#heardAtMs = clock.nowMs()
    this.#saidAtMs = clock.nowMs()
    this.#cancelWatch = clock.after(limits.handshakeMs, () =>
      this.refuse('handshakeTimeout', `no complete handshake within ${limits.handshakeMs} ms`),
    )
    this.#sendNow(encodeFrame('challenge', challenge))
  }

  receive(bytes: Uint8Array): void {
    if (this.#state.kind === 'closed') return
    this.#heardAtMs = this.#parts.clock.nowMs()
    if (!this.isPastHandshake() && bytes.length > metaFrameBytesMax) {
      this.refuse('frameTooLarge', `a frame of the handshake has at most ${metaFrameBytesMax} bytes`)
      return
    }
    this.#bytesQueued += bytes.length
    const { framesQueuedMax, bytesQueuedMax } = this.#limits
    if (this.#incoming.length >= framesQueuedMax || this.#bytesQueued > bytesQueuedMax) {
      this.refuse('overloaded', 'more frames than can be handled are waiting')
      return
    }
    this.#incoming.push(bytes)
    if (this.#handling) return
    this.#handleAll().catch((error: unknown) => {
      this.#parts.log.error('frameNotHandled', error)
      this.refuse('overloaded', 'the orchestrator could not handle the frame')
    })
  }

  enqueue(load: () => Promise<readonly Uint8Array[]>): void {
    if (++this.#outgoingQueued > this.#limits.framesQueuedMax) {
      this.refuse('overloaded', 'the worker does not read what it is sent')
      return
    }
    this.#outgoing = (this.#outgoing ?? Promise.resolve())
      .then(async () => {
        if (this.#state.kind === 'closed') return
        this.#sendNow(...(await load()))
        await this.#socket.drained()
      })
      .catch((error: unknown) => {
        this.#parts.log.error('frameNotSent', error)
        this.refuse('overloaded', 'the orchestrator could not send a frame')
      })
      .finally(() => {
        this.#outgoingQueued--
      })
  }

  refuse(code: RefusalCode, message: string): void {
    if (this.#state.kind === 'closed') return
    this.#sendNow(encodeFrame('refusal', { code, message: refusalMessage(message) }))
    this.#end()
    this.#socket.close(closeCodes[code], code)
  }

  join(): void {
    const state = this.#state
    if (state.kind === 'arrived') this.#state = { kind: 'joined', workerId: state.workerId }
  }

  isPastHandshake(): boolean {
    return this.#state.kind === 'arrived' || this.#state.kind === 'joined'
  }

  closed(): void {
    this.#end()
    this.#parts.closed(this)
  }

  #sendNow(...frames: readonly Uint8Array[]): void {
    if (this.#state.kind === 'closed') return
    for (const frame of frames) this.#socket.send(frame)
  }

  /** One timer that looks again, rather than one restarted with every frame. */
  #watchHeartbeat(): void {
    const { heartbeatMs, rawFrameMs } = this.#limits
    const silenceMsMax = 3 * heartbeatMs
    const patienceMs = this.#announced?.isAwaited ? Math.max(silenceMsMax, rawFrameMs) : silenceMsMax
    const { clock } = this.#parts
    const leftMs = this.#heardAtMs + patienceMs - clock.nowMs()
    if (leftMs <= 0) this.refuse('heartbeatMissed', `nothing was heard for ${patienceMs} ms`)
    else this.#cancelWatch = clock.after(leftMs, () => this.#watchHeartbeat())
  }

  #end(): void {
    const before = this.#state
    this.#state = { kind: 'closed' }
    this.#cancelWatch()
    this.#incoming = []
    if (before.kind === 'joined' || before.kind === 'arrived') this.#parts.events.left(this, before.workerId)
  }

  #unexpected(type: string): void {
    this.refuse('unexpectedFrame', `${type} has no place while ${this.#state.kind}`)
  }

  async #handleAll(): Promise<void> {
    this.#handling = true
    for (let bytes = this.#incoming.shift(); bytes !== undefined; bytes = this.#incoming.shift()) {
      this.#bytesQueued -= bytes.length
      await this.#handle(bytes)
    }
    this.#handling = false
  }

  async #handle(bytes: Uint8Array): Promise<void> {
    const state = this.#state
    if (this.#announced !== undefined && state.kind === 'joined') {
      const { result, isAwaited } = this.#announced
      this.#announced = undefined
      // What came too late, is another's or has another length is told already, and its frame passed over.
      if (isAwaited) await this.#parts.events.answered(state.workerId, result, bytes)
      return
    }
    const decoded = decodeFrame(bytes, 'worker', true)
    if (!decoded.ok) {
      this.refuse(codeOf(decoded.refusal), describeRefusal(decoded.refusal))
      return
    }
    const frame = decoded.value
    switch (state.kind) {
      case 'challenged':
        if (frame.type !== 'hello') return this.#unexpected(frame.type)
        this.#roundTripMs = this.#heardAtMs - this.#saidAtMs
        return this.#welcome(
          await admit(frame.body, state.challenge, this.#parts.orchestratorId, this.#parts),
        )
      case 'welcomed':
        if (frame.type !== 'profileV2') return this.#unexpected(frame.type)
        return this.#arrive(state.admitted, frame.body)
      case 'arrived':
        return this.#hear(state.workerId, frame)
      case 'joined':
        return this.#listen(state.workerId, frame)
      case 'closed':
        return
    }
  }

  #welcome(answer: Awaited<ReturnType<typeof admit>>): void {
    if (this.#state.kind === 'closed') return
    if ('code' in answer) {
      this.refuse(answer.code, answer.message)
      return
    }
    this.#state = { kind: 'welcomed', admitted: answer }
    this.#saidAtMs = this.#parts.clock.nowMs()
    this.#sendNow(
      encodeFrame('welcome', {
        sessionId: this.#parts.randomHex(16) as SessionId,
        heartbeatMs: this.#limits.heartbeatMs as never,
        payloadBytesMax,
      }),
    )
  }

  #arrive(admitted: Admitted, said: ProfileV2): void {
    this.#state = { kind: 'arrived', workerId: admitted.workerId }
    this.#cancelWatch()
    this.#watchHeartbeat()
    this.#roundTripMs = Math.min(this.#roundTripMs, this.#heardAtMs - this.#saidAtMs)
    const [address, roundTripMs] = [this.#address, this.#roundTripMs]
    this.#parts.events.arrived(this, { admitted, said, address, roundTripMs })
  }

  /** Behind what waits to be read: a peer that beats without reading runs into the limit on that. */
  #beat(frame: Extract<Frame, { readonly type: 'heartbeat' }>): void {
    this.enqueue(async () => [encodeFrame('heartbeat', frame.body)])
  }

  /** Of one that has not joined: it has nothing to say of work. */
  #hear(workerId: WorkerId, frame: Frame): void {
    const { events } = this.#parts
    switch (frame.type) {
      case 'hello':
        return this.refuse('replayedHello', 'this connection has said hello already')
      case 'heartbeat':
        return this.#beat(frame)
      case 'presence':
        return void events.said(workerId, frame)
      case 'benchmarkRoot':
      case 'benchmarkOpening':
        return events.measured(workerId, frame)
      default:
        return this.#unexpected(frame.type)
    }
  }

  async #listen(workerId: WorkerId, frame: Frame): Promise<void> {
    const { events } = this.#parts
    switch (frame.type) {
      case 'hello':
        return this.refuse('replayedHello', 'this connection has said hello already')
      case 'heartbeat':
        return this.#beat(frame)
      case 'result':
        if (frame.body.outputIncluded && rawLengthOf(frame.body) > 0) {
          const isAwaited = events.awaits(workerId, frame.body)
          this.#announced = { result: frame.body, isAwaited }
          if (!isAwaited) await events.answered(workerId, frame.body, undefined)
        } else await events.answered(workerId, frame.body, undefined)
        return
      case 'profileV2':
        return events.changed(workerId, frame.body)
      case 'benchmarkRoot':
      case 'benchmarkOpening':
        return events.measured(workerId, frame)
      case 'presence':
      case 'ack':
      case 'progress':
      case 'reject':
      case 'commits':
      case 'results':
      case 'auditSums':
      case 'auditProof': {
        const count = countOf(frame)
        const decided = events.said(workerId, frame)?.finally(() => {
          this.#undecided -= count
        })
        if (decided === undefined) return
        this.#undecided += count
        if (this.#undecided >= this.#limits.undecidedMax) await decided
        return
      }
      default:
        return this.#unexpected(frame.type)
    }
  }
}

export function openConnection(
  socket: WorkerSocket,
  parts: ConnectionParts,
  limits: GatewayLimits,
  address = 'unknown',
): Connection {
  return new WorkerConnection(socket, parts, limits, address)
}
