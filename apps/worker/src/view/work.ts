/** A piece of work, its phase and a speed, in words. */
import type { DeliveryView, SmallView } from '@shardy/worker'

const phases: Record<DeliveryView['phase'], string> = {
  awaitingPayload: 'receiving its input',
  verifying: "checking the input and the orchestrator's signature",
  fetching: "fetching the program's constants",
  queued: 'waiting its turn',
  executing: 'computing',
  signing: 'signing the answer',
  committed: 'committed to an answer; waiting for the others to commit too',
  answered: 'answered; waiting for the verdict',
}

export function describePhase(phase: DeliveryView['phase']): string {
  return phases[phase]
}

/** Small tasks come by hundreds and are gone in a moment, so they are told of by number; undefined while there are none. */
export function describeSmall({
  open,
  committed,
  answered,
}: SmallView): { readonly what: string; readonly detail: string } | undefined {
  const count = open + committed + answered
  if (count === 0) return undefined
  const what = count === 1 ? '1 small task' : `${count} small tasks`
  return { what, detail: open > 0 ? 'computing' : 'answered; waiting for the verdict' }
}

/** A shape stays on one line: `1500 × 1500`. */
export function unbroken(summary: string): string {
  return summary.replaceAll(' × ', '\u00a0×\u00a0')
}

const scales = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
  [1e6, 'million'],
  [1e3, 'thousand'],
] as const

/** Three digits are plenty for a measurement: `3.42 billion`. */
export function formatLarge(value: number): string {
  for (const [scale, name] of scales) {
    if (value >= scale) return `${Number((value / scale).toPrecision(3))} ${name}`
  }
  return String(Math.round(value))
}
