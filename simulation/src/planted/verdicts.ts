/** Bugs in what is said of answers. */
import type { MicroCredit } from '@shardy/protocol'
import type { Plant } from '../plant.ts'
import { isCongruent } from '../work.ts'

type CheckVerdict = { readonly kind: 'right' | 'wrong' | 'unknown' }

export const verdicts: readonly Plant[] = [
  {
    name: 'skippedRangeCheck',
    what: 'numbers that differ by the prime of the projection pass for equal',
    open: () => ({
      begin: (begin, seen) => (effect) => {
        const found = begin(effect)
        if (found?.kind !== 'checked' || found.verdict.kind !== 'wrong' || effect.kind !== 'check')
          return found
        const output = seen.answerOf(effect.delivery.deliveryId)
        if (output === undefined || !isCongruent(output, seen.rightOf(effect.task.spec.taskId))) return found
        return { ...found, verdict: { kind: 'right', by: 'projection' } }
      },
    }),
  },
  {
    name: 'staleVerdict',
    what: 'now and then the verdict on the answer before is taken for that on this one',
    open() {
      let last: CheckVerdict | undefined
      let count = 0
      return {
        begin: (begin) => (effect) => {
          const found = begin(effect)
          if (found?.kind !== 'checked') return found
          const stale = last
          last = found.verdict
          if (stale === undefined || ++count % 10 !== 0) return found
          return { ...found, verdict: stale as typeof found.verdict }
        },
      }
    },
  },
  {
    name: 'replayTaken',
    what: 'a delivery that was lost stays open for an answer that comes after all',
    open: () => ({
      perform(effects, state) {
        for (const effect of effects) {
          if (effect.kind !== 'publish' || effect.entry.type !== 'lost') continue
          const delivery = effect.task.deliveries[effect.entry.attempt - 1]
          if (delivery !== undefined) state.deliveries.set(delivery.deliveryId, delivery)
        }
        return effects
      },
    }),
  },
  {
    name: 'auditForgotten',
    what: 'a check that is under way when its task is cancelled is forgotten',
    open: () => ({
      happening(happening, state) {
        if (happening.kind === 'acked') state.audits.clear()
        return happening
      },
    }),
  },
  {
    name: 'auditLostInRestart',
    what: 'a check whose task has ended is forgotten when the process starts again',
    open: () => ({
      recovered({ state, effects }) {
        const kept = effects.filter((each) => each.kind !== 'check' || each.delivery.state !== 'settled')
        for (const { workerId, exposureMicroCredit } of state.audits.values()) {
          const standing = state.standings.get(workerId)
          if (standing === undefined) continue
          standing.exposureMicroCredit = (standing.exposureMicroCredit - exposureMicroCredit) as MicroCredit
        }
        state.audits.clear()
        state.auditsOf.clear()
        return { state, effects: kept }
      },
    }),
  },
]
