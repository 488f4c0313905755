/** How a delivery ended, in words for the person whose machine did it. */
import type { CancelReason, Outcome, RejectReason } from '@shardy/protocol'
import type { Ending } from '@shardy/worker'

export interface OutcomeWords {
  /** The stable name, for scripts and styles. */
  readonly name: Outcome | Exclude<Ending['kind'], 'settled'>
  readonly tone: 'good' | 'bad' | 'neutral'
  readonly title: string
  readonly detail: string
}

type Words = Omit<OutcomeWords, 'name'>

const outcomes: Record<Outcome, Words> = {
  accepted: { tone: 'good', title: 'Accepted', detail: 'your answer is the result of the task' },
  disagreed: {
    tone: 'bad',
    title: 'Disagreed, not paid',
    detail: 'enough other workers agreed on another answer',
  },
  wrong: { tone: 'bad', title: 'Wrong, not paid', detail: 'it was checked, and is not what the task makes' },
  lost: { tone: 'bad', title: 'Lost, not paid', detail: 'no answer arrived before the deadline' },
  rejected: {
    tone: 'neutral',
    title: 'Handed back',
    detail: 'somebody else gets it; nothing is held against you',
  },
  corrupted: {
    tone: 'neutral',
    title: 'Damaged on the way',
    detail: 'it is tried again; nothing is held against you',
  },
  superseded: { tone: 'neutral', title: 'Not needed any more', detail: 'others had settled it already' },
}

const rejections: Record<RejectReason, string> = {
  busy: 'this worker had enough to do',
  paused: 'you paused the worker',
  unsupported: 'this worker does not know that kind of work',
  tooLarge: 'it was too large for this device',
  corrupted: 'its input or weights did not come as announced',
  badAttestation: 'the orchestrator had not signed it properly',
  outOfTime: 'it could not be done before the deadline',
  deviceLost: 'the device was lost while working',
  executionFailed: 'the program could not be run',
}

const cancellations: Record<CancelReason, string> = {
  taskCancelled: 'the requester took the task back',
  taskDecided: 'others had settled it already',
  leaseExpired: 'the deadline passed',
  shuttingDown: 'the orchestrator is shutting down',
}

export function describeEnding(ending: Ending): OutcomeWords {
  switch (ending.kind) {
    case 'settled':
      return { name: ending.outcome, ...outcomes[ending.outcome] }
    case 'rejected':
      return { name: 'rejected', tone: 'neutral', title: 'Handed back', detail: rejections[ending.reason] }
    case 'cancelled':
      return { name: 'cancelled', tone: 'neutral', title: 'Called off', detail: cancellations[ending.reason] }
    case 'unsettled':
      return {
        name: 'unsettled',
        tone: 'neutral',
        title: 'Answered, verdict unknown',
        detail: 'the connection ended before the verdict came',
      }
    case 'connectionLost':
      return {
        name: 'connectionLost',
        tone: 'neutral',
        title: 'Broken off',
        detail: 'the connection ended while it was here',
      }
  }
}
