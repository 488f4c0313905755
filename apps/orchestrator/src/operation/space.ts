/** Room on the disk as submissions and uploads see it: when it gets low, new work is refused, so that old work can be finished. */
import { ApiError } from '@shardy/api'
import type { SpaceState } from '@shardy/storage'

export interface Space {
  readonly state: SpaceState
  readonly freeBytes: number
  /** Below it, new work is refused. */
  readonly lowBytes: number
}

/** Where nothing watches the disk: in tests, and with a store in memory. */
export const boundlessSpace: Space = { state: 'enough', freeBytes: Number.MAX_SAFE_INTEGER, lowBytes: 0 }

const retryAfterMs = 30_000

export function refuseWhenLow({ space }: { readonly space: Space }): void {
  if (space.state === 'enough') return
  const bound = `${space.lowBytes} bytes or more`
  throw new ApiError('storageFull', {
    detail: `${space.freeBytes} bytes are free; new work is taken again with ${bound}, and what was taken goes on`,
    value: `${space.freeBytes} bytes`,
    bound,
    retryAfterMs,
  })
}
