/** What an attacker meets: a way of deciding which of its results are looked at. One side is ours, one BOINC's. */
export interface Rule {
  /** A new identity, with value of the attacker's own locked for it. */
  join(depositValue: number): number
  /** One bound result. Tells what the attacker would see. */
  answer(identity: number, isGood: boolean, value?: number): 'alone' | 'examined' | 'refused'
  /** All that is being examined is decided. */
  decide(): void
  /** The attacker asks for all that it may have back and for nothing else. */
  withdraw(identity: number): void
  /** Time passes. */
  wait(ms: number): void
  readonly sum: Sum
}

export interface Sum {
  /** Bad results that were accepted, and what they were worth. */
  badCount: number
  badValue: number
  /** Destroyed, or held for a first offence. */
  takenValue: number
  /** The stakes that were at risk on the bad results that were examined: never more than what was taken. */
  riskedValue: number
  answered: number
  examined: number
  /** The most money of its own that it had locked at any time. */
  ownValue: number
}

export function emptySum(): Sum {
  return {
    badCount: 0,
    badValue: 0,
    takenValue: 0,
    riskedValue: 0,
    answered: 0,
    examined: 0,
    ownValue: 0,
  }
}
