/**
 * A delivery's arrival (spec W20–W22): the meta frame is admitted or handed back with the reason, the raw frame must
 * have the announced length and digest, and the orchestrator's attestation must hold before anything is executed.
 */

import { decodeWork, factsOf, provableWork, type Work, type WorkFacts } from '@shardy/compute/work'
import {
  attestedPayload,
  type Delivery,
  type Digest,
  deliveryStatement,
  type ProgramId,
  programIdOf,
  type RejectReason,
} from '@shardy/protocol'
import type { ProvableProduct } from '@shardy/tensor'
import {
  auditedMax,
  committedBytesMax,
  committedMax,
  payloadPatienceMs,
  prefetchBytesMax,
  workingBytesMax,
} from './bounds.ts'
import { lose } from './connection.ts'
import { refuseDelivery, rejectHeld } from './ending.ts'
import { prepare } from './fetching.ts'
import type { InputOf } from './input.ts'
import { unprovenKind } from './proof.ts'
import { countOpen } from './small/work.ts'
import type { Admitted, HeldDelivery, Phase } from './state.ts'
import {
  change,
  changeAdmitted,
  countHeld,
  heldByRun,
  hold,
  nextRun,
  send,
  type Turn,
  takesSlot,
} from './turn.ts'

type Judged =
  | {
      readonly ok: true
      readonly work: Work
      readonly facts: WorkFacts
      readonly programId: ProgramId
      readonly product: ProvableProduct | undefined
    }
  | { readonly ok: false; readonly reason: RejectReason; readonly why: string }

function no(reason: RejectReason, why: string): Judged {
  return { ok: false, reason, why }
}

/** Time that what is held and this work need, by the measured speed; zero where nothing was measured. */
function needsMs(turn: Turn, { complexity }: WorkFacts): number {
  const { operationsPerSecond } = turn.rules
  if (operationsPerSecond === 0) return 0
  let operations = complexity + turn.state.small.operations
  for (const held of turn.state.deliveries.values()) {
    if (takesSlot(held)) operations += held.facts.complexity
  }
  return (1000 * operations) / operationsPerSecond
}

/** What a delivery keeps in memory from its execution until commitments are closed, and its input until it was audited. */
function keptBytes(
  { commitFirst, returnOutput, proof }: Delivery,
  { inputLength, outputLength }: WorkFacts,
): { readonly output: number; readonly input: number } {
  return {
    output: commitFirst && returnOutput ? outputLength : 0,
    input: proof?.kind === 'v3' ? inputLength : 0,
  }
}

function keptBytesOfAll({ deliveries }: Turn['state']): number {
  let bytes = 0
  for (const { delivery, facts, phase } of deliveries.values()) {
    const { input, output } = keptBytes(delivery, facts)
    if (phase.kind !== 'answered') bytes += input + output
    else if (keepsInput(phase)) bytes += input
  }
  return bytes
}

/** What waits beyond the slots is bounded in bytes too: inputs may be large. */
function whyFull({ rules, state }: Turn, { payloadLength }: Delivery): string | undefined {
  const { slots } = rules
  const { prefetch } = rules.offer
  const large = countHeld(state, takesSlot)
  if (large + countOpen(state.small) >= slots + prefetch) {
    return `all ${slots} slots and the ${prefetch} places beside them are taken`
  }
  if (large < slots) return undefined
  let bytes = payloadLength
  for (const held of state.deliveries.values()) if (takesSlot(held)) bytes += held.delivery.payloadLength
  if (bytes <= prefetchBytesMax) return undefined
  return `all ${slots} slots are taken, and inputs of ${bytes} bytes would wait`
}

function judge(turn: Turn, connection: Admitted, delivery: Delivery): Judged {
  const { rules, state } = turn
  if (state.paused) return no('paused', 'the worker is paused')
  const full = whyFull(turn, delivery)
  if (full !== undefined) return no('busy', full)
  const committed = countHeld(state, ({ phase }) => phase.kind === 'committed')
  if (committed >= committedMax) return no('busy', `${committed} commitments wait to be revealed`)
  if (!rules.kinds.includes(delivery.kind)) return no('unsupported', `tasks of kind ${delivery.kind}`)
  const unproven = unprovenKind(rules, delivery)
  if (unproven !== undefined) return no('unsupported', `proofs of kind ${unproven}`)
  const decoded = decodeWork(delivery.kind, delivery.program)
  if (!decoded.ok) return no('unsupported', decoded.reason)
  const { work } = decoded
  let product: ProvableProduct | undefined
  if (delivery.proof?.kind === 'v3') {
    const audited = countHeld(state, isToBeAudited)
    if (audited >= auditedMax) return no('busy', `${audited} deliveries wait for their audits`)
    const provable = provableWork(work)
    if (!provable.ok) return no('unsupported', `no block of it can be proven: ${provable.reason}`)
    ;({ product } = provable)
  }
  const facts = factsOf(work)
  const expected = facts.inputLength
  if (delivery.payloadLength !== expected) {
    return no(
      'unsupported',
      `the ${facts.summary} takes ${expected} bytes of input, not ${delivery.payloadLength}`,
    )
  }
  const largest = Math.max(expected, facts.outputLength)
  if (largest > connection.payloadBytesMax) {
    return no('tooLarge', `${largest} bytes, the limit is ${connection.payloadBytesMax}`)
  }
  if (facts.memoryBytes > workingBytesMax) {
    return no('tooLarge', `values of ${facts.memoryBytes} bytes, this worker holds ${workingBytesMax}`)
  }
  const own = keptBytes(delivery, facts)
  const kept = own.input + own.output
  const keptAlready = keptBytesOfAll(state)
  if (kept > 0 && keptAlready + kept > committedBytesMax) {
    const why = `${keptAlready} bytes are kept until they are revealed or audited, ${kept} more would pass ${committedBytesMax}`
    return no('busy', why)
  }
  const leftMs = delivery.deadlineMs - connection.orchestrator.clockOffsetMs - turn.nowMs
  if (leftMs <= 0) return no('outOfTime', 'the deadline has passed')
  const neededMs = needsMs(turn, facts)
  if (neededMs > leftMs) {
    return no('outOfTime', `needs about ${Math.ceil(neededMs)} ms, ${Math.floor(leftMs)} ms are left`)
  }
  const programId = programIdOf(delivery.kind, delivery.program, rules.sha256)
  return { ok: true, work, facts, programId, product }
}

export function deliveryCame(turn: Turn, connection: Admitted, delivery: Delivery): void {
  const { deliveryId, payloadLength } = delivery
  if (turn.state.deliveries.has(deliveryId) || turn.state.small.held.has(deliveryId))
    return lose(turn, { kind: 'duplicateDelivery', deliveryId })
  change(turn, { idle: undefined })
  const judged = judge(turn, connection, delivery)
  if (payloadLength > 0) {
    const patienceEndsAtMs = turn.nowMs + payloadPatienceMs
    changeAdmitted(turn, { receiving: { deliveryId, wanted: judged.ok, patienceEndsAtMs } })
  }
  if (!judged.ok) return refuseDelivery(turn, delivery, judged.reason, judged.why)
  const run = nextRun(turn)
  const { ok: _, ...read } = judged
  const held: HeldDelivery = {
    run,
    delivery,
    ...read,
    keptInput: undefined,
    phase: { kind: 'awaitingPayload' },
  }
  hold(turn, held)
  // Without input there is no raw frame to wait for.
  if (payloadLength === 0) verifyHeld(turn, connection, held, new Uint8Array(0))
}

export function payloadCame(turn: Turn, connection: Admitted, input: Uint8Array): void {
  const { receiving } = connection
  changeAdmitted(turn, { receiving: undefined })
  const held = receiving?.wanted ? turn.state.deliveries.get(receiving.deliveryId) : undefined
  if (held === undefined) return
  const { payloadLength } = held.delivery
  if (input.length !== payloadLength) {
    return rejectHeld(turn, held, 'corrupted', `${input.length} bytes came, ${payloadLength} were announced`)
  }
  verifyHeld(turn, connection, held, input)
}

/** The whole input is here: are input and delivery what the orchestrator signed? */
function verifyHeld(turn: Turn, connection: Admitted, held: HeldDelivery, input: Uint8Array): void {
  const { attestation } = held.delivery
  const { sha256, workerId } = turn.rules
  const statement = deliveryStatement(held.delivery, held.programId, workerId)
  const payload = attestedPayload(statement, attestation, sha256)
  if (payload === undefined) {
    return rejectHeld(turn, held, 'badAttestation', 'the path fits no batch of that size')
  }
  hold(turn, { ...held, phase: { kind: 'verifying', input } })
  const { publicKey } = connection.orchestrator
  const { signature } = attestation
  turn.effects.push({ kind: 'verify', run: held.run, input, publicKey, payload, signature })
}

function faultOf(
  held: HeldDelivery,
  inputDigest: Digest,
  attestationHolds: boolean,
): { readonly reason: RejectReason; readonly why: string } | undefined {
  const { payloadDigest } = held.delivery
  if (inputDigest !== payloadDigest) {
    return {
      reason: 'corrupted',
      why: `the payload's digest is ${inputDigest}, announced was ${payloadDigest}`,
    }
  }
  if (!attestationHolds) {
    return { reason: 'badAttestation', why: "the signature is not the orchestrator's over this delivery" }
  }
  return undefined
}

export function verified(turn: Turn, { run, inputDigest, attestationHolds }: InputOf<'verified'>): void {
  const held = heldByRun(turn, run)
  if (held?.phase.kind !== 'verifying') return
  const fault = faultOf(held, inputDigest, attestationHolds)
  if (fault !== undefined) return rejectHeld(turn, held, fault.reason, fault.why)
  send(turn, 'ack', { deliveryId: held.delivery.deliveryId })
  prepare(turn, held, held.phase.input)
}

/** It keeps its input, or will. */
function isToBeAudited({ product, phase }: HeldDelivery): boolean {
  if (product === undefined) return false
  return phase.kind !== 'answered' || keepsInput(phase)
}

function keepsInput({ audit }: Extract<Phase, { readonly kind: 'answered' }>): boolean {
  return audit !== undefined && 'source' in audit
}
