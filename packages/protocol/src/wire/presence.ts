/** Frames that say a worker is there (spec W15): heartbeat both ways, presence when its state changes. */

import { prefetchMax, slotsMax } from '../limits.ts'
import { choice, whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'

/** Sent by the worker and answered with the same numbers, so that both sides notice a dead line. */
export const heartbeat = message('Heartbeat', {
  sequence: field(1, whole(0, 0xffff_ffff)),
  /** What the worker has still to compute. */
  inFlight: field(2, whole(0, slotsMax + prefetchMax)),
})
export type Heartbeat = Infer<typeof heartbeat>

/** `hidden` still takes work, at a background tab's pace; `paused` takes none; `leaving` hands everything back. */
export const presence = message('Presence', {
  state: field(1, choice(['available', 'hidden', 'paused', 'leaving'])),
})
export type Presence = Infer<typeof presence>
export type PresenceState = Presence['state']
