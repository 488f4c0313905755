/** Counts what limits refuse, by what was over its limit. */
import type { Limits } from '../access/limits.ts'
import type { Metrics } from './metrics.ts'

export function countRefusals(limits: Limits, metrics: Metrics): Limits {
  const byKey = metrics.rateLimited.bind({ limit: 'key' })
  const byAddress = metrics.rateLimited.bind({ limit: 'address' })
  return {
    ...limits,
    take(name, who, amount) {
      try {
        limits.take(name, who, amount)
      } catch (error) {
        const counter = name.endsWith('.key') ? byKey : byAddress
        counter.inc()
        throw error
      }
    },
  }
}
