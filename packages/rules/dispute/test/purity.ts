/** A step is a function: it leaves its input as it was, and the same input gives the same step. */
import type { DisputeState, Step } from '../src/index.ts'
import { Broken } from './broken.ts'

const frozen = new WeakSet<object>()

/** Bytes cannot be frozen; whoever changes them is caught by the second run. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || frozen.has(value)) return
  frozen.add(value)
  Object.freeze(value)
  for (const inner of Object.values(value)) freeze(inner)
}

export function assertPure(state: DisputeState, step: () => Step): Step {
  freeze(state)
  const first = step()
  if (!Bun.deepEquals(step(), first, true)) throw new Broken('the same input gave another step')
  return first
}
