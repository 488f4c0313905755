/** One tab per browser works: two sessions with one key would only throw each other out. */

const lockName = 'shardy-worker'
/** A tab that was just closed or reloaded gives its lock back a moment later than its socket. */
const leavingMs = 3_000
let held: Promise<boolean> | undefined

/** Takes the lock and keeps it until the page goes; false when another tab keeps it. Asking again is harmless. */
export async function holdTab(): Promise<boolean> {
  // Without locks the orchestrator still refuses the second session, only later.
  if (!('locks' in navigator)) return true
  held ??= new Promise<boolean>((resolve, reject) => {
    const keep = (): Promise<never> => {
      resolve(true)
      return new Promise<never>(() => {})
    }
    navigator.locks
      .request(lockName, { signal: AbortSignal.timeout(leavingMs) }, keep)
      .catch((error) => (isTimeout(error) ? resolve(false) : reject(error)))
  })
  const isOurs = await held
  if (!isOurs) held = undefined
  return isOurs
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}
