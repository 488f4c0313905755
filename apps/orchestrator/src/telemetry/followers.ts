/** Everybody who follows the event log: how many may, what is counted of them, and their end with the process. */
import { ApiError, type StreamEndReason } from '@shardy/api'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { EventLog } from './eventLog.ts'
import { type Asked, type FollowerLine, type Following, follow } from './follower.ts'
import type { Metrics } from './metrics.ts'
import { closeReasons } from './metricTable.ts'
import { createPlaces } from './places.ts'

export interface Followers {
  /** Throws what a visitor is told when there are too many. */
  open(transport: 'sse' | 'websocket', asked: Asked, line: FollowerLine): Following
  size(): number
  stop(): Promise<void>
}

export interface FollowerBounds {
  readonly followersMax: number
  /** Of those, kept for who sees everything: nobody else can lock an operator out. */
  readonly reserved: number
  readonly perRequesterMax: number
  /** A catch-up reads what is kept from the disk, also what it may not see. */
  readonly catchUpsPerRequesterMax: number
}

const defaultBounds: FollowerBounds = {
  followersMax: 1_000,
  reserved: 50,
  perRequesterMax: 100,
  catchUpsPerRequesterMax: 4,
}
/** Who is behind by fewer events reads them from memory, or nearly. */
const catchUpFrom = 1_000

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
  bounds: Partial<FollowerBounds> = {},
): Followers {
  const { followersMax, reserved, perRequesterMax, catchUpsPerRequesterMax } = { ...defaultBounds, ...bounds }
  const open = new Set<Following>()
  const everybody = createPlaces(followersMax, followersMax)
  const requesters = createPlaces(followersMax - reserved, perRequesterMax)
  const catchUps = createPlaces(followersMax, catchUpsPerRequesterMax)
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

  /** Throws what a visitor is told for whom there is no place; what it gives lets go of them. */
  function placesFor({ viewer, after }: Asked): { readonly catchUp: () => void; readonly all: () => void } {
    const { kind, requesterId } = viewer
    const busy = (detail: string) => new ApiError('overloaded', { detail, retryAfterMs: 5_000 })
    const place = everybody.take(requesterId)
    if (place === undefined) throw busy(`${followersMax} follow the events already`)
    const own = kind === 'everything' ? () => {} : requesters.take(requesterId)
    if (own === undefined) {
      place()
      throw busy(`too many follow the events already; one requester may ${perRequesterMax} times at once`)
    }
    const isBehind = events.newest() - after > catchUpFrom
    const catchUp = isBehind ? catchUps.take(requesterId) : () => {}
    if (catchUp === undefined) {
      place()
      own()
      throw busy(`you catch up ${catchUpsPerRequesterMax} times already; end one, or wait until it is done`)
    }
    const all = (): void => {
      place()
      own()
      catchUp()
    }
    return { catchUp, all }
  }

  return {
    open(transport, asked, line) {
      if (isStopped) throw new ApiError('shuttingDown', 'the orchestrator is stopping')
      const leave = placesFor(asked)
      const gauge = metrics.eventFollowers.bind({ transport })
      const counted: FollowerLine = {
        ...line,
        end(reason, cursor) {
          ends.get(reason)?.inc()
          line.end(reason, cursor)
        },
      }
      const following = follow({ ...parts, caughtUp: leave.catchUp }, asked, counted)
      open.add(following)
      gauge.inc()
      following.ended.then(() => {
        leave.all()
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
