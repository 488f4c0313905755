/**
 * The peer: BOINC's adaptive replication, as its scheduler and validator have it. A host with n ≥ 10 consecutive
 * valid results is trusted with probability 1 − 1/n when work is sent; only replicated results count towards n; a
 * wrong one sets n to 0. There is nothing to lose, and anybody may come again as another host.
 */
import type { Random } from '../random.ts'
import { emptySum, type Rule } from './rule.ts'

const trustedFrom = 10

export function createBoinc(random: Random): Rule {
  const consecutiveValid: number[] = []
  const sum = emptySum()
  return {
    sum,
    join: () => consecutiveValid.push(0) - 1,
    answer(identity, isGood, value = 1) {
      const n = consecutiveValid[identity] ?? 0
      sum.answered++
      if (n >= trustedFrom && !random.chance(1 / n)) {
        if (!isGood) {
          sum.badCount++
          sum.badValue += value
        }
        return 'alone'
      }
      sum.examined++
      consecutiveValid[identity] = isGood ? n + 1 : 0
      return 'examined'
    },
    decide() {},
    withdraw() {},
    wait() {},
  }
}
