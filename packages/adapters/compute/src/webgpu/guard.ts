/**
 * A device's failures as typed errors. WebGPU reports validation and memory errors beside the calls that caused them
 * and answers some calls never once a device is lost; here every wait ends, with an error that says what happened.
 */
import { ComputeError } from '../executor.ts'

export interface Guard {
  /** Waits for the device, or rejects when it is lost or closed. */
  wait<T>(answer: Promise<T>): Promise<T>
  /** Runs work whose validation, memory and internal errors become typed errors. One at a time: scopes are a stack. */
  run<T>(doing: string, work: () => Promise<T>): Promise<T>
  /** The error that ended the device, if it has ended. */
  readonly ended: ComputeError | undefined
  /** Ends every wait with this error. */
  end(error: ComputeError): void
}

const scopes = [
  { filter: 'internal', kind: 'internal' },
  { filter: 'out-of-memory', kind: 'outOfMemory' },
  { filter: 'validation', kind: 'validation' },
] as const

export function guardDevice(device: GPUDevice): Guard {
  let ended: ComputeError | undefined
  const { promise: ending, reject } = Promise.withResolvers<never>()
  ending.catch(() => {}) // It may end while nobody waits.

  function end(error: ComputeError): void {
    if (ended !== undefined) return
    ended = error
    reject(error)
  }

  device.lost.then(({ reason, message }) => {
    end(new ComputeError('deviceLost', `the GPU device was lost (${reason}): ${message}`))
  })

  const wait = <T>(answer: Promise<T>): Promise<T> => Promise.race([answer, ending])

  async function popErrors(doing: string): Promise<ComputeError | undefined> {
    let found: ComputeError | undefined
    for (const { kind } of scopes.toReversed()) {
      const error = await wait(device.popErrorScope())
      // Memory first: an allocation that failed makes everything after it invalid too.
      if (error !== null && found?.kind !== 'outOfMemory') {
        found = new ComputeError(kind, `${doing}: ${error.message}`, { cause: error })
      }
    }
    return found
  }

  return {
    wait,
    end,
    get ended() {
      return ended
    },
    async run(doing, work) {
      if (ended !== undefined) throw ended
      for (const { filter } of scopes) device.pushErrorScope(filter)
      const outcome = await work().then(
        (value) => ({ ok: true, value }) as const,
        (thrown: unknown) => ({ ok: false, thrown }) as const,
      )
      if (ended !== undefined) throw ended
      const error = await popErrors(doing)
      if (error !== undefined) throw error
      if (outcome.ok) return outcome.value
      if (outcome.thrown instanceof ComputeError) throw outcome.thrown
      throw new ComputeError('internal', `${doing}: ${outcome.thrown}`, { cause: outcome.thrown })
    },
  }
}
