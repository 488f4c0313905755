/**
 * The events of all tasks as one stream: what an event is, what else a stream says, and how the routes are called.
 * A cursor is the number of an event, as text: whoever comes back with one gets each later event once, in order.
 */
import { messageLengthMax } from '@shardy/protocol'
import { type Static, Type } from '@sinclair/typebox'
import { route } from './route.ts'
import { deliveryId, digest, taskId } from './shapes.ts'

/** Published names. Their order numbers them in the event log, so a new one goes to the end and none is taken out. */
export const streamEventTypes = [
  'submitted',
  'delivered',
  'acked',
  'committed',
  'answered',
  'rejected',
  'lost',
  'corrupted',
  'consensus_mismatch',
  'task_verified',
  'task_dead',
  'task_cancelled',
  'task_accepted',
  'wrong',
  'audited',
  'replicated',
  'requeued',
  'quarantined',
  'slashed',
  'offence',
  'dead_letter',
] as const
export type StreamEventType = (typeof streamEventTypes)[number]

/**
 * Why a stream was ended from the server's side. Coming back with the cursor goes on, but for `cursorTooOld`, and for
 * `notAllowed`: the key was revoked or has expired.
 */
export const streamEndReasons = [
  'caughtUp',
  'slowConsumer',
  'cursorTooOld',
  'notAllowed',
  'stopping',
  'failed',
] as const
export type StreamEndReason = (typeof streamEndReasons)[number]

const words = <const Words extends readonly string[]>(list: Words) =>
  Type.Unsafe<Words[number]>(Type.Union(list.map((word) => Type.Literal(word))))
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const cursorPattern = '(0|[1-9][0-9]{0,14})'
const cursor = Type.String({ pattern: `^${cursorPattern}$`, description: 'the number of an event' })

export const streamEventView = Type.Object({
  cursor,
  atMs: whole,
  type: words(streamEventTypes),
  taskId: Type.Optional(taskId),
  deliveryId: Type.Optional(deliveryId),
  workerId: Type.Optional(digest),
  outputDigest: Type.Optional(digest),
  detail: Type.Optional(Type.String({ maxLength: messageLengthMax })),
  spent: Type.Optional(
    Type.Object(
      {
        workUnits: whole,
        bytesIn: whole,
        bytesOut: whole,
        computeMs: whole,
        replicas: whole,
        checkedBy: Type.String({ maxLength: 32 }),
        rewardMicroCredit: Type.String({ pattern: '^(0|[1-9][0-9]{0,18})$' }),
      },
      { description: 'what a task cost; with its verdict' },
    ),
  ),
})
export type StreamEventView = Static<typeof streamEventView>

export const streamEnd = Type.Object({ reason: words(streamEndReasons), cursor })
export type StreamEnd = Static<typeof streamEnd>

/** One WebSocket message. */
export const streamMessage = Type.Union([
  Type.Object({ events: Type.Array(streamEventView) }),
  Type.Object({ heartbeat: Type.Object({ cursor }) }),
  Type.Object({ end: streamEnd }),
])
export type StreamMessage = Static<typeof streamMessage>

const query = Type.Object({
  after: Type.Optional(
    Type.String({
      pattern: `^(oldest|${cursorPattern})$`,
      description: 'the last event that is known already; `oldest` for all that are kept; else from now on',
    }),
  ),
  types: Type.Optional(
    Type.String({
      pattern: '^[a-z_]{1,32}(,[a-z_]{1,32}){0,31}$',
      description: `only these, with commas between: ${streamEventTypes.join(', ')}`,
    }),
  ),
  live: Type.Optional(words(['yes', 'no'])),
})

const summary = 'The events of your tasks as they happen; of all tasks for those who may see them.'

export const streamRoutes = {
  events: route({
    method: 'GET',
    path: '/v1/events',
    summary: `${summary} Server-sent events; \`live=no\` ends after the newest.`,
    scope: 'events:read',
    query,
    headers: Type.Object({ 'last-event-id': Type.Optional(cursor) }),
    responses: { 200: 'events' },
    errors: ['cursorTooOld', 'cursorAhead', 'overloaded'],
  }),
  eventsSocket: route({
    method: 'GET',
    path: '/v1/events/ws',
    summary: `${summary} WebSocket, with the same cursors.`,
    scope: 'events:read',
    query,
    responses: { 101: 'none' },
    errors: ['cursorTooOld', 'cursorAhead', 'upgradeRequired', 'overloaded'],
  }),
} as const
