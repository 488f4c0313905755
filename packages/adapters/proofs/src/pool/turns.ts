/**
 * Whose proofs are verified next, and how many together: the rule of the pool, without threads or time. Submitters take turns. Batches never
 * mix submitters, so nobody's bad proof costs another one a search. A submitter begins with small batches, which double while they are
 * clean; a bad proof is a strike, and while it has strikes its proofs go one by one, after the others', with one turn in eight kept for
 * them. Each good proof takes a strike away. The queue is bounded: what is too much is refused to whoever has the most waiting.
 */
import { batchMax } from '../groth16/verifier.ts'

export interface TurnBounds {
  /** Proofs that wait, of all submitters. */
  readonly queuedMax: number
  /** Submitters of whom something is remembered while nothing of theirs waits. */
  readonly rememberedMax: number
}

export type TurnInput =
  | { readonly kind: 'arrived'; readonly id: number; readonly submitter: string }
  /** A thread could take a batch. */
  | { readonly kind: 'free' }
  | { readonly kind: 'judged'; readonly submitter: string; readonly good: number; readonly bad: number }

export type TurnEffect =
  | { readonly kind: 'verify'; readonly submitter: string; readonly ids: readonly number[] }
  | {
      readonly kind: 'refuse'
      readonly id: number
      /** The submitter's own doing, or not. */
      readonly code: 'struck' | 'queueFull'
      readonly detail: string
    }

interface Record {
  readonly submitter: string
  readonly waiting: number[]
  strikes: number
  /** How many go together next time. */
  width: number
}

export interface Turns {
  readonly bounds: TurnBounds
  /** In the order in which they were first heard of, or last forgiven for. */
  readonly records: Map<string, Record>
  /** Submitters with something waiting, whose turn comes from the front. */
  readonly clean: Set<Record>
  readonly struck: Set<Record>
  queued: number
  turnsSinceStruck: number
}

const firstWidth = 8
const strikesMax = 32
const struckQueuedMax = 8
const struckEvery = 8

export function createTurns(bounds: TurnBounds): Turns {
  return {
    bounds,
    records: new Map(),
    clean: new Set(),
    struck: new Set(),
    queued: 0,
    turnsSinceStruck: 0,
  }
}

/** Changes the state in place. */
export function step(turns: Turns, input: TurnInput): readonly TurnEffect[] {
  switch (input.kind) {
    case 'arrived':
      return arrive(turns, input.id, input.submitter)
    case 'free':
      return next(turns)
    case 'judged':
      judge(turns, input.submitter, input.good, input.bad)
      return []
  }
}

function arrive(turns: Turns, id: number, submitter: string): readonly TurnEffect[] {
  const record = recordOf(turns, submitter)
  if (record.strikes > 0 && record.waiting.length >= struckQueuedMax)
    return [
      refusal(
        id,
        'struck',
        `${struckQueuedMax} proofs of a submitter with ${record.strikes} strikes wait already`,
      ),
    ]
  const effects: TurnEffect[] = []
  if (turns.queued >= turns.bounds.queuedMax) {
    const largest = largestQueue(turns, record)
    const dropped = largest === record ? id : largest.waiting.pop()
    if (dropped !== undefined)
      effects.push(refusal(dropped, 'queueFull', `${turns.queued} proofs wait for a verifier`))
    if (largest === record) return effects
    turns.queued--
    if (largest.waiting.length === 0) leave(turns, largest)
  }
  record.waiting.push(id)
  turns.queued++
  queueOf(turns, record).add(record)
  return effects
}

function next(turns: Turns): readonly TurnEffect[] {
  const isStruckDue = turns.clean.size === 0 || turns.turnsSinceStruck >= struckEvery - 1
  const queue = isStruckDue && turns.struck.size > 0 ? turns.struck : turns.clean
  const [record] = queue
  if (record === undefined) return []
  turns.turnsSinceStruck = queue === turns.struck ? 0 : turns.turnsSinceStruck + 1
  const ids = record.waiting.splice(0, record.strikes > 0 ? 1 : record.width)
  turns.queued -= ids.length
  // To the back, when more of it waits.
  queue.delete(record)
  if (record.waiting.length > 0) queue.add(record)
  return [{ kind: 'verify', submitter: record.submitter, ids }]
}

function judge(turns: Turns, submitter: string, good: number, bad: number): void {
  const record = recordOf(turns, submitter)
  const wasStruck = record.strikes > 0
  if (bad > 0) {
    record.strikes = Math.min(strikesMax, record.strikes + bad)
    record.width = 1
  } else {
    record.strikes = Math.max(0, record.strikes - good)
    // Only full batches widen it: singles say nothing about how many may go together.
    if (good >= record.width) record.width = Math.min(batchMax, 2 * record.width)
  }
  if (record.strikes > 0 !== wasStruck && record.waiting.length > 0) {
    const isStruck = !wasStruck
    const [from, to] = isStruck ? [turns.clean, turns.struck] : [turns.struck, turns.clean]
    from.delete(record)
    to.add(record)
  }
}

function recordOf(turns: Turns, submitter: string): Record {
  const known = turns.records.get(submitter)
  if (known !== undefined) return known
  const record: Record = { submitter, waiting: [], strikes: 0, width: firstWidth }
  if (turns.records.size >= turns.bounds.rememberedMax) forgetOne(turns)
  turns.records.set(submitter, record)
  return record
}

/** The oldest of whom nothing waits; those with strikes only when there is no other. */
function forgetOne(turns: Turns): void {
  let last: Record | undefined
  for (const record of turns.records.values()) {
    if (record.waiting.length > 0) continue
    last ??= record
    if (record.strikes > 0) continue
    last = record
    break
  }
  if (last !== undefined) turns.records.delete(last.submitter)
}

/** Of equals the one that arrives. */
function largestQueue(turns: Turns, arriving: Record): Record {
  const share = turns.bounds.queuedMax / (turns.clean.size + turns.struck.size)
  if (arriving.waiting.length >= share) return arriving
  let largest = arriving
  for (const queue of [turns.struck, turns.clean])
    for (const record of queue) if (record.waiting.length > largest.waiting.length) largest = record
  return largest
}

function queueOf(turns: Turns, record: Record): Set<Record> {
  return record.strikes > 0 ? turns.struck : turns.clean
}

function leave(turns: Turns, record: Record): void {
  turns.clean.delete(record)
  turns.struck.delete(record)
}

function refusal(id: number, code: 'struck' | 'queueFull', detail: string): TurnEffect {
  return { kind: 'refuse', id, code, detail }
}
