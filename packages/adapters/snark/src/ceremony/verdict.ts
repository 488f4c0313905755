/** What a verifier of a ceremony says: what holds, or the first thing that does not, by name. */

export const refusalCodes = [
  /** The transcript is no transcript: not JSON, a field missing or of the wrong form. */
  'transcriptMalformed',
  /** The transcript contradicts itself, or the key, in what it says about contributions. */
  'transcriptEdited',
  /** The circuit is not the one the key was made for, or not the one the transcript or the verifier names. */
  'wrongCircuit',
  /** The powers of tau are not those the key was made from, or not those the transcript or the verifier names. */
  'wrongPhase1',
  /** The powers of tau themselves do not hold. */
  'badPhase1',
  'keyMissing',
  'keyTruncated',
  'keyMalformed',
  /** Points of the key are not what its contributions make of the first key. */
  'keyTampered',
  'contributionRemoved',
  'contributionAdded',
  'contributionsReordered',
  /** Another contribution stands where the transcript names one. */
  'contributionReplaced',
  /** A contribution does not follow from those before it, or shows no knowledge of its secret. */
  'contributionBroken',
] as const

export type CeremonyRefusalCode = (typeof refusalCodes)[number]

export interface CeremonyRefusal {
  readonly code: CeremonyRefusalCode
  readonly detail: string
}

export const refuse = (code: CeremonyRefusalCode, detail: string) =>
  ({ ok: false, refusal: { code, detail } }) as const

export type Refused = ReturnType<typeof refuse>
export type Checked<T> = { readonly ok: true; readonly value: T } | Refused
