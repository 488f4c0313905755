/** One tab per browser works: two sessions with one key would only throw each other out. */

const lockName = 'shardy-worker'
let held: Promise<boolean> | undefined

/** Takes the lock and keeps it until the page goes; false when another tab has it. Asking again is harmless. */
export async function holdTab(): Promise<boolean> {
  // Without locks the orchestrator still refuses the second session, only later.
  if (!('locks' in navigator)) return true
  held ??= new Promise<boolean>((resolve, reject) => {
    const keep = (lock: Lock | null): Promise<never> | undefined => {
      resolve(lock !== null)
      return lock === null ? undefined : new Promise<never>(() => {})
    }
    navigator.locks.request(lockName, { ifAvailable: true }, keep).catch(reject)
  })
  const isOurs = await held
  if (!isOurs) held = undefined
  return isOurs
}
