/** How fast this device is: as the orchestrator measured it, and until then as the page did. */
import type { WorkerView } from '@shardy/worker'
import type { ComputeState } from '../compute/channel.ts'
import { formatLarge } from './work.ts'

export interface SpeedWords {
  readonly value: string
  readonly unit: string
  readonly title: string
}

const unit = 'multiply-adds per second'

/** Two figures for one thing would only confuse: the one that decides what work comes is shown. */
export function describeSpeed(
  compute: ComputeState | undefined,
  standing: WorkerView['standing'],
): SpeedWords | undefined {
  if (standing !== undefined) {
    const { tier, operationsPerSecond, message } = standing
    return {
      value: formatLarge(operationsPerSecond),
      unit: `${unit}, tier ${tier}`,
      title: `The orchestrator measured ${message}. A tier is a class of speed; some tasks ask for a higher one.`,
    }
  }
  if (compute?.kind !== 'ready') return undefined
  const title = 'Measured by this page. The orchestrator measures again before work comes.'
  return { value: formatLarge(compute.operationsPerSecond), unit, title }
}
