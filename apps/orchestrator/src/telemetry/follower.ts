/**
 * One reader of the event log, whatever line it sits on: takes a page, hands on what it may see, waits until the line
 * has room, and goes on. It holds no more than a page, so a slow reader costs a cursor and not memory; one that takes
 * nothing for too long is told why and let go, and may come back with its cursor.
 */
import type { StreamEndReason, StreamEventType } from '@shardy/api'
import type { RequesterId } from '@shardy/protocol'
import type { Clock } from '../clock.ts'
import type { EventLog } from './eventLog.ts'
import type { StreamEvent } from './streamRecord.ts'

/** Who reads: a requester sees what is its own, operators and auditors see everything. */
export interface Viewer {
  readonly kind: 'everything' | 'own'
  readonly requesterId: RequesterId
  /** Asked again before each page and heartbeat: a key may be revoked while its reader stays. */
  readonly isAllowed: () => boolean
}

export interface Asked {
  readonly viewer: Viewer
  /** The last event that the reader knows. */
  readonly after: number
  /** All when there is none. */
  readonly types: ReadonlySet<StreamEventType> | undefined
  /** False: ends after what is there already. */
  readonly isLive: boolean
}

/** What a follower needs of the line it sits on. */
export interface FollowerLine {
  send(events: readonly StreamEvent[]): void
  /** Nothing happened, up to here. */
  heartbeat(cursor: number): void
  /** Undefined while there is room; else resolves when there is. */
  drained(): Promise<void> | undefined
  end(reason: StreamEndReason, cursor: number): void
}

export interface FollowerParts {
  readonly log: EventLog
  readonly clock: Clock
  /** A break between two pages, so that one who catches up does not hold up the rest. */
  readonly turn: () => Promise<void>
  readonly failed: (error: unknown) => void
  /** It has come as far as the log for the first time. */
  readonly caughtUp?: () => void
}

export interface Following {
  /** The line is gone. */
  leave(): void
  /** Ends it from our side. */
  end(reason: StreamEndReason): void
  readonly ended: Promise<void>
}

/** Keeps proxies from closing a quiet line, and moves the cursor of a reader for whom nothing was. */
export const quietMs = 15_000
/** How long a line may stay full. */
export const stalledMsMax = 30_000

function mayPass({ record }: StreamEvent, { viewer, types }: Asked): boolean {
  if (types !== undefined && !types.has(record.type)) return false
  return viewer.kind === 'everything' || record.requesterId === viewer.requesterId
}

export function follow(
  { log, clock, turn, failed, caughtUp = () => {} }: FollowerParts,
  asked: Asked,
  line: FollowerLine,
): Following {
  let cursor = asked.after
  let isOver = false
  let wake: () => void = () => {}
  let saidMs = clock.nowMs()

  function end(reason: StreamEndReason): void {
    if (isOver) return
    isOver = true
    line.end(reason, cursor)
    wake()
  }

  /** Until something is published, the line is quiet for long, or it is over. */
  function rest(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        wake = () => {}
        unsubscribe()
        cancel()
        resolve()
      }
      const unsubscribe = log.subscribe(done)
      const cancel = clock.after(quietMs - (clock.nowMs() - saidMs), done)
      wake = done
    })
  }

  /** False when the line stayed full for too long, or is gone. */
  function roomIn(drained: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (hasRoom: boolean): void => {
        wake = () => {}
        cancel()
        resolve(hasRoom)
      }
      const cancel = clock.after(stalledMsMax, () => done(false))
      wake = () => done(false)
      drained.then(() => done(true))
    })
  }

  async function run(): Promise<void> {
    while (!isOver) {
      const page = await log.read(cursor)
      if (isOver) return
      if (!asked.viewer.isAllowed()) return end('notAllowed')
      if (page.kind === 'cursorTooOld') return end('cursorTooOld')
      const events = page.events.filter((event) => mayPass(event, asked))
      cursor = page.cursor
      if (events.length > 0) {
        line.send(events)
        saidMs = clock.nowMs()
      } else if (clock.nowMs() - saidMs >= quietMs) {
        line.heartbeat(cursor)
        saidMs = clock.nowMs()
      }
      const drained = line.drained()
      if (drained !== undefined) {
        if (await roomIn(drained)) continue
        return end('slowConsumer')
      }
      if (cursor < log.newest()) {
        await turn()
        continue
      }
      caughtUp()
      if (asked.isLive) await rest()
      else end('caughtUp')
    }
  }

  const ended = run().catch((error: unknown) => {
    failed(error)
    end('failed')
  })
  return {
    leave() {
      isOver = true
      wake()
    },
    end,
    ended,
  }
}
