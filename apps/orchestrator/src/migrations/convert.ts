/** A record of schema 3 as one of schema 4. Pure, so that a migration that is killed and begins again converts to the same. */
import { decodeWork, factsOf } from '@shardy/compute/work'
import type { StandingRecord, TaskRecord } from '@shardy/dispatch'
import { type BookEntry, feeOf } from '@shardy/ledger'
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import { quorum } from '@shardy/protocol'
import type { OldDelivery, OldEvent, OldStanding, OldTask } from './schema3.ts'

const nothing = 0n as MicroCredit

/** The middle; nobody could say more than that. */
const priority = 5

function factsOfWork({ kind, program }: OldTask): { readonly memoryBytes: number; readonly exact: boolean } {
  const decoded = decodeWork(kind, program)
  if (!decoded.ok) return { memoryBytes: 0, exact: kind !== 'shader' }
  const { work } = decoded
  const exact = work.kind !== 'shader' || work.shader.exactness.exactness === 'exact'
  return { memoryBytes: factsOf(work).memoryBytes, exact }
}

/** All workers had to agree; that is what the verdict rests on. Deliveries and events become part of their task. */
export function convertTask(
  old: OldTask,
  deliveries: readonly OldDelivery[],
  events: readonly OldEvent[],
): TaskRecord {
  const { redundancy, deliveryIds, status, failures, notBeforeMs, mismatched, decidedAtMs } = old
  const { memoryBytes, exact } = factsOfWork(old)
  const byId = new Map(deliveries.map((delivery) => [delivery.deliveryId, delivery]))
  const ordered = deliveryIds.flatMap((deliveryId) => byId.get(deliveryId) ?? [])
  const attempts = new Map(ordered.map(({ deliveryId }, index) => [deliveryId, index + 1]))
  return {
    spec: {
      taskId: old.taskId,
      requesterId: old.requesterId,
      requestDigest: old.requestDigest,
      kind: old.kind,
      program: old.program,
      programId: old.programId,
      seed: old.seed,
      complexity: old.complexity,
      inputDigest: old.inputDigest,
      inputLength: old.inputLength,
      outputLength: old.outputLength,
      constants: old.constants,
      constantBytes: old.constantBytes,
      memoryBytes,
      verify: quorum(redundancy, redundancy),
      proof: 'none',
      exact,
      priority,
      tierMin: 0,
      features: [],
      region: '',
      rewardMicroCredit: old.rewardMicroCredit,
      keepOutput: old.keepOutput,
      submittedAtMs: old.submittedAtMs,
      deadlineMs: old.deadlineMs,
      campaignId: undefined,
      campaignItem: 0,
    },
    status,
    revivals: 0,
    deliveries: ordered.map((delivery) => convertDelivery(delivery, events)),
    failures,
    attemptsSpent: 0,
    notBeforeMs,
    deadlineMs: old.deadlineMs,
    mismatched,
    decidedAtMs,
    outputDigest: old.outputDigest,
    deadReason: old.deadReason,
    basis: status === 'verified' ? 'agreement' : undefined,
    checkedBy: undefined,
    history: events.map(({ atMs, type, deliveryId, outputDigest, detail }) => ({
      atMs,
      type,
      attempt: (deliveryId && attempts.get(deliveryId)) ?? 0,
      outputDigest,
      detail,
    })),
  }
}

function convertDelivery(
  { taskId: _, state, ...old }: OldDelivery,
  events: readonly OldEvent[],
): TaskRecord['deliveries'][number] {
  const answered = events.find(({ type, deliveryId }) => type === 'answered' && deliveryId === old.deliveryId)
  return {
    ...old,
    // Shown, and not answered yet: as after any restart, whoever had it is asked again.
    state: state === 'revealed' ? 'revealing' : state,
    excused: false,
    operator: '',
    hardwareClass: '',
    answeredAtMs: state === 'answered' || old.answer !== undefined ? answered?.atMs : undefined,
    proof: undefined,
    block: undefined,
  }
}

/** What was not counted before begins at zero. */
export function convertStanding(old: OldStanding): StandingRecord {
  const { workerId, publicKey, firstSeenMs, acceptedCount, disagreedCount } = old
  return {
    workerId,
    publicKey,
    firstSeenMs,
    acceptedCount,
    disagreedCount,
    wrongCount: 0,
    lostCount: 0,
    rejectedCount: 0,
    corruptedCount: 0,
    reputation: { accepted: 0, wrong: 0, lost: 0, rejected: 0, corrupted: 0, updatedAtMs: firstSeenMs },
    conduct: {
      offences: 0,
      lastOffenceAtMs: 0 as TimeMs,
      heldMicroCredit: nothing,
      heldUntilMs: 0 as TimeMs,
      quarantine: undefined,
      isBanned: false,
    },
  }
}

/**
 * Schema 3 had no book. What a worker had earned is issued to it as stake, so that it has something to lose from the start;
 * issuance goes down by as much, and the book is at zero.
 */
export function openingOfWorker({ workerId, earnedMicroCredit }: OldStanding): readonly BookEntry[] {
  if (earnedMicroCredit === 0n) return []
  const amount = earnedMicroCredit
  return [{ kind: 'deposit', workerId, source: 'issuance', requesterId: undefined, amount }]
}

/** A live task was accepted when nothing was put in escrow: reward and fee are issued to its requester and go there. */
export function openingOfTask(
  { taskId, requesterId, rewardMicroCredit }: OldTask,
  feePermille: number,
): readonly BookEntry[] {
  const amount = (rewardMicroCredit + feeOf(rewardMicroCredit, feePermille)) as MicroCredit
  const escrow: BookEntry = { kind: 'escrow', taskId, requesterId, amount }
  return amount === 0n ? [escrow] : [{ kind: 'issue', requesterId, amount }, escrow]
}
