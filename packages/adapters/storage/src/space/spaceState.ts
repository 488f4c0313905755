/**
 * When to refuse new work because a disk fills up. Three states with a gap between going down and coming back, so
 * that a disk at the edge does not flap: `enough`; `low`, where new work is refused and the reserve is still held;
 * and `spent`, where the reserve was given to the work that is being finished.
 */
export type SpaceState = 'enough' | 'low' | 'spent'

export interface SpaceLimits {
  /** Below it, new work is refused. */
  readonly lowBytes: number
  /** Held back in a file, and given up when free space falls below a quarter of `lowBytes`. */
  readonly reserveBytes: number
}

export function nextSpaceState(state: SpaceState, freeBytes: number, limits: SpaceLimits): SpaceState {
  const { lowBytes, reserveBytes } = limits
  const enough = lowBytes + lowBytes / 4
  switch (state) {
    case 'enough':
    case 'low':
      if (freeBytes < lowBytes / 4) return 'spent'
      if (freeBytes < lowBytes) return 'low'
      return state === 'low' && freeBytes < enough ? 'low' : 'enough'
    case 'spent':
      // What the reserve takes again must not bring it back here.
      if (freeBytes < enough + reserveBytes) return 'spent'
      return 'enough'
  }
}
