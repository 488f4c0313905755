/**
 * What a worker says about a delivery: taken in its order (ack, commit, answer), from the worker that holds it (spec
 * D11–D13, D18). Whatever is late, repeated or another's changes nothing.
 */
import { commitTo } from '@shardy/protocol'
import type { IgnoredReason } from './effect.ts'
import type { InputOf } from './input.ts'
import { touch } from './matching.ts'
import { clear, offend } from './offence.ts'
import { isOut } from './record.ts'
import { count, standingOf } from './standing.ts'
import { type DispatchState, endAudit, record, saveTask } from './state.ts'
import type { Delivery } from './task.ts'
import { excuse, fail, isCommitFirst, refute, release, review } from './verdict.ts'
import { endComputing, letGo } from './worker.ts'

export type Reply = InputOf<
  'acked' | 'committed' | 'answered' | 'checked' | 'corrupted' | 'unsent' | 'rejected'
>

export function reply(state: DispatchState, input: Reply): void {
  const delivery = state.deliveries.get(input.deliveryId)
  if (delivery === undefined) return afterwards(state, input)
  if (delivery.workerId !== input.workerId) return ignore(state, 'notYours')
  switch (input.kind) {
    case 'acked':
      return ack(state, delivery)
    case 'committed':
      return commit(state, delivery, input)
    case 'answered':
      return answer(state, delivery, input)
    case 'checked':
      return takeVerdict(state, delivery, input)
    case 'corrupted':
      return giveUp(state, delivery, 'corrupted', input.detail)
    case 'unsent':
      return isOut(delivery) ? excuse(state, delivery, input.detail) : ignore(state, 'alreadyAnswered')
    case 'rejected':
      return giveUp(state, delivery, 'rejected', `${input.reason}: ${input.message}`)
  }
}

export function ignore(state: DispatchState, reason: IgnoredReason): void {
  state.effects.push({ kind: 'ignored', reason })
}

function ack(state: DispatchState, delivery: Delivery): void {
  if (delivery.state !== 'leased') return ignore(state, 'alreadyAcked')
  delivery.state = 'computing'
  record(state, delivery.task, 'acked', { delivery })
}

function commit(state: DispatchState, delivery: Delivery, { commitment }: InputOf<'committed'>): void {
  if (!isOut(delivery) || delivery.commitment !== undefined) return ignore(state, 'alreadyCommitted')
  const { worker, task } = delivery
  if (!isCommitFirst(task))
    return fail(state, delivery, 'corrupted', 'committed where no commitment was asked for')
  measure(state, delivery)
  if (worker !== undefined) {
    endComputing(worker, delivery)
    touch(state, worker)
  }
  delivery.state = 'committed'
  delivery.commitment = commitment
  record(state, task, 'committed', { delivery })
  review(state, task)
}

function answer(state: DispatchState, delivery: Delivery, input: InputOf<'answered'>): void {
  const { task, worker } = delivery
  if (delivery.state === 'answered') return ignore(state, 'alreadyAnswered')
  const { outputDigest, traceRoot } = input
  if (isCommitFirst(task)) {
    const flaw = flawOf(state, delivery, input)
    if (flaw !== undefined) return fail(state, delivery, 'corrupted', flaw)
  }
  // Who committed was measured then: since, it has waited for the others.
  if (delivery.state !== 'revealing') measure(state, delivery)
  if (worker !== undefined) {
    letGo(worker, delivery)
    touch(state, worker)
  }
  delivery.state = 'answered'
  delivery.outputDigest = outputDigest
  delivery.traceRoot = traceRoot
  delivery.answer = input.attestation
  delivery.proof = input.proof
  delivery.block = input.block
  delivery.answeredAtMs = state.atMs
  standingOf(state, delivery.workerId).stake = input.stake
  record(state, task, 'answered', { delivery, outputDigest })
  review(state, task)
}

function flawOf(state: DispatchState, delivery: Delivery, input: InputOf<'answered'>): string | undefined {
  if (delivery.state !== 'revealing') return 'answered before commitments were closed'
  const { workerId, deliveryId, commitment } = delivery
  const { outputDigest, traceRoot, salt } = input
  const opened = salt && commitTo({ workerId, deliveryId, outputDigest, traceRoot, salt }, state.sha256)
  return opened === commitment ? undefined : 'the answer is not the one committed to'
}

/** Far slower than it was measured, on work that takes long enough to tell: it is measured again. */
function measure(state: DispatchState, { expectedMs, leasedAtMs, workerId, worker }: Delivery): void {
  const { driftFactor, benchmarkPauseMs } = state.policy
  if (worker === undefined || expectedMs < driftMsMin) return
  if (state.atMs - leasedAtMs <= expectedMs / driftFactor) return
  const askedAtMs = worker.benchmarkAskedAtMs
  if (askedAtMs !== undefined && state.atMs - askedAtMs < benchmarkPauseMs) return
  worker.benchmarkAskedAtMs = state.atMs
  state.effects.push({ kind: 'benchmark', workerId, reason: 'drift' })
}

const driftMsMin = 2_000

function takeVerdict(state: DispatchState, delivery: Delivery, { verdict }: InputOf<'checked'>): void {
  if (delivery.check !== 'asked') return ignore(state, 'alreadyChecked')
  const { task } = delivery
  saveTask(state, task, 'later')
  switch (verdict.kind) {
    case 'right':
      delivery.check = 'right'
      delivery.checkedBy = verdict.by
      clear(state, delivery)
      return review(state, task)
    case 'wrong':
      delivery.check = 'wrong'
      refute(state, delivery, verdict.reason, verdict.rightDigest)
      return review(state, task)
    case 'unknown':
      delivery.check = 'unknown'
      // Others can still agree on it; on its own it is worth nothing.
      if (task.agreeing > 1) return review(state, task)
      return fail(state, delivery, 'corrupted', `could not be checked: ${verdict.reason}`)
  }
}

/** The task ended while its answer was being checked. Nobody is paid, but who cancels in time escapes no audit (spec A11). */
function afterwards(state: DispatchState, input: Reply): void {
  const delivery = state.audits.get(input.deliveryId)
  if (input.kind !== 'checked' || delivery === undefined) return ignore(state, 'unknownDelivery')
  endAudit(state, delivery)
  if (delivery.exposureMicroCredit > 0n) release(state, delivery)
  if (input.verdict.kind === 'right') return clear(state, delivery)
  if (input.verdict.kind === 'unknown') return
  const { task } = delivery
  count(state, delivery.workerId, 'wrong')
  record(state, task, 'wrong', { delivery, detail: input.verdict.reason })
  saveTask(state, task, 'now')
  offend(state, delivery, input.verdict.reason, input.verdict.rightDigest)
}

/** An answer that was taken stays good, whatever its sender says afterwards. */
function giveUp(
  state: DispatchState,
  delivery: Delivery,
  outcome: 'corrupted' | 'rejected',
  detail: string,
): void {
  if (isOut(delivery)) fail(state, delivery, outcome, detail)
  else ignore(state, 'alreadyAnswered')
}
