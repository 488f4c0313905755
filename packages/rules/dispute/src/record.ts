/**
 * What is kept of a dispute: plain values with a canonical encoding, so that a store can hold them and a restart goes
 * on where the process before it stopped.
 */
import {
  type Brand,
  blob,
  choice,
  domainPayload,
  encodeHex,
  field,
  flag,
  hex,
  type Infer,
  list,
  message,
  optional,
  programBytesMax,
  type Sha256,
  statementLeaf,
  traceNodesMax,
  tracePathMax,
  values,
  whole,
} from '@shardy/protocol'
import { evidence, shownLeaf } from './evidence.ts'
import { shownMax } from './outline.ts'
import { type Party, party } from './party.ts'

export type DisputeId = Brand<string, 'DisputeId'>
export const disputeIdValue = hex<DisputeId>(32)

/** Follows from what the two signed, so that the same dispute cannot be opened twice, from either side. */
export function disputeIdOf(a: Party, b: Party, sha256: Sha256): DisputeId {
  const leaves = new Uint8Array(64)
  leaves.set(statementLeaf(a.statement, sha256))
  leaves.set(statementLeaf(b.statement, sha256), 32)
  return encodeHex(sha256(domainPayload('dispute', leaves))) as DisputeId
}

/** Sides stand in the order of their workers' ids, whoever opened. */
export function inOrder(one: Party, other: Party): readonly [Party, Party] {
  return one.statement.workerId < other.statement.workerId ? [one, other] : [other, one]
}

export const opener = message(
  'DisputeOpener',
  {
    kind: field(1, choice(['orchestrator', 'requester', 'worker'])),
    workerId: field(2, optional(values.workerId)),
  },
  ({ kind, workerId }) =>
    (kind === 'worker') === (workerId !== undefined)
      ? undefined
      : { field: 'workerId', rule: 'a worker is named, nobody else is' },
)
export type Opener = Infer<typeof opener>

/** The hashes of the two halves of a subtree. */
export const halves = message('TraceHalves', {
  left: field(1, values.digest),
  right: field(2, values.digest),
})
export type Halves = Infer<typeof halves>

export const disputeSide = message('DisputeSide', {
  party: field(1, party.codec),
  isSigned: field(2, flag()),
  /** Of the subtree that the dispute has come to: the root at first, a leaf at last. */
  hash: field(3, values.digest),
  /** The hashes beside the way there, the lowest first. */
  beside: field(4, list(values.digest, tracePathMax)),
  /** What this side showed in this round. */
  halves: field(5, optional(halves.codec)),
})
export type DisputeSide = Infer<typeof disputeSide>

export const outcomeKinds = ['badSignature', 'unverified', 'decided', 'forfeited', 'undecided'] as const

export const disputeOutcome = message('DisputeOutcome', {
  kind: field(1, choice(outcomeKinds)),
  /** Whom it goes against: who is shown to be wrong, or who did not reveal. */
  against: field(2, list(values.workerId, 2)),
  evidence: field(3, optional(evidence.codec)),
  endedAtMs: field(4, values.timeMs),
})
export type DisputeOutcome = Infer<typeof disputeOutcome>

export const phases = ['verifying', 'bisecting', 'showing', 'executing', 'ended'] as const
export type Phase = (typeof phases)[number]

export const disputeRecord = message('DisputeRecord', {
  disputeId: field(1, disputeIdValue),
  openedBy: field(2, opener.codec),
  openedAtMs: field(3, values.timeMs),
  program: field(4, blob(programBytesMax)),
  a: field(5, disputeSide.codec),
  b: field(6, disputeSide.codec),
  phase: field(7, choice(phases)),
  /** When the phase's window closes; once ended, when the dispute is forgotten. */
  dueMs: field(8, values.timeMs),
  /** When those who have not answered are asked again. */
  askAtMs: field(9, values.timeMs),
  /** The subtree under dispute: the leaves `from` up to, not including, `to`. */
  from: field(10, whole(0, traceNodesMax)),
  to: field(11, whole(0, traceNodesMax)),
  /** Times that both sides showed halves. */
  rounds: field(12, whole(0, tracePathMax)),
  /** The agreed values that the question starts from. */
  shown: field(13, list(shownLeaf.codec, shownMax)),
  /** Blobs that whoever executes lacks. */
  missing: field(14, list(values.digest, 2 * shownMax + 1)),
  outcome: field(15, optional(disputeOutcome.codec)),
})
export type DisputeRecord = Infer<typeof disputeRecord>

export const sideNames = ['a', 'b'] as const
export type SideName = (typeof sideNames)[number]

export const workerOf = ({ party: { statement } }: DisputeSide) => statement.workerId

/** The node under dispute, once there is one; undefined while it is a subtree, or the output. */
export function disputedNode({ a, b, from, to }: DisputeRecord): number | undefined {
  return a.hash !== b.hash && to - from === 1 ? from : undefined
}
