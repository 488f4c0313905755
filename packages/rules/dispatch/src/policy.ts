/** What an operator decides about dispatch: bounds, lease sizes, retries. Plain data, read by every rule. */
import { type DurationMs, deliveriesPerTaskMax, payloadBytesMax } from '@shardy/protocol'
import { checkedTrustPolicy, defaultTrustPolicy, type TrustPolicy } from './trust/index.ts'

export interface DispatchPolicy {
  readonly liveTasksMax: number
  readonly liveTasksPerRequesterMax: number
  /** Deliveries a task may use up before it is dead. */
  readonly attemptsMax: number
  readonly leaseMsMin: DurationMs
  readonly leaseMsMax: DurationMs
  /** A lease is this many times what the worker's measured rate asks for. */
  readonly leaseFactor: number
  /** A worker that was measured slower is taken to do as much. */
  readonly operationsPerSecondMin: number
  /** Assumed of a line whose speed nobody measured. */
  readonly transferBytesPerSecond: number
  /** What a worker is taken to need, beside its answer, to commit to a tile's sums and to prove one block of it. */
  readonly blockProofMs: DurationMs
  /** How long a worker has to answer once commitments are closed, beside the time that its output takes. */
  readonly revealMs: DurationMs
  readonly backoffMsMin: DurationMs
  readonly backoffMsMax: DurationMs
  /** Output that a worker may hold: of what is out with it, until it has answered. */
  readonly heldBytesMax: number
  /** Small deliveries are handed out ahead until they are this much work. */
  readonly prefetchMs: DurationMs
  /** Observed speed below this part of the measured one asks for a fresh benchmark. */
  readonly driftFactor: number
  /** A worker is asked for a fresh benchmark no more often than this. */
  readonly benchmarkPauseMs: DurationMs
  /** In which time what is known of a worker's conduct counts half; it orders workers and nothing else. */
  readonly reputationHalfLifeMs: DurationMs
  readonly trust: TrustPolicy
}

export const defaultPolicy: DispatchPolicy = {
  liveTasksMax: 100_000,
  liveTasksPerRequesterMax: 100_000,
  attemptsMax: 24,
  leaseMsMin: 15_000 as DurationMs,
  leaseMsMax: 3_600_000 as DurationMs,
  leaseFactor: 4,
  operationsPerSecondMin: 10_000_000,
  transferBytesPerSecond: 1_000_000,
  // On two cores a proof takes 1.2 s, 1.6 s in a tab, and 4,096 commitments to the longest chain of sums 2.5 s; two frames go there and
  // back. A lease is four times as much, which is what a hidden tab may need, or one that has to load its key.
  blockProofMs: 5_000 as DurationMs,
  revealMs: 15_000 as DurationMs,
  backoffMsMin: 200 as DurationMs,
  backoffMsMax: 30_000 as DurationMs,
  heldBytesMax: 4 * payloadBytesMax,
  prefetchMs: 250 as DurationMs,
  driftFactor: 0.4,
  benchmarkPauseMs: 600_000 as DurationMs,
  reputationHalfLifeMs: 86_400_000 as DurationMs,
  trust: defaultTrustPolicy,
}

export function assertPolicy({ attemptsMax, backoffMsMin, heldBytesMax, trust }: DispatchPolicy): void {
  const fault = checkedTrustPolicy(trust)
  if (fault !== undefined) {
    throw new RangeError(`trust.${fault.field} is ${fault.value}, allowed is ${fault.least} to ${fault.most}`)
  }
  if (attemptsMax < 1 || attemptsMax > deliveriesPerTaskMax) {
    throw new RangeError(`attemptsMax is ${attemptsMax}, allowed is 1 to ${deliveriesPerTaskMax}`)
  }
  // A task leaves its queue while it pauses, which is what has it looked at afresh.
  if (backoffMsMin < 1) throw new RangeError(`backoffMsMin is ${backoffMsMin}, the least is 1`)
  if (heldBytesMax < 2 * payloadBytesMax) {
    throw new RangeError(`heldBytesMax is ${heldBytesMax}, the least is ${2 * payloadBytesMax}`)
  }
}
