/**
 * Workers come, change their presence and go. What was out with one that goes is lost; what it answered stays (D17).
 */
import { ignore } from './effect.ts'
import type { InputOf } from './input.ts'
import { SortedMap } from './sortedMap.ts'
import type { Worker } from './state.ts'
import { deliveryOf, dropWorker, putWorker, type Turn } from './turn.ts'
import { fail } from './verdict.ts'

/** A worker that joins again replaces its earlier session, whose deliveries are lost. */
export function join(turn: Turn, input: InputOf<'workerJoined'>): void {
  const { workerId, publicKey, kinds, operationsPerSecond, payloadBytesMax, slots } = input
  const earlier = turn.state.workers.get(workerId)
  if (earlier !== undefined) drop(turn, earlier)
  putWorker(turn, {
    workerId,
    publicKey,
    kinds,
    operationsPerSecond,
    payloadBytesMax,
    slots,
    presence: 'available',
    held: SortedMap.empty(),
    busySlots: 0,
    heldBytes: 0,
    failures: 0,
  })
}

export function leave(turn: Turn, { workerId }: InputOf<'workerLeft'>): void {
  const worker = turn.state.workers.get(workerId)
  if (worker === undefined) ignore(turn.effects, 'unknownWorker')
  else drop(turn, worker)
}

export function changePresence(turn: Turn, { workerId, state }: InputOf<'presence'>): void {
  const worker = turn.state.workers.get(workerId)
  if (worker === undefined) ignore(turn.effects, 'unknownWorker')
  else if (state === 'leaving') drop(turn, worker)
  else putWorker(turn, { ...worker, presence: state })
}

function drop(turn: Turn, worker: Worker): void {
  dropWorker(turn, worker)
  // A loss may end its task, but the worker has no second delivery of it, so what is still to come is live.
  for (const [deliveryId] of worker.held.entries()) {
    fail(turn, deliveryOf(turn, deliveryId), 'lost', 'the worker left')
  }
}
