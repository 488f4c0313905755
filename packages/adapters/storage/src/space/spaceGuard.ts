/**
 * Watches a disk and holds a reserve on it: a file of real bytes that is deleted when space runs out, so that work
 * already accepted can be finished after new work is refused. It looks every so often; a burst of writes between
 * two looks can still fill a disk, and is then refused by the store with `diskFull`.
 */
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../storeError.ts'
import { freeBytes } from './freeBytes.ts'
import { nextSpaceState, type SpaceLimits, type SpaceState } from './spaceState.ts'

export interface SpaceGuardOptions extends SpaceLimits {
  /** On the disk to watch; its folder is made. */
  readonly reserveFile: string
  readonly everyMs: number
  readonly onChange?: (state: SpaceState, freeBytes: number) => void
  /** How much is free; a test says it. */
  readonly measure?: (path: string) => Promise<number>
}

export interface SpaceGuard {
  /** As of the last look. New work is welcome only when it is `enough`. */
  readonly state: SpaceState
  readonly freeBytes: number
  /** Looks now, for instance after a write was refused with `diskFull`. */
  look(): Promise<SpaceState>
  close(): Promise<void>
}

const zeros = new Uint8Array(1024 * 1024)

/** Resolves after the first look. The reserve of an earlier run is taken over. */
export async function openSpaceGuard(options: SpaceGuardOptions): Promise<SpaceGuard> {
  const { reserveFile, lowBytes, reserveBytes, everyMs, onChange, measure = freeBytes } = options
  for (const [name, bytes, from] of [
    ['lowBytes', lowBytes, 1],
    ['reserveBytes', reserveBytes, 0],
    ['everyMs', everyMs, 1],
  ] as const) {
    if (!(Number.isSafeInteger(bytes) && bytes >= from))
      throw new StoreError('failed', `${name} is a whole number from ${from}, not ${bytes}`)
  }
  const folder = dirname(reserveFile)
  await mkdir(folder, { recursive: true })
  const held = await heldBytes(reserveFile)
  let state: SpaceState = held >= reserveBytes ? 'enough' : 'spent'
  let free = 0
  let looking: Promise<SpaceState> | undefined

  const lookOnce = async (): Promise<SpaceState> => {
    free = await measure(folder)
    let next = nextSpaceState(state, free, { lowBytes, reserveBytes })
    if (next === 'spent' && state !== 'spent') await rm(reserveFile, { force: true })
    if (next !== 'spent' && state === 'spent' && !(await reserve(reserveFile, reserveBytes))) next = 'spent'
    if (next !== state) {
      state = next
      onChange?.(state, free)
    }
    return state
  }
  const look = (): Promise<SpaceState> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined
    })
    return looking
  }

  await look()
  // A look that fails leaves the state as it was; the next one tries again.
  const timer = setInterval(() => void look().catch(() => {}), everyMs)
  return {
    get state() {
      return state
    },
    get freeBytes() {
      return free
    },
    look,
    async close() {
      clearInterval(timer)
      await looking?.catch(() => {})
    },
  }
}

async function heldBytes(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

/** Written and not only sized: a sparse file reserves nothing. Whether it fitted. */
async function reserve(file: string, bytes: number): Promise<boolean> {
  const handle = await open(file, 'w', 0o600)
  try {
    for (let at = 0; at < bytes; at += zeros.byteLength) {
      await handle.write(zeros, 0, Math.min(zeros.byteLength, bytes - at), at)
    }
    await handle.sync()
    return true
  } catch {
    await rm(file, { force: true })
    return false
  } finally {
    await handle.close()
  }
}
