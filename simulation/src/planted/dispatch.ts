/** Bugs in who gets what, for how long, and who counts. */
import { isCommitFirst } from '@shardy/dispatch'
import type { Plant } from '../plant.ts'

export const dispatch: readonly Plant[] = [
  {
    name: 'lostLease',
    what: 'now and then a lease is not among what falls due',
    open() {
      let count = 0
      return {
        perform(effects, state) {
          for (const effect of effects) {
            if (effect.kind !== 'deliver' || ++count % 50 !== 0) continue
            if (state.deliveries.has(effect.delivery.deliveryId)) state.due.remove(effect.task)
          }
          return effects
        },
      }
    },
  },
  {
    name: 'overbookedSlots',
    what: 'a delivery that was acknowledged no longer counts as taking a slot',
    open: () => ({
      perform(effects, state) {
        for (const effect of effects) {
          if (effect.kind !== 'publish' || effect.entry.type !== 'acked') continue
          const worker = effect.task.deliveries[effect.entry.attempt - 1]?.worker
          if (worker !== undefined && state.atMs % 16 === 0) worker.computing--
        }
        return effects
      },
    }),
  },
  {
    name: 'sameWorkerTwice',
    what: 'whoever failed at a task may have it again',
    open: () => ({
      perform(effects) {
        for (const effect of effects) {
          if (effect.kind !== 'publish') continue
          const delivery = effect.task.deliveries[effect.entry.attempt - 1]
          if (delivery !== undefined && effect.entry.type === 'lost') delivery.excused = true
        }
        return effects
      },
    }),
  },
  {
    name: 'starvation',
    what: 'one requester is always served last',
    open: () => ({
      perform(effects, state) {
        let last: (typeof state.flows extends Map<unknown, infer T> ? T : never) | undefined
        let most = 0
        for (const flow of state.flows.values()) {
          if (flow.requesterId.startsWith('b')) last = flow
          else most = Math.max(most, flow.virtualTime)
        }
        if (last !== undefined) last.virtualTime = most + 1_000
        return effects
      },
    }),
  },
  {
    name: 'wrongQuorum',
    what: 'one worker less than was asked for has to agree',
    open: () => ({
      perform(effects) {
        for (const effect of effects) {
          if (effect.kind !== 'publish' || effect.entry.type !== 'delivered') continue
          const { task } = effect
          if (isCommitFirst(task)) task.agreeing = Math.max(1, task.spec.verify.agreeing - 1)
        }
        return effects
      },
    }),
  },
  {
    name: 'earlyReveal',
    what: 'whoever commits is asked to show its answer at once',
    open: () => ({
      perform: (effects) =>
        effects.flatMap((effect) => {
          if (effect.kind !== 'publish' || effect.entry.type !== 'committed') return [effect]
          const delivery = effect.task.deliveries[effect.entry.attempt - 1]
          if (delivery?.state !== 'committed') return [effect]
          delivery.state = 'revealing'
          delivery.dueMs = effect.task.deadlineMs
          const { workerId, deliveryId } = delivery
          return [effect, { kind: 'closeCommitments', workerId, deliveryId } as const]
        }),
    }),
  },
]
