/** Why a proof, its signals or a key is not taken, in one vocabulary for every proof system. A refusal is a value; only bugs throw. */

export type RefusalCode =
  /** Truncated, too long, or not of the form. */
  | 'malformed'
  /** A number that is not below its modulus, or not written in its one way. */
  | 'nonCanonical'
  | 'infinity'
  | 'offCurve'
  | 'wrongSubgroup'
  | 'signalCount'
  | 'wrongCurve'
  | 'wrongSystem'
  | 'unknownVersion'
  | 'retiredVersion'
  | 'wrongKind'
  /** Well-formed, and what it claims does not hold. */
  | 'false'
  /** Nothing was found out: too much waits for a verifier. */
  | 'queueFull'
  /** Nothing was found out: who had false proofs before may have only a few waiting. */
  | 'struck'

export interface ProofRefusal {
  readonly code: RefusalCode
  /** For a person: what was wrong, with the value and the bound. */
  readonly detail: string
}

export type Refused = { readonly ok: false; readonly refusal: ProofRefusal }
export type Verdict = { readonly ok: true } | Refused
export type Outcome<T> = { readonly ok: true; readonly value: T } | Refused

export const accepted: Verdict = { ok: true }

export function refuse(code: RefusalCode, detail: string): Refused {
  return { ok: false, refusal: { code, detail } }
}
