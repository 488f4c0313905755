/** What a program needs of a device, and which limit refuses it. */
import { inputLength, outputLength, type Program } from '@shardy/tensor'
import { ComputeError } from '../executor.ts'

export interface DeviceLimits {
  readonly maxBufferSize: number
  readonly maxStorageBufferBindingSize: number
}

/** The limits to ask an adapter for: without asking, a device has the small defaults. */
export function requiredLimits(limits: DeviceLimits): Record<keyof DeviceLimits, number> {
  const { maxBufferSize, maxStorageBufferBindingSize } = limits
  return { maxBufferSize, maxStorageBufferBindingSize }
}

/** Whole words, and one more that the kernel may read when entries straddle words. */
export function inputBufferBytes(program: Program): number {
  return 4 * Math.ceil(inputLength(program) / 4) + 4
}

export function refuseBeyondLimits(program: Program, limits: DeviceLimits): void {
  const needs = [
    ['input', inputBufferBytes(program)],
    ['output', outputLength(program)],
  ] as const
  for (const name of ['maxBufferSize', 'maxStorageBufferBindingSize'] as const) {
    for (const [what, bytes] of needs) {
      if (bytes > limits[name]) {
        const message = `the ${what} needs a buffer of ${bytes} bytes, the device's ${name} is ${limits[name]}`
        throw new ComputeError('beyondLimits', message)
      }
    }
  }
}
