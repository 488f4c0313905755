/** One text for one state: what is kept, what is derived, and every order that a later decision could depend on. */
import { type DispatchState, standingRecord, taskRecord } from '../src/index.ts'
import { sha256 } from './identity.ts'

export function digestOfState(state: DispatchState): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const facts = {
    tasks: [...state.tasks.values()].map((task) => {
      const { wants, place, agreeing, dueIndex, dueAtMs, comparing, unsaved, deliveries } = task
      const about = deliveries.map(
        ({ check, checkedBy, exposureMicroCredit, group, estimateMs, expectedMs }) => [
          check,
          checkedBy,
          `${exposureMicroCredit}`,
          group,
          estimateMs,
          expectedMs,
        ],
      )
      return [
        hex(taskRecord.encode(task)),
        wants,
        place,
        agreeing,
        dueIndex,
        dueAtMs,
        comparing,
        unsaved,
        about,
      ]
    }),
    deliveries: [...state.deliveries.keys()],
    audits: [...state.audits.keys()],
    workers: [...state.workers.values()].map((worker) => {
      const { publicKey, held, warm, profile, ...rest } = worker
      const ids = [...held].map(({ deliveryId }) => deliveryId)
      return [
        hex(publicKey),
        ids,
        [...warm],
        { ...profile, askMicroCredit: `${profile.askMicroCredit}` },
        rest,
      ]
    }),
    standings: [...state.standings.values()].map((standing) => [
      hex(standingRecord.encode(standing)),
      `${standing.exposureMicroCredit} ${standing.stake.lockedMicroCredit}`,
      standing.failures,
      standing.failingUntilMs,
    ]),
    flows: [...state.flows.values()],
    away: [...state.away].map(({ requesterId }) => requesterId),
    classes: [...state.classes.values()].map(({ key, liveTasks, queue }) => [
      key,
      liveTasks,
      queue.nextVirtualTime(),
      [...queue.waiting()].map(({ spec }) => spec.taskId),
    ]),
    waitingClasses: [...state.waitingClasses].map(({ key }) => key),
    idle: state.idle.map(({ workerId }) => workerId),
    failing: [...state.failing].map(({ workerId }) => workerId),
    rest: [
      state.mode,
      state.virtualTime,
      state.sweepFrom,
      state.sweepLeft,
      state.sweepAtMs,
      state.failingUntilMs,
      state.random,
      state.atMs,
    ],
  }
  return hex(sha256(Buffer.from(JSON.stringify(facts))))
}
