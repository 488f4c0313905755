/**
 * A session under test: feeds inputs to `step`, keeps its state and clock, and shows its effects with sent frames
 * decoded. Nothing here is real but the step: signatures are well-formed and mean nothing.
 */
import { pureHashing } from '@shardy/crypto'
import {
  type Attestation,
  type BatchDelivery,
  type Challenge,
  type Deliveries,
  type Delivery,
  decodeFrame,
  encodeFrame,
  encodeHex,
  type Frame,
  type FrameType,
  type PublicKey,
  type Signature,
  workerIdOf,
  type ZkProofPayload,
} from '@shardy/protocol'
import { encodeProgram, inputLength, matmulProgram, type Program } from '@shardy/tensor'
import type { Effect } from '../src/session/effect.ts'
import type { Input, Outcome } from '../src/session/input.ts'
import { nextWakeMs } from '../src/session/liveness.ts'
import { initialState, type SessionState } from '../src/session/state.ts'
import { step } from '../src/session/step.ts'
import type { Rules } from '../src/session/turn.ts'

export const { sha256 } = pureHashing
const point = (fill: number): PublicKey => Uint8Array.from([4, ...new Array(64).fill(fill)]) as PublicKey
export const signature = new Uint8Array(64).fill(1) as Signature
export const attestation: Attestation = { signature, index: 0, count: 1, path: [] }
export const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Delivery['payloadDigest']

export const orchestratorKey = point(2)
export const startMs = 1_000_000
/** The orchestrator's clock is ahead by this much. */
export const offsetMs = 5_000
export const heartbeatMs = 1_000
export const salt = '5a'.repeat(32)

export const rules: Rules = {
  sha256,
  publicKey: point(3),
  workerId: workerIdOf(point(3), sha256),
  agent: 'test/0',
  kinds: ['program'],
  proofs: ['v2'],
  executor: 'cpu',
  adapter: 'paper and pencil',
  operationsPerSecond: 1_000_000,
  payloadBytesMax: 1_000_000,
  slots: 2,
  offer: {
    prefetch: 0,
    hiddenPermille: 0,
    bufferBytesMax: 1_000_000,
    memoryBytes: 2_000_000,
    features: ['paper'],
    hardwareClass: 'pencil',
    region: 'eu',
    askMicroCredit: 5n as Rules['offer']['askMicroCredit'],
    operator: 'somebody',
  },
  stableBytes: 3_000_000,
}

export const challenge: Challenge = {
  versionMin: 1,
  versionMax: 1,
  nonce: '0c'.repeat(32),
  publicKey: orchestratorKey,
  timeMs: (startMs + offsetMs) as Challenge['timeMs'],
}

export const program: Program = matmulProgram({ m: 2, k: 3, n: 4 })
export const input = new Uint8Array(inputLength(program)).fill(7)
export const output = new Uint8Array(32).fill(9)

type Changes = Partial<Omit<Delivery, 'deliveryId'>>

/** A delivery with everything right; `number` makes its id. */
export function deliveryOf(number: number, changes: Changes = {}): Delivery {
  const id = number.toString(16).padStart(32, '0')
  return {
    taskId: id.replace(/^0/, 'f') as Delivery['taskId'],
    deliveryId: id as Delivery['deliveryId'],
    kind: 'program',
    program: encodeProgram(program),
    seed: 7n,
    complexity: 24,
    payloadLength: input.length,
    payloadDigest: digestOf(input),
    deadlineMs: (startMs + offsetMs + 60_000) as Delivery['deadlineMs'],
    proof: undefined,
    commitFirst: false,
    returnOutput: true,
    returnTranscript: false,
    attestation,
    ...changes,
  }
}

type SmallChanges = Partial<Omit<BatchDelivery, 'deliveryId'>>

/** Small deliveries with everything right; the numbers make their ids. */
export function batchOf(numbers: readonly number[], changes: SmallChanges = {}): Deliveries {
  return {
    programs: [{ kind: 'program', program: encodeProgram(program) }],
    deliveries: numbers.map((number): BatchDelivery => {
      const { taskId, deliveryId, seed, deadlineMs } = deliveryOf(number)
      const flags = { commitFirst: false, returnOutput: true, proof: undefined }
      return { taskId, deliveryId, program: 0, seed, deadlineMs, payload: input, ...flags, ...changes }
    }),
    signature,
  }
}

type BodyOf<Type extends FrameType> = Extract<Frame, { readonly type: Type }>['body']

export class Scenario {
  state: SessionState = initialState(1)
  nowMs = startMs
  effects: readonly Effect[] = []
  readonly rules: Rules

  constructor(changes: Partial<Rules> = {}) {
    this.rules = { ...rules, ...changes }
  }

  feed(...inputs: readonly Input[]): this {
    const effects: Effect[] = []
    for (const next of inputs) {
      const stepped = step(this.rules, this.state, this.nowMs, next)
      this.state = stepped.state
      effects.push(...stepped.effects)
    }
    this.effects = effects
    return this
  }

  receive(bytes: Uint8Array | undefined): this {
    return this.feed({ kind: 'received', connection: this.state.attempts, bytes })
  }

  frame<Type extends FrameType>(type: Type, body: BodyOf<Type>): this {
    return this.receive(encodeFrame(type, body as never))
  }

  /** Lets time pass in the way a driver would: waking whenever the session asked for it. */
  wait(durationMs: number): this {
    const untilMs = this.nowMs + durationMs
    const effects: Effect[] = []
    for (;;) {
      const wakeMs = nextWakeMs(this.state)
      if (wakeMs === undefined || wakeMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, wakeMs)
      effects.push(...this.feed({ kind: 'woke' }).effects)
    }
    this.nowMs = untilMs
    this.effects = effects
    return this
  }

  connect(): this {
    this.feed({ kind: 'start' })
    return this.feed({ kind: 'opened', connection: this.state.attempts })
  }

  greet(): this {
    this.connect().frame('challenge', challenge)
    return this.feed({ kind: 'helloSigned', connection: this.state.attempts, signature })
  }

  admit(): this {
    return this.greet().frame('welcome', {
      sessionId: 'ab'.repeat(16) as never,
      heartbeatMs: heartbeatMs as never,
      payloadBytesMax: 500_000,
    })
  }

  deliver(number = 1, changes: Changes = {}): this {
    this.frame('delivery', deliveryOf(number, changes))
    const { connection } = this.state
    const expects = connection.kind === 'admitted' && connection.receiving !== undefined
    const before = this.effects
    if (expects) {
      this.receive(input)
      this.effects = [...before, ...this.effects]
    }
    return this
  }

  /** Small deliveries, up to their execution. */
  deliverMany(numbers: readonly number[], changes: SmallChanges = {}): this {
    this.frame('deliveries', batchOf(numbers, changes))
    return this.feed({ kind: 'batchVerified', run: this.state.runs, holds: true })
  }

  /** The executor is done with the first `count` of what it has. */
  executeMany(count: number, given: Uint8Array = output, proof?: ZkProofPayload): this {
    const run = this.state.executing
    if (run === undefined) throw new Error('nothing is being executed')
    const outcome: Outcome = { ok: true, output: given, outputDigest: digestOf(given), proof }
    const outcomes = Array.from({ length: count }, () => outcome)
    return this.feed({ kind: 'batchExecuted', run, outcomes, salts: new Uint8Array(32 * count).fill(0x5a) })
  }

  /** Signs what waits for it. */
  signMany(): this {
    const runs = [...this.state.small.signing.keys()]
    return this.feed(...runs.map((run): Input => ({ kind: 'resultSigned', run, signature })))
  }

  smallPhase(number: number): string | undefined {
    return this.state.small.held.get(deliveryOf(number).deliveryId)?.phase
  }

  verify(run: number): this {
    return this.feed({ kind: 'verified', run, inputDigest: digestOf(input), attestationHolds: true })
  }

  execute(run: number, proof?: ZkProofPayload): this {
    return this.feed({
      kind: 'executed',
      run,
      output,
      outputDigest: digestOf(output),
      transcript: [],
      proof,
      salt,
    })
  }

  sign(run: number): this {
    return this.feed({ kind: 'resultSigned', run, signature })
  }

  /** Frames sent by the last inputs; raw ones as `raw`. */
  get sent(): readonly ({ readonly type: 'raw'; readonly body: Uint8Array } | Frame)[] {
    return this.effects.flatMap((effect) => {
      if (effect.kind !== 'send') return []
      const decoded = decodeFrame(effect.bytes, 'worker')
      return [decoded.ok ? decoded.value : ({ type: 'raw', body: effect.bytes } as const)]
    })
  }

  /** The kinds of what the last inputs caused: frames by type, everything else but reports by kind. */
  get done(): readonly string[] {
    const frames = this.sent[Symbol.iterator]()
    return this.effects.flatMap((effect) => {
      if (effect.kind === 'report') return []
      return [effect.kind === 'send' ? String(frames.next().value?.type) : effect.kind]
    })
  }

  get lostReason(): unknown {
    return this.state.connection.kind === 'waiting' ? this.state.connection.reason : undefined
  }

  get stopReason(): unknown {
    return this.state.connection.kind === 'stopped' ? this.state.connection.reason : undefined
  }

  phase(number = 1): string | undefined {
    return this.state.deliveries.get(deliveryOf(number).deliveryId)?.phase.kind
  }
}
