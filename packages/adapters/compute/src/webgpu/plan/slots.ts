/**
 * Which regions share memory: a slot is one buffer, and holds one region after the other. A region takes a slot before
 * its first step and gives it back after its last, so what a step reads and what it writes are always different buffers.
 * Sizes come in four classes for each doubling, so that programs of about one size share buffers.
 */
import type { Plan } from './plan.ts'
import { type Region, readsOf, writesOf } from './step.ts'

export interface Slots {
  /** The bytes of each slot. */
  readonly bytes: readonly number[]
  /** The slot of each region that has one; regions that are kept from run to run have none, nor do unused ones. */
  readonly slotOf: ReadonlyMap<number, number>
}

const smallestBytes = 4096

function slotBytes(bytes: number, bytesMax: number): number {
  const grain = Math.max(smallestBytes, 2 ** (Math.floor(Math.log2(bytes)) - 2))
  return Math.max(bytes, Math.min(grain * Math.ceil(bytes / grain), bytesMax))
}

function isKept({ source }: Region): boolean {
  return source.kind === 'resident' || source.kind === 'prepared'
}

/** The last step that uses each region; answers are used for ever. */
function lastUses({ steps, answers }: Plan): ReadonlyMap<number, number> {
  const last = new Map<number, number>()
  for (const [index, step] of steps.entries()) {
    for (const region of [...readsOf(step), ...writesOf(step)]) last.set(region, index)
  }
  for (const answer of answers.values()) if ('region' in answer) last.set(answer.region, steps.length)
  return last
}

export function assignSlots(plan: Plan, bytesMax: number): Slots {
  const last = lastUses(plan)
  const bytes: number[] = []
  const slotOf = new Map<number, number>()
  const free: number[] = []

  const take = (region: number): void => {
    const wanted = plan.regions[region]
    if (wanted === undefined || slotOf.has(region) || isKept(wanted)) return
    const size = slotBytes(wanted.bytes, bytesMax)
    const found = free.findIndex((slot) => bytes[slot] === size)
    const [slot] = found < 0 ? [bytes.push(size) - 1] : free.splice(found, 1)
    if (slot !== undefined) slotOf.set(region, slot)
  }

  // What is uploaded lies there before the first step.
  for (const [region, { source }] of plan.regions.entries()) {
    if ((source.kind === 'given' || source.kind === 'made') && last.has(region)) take(region)
  }
  for (const [index, step] of plan.steps.entries()) {
    const used = [...readsOf(step), ...writesOf(step)]
    for (const region of used) take(region)
    for (const region of new Set(used)) {
      const slot = slotOf.get(region)
      if (last.get(region) === index && slot !== undefined) free.push(slot)
    }
  }
  return { bytes, slotOf }
}
