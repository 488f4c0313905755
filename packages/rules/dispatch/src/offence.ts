/**
 * What a wrong answer costs its worker (spec D32, docs/spec/trust.md). Only where every device gives the same bits, and only on
 * what a stranger can repeat: both signatures, and the program.
 */
import type { Digest, WorkerId } from '@shardy/protocol'
import { touch } from './matching.ts'
import { standingOf } from './standing.ts'
import { type DispatchState, record } from './state.ts'
import type { Delivery } from './task.ts'
import { afterCleanAudit, afterOffence } from './trust/index.ts'

export function offend(
  state: DispatchState,
  delivery: Delivery,
  detail: string,
  rightDigest: Digest | undefined,
): void {
  const { task, workerId, deliveryId, outputDigest, answer, answeredAtMs } = delivery
  if (!task.spec.exact || outputDigest === undefined || answer === undefined || answeredAtMs === undefined)
    return
  const standing = standingOf(state, workerId)
  const { lockedMicroCredit } = standing.stake
  const { conduct, consequence } = afterOffence(
    standing.conduct,
    { offence: { kind: 'wrongResult' }, boundAtMs: answeredAtMs, atMs: state.atMs, lockedMicroCredit },
    state.policy.trust,
  )
  standing.conduct = conduct
  state.unsavedStandings.add(standing)
  const offence = {
    taskId: task.spec.taskId,
    deliveryId,
    workerId,
    workerKey: standing.publicKey,
    delivery,
    outputDigest,
    rightDigest,
    answer,
    detail,
    consequence,
  }
  state.effects.push({ kind: 'offence', offence })
  if (consequence.kind === 'slash' || consequence.kind === 'banned') {
    state.effects.push({ kind: 'book', entry: { kind: 'slash', offence } })
    record(state, task, 'slashed', {
      delivery,
      detail: `${consequence.amountMicroCredit} micro-credits are destroyed`,
    })
  } else if (consequence.kind === 'unpaidAndQuarantine') {
    record(state, task, 'quarantined', { delivery, detail: 'until a fresh benchmark and clean audits' })
  }
  shutOut(state, delivery)
}

/** Its other work goes on: what it answers now is looked at like a stranger's. */
function shutOut(state: DispatchState, { workerId }: Delivery): void {
  const worker = state.workers.get(workerId)
  const { quarantine, isBanned } = standingOf(state, workerId).conduct
  const isOut = isBanned || quarantine?.passedBenchmark === false
  if (worker === undefined || !isOut || worker.quarantined) return
  worker.quarantined = true
  touch(state, worker)
  askForBenchmark(state, workerId)
}

/** Who is banned is asked for nothing: no benchmark brings it back. */
export function askForBenchmark(state: DispatchState, workerId: WorkerId): void {
  if (standingOf(state, workerId).conduct.isBanned) return
  state.effects.push({ kind: 'benchmark', workerId, reason: 'quarantine' })
}

/** An audit found the answer right: what ends a quarantine once there are enough of them. */
export function clear(state: DispatchState, { workerId, answeredAtMs }: Delivery): void {
  const standing = standingOf(state, workerId)
  if (standing.conduct.quarantine === undefined || answeredAtMs === undefined) return
  standing.conduct = afterCleanAudit(standing.conduct, answeredAtMs)
  state.unsavedStandings.add(standing)
}
