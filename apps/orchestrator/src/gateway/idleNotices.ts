/**
 * "Why do I get nothing": workers that compute nothing are told the constraint, when it is another one than before, and no more
 * often than the interval. A few at a time are looked at, so that ten thousand cost nobody a pause.
 */
import type { Explanation } from '@shardy/dispatch'
import { encodeFrame, messageLengthMax, type WorkerId } from '@shardy/protocol'
import type { Clock } from '../clock.ts'

export interface IdleNoticeParts {
  readonly clock: Clock
  /** Those that have joined. */
  workers(): Iterable<WorkerId>
  workerCount(): number
  /** Undefined while it has work, or is gone. */
  explain(workerId: WorkerId): Explanation | undefined
  send(workerId: WorkerId, frame: Uint8Array): void
}

export interface IdleNotices {
  left(workerId: WorkerId): void
  close(): void
}

interface Told {
  constraint: string | undefined
  atMs: number
}

const lookMs = 250
const constraintLengthMax = 32

export function createIdleNotices(parts: IdleNoticeParts, everyMs: number): IdleNotices {
  const { clock } = parts
  const told = new Map<WorkerId, Told>()
  let isClosed = false
  let round = parts.workers()[Symbol.iterator]()
  let cancel = clock.after(lookMs, look)

  function look(): void {
    const share = Math.max(16, Math.ceil((parts.workerCount() * lookMs) / everyMs))
    for (let looked = 0; looked < share; looked++) {
      const { done, value } = round.next()
      if (done) {
        round = parts.workers()[Symbol.iterator]()
        break
      }
      tell(value)
    }
    if (!isClosed) cancel = clock.after(lookMs, look)
  }

  function tell(workerId: WorkerId): void {
    const before = told.get(workerId)
    const explanation = parts.explain(workerId)
    const constraint = explanation?.constraints[0]?.constraint
    if (explanation === undefined || constraint === undefined) {
      // It has work meanwhile: what it heard before no longer holds.
      if (before !== undefined) before.constraint = undefined
      return
    }
    const nowMs = clock.nowMs()
    if (before?.constraint === constraint || (before !== undefined && nowMs - before.atMs < everyMs)) return
    told.set(workerId, { constraint, atMs: nowMs })
    const message = explanation.text.replace(/[^\x20-\x7e]/g, '?').slice(0, messageLengthMax)
    parts.send(
      workerId,
      encodeFrame('idle', { constraint: constraint.slice(0, constraintLengthMax), message }),
    )
  }

  return {
    left: (workerId) => void told.delete(workerId),
    close() {
      isClosed = true
      cancel()
    },
  }
}
