/** The one sentence that says how things stand, what to do about it, and what the big button does. */
import type { DeliveryView, WorkerView } from '@shardy/worker'
import type { ComputeState } from '../compute/channel.ts'
import type { StationView } from '../station/station.ts'
import { failureWords, reasonWords, type Words } from './advice.ts'

export type StatusName =
  | 'idle'
  | 'preparing'
  | 'connecting'
  | 'available'
  | 'executing'
  | 'waitingForOthers'
  | 'paused'
  | 'disconnected'
  | 'refused'
  | 'failed'

export interface Status extends Words {
  /** The stable name, for scripts and styles. */
  readonly name: StatusName
  readonly tone: 'calm' | 'busy' | 'good' | 'bad'
  readonly button: Button
  /** When the page tries again by itself. */
  readonly retryAtMs: number | undefined
}

export interface Button {
  readonly label: 'Start' | 'Pause' | 'Resume' | 'Try again' | 'Starting…'
  readonly action: 'start' | 'pause' | 'none'
}

const buttons = {
  start: { label: 'Start', action: 'start' },
  pause: { label: 'Pause', action: 'pause' },
  resume: { label: 'Resume', action: 'start' },
  again: { label: 'Try again', action: 'start' },
  wait: { label: 'Starting…', action: 'none' },
} as const satisfies Record<string, Button>

function preparing(compute: ComputeState | undefined): Words {
  switch (compute?.kind) {
    case 'opening':
      return { headline: 'Waking up the device', advice: 'The first time takes a few seconds.' }
    case 'measuring':
      return { headline: 'Measuring its speed', advice: 'So that you get work of the right size.' }
    default:
      return { headline: 'Getting ready', advice: 'Looking for the key of this worker in your browser.' }
  }
}

const isWaiting = ({ phase }: DeliveryView): boolean => phase === 'committed' || phase === 'answered'

function admitted(
  { deliveries, small, idle }: Pick<WorkerView, 'deliveries' | 'small' | 'idle'>,
  compute: ComputeState | undefined,
): Omit<Status, 'button' | 'retryAtMs'> {
  const waiting = deliveries.filter(isWaiting).length
  if (deliveries.length > waiting || small.open > 0) {
    return compute?.kind === 'opening' || compute?.kind === 'measuring'
      ? {
          name: 'executing',
          tone: 'busy',
          headline: 'Waking up the device again',
          advice: 'It stopped answering. The work that it had was handed back.',
        }
      : {
          name: 'executing',
          tone: 'good',
          headline: 'Working',
          advice: 'Your device is computing. You can go on using it; pause whenever you like.',
        }
  }
  if (waiting + small.committed + small.answered > 0) {
    return {
      name: 'waitingForOthers',
      tone: 'good',
      headline: 'Answered, waiting for the verdict',
      advice: 'Each answer is looked at as its requester asked: checked, or compared with those of others.',
    }
  }
  return {
    name: 'available',
    tone: 'good',
    headline: 'Connected, waiting for work',
    advice: adviceFor(idle),
  }
}

/** That nothing waits is no trouble of this worker's. */
const nothingWaits = 'noTaskWaits'

function adviceFor(idle: WorkerView['idle']): string {
  const advice = 'Work arrives by itself when somebody submits a task. Leave this tab open.'
  if (idle?.constraint === nothingWaits) return `No task is waiting. ${advice}`
  if (idle !== undefined) return `Why there is none for you now: ${idle.message}.`
  return advice
}

export function describeStatus(view: StationView, orchestrator: string): Status {
  const { stage, session, compute, reason, wasAdmitted } = view
  const plain = { retryAtMs: undefined }
  switch (stage.kind) {
    case 'idle':
      return {
        ...plain,
        name: 'idle',
        tone: 'calm',
        headline: 'Ready when you are',
        advice: 'Start, and this tab measures its speed, connects and takes small pieces of work.',
        button: buttons.start,
      }
    case 'preparing':
      return { ...plain, name: 'preparing', tone: 'busy', ...preparing(compute), button: buttons.wait }
    case 'failed':
      return { ...plain, name: 'failed', tone: 'bad', ...failureWords(stage.failure), button: buttons.again }
    case 'working':
      break
  }
  if (session === undefined) {
    return { ...plain, name: 'preparing', tone: 'busy', ...preparing(compute), button: buttons.wait }
  }
  const { connection, presence } = session
  const isPaused = presence === 'paused'
  const button = isPaused ? buttons.resume : buttons.pause
  switch (connection.kind) {
    case 'stopped': {
      const fallback = { headline: 'Stopped', advice: connection.reason }
      const words = reason === undefined ? fallback : reasonWords(reason, orchestrator, wasAdmitted)
      return { ...plain, name: 'refused', tone: 'bad', ...words, button: buttons.again }
    }
    case 'waiting': {
      const fallback = { headline: 'Not connected', advice: connection.reason }
      const words = reason === undefined ? fallback : reasonWords(reason, orchestrator, wasAdmitted)
      const name = reason?.kind === 'refused' ? 'refused' : 'disconnected'
      return { name, tone: 'bad', ...words, button, retryAtMs: connection.retryAtMs }
    }
    case 'idle':
    case 'connecting':
      // Between two attempts the reason stays: a person should be able to read it.
      if (reason !== undefined && reason.kind !== 'asked') {
        const name = reason.kind === 'refused' ? 'refused' : 'disconnected'
        return { ...plain, name, tone: 'bad', ...reasonWords(reason, orchestrator, wasAdmitted), button }
      }
      return {
        ...plain,
        name: 'connecting',
        tone: 'busy',
        headline: 'Connecting',
        advice: `Introducing this worker to the orchestrator at ${orchestrator}.`,
        button,
      }
    case 'admitted':
      break
  }
  if (isPaused) {
    return {
      ...plain,
      name: 'paused',
      tone: 'calm',
      headline: 'Paused',
      advice: 'No work is taken, and unfinished work was handed back. You are still connected.',
      button,
    }
  }
  return { ...plain, ...admitted(session, compute), button }
}
