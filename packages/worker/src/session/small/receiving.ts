/**
 * Small deliveries arrive (spec W30–W32): many in a frame, under one signature over all their statements. What this worker
 * cannot do is handed back by itself; the rest is computed only when the signature holds.
 */
import { decodeWork, factsOf } from '@shardy/compute/work'
import {
  type BatchDelivery,
  type BatchProgram,
  type Deliveries,
  type DeliveryId,
  type Digest,
  deliveryStatement,
  encodeHex,
  inlinePayloadBytesMax,
  merkleRoot,
  type ProgramId,
  programIdOf,
  type RejectReason,
  signedBatch,
  statementLeaf,
} from '@shardy/protocol'
import { smallCommittedMax, workingBytesMax } from '../bounds.ts'
import { lose } from '../connection.ts'
import { startNext } from '../execution.ts'
import type { InputOf } from '../input.ts'
import { unprovenKind } from '../proof.ts'
import type { Admitted } from '../state.ts'
import { change, countHeld, nextRun, type Turn, takesSlot } from '../turn.ts'
import { type Refused, refuseSmall, rejectSmall } from './ending.ts'
import { countOpen, enqueue, type KnownProgram, knowProgram, type SmallDelivery, take } from './work.ts'

type ReadProgram =
  | { readonly ok: true; readonly programId: ProgramId; readonly program: KnownProgram }
  | { readonly ok: false; readonly programId: ProgramId; readonly reason: RejectReason; readonly why: string }

/** Reads a program once, however many deliveries and frames name it. */
function readProgram(turn: Turn, { kind, program: bytes }: BatchProgram): ReadProgram {
  const { rules, state } = turn
  const programId = programIdOf(kind, bytes, rules.sha256)
  const no = (reason: RejectReason, why: string) => ({ ok: false, programId, reason, why }) as const
  if (!rules.kinds.includes(kind)) return no('unsupported', `tasks of kind ${kind}`)
  const known = state.small.programs.get(programId)
  if (known !== undefined) return { ok: true, programId, program: known }
  const decoded = decodeWork(kind, bytes)
  if (!decoded.ok) return no('unsupported', decoded.reason)
  const facts = factsOf(decoded.work)
  const { outputLength, memoryBytes, constants, summary } = facts
  if (constants.length > 0)
    return no('unsupported', `the ${summary} names constants; those come by themselves`)
  if (outputLength > inlinePayloadBytesMax) {
    return no('tooLarge', `an output of ${outputLength} bytes, a small one has ${inlinePayloadBytesMax}`)
  }
  if (memoryBytes > workingBytesMax) {
    return no('tooLarge', `values of ${memoryBytes} bytes, this worker holds ${workingBytesMax}`)
  }
  const program = { programId, work: decoded.work, facts }
  knowProgram(state.small, program)
  return { ok: true, programId, program }
}

/** What is wrong with one of them, given how many are held already. */
function flawOf(
  turn: Turn,
  connection: Admitted,
  { payload, deadlineMs, proof }: BatchDelivery,
  { facts }: KnownProgram,
  held: number,
): { readonly reason: RejectReason; readonly why: string } | undefined {
  const { rules, state, nowMs } = turn
  if (state.paused) return { reason: 'paused', why: 'the worker is paused' }
  const room = rules.slots + rules.offer.prefetch
  if (held >= room) return { reason: 'busy', why: `${held} deliveries are held, there is room for ${room}` }
  if (state.small.counts.committed >= smallCommittedMax) {
    return { reason: 'busy', why: `${smallCommittedMax} commitments wait to be closed` }
  }
  if (payload.length !== facts.inputLength) {
    const why = `the ${facts.summary} takes ${facts.inputLength} bytes of input, not ${payload.length}`
    return { reason: 'unsupported', why }
  }
  const unproven = unprovenKind(rules, { proof })
  if (unproven !== undefined) return { reason: 'unsupported', why: `proofs of kind ${unproven}` }
  if (proof?.kind === 'v3') {
    return { reason: 'unsupported', why: 'a block is proven of a delivery that comes by itself' }
  }
  const leftMs = deadlineMs - connection.orchestrator.clockOffsetMs - nowMs
  if (leftMs <= 0) return { reason: 'outOfTime', why: 'the deadline has passed' }
  const { operationsPerSecond } = rules
  if (operationsPerSecond === 0) return undefined
  const neededMs = (1000 * (state.small.operations + facts.complexity)) / operationsPerSecond
  if (neededMs <= leftMs) return undefined
  const why = `needs about ${Math.ceil(neededMs)} ms, ${Math.floor(leftMs)} ms are left`
  return { reason: 'outOfTime', why }
}

function findDuplicate({ state }: Turn, deliveries: readonly BatchDelivery[]): DeliveryId | undefined {
  const seen = new Set<DeliveryId>()
  for (const { deliveryId } of deliveries) {
    if (seen.has(deliveryId) || state.small.held.has(deliveryId) || state.deliveries.has(deliveryId)) {
      return deliveryId
    }
    seen.add(deliveryId)
  }
  return undefined
}

export function deliveriesCame(
  turn: Turn,
  connection: Admitted,
  { programs, deliveries, signature }: Deliveries,
) {
  const duplicate = findDuplicate(turn, deliveries)
  if (duplicate !== undefined) return lose(turn, { kind: 'duplicateDelivery', deliveryId: duplicate })
  change(turn, { idle: undefined })
  const { small } = turn.state
  const { sha256, workerId } = turn.rules
  const read = programs.map((program) => readProgram(turn, program))
  let held = countHeld(turn.state, takesSlot) + countOpen(small)
  const leaves: Uint8Array[] = []
  const batch: SmallDelivery[] = []
  const refused: Refused[] = []
  for (const one of deliveries) {
    const program = read[one.program] as ReadProgram
    const payloadDigest = encodeHex(sha256(one.payload)) as Digest
    const statement = deliveryStatement({ ...one, payloadDigest }, program.programId, workerId)
    leaves.push(statementLeaf(statement, sha256))
    const flaw = program.ok ? flawOf(turn, connection, one, program.program, held) : program
    if (!program.ok || flaw !== undefined) {
      const summary = program.ok ? program.program.facts.summary : undefined
      refused.push({ delivery: one, summary, ...(flaw ?? (program as Extract<ReadProgram, { ok: false }>)) })
      continue
    }
    const { payload: input, program: _, ...delivery } = one
    const item: SmallDelivery = {
      delivery,
      input,
      payloadDigest,
      program: program.program,
      phase: 'verifying',
      answer: undefined,
    }
    take(small, item)
    batch.push(item)
    held++
  }
  refuseSmall(turn, refused)
  if (batch.length === 0) return
  const run = nextRun(turn)
  small.runs.set(run, batch)
  const payload = signedBatch(merkleRoot(leaves, sha256), leaves.length)
  const { publicKey } = connection.orchestrator
  turn.effects.push({ kind: 'verifyBatch', run, publicKey, payload, signature })
}

export function batchVerified(turn: Turn, { run, holds }: InputOf<'batchVerified'>): void {
  const { small } = turn.state
  const batch = small.runs.get(run)
  if (batch === undefined) return
  small.runs.delete(run)
  if (!holds) {
    const why = "the signature is not the orchestrator's over these deliveries"
    return rejectSmall(turn, batch, 'badAttestation', why)
  }
  enqueue(small, batch)
  startNext(turn)
}
