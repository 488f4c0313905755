/**
 * Small deliveries in hand (spec W30–W35). They come and go by thousands a second, so unlike the rest of the state they are
 * moved in place: one map, one queue, and sums that are kept rather than counted. Only the step touches them.
 */
import type { Work, WorkFacts } from '@shardy/compute/work'
import {
  type BatchDelivery,
  batchFrameBytesMax,
  batchMax,
  type DeliveryId,
  type Digest,
  type ProgramId,
  proofLength,
  type ZkProofPayload,
} from '@shardy/protocol'
import { knownProgramsMax } from '../bounds.ts'

export interface KnownProgram {
  readonly programId: ProgramId
  readonly work: Work
  readonly facts: WorkFacts
}

const phases = ['verifying', 'queued', 'executing', 'committed', 'signing', 'answered', 'gone'] as const
/** Up to `executing` it can be handed back; `signing` and on it has its one answer, and `gone` is let go of for good. */
export type SmallPhase = (typeof phases)[number]

export interface SmallAnswer {
  readonly outputDigest: Digest
  /** Kept only where the orchestrator wants it back. */
  readonly output: Uint8Array | undefined
  readonly proof: ZkProofPayload | undefined
  /** Where a commitment was asked for. */
  readonly salt: string | undefined
}

export interface SmallDelivery {
  readonly delivery: Omit<BatchDelivery, 'payload' | 'program'>
  readonly input: Uint8Array
  readonly payloadDigest: Digest
  readonly program: KnownProgram
  phase: SmallPhase
  /** From the execution until it is sent; it never changes in between. */
  answer: SmallAnswer | undefined
}

/** Answers that one signature will cover, and the leaves that it covers. */
export interface SigningBatch {
  readonly batch: readonly SmallDelivery[]
  readonly leaves: readonly Uint8Array[]
}

export interface SmallWork {
  readonly held: Map<DeliveryId, SmallDelivery>
  /** In order of arrival; what was let go of meanwhile is passed over when its turn comes. */
  queue: SmallDelivery[]
  /** Of the queue, so many have had their turn. */
  taken: number
  /** What is being verified or executed together, by its run. */
  readonly runs: Map<number, readonly SmallDelivery[]>
  readonly signing: Map<number, SigningBatch>
  readonly counts: Record<SmallPhase, number>
  /** Of all that is still to be computed. */
  operations: number
  /** No deadline of what is still to be computed lies before it. */
  noDeadlineBeforeMs: number
  /** The least recently used first. */
  readonly programs: Map<ProgramId, KnownProgram>
}

export function emptySmallWork(): SmallWork {
  return {
    held: new Map(),
    queue: [],
    taken: 0,
    runs: new Map(),
    signing: new Map(),
    counts: Object.fromEntries(phases.map((phase) => [phase, 0])) as Record<SmallPhase, number>,
    operations: 0,
    noDeadlineBeforeMs: Number.POSITIVE_INFINITY,
    programs: new Map(),
  }
}

/** Whether it takes room: it still has to be computed. */
export function isOpen({ phase }: SmallDelivery): boolean {
  return phase === 'verifying' || phase === 'queued' || phase === 'executing'
}

export function countOpen({ counts }: SmallWork): number {
  return counts.verifying + counts.queued + counts.executing
}

export function take(small: SmallWork, item: SmallDelivery): void {
  small.held.set(item.delivery.deliveryId, item)
  small.counts[item.phase]++
  small.operations += item.program.facts.complexity
  small.noDeadlineBeforeMs = Math.min(small.noDeadlineBeforeMs, item.delivery.deadlineMs)
}

export function move(small: SmallWork, item: SmallDelivery, phase: SmallPhase): void {
  const wasOpen = isOpen(item)
  small.counts[item.phase]--
  item.phase = phase
  if (wasOpen && !isOpen(item)) small.operations -= item.program.facts.complexity
  if (phase === 'gone') small.held.delete(item.delivery.deliveryId)
  else small.counts[phase]++
}

export function enqueue(small: SmallWork, batch: readonly SmallDelivery[]): void {
  for (const item of batch) {
    if (item.phase !== 'verifying') continue
    move(small, item, 'queued')
    small.queue.push(item)
  }
}

/** Room for a frame's signature, and for what an answer has besides its output. */
const frameRoomBytes = 256
const answerRoomBytes = 192

const proofRoomBytes = proofLength + 16

/** What the answer takes in a frame. */
export function answerBytes({ delivery, program }: SmallDelivery): number {
  const outputBytes = delivery.returnOutput ? program.facts.outputLength : 0
  return answerRoomBytes + outputBytes + (delivery.proof === undefined ? 0 : proofRoomBytes)
}

/** The first of them that fit one frame of answers. */
export function fitFrame(batch: readonly SmallDelivery[], from: number): number {
  let bytes = frameRoomBytes
  let to = from
  for (; to < batch.length && to - from < batchMax; to++) {
    bytes += answerBytes(batch[to] as SmallDelivery)
    if (bytes > batchFrameBytesMax && to > from) break
  }
  return to
}

/** The oldest that wait, as many as can be answered in one frame: they are being executed from here on. */
export function takeChunk(small: SmallWork): readonly SmallDelivery[] {
  const chunk: SmallDelivery[] = []
  let bytes = frameRoomBytes
  for (; small.taken < small.queue.length && chunk.length < batchMax; small.taken++) {
    const item = small.queue[small.taken] as SmallDelivery
    if (item.phase !== 'queued') continue
    bytes += answerBytes(item)
    if (bytes > batchFrameBytesMax && chunk.length > 0) break
    move(small, item, 'executing')
    chunk.push(item)
  }
  if (small.taken === small.queue.length) {
    small.queue = []
    small.taken = 0
  }
  return chunk
}

/** What did not get its turn waits again, before everything else. */
export function putBack(small: SmallWork, batch: readonly SmallDelivery[]): void {
  const again = batch.filter(({ phase }) => phase === 'executing')
  if (again.length === 0) return
  for (const item of again) move(small, item, 'queued')
  small.queue = [...again, ...small.queue.slice(small.taken)]
  small.taken = 0
}

/** Looks at all deadlines anew, and gives those that have passed. */
export function pastDeadline(small: SmallWork, orchestratorMs: number): readonly SmallDelivery[] {
  if (orchestratorMs < small.noDeadlineBeforeMs) return []
  const past: SmallDelivery[] = []
  let earliestMs = Number.POSITIVE_INFINITY
  for (const item of small.held.values()) {
    if (!isOpen(item)) continue
    const { deadlineMs } = item.delivery
    if (deadlineMs <= orchestratorMs) past.push(item)
    else earliestMs = Math.min(earliestMs, deadlineMs)
  }
  small.noDeadlineBeforeMs = earliestMs
  return past
}

export function knowProgram(small: SmallWork, program: KnownProgram): void {
  small.programs.set(program.programId, program)
  if (small.programs.size <= knownProgramsMax) return
  for (const oldest of small.programs.keys()) {
    small.programs.delete(oldest)
    return
  }
}
