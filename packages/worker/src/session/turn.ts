/**
 * One step in the making. Handlers replace `turn.state` and push effects; the turn is made and consumed inside `step`,
 * so from outside a step is a pure function.
 */
import {
  type ExecutorKind,
  encodeFrame,
  type Frame,
  type FrameType,
  type MadeProofKind,
  type ProfileV2,
  type PublicKey,
  type Sha256,
  type TaskKind,
  type WorkerId,
} from '@shardy/protocol'
import type { Effect } from './effect.ts'
import type { WorkerEvent } from './event.ts'
import type { Admitted, HeldDelivery, SessionState } from './state.ts'

/** What does not change during a worker's life. */
export interface Rules {
  readonly sha256: Sha256
  readonly publicKey: PublicKey
  readonly workerId: WorkerId
  readonly agent: string
  readonly kinds: readonly TaskKind[]
  /** The kinds of proof that are made here. */
  readonly proofs: readonly MadeProofKind[]
  readonly executor: ExecutorKind
  readonly adapter: string
  readonly operationsPerSecond: number
  readonly payloadBytesMax: number
  readonly slots: number
  /** What else the profile says (spec W14). */
  readonly offer: Offer
  /** Bytes of the device's memory that held what was written there; 0 where that was not tried. */
  readonly stableBytes: number
}

export type Offer = Omit<ProfileV2, 'operationsPerSecond' | 'payloadBytesMax' | 'slots'>

export interface Turn {
  readonly rules: Rules
  readonly nowMs: number
  state: SessionState
  readonly effects: Effect[]
}

type BodyOf<Type extends FrameType> = Extract<Frame, { readonly type: Type }>['body']

export function sendOn<Type extends FrameType>(
  turn: Turn,
  connection: number,
  type: Type,
  body: BodyOf<Type>,
): void {
  turn.effects.push({ kind: 'send', connection, bytes: encodeFrame(type, body as never) })
}

/** Sends in the admitted session; without one there is nobody to tell. */
export function send<Type extends FrameType>(turn: Turn, type: Type, body: BodyOf<Type>): void {
  const { connection } = turn.state
  if (connection.kind === 'admitted') sendOn(turn, connection.number, type, body)
}

export function sendRaw(turn: Turn, bytes: Uint8Array): void {
  const { connection } = turn.state
  if (connection.kind === 'admitted')
    turn.effects.push({ kind: 'send', connection: connection.number, bytes })
}

export function report(turn: Turn, event: WorkerEvent): void {
  turn.effects.push({ kind: 'report', event })
}

export function change(turn: Turn, changes: Partial<SessionState>): void {
  turn.state = { ...turn.state, ...changes }
}

export function changeAdmitted(turn: Turn, changes: Partial<Omit<Admitted, 'kind'>>): void {
  const { connection } = turn.state
  if (connection.kind === 'admitted') change(turn, { connection: { ...connection, ...changes } })
}

/** Numbers what is asked of the performer, so that its reply finds back. */
export function nextRun(turn: Turn): number {
  const runs = turn.state.runs + 1
  change(turn, { runs })
  return runs
}

/** Adds a delivery or replaces it in its place. */
export function hold(turn: Turn, held: HeldDelivery): void {
  change(turn, { deliveries: new Map(turn.state.deliveries).set(held.delivery.deliveryId, held) })
}

export function heldByRun(turn: Turn, run: number): HeldDelivery | undefined {
  for (const held of turn.state.deliveries.values()) if (held.run === run) return held
  return undefined
}

/** Committed and answered deliveries wait for others and take no slot. */
export function takesSlot({ phase }: HeldDelivery): boolean {
  return phase.kind !== 'committed' && phase.kind !== 'answered'
}

export function countHeld(state: SessionState, counts: (held: HeldDelivery) => boolean): number {
  let count = 0
  for (const held of state.deliveries.values()) if (counts(held)) count += 1
  return count
}
