/**
 * What a worker says about a delivery: taken in its order (ack, commit, reveal, answer), from the worker that holds
 * it (spec D11–D13, D18). Whatever is late, repeated or another's changes nothing.
 */
import { commitTo } from '@shardy/protocol'
import { ignore } from './effect.ts'
import type { InputOf } from './input.ts'
import { type DeliveryRecord, isOut } from './record.ts'
import { putDelivery, record, type Turn, taskOf } from './turn.ts'
import { fail, review } from './verdict.ts'

export type Reply = InputOf<'acked' | 'committed' | 'revealed' | 'answered' | 'corrupted' | 'rejected'>

export function reply(turn: Turn, input: Reply): void {
  const delivery = turn.state.deliveries.get(input.deliveryId)
  if (delivery === undefined || delivery.state === 'settled') return ignore(turn.effects, 'unknownDelivery')
  if (delivery.workerId !== input.workerId) return ignore(turn.effects, 'notYours')
  switch (input.kind) {
    case 'acked':
      return ack(turn, delivery)
    case 'committed':
      return commit(turn, delivery, input)
    case 'revealed':
      return reveal(turn, delivery, input)
    case 'answered':
      return answer(turn, delivery, input)
    case 'corrupted':
      return giveUp(turn, delivery, 'corrupted', input.detail)
    case 'rejected':
      return giveUp(turn, delivery, 'rejected', `${input.reason}: ${input.message}`)
  }
}

function ack(turn: Turn, delivery: DeliveryRecord): void {
  if (delivery.state !== 'leased') return ignore(turn.effects, 'alreadyAcked')
  const { taskId, deliveryId, workerId } = delivery
  putDelivery(turn, { ...delivery, state: 'computing' })
  record(turn, taskId, 'acked', { deliveryId, workerId })
}

function commit(turn: Turn, delivery: DeliveryRecord, { commitment }: InputOf<'committed'>): void {
  if (delivery.commitment !== undefined) return ignore(turn.effects, 'alreadyCommitted')
  const { taskId, deliveryId, workerId } = delivery
  putDelivery(turn, { ...delivery, state: 'committed', commitment })
  record(turn, taskId, 'committed', { deliveryId, workerId })
  review(turn, taskOf(turn, taskId))
}

function reveal(turn: Turn, delivery: DeliveryRecord, input: InputOf<'revealed'>): void {
  if (delivery.state !== 'revealing') return ignore(turn.effects, 'notCommitted')
  const { outputDigest, traceRoot, salt } = input
  const { deliveryId, workerId } = delivery
  if (
    commitTo({ workerId, deliveryId, outputDigest, traceRoot, salt }, turn.sha256) !== delivery.commitment
  ) {
    return fail(turn, delivery, 'corrupted', 'the revealed digest is not the one committed to')
  }
  putDelivery(turn, { ...delivery, state: 'revealed', outputDigest, traceRoot })
}

function answer(turn: Turn, delivery: DeliveryRecord, input: InputOf<'answered'>): void {
  const { taskId, deliveryId, workerId, outputDigest, traceRoot } = delivery
  if (delivery.state === 'answered') return ignore(turn.effects, 'alreadyAnswered')
  if (delivery.state !== 'revealed') {
    return fail(turn, delivery, 'corrupted', 'answered before committing and revealing')
  }
  if (input.outputDigest !== outputDigest || input.traceRoot !== traceRoot) {
    return fail(turn, delivery, 'corrupted', 'the answer is not the one revealed')
  }
  putDelivery(turn, { ...delivery, state: 'answered', answer: input.attestation })
  record(turn, taskId, 'answered', { deliveryId, workerId, outputDigest })
  review(turn, taskOf(turn, taskId))
}

/** An answer that was taken stays good, whatever its sender says afterwards. */
function giveUp(
  turn: Turn,
  delivery: DeliveryRecord,
  outcome: 'corrupted' | 'rejected',
  detail: string,
): void {
  if (isOut(delivery)) fail(turn, delivery, outcome, detail)
  else ignore(turn.effects, 'alreadyAnswered')
}
