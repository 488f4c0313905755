/**
 * Between a verified input and its turn on the device: the constants that the program names by digest are brought, where
 * it names any. What cannot be brought is handed back; it says nothing of the worker.
 */
import type { Blobs } from '@shardy/tensor'
import { noBlobs } from '@shardy/tensor'
import { rejectHeld } from './ending.ts'
import { startNext } from './execution.ts'
import type { InputOf } from './input.ts'
import type { HeldDelivery } from './state.ts'
import { heldByRun, hold, type Turn } from './turn.ts'

function queue(turn: Turn, held: HeldDelivery, input: Uint8Array, blobs: Blobs): void {
  hold(turn, { ...held, phase: { kind: 'queued', input, blobs } })
  startNext(turn)
}

/** The input is verified: on to the constants, or straight into the queue. */
export function prepare(turn: Turn, held: HeldDelivery, input: Uint8Array): void {
  const { run, work, facts, delivery } = held
  if (work.kind !== 'program' || facts.constants.length === 0) return queue(turn, held, input, noBlobs)
  hold(turn, { ...held, phase: { kind: 'fetching', input } })
  turn.effects.push({ kind: 'fetchConstants', run, deliveryId: delivery.deliveryId, program: work.program })
}

export function constantsFetched(turn: Turn, { run, blobs }: InputOf<'constantsFetched'>): void {
  const held = heldByRun(turn, run)
  if (held?.phase.kind === 'fetching') queue(turn, held, held.phase.input, blobs)
}

export function constantsNotFetched(turn: Turn, { run, text }: InputOf<'constantsNotFetched'>): void {
  const held = heldByRun(turn, run)
  if (held?.phase.kind === 'fetching') rejectHeld(turn, held, 'corrupted', text)
}
