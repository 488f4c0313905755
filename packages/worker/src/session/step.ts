/**
 * The worker's side of the session (spec W10–W53), without a clock, chance or waiting: the same inputs at the same times always
 * give the same effects. A state that was given in must not be used again, because small deliveries are moved in place. The
 * switch is the table of contents.
 */
import { helloSigned, helloUnsigned } from './admission.ts'
import { auditFailed, blockProven, sumsCommitted } from './audit.ts'
import { benchmarkNotRun, benchmarkRun } from './benchmark.ts'
import { closed, opened, openNumber, start, stop } from './connection.ts'
import type { Effect } from './effect.ts'
import {
  batchExecuted,
  executed,
  freed,
  notExecuted,
  progressed,
  resultSigned,
  resultUnsigned,
} from './execution.ts'
import { constantsFetched, constantsNotFetched } from './fetching.ts'
import { frameCame } from './frame.ts'
import type { Input } from './input.ts'
import { woke } from './liveness.ts'
import { hide, pause, resume } from './presence.ts'
import { verified } from './receiving.ts'
import { batchVerified } from './small/receiving.ts'
import type { SessionState } from './state.ts'
import type { Rules, Turn } from './turn.ts'

export interface Stepped {
  readonly state: SessionState
  readonly effects: readonly Effect[]
}

export function step(rules: Rules, state: SessionState, nowMs: number, input: Input): Stepped {
  // What an abandoned socket still says is about a connection that is no more.
  if ('connection' in input && input.connection !== openNumber(state.connection))
    return { state, effects: [] }
  const turn: Turn = { rules, nowMs, state, effects: [] }
  handle(turn, input)
  return { state: turn.state, effects: turn.effects }
}

function handle(turn: Turn, input: Input): void {
  switch (input.kind) {
    case 'start':
      return start(turn)
    case 'stop':
      return stop(turn, { kind: 'asked' })
    case 'pause':
      return pause(turn)
    case 'resume':
      return resume(turn)
    case 'hidden':
      return hide(turn, input.hidden)
    case 'woke':
      return woke(turn)
    case 'opened':
      return opened(turn)
    case 'received':
      return frameCame(turn, input.bytes)
    case 'closed':
      return closed(turn, input)
    case 'helloSigned':
      return helloSigned(turn, input)
    case 'helloUnsigned':
      return helloUnsigned(turn, input)
    case 'verified':
      return verified(turn, input)
    case 'batchVerified':
      return batchVerified(turn, input)
    case 'constantsFetched':
      return constantsFetched(turn, input)
    case 'constantsNotFetched':
      return constantsNotFetched(turn, input)
    case 'progressed':
      return progressed(turn, input)
    case 'executed':
      return executed(turn, input)
    case 'notExecuted':
      return notExecuted(turn, input)
    case 'batchExecuted':
      return batchExecuted(turn, input)
    case 'benchmarkRun':
      return freed(turn, input.run, () => benchmarkRun(turn, input))
    case 'benchmarkNotRun':
      return freed(turn, input.run, () => benchmarkNotRun(turn, input))
    case 'sumsCommitted':
      return sumsCommitted(turn, input)
    case 'blockProven':
      return blockProven(turn, input)
    case 'auditFailed':
      return auditFailed(turn, input)
    case 'resultSigned':
      return resultSigned(turn, input)
    case 'resultUnsigned':
      return resultUnsigned(turn, input)
  }
}
