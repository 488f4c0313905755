/** What all runs have in common: the operator's policies, sized so that a few hundred tasks show what they do. */
import { type DispatchPolicy, defaultPolicy } from '@shardy/dispatch'
import { type BookParameters, defaultParameters } from '@shardy/ledger'
import type { MicroCredit } from '@shardy/protocol'

/** A bound of one in five and small stakes: audits come about and so do answers that are not audited. */
export const policy: DispatchPolicy = {
  ...defaultPolicy,
  trust: { ...defaultPolicy.trust, boundPpm: 200_000, cleanAudits: 3 },
}

export const bookParameters: BookParameters = defaultParameters

export const grantMicroCredit = 50_000_000n as MicroCredit
