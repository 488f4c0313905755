/** Everybody who follows the event log: how many may, what is counted of them, and their end with the process. */
import { ApiError, type StreamEndReason } from '@shardy/api'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { EventLog } from './eventLog.ts'
import { type Asked, type FollowerLine, type Following, follow } from './follower.ts'
import type { Metrics } from './metrics.ts'
import { closeReasons } from './metricTable.ts'

export interface Followers {
  /** Throws what a visitor is told when there are too many. */
  open(transport: 'sse' | 'websocket', asked: Asked, line: FollowerLine): Following
  size(): number
  stop(): Promise<void>
}

const followersMaxDefault = 1_000

export function createFollowers(
  {
    events,
    clock,
    log,
    metrics,
  }: {
    readonly events: EventLog
    readonly clock: Clock
    readonly log: Log
    readonly metrics: Metrics
  },
  followersMax = followersMaxDefault,
): Followers {
  const open = new Set<Following>()
  const ends = new Map<StreamEndReason, { inc(): void }>(
    closeReasons.map((reason) => [reason, metrics.eventFollowersClosed.bind({ reason })]),
  )
  const parts = {
    log: events,
    clock,
    turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
    failed: (error: unknown) => log.error('eventsNotStreamed', error),
  }
  let isStopped = false
  return {
    open(transport, asked, line) {
      if (isStopped) throw new ApiError('shuttingDown', 'the orchestrator is stopping')
      if (open.size >= followersMax) {
        const detail = `${followersMax} follow the events already`
        throw new ApiError('overloaded', { detail, retryAfterMs: 5_000 })
      }
      const gauge = metrics.eventFollowers.bind({ transport })
      const counted: FollowerLine = {
        ...line,
        end(reason, cursor) {
          ends.get(reason)?.inc()
          line.end(reason, cursor)
        },
      }
      const following = follow(parts, asked, counted)
      open.add(following)
      gauge.inc()
      following.ended.then(() => {
        open.delete(following)
        gauge.dec()
      })
      return following
    },
    size: () => open.size,
    async stop() {
      isStopped = true
      const all = [...open]
      for (const following of all) following.end('stopping')
      await Promise.all(all.map(({ ended }) => ended))
    },
  }
}
