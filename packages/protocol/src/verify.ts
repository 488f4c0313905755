/**
 * How a task's results are to be verified, as its requester chose. What each mode proves, and what it does not, is in
 * docs/spec/dispatch.md.
 */
import { replicasMax } from './limits.ts'
import { choice, whole } from './schema/codec.ts'
import { field, type Infer, message } from './schema/message.ts'

export const verifyModes = ['checked', 'quorum', 'audited', 'adaptive'] as const
export type VerifyMode = (typeof verifyModes)[number]

export const verifyPolicy = message(
  'VerifyPolicy',
  {
    mode: field(1, choice(verifyModes)),
    /** Workers asked at first; 1 but for `quorum`. */
    replicas: field(2, whole(1, replicasMax)),
    /** Distinct workers whose answers must be equal; 1 but for `quorum`. */
    agreeing: field(3, whole(1, replicasMax)),
    /** Of a thousand answers, how many are checked before they are taken; 0 but for `audited`. */
    auditPermille: field(4, whole(0, 1000)),
  },
  ({ mode, replicas, agreeing, auditPermille }) => {
    if (mode === 'quorum') {
      if (agreeing < 2) return { field: 'agreeing', rule: 'a quorum is two workers or more' }
      if (agreeing > replicas) return { field: 'agreeing', rule: 'no more agree than are asked' }
    } else if (replicas !== 1 || agreeing !== 1) {
      return { field: 'replicas', rule: 'only a quorum asks several workers' }
    }
    if (mode === 'audited' ? auditPermille < 1 : auditPermille !== 0) {
      return { field: 'auditPermille', rule: 'audited tasks, and no others, have a rate' }
    }
    return undefined
  },
)
export type VerifyPolicy = Infer<typeof verifyPolicy>

export const checked: VerifyPolicy = { mode: 'checked', replicas: 1, agreeing: 1, auditPermille: 0 }
export const adaptive: VerifyPolicy = { mode: 'adaptive', replicas: 1, agreeing: 1, auditPermille: 0 }

export function quorum(replicas: number, agreeing: number): VerifyPolicy {
  return { mode: 'quorum', replicas, agreeing, auditPermille: 0 }
}

export function audited(auditPermille: number): VerifyPolicy {
  return { mode: 'audited', replicas: 1, agreeing: 1, auditPermille }
}

/** As requesters write it and read it: `checked`, `quorum(3,2)`, `audited(50)`, `adaptive`. */
export function describeVerify({ mode, replicas, agreeing, auditPermille }: VerifyPolicy): string {
  if (mode === 'quorum') return `quorum(${replicas},${agreeing})`
  return mode === 'audited' ? `audited(${auditPermille})` : mode
}

/** Undefined when the text is no policy. */
export function parseVerify(text: string): VerifyPolicy | undefined {
  if (text === 'checked') return checked
  if (text === 'adaptive') return adaptive
  const parsed = /^quorum\(([1-9]),([1-9])\)$/.exec(text)
  if (parsed !== null) {
    const [replicas, agreeing] = [Number(parsed[1]), Number(parsed[2])]
    return replicas <= replicasMax && agreeing >= 2 && agreeing <= replicas
      ? quorum(replicas, agreeing)
      : undefined
  }
  const rate = /^audited\(([1-9]\d{0,3})\)$/.exec(text)
  return rate !== null && Number(rate[1]) <= 1000 ? audited(Number(rate[1])) : undefined
}
