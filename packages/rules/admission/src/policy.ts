/**
 * What an operator sets about admission (docs/spec/admission.md): how fast and how steady a worker has to be for a tier, how it is
 * measured, and how often again. A policy out of its bounds is refused, by field, when it is read.
 */

export interface TierBound {
  /** int8 multiply-adds a second of the product chain. */
  readonly operationsPerSecondMin: number
  /** Bytes of device memory that the worker allocated, touched and verified. */
  readonly memoryBytesMin: number
}

export interface AdmissionPolicy {
  /** Tiers 1, 2 and 3. Whoever shows less than the first asks for is refused. */
  readonly tiers: readonly [TierBound, TierBound, TierBound]
  /** Byte steps a second of the lite chain: a number of its own kind. Hosts that run lite alone are of tier 1. */
  readonly liteOperationsPerSecondMin: number
  /** Operations of the first chain of a worker of which nothing is known. */
  readonly cpuFirstOperations: number
  readonly gpuFirstOperations: number
  readonly liteFirstOperations: number
  /** How long a chain is meant to take. */
  readonly targetMs: number
  /** A chain that took less tells too little, as does one that was half as fast again as the one before: a larger one follows. */
  readonly enoughMs: number
  /** Chains that one measurement may take. */
  readonly chainsMax: number
  /** Cells that are opened of the last of them. */
  readonly productOpenings: number
  readonly liteOpenings: number
  /** What a root or the openings may take beside the computing. */
  readonly slackMs: number
  /** The most that is taken off a time for the way there and back; never more than a quarter of it. */
  readonly roundTripMsMax: number
  /** Workers that are measured at once. */
  readonly underwayMax: number
  /** Workers that may wait for it. */
  readonly waitingMax: number
  /** Every admitted worker is measured anew after a random time, so long in the mean. */
  readonly meanIntervalMs: number
  /** No worker is measured anew sooner, whatever the reason. */
  readonly pauseMs: number
  /** Workers that are asked at the same moment. */
  readonly roundMax: number
  /** How long those of a round may take to finish the work they have. */
  readonly gatherMs: number
  /** Who shows less than this of its own rate when asked with others has the rate that it showed then. */
  readonly sharedPermille: number
  /** How often an admitted worker may fail to answer before it has to leave. */
  readonly triesMax: number
  /** How long an identity that failed is not measured again. */
  readonly keepOutMs: number
}

const gibibyte = 2 ** 30

/** Two slow cores pass, and are measured within a second. */
export const defaultAdmissionPolicy: AdmissionPolicy = {
  tiers: [
    { operationsPerSecondMin: 20e6, memoryBytesMin: 0 },
    { operationsPerSecondMin: 100e9, memoryBytesMin: gibibyte / 2 },
    { operationsPerSecondMin: 2e12, memoryBytesMin: 4 * gibibyte },
  ],
  liteOperationsPerSecondMin: 2e6,
  cpuFirstOperations: 2 ** 26,
  gpuFirstOperations: 2 ** 30,
  liteFirstOperations: 2 ** 22,
  targetMs: 300,
  enoughMs: 120,
  chainsMax: 6,
  productOpenings: 8,
  liteOpenings: 4,
  slackMs: 5_000,
  roundTripMsMax: 1_000,
  underwayMax: 64,
  waitingMax: 1_000,
  meanIntervalMs: 1_800_000,
  pauseMs: 10_000,
  roundMax: 16,
  gatherMs: 5_000,
  sharedPermille: 600,
  triesMax: 2,
  keepOutMs: 15_000,
}

export interface AdmissionPolicyFault {
  readonly kind: 'admissionPolicyFault'
  readonly field: string
  readonly value: number
  readonly least: number
  readonly most: number
}

const dayMs = 86_400_000

/** The first field that is out of its bounds, or undefined when all may be used. */
export function checkedAdmissionPolicy(policy: AdmissionPolicy): AdmissionPolicyFault | undefined {
  const { tiers } = policy
  const bounds: [field: string, value: number, least: number, most: number][] = []
  for (const [index, tier] of tiers.entries()) {
    const below = tiers[index - 1]
    const field = `tiers.${index}`
    const least = below?.operationsPerSecondMin ?? 1
    bounds.push([`${field}.operationsPerSecondMin`, tier.operationsPerSecondMin, least, 2 ** 53 - 1])
    bounds.push([`${field}.memoryBytesMin`, tier.memoryBytesMin, below?.memoryBytesMin ?? 0, 2 ** 53 - 1])
  }
  const simple: [Exclude<keyof AdmissionPolicy, 'tiers'>, number, number][] = [
    ['liteOperationsPerSecondMin', 1, 2 ** 53 - 1],
    ['cpuFirstOperations', 2 ** 20, 2 ** 40],
    ['gpuFirstOperations', 2 ** 20, 2 ** 40],
    ['liteFirstOperations', 2 ** 12, 2 ** 32],
    ['targetMs', 1, 60_000],
    // A chain is meant to take longer than what counts as enough, or no chain ever would be.
    ['enoughMs', 0, policy.targetMs],
    ['chainsMax', 1, 16],
    ['productOpenings', 1, 16],
    ['liteOpenings', 1, 16],
    ['slackMs', 100, 600_000],
    ['roundTripMsMax', 0, 60_000],
    ['underwayMax', 1, 4_096],
    ['waitingMax', 0, 100_000],
    ['meanIntervalMs', 1_000, 365 * dayMs],
    ['pauseMs', 0, dayMs],
    ['roundMax', 1, Math.min(64, policy.underwayMax)],
    ['gatherMs', 0, 600_000],
    ['sharedPermille', 0, 1_000],
    ['triesMax', 1, 16],
    ['keepOutMs', 0, dayMs],
  ]
  for (const [field, least, most] of simple) bounds.push([field, policy[field], least, most])
  for (const [field, value, least, most] of bounds) {
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      return { kind: 'admissionPolicyFault', field, value, least, most }
    }
  }
  return undefined
}
