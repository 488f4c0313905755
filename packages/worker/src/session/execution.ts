/**
 * From verified input to answer (spec W23–W26): one execution at a time, then the signature, then the commitment and
 * its reveal where other workers have the same task, then the result.
 */
import {
  type Attestation,
  batchStatements,
  type Closings,
  commitTo,
  type DeliveryId,
  resultStatement,
  transcriptPartsMax,
} from '@shardy/protocol'
import { startBenchmark } from './benchmark.ts'
import {
  answeredMax,
  committedBytesMax,
  payloadPatienceMs,
  progressStepPermille,
  uplinkBytesPerMs,
} from './bounds.ts'
import { lose } from './connection.ts'
import { forgetAnswered, rejectHeld } from './ending.ts'
import type { InputOf } from './input.ts'
import { wantedWithAnswer } from './proof.ts'
import {
  executeSmall,
  revealSmall,
  batchExecuted as smallExecuted,
  smallSigned,
  smallUnsigned,
} from './small/execution.ts'
import { isOpen, type SmallDelivery } from './small/work.ts'
import type { Answer, Audit, HeldDelivery } from './state.ts'
import {
  change,
  changeAdmitted,
  countHeld,
  heldByRun,
  hold,
  report,
  send,
  sendRaw,
  type Turn,
} from './turn.ts'

/** Gives the executor, if it is free, what is next: a benchmark, else small and large deliveries by turns. */
export function startNext(turn: Turn): void {
  const { executing, small, smallHadTurn } = turn.state
  if (executing !== undefined || startBenchmark(turn)) return
  const large = readyLarge(turn)
  const isSmallNext = small.counts.queued > 0 && (large === undefined || !smallHadTurn)
  change(turn, { smallHadTurn: isSmallNext })
  if (isSmallNext) executeSmall(turn)
  else if (large !== undefined) startLarge(turn, large)
}

interface Ready extends HeldDelivery {
  readonly phase: Extract<HeldDelivery['phase'], { readonly kind: 'queued' }>
}

/** The oldest large delivery that can be computed. */
function readyLarge({ state }: Turn): Ready | undefined {
  for (const held of state.deliveries.values()) {
    const { phase } = held
    if (phase.kind === 'queued') return { ...held, phase }
  }
  return undefined
}

function startLarge(turn: Turn, held: Ready): void {
  const { run, work, facts, delivery } = held
  const { input, blobs } = held.phase
  const transcript = delivery.returnTranscript && delivery.returnOutput && work.kind === 'program'
  const keptInput = held.product && input
  hold(turn, { ...held, keptInput, phase: { kind: 'executing', permille: 0, saidPermille: 0 } })
  change(turn, { executing: run })
  report(turn, {
    kind: 'executing',
    deliveryId: delivery.deliveryId,
    taskId: delivery.taskId,
    summary: facts.summary,
  })
  const proof = wantedWithAnswer(delivery)
  const keepsInput = keptInput !== undefined
  turn.effects.push({ kind: 'execute', run, work, input, blobs, transcript, proof, keepsInput })
}

/** The executor replied: it is free, whatever became of the delivery meanwhile. */
function free(turn: Turn, run: number): void {
  if (turn.state.executing === run) change(turn, { executing: undefined })
}

export function progressed(turn: Turn, { run, permille }: InputOf<'progressed'>): void {
  const held = heldByRun(turn, run)
  if (held?.phase.kind !== 'executing') return
  const { saidPermille } = held.phase
  const say = permille < 1000 && permille >= saidPermille + progressStepPermille
  hold(turn, {
    ...held,
    phase: { kind: 'executing', permille, saidPermille: say ? permille : saidPermille },
  })
  if (say) send(turn, 'progress', { deliveryId: held.delivery.deliveryId, permille })
}

function resultBatch(turn: Turn, { delivery, programId }: HeldDelivery, answer: Answer) {
  const { sha256, workerId } = turn.rules
  return batchStatements([resultStatement(delivery, programId, workerId, answer)], sha256)
}

/** The run ended, whatever came of it: on with the next. */
export function freed(turn: Turn, run: number, take: () => void): void {
  free(turn, run)
  take()
  startNext(turn)
}

export function batchExecuted(turn: Turn, input: InputOf<'batchExecuted'>): void {
  freed(turn, input.run, () => smallExecuted(turn, input))
}

export function executed(turn: Turn, input: InputOf<'executed'>): void {
  const { run, output, outputDigest, proof, salt } = input
  free(turn, run)
  const held = heldByRun(turn, run)
  if (held?.phase.kind === 'executing') {
    const expected = held.facts.outputLength
    if (output.length !== expected) {
      const why = `the executor gave ${output.length} bytes, the ${held.facts.summary} makes ${expected}`
      rejectHeld(turn, held, 'executionFailed', why)
    } else {
      const kept = held.delivery.returnOutput ? output : undefined
      const { length } = output
      const transcript = fitting(turn, held, length, input.transcript)
      const answer: Answer = {
        outputDigest,
        traceRoot: undefined,
        outputLength: length,
        output: kept,
        transcript,
        proof,
        salt,
      }
      hold(turn, { ...held, phase: { kind: 'signing', answer } })
      turn.effects.push({ kind: 'signResult', run, payload: resultBatch(turn, held, answer).payload })
    }
  }
  startNext(turn)
}

/** The transcript, unless it would not fit the raw frame or what is kept: without it the answer is checked all the same, at more cost. */
function fitting(
  turn: Turn,
  { delivery }: HeldDelivery,
  outputLength: number,
  transcript: readonly Uint8Array[],
): readonly Uint8Array[] {
  const { connection, deliveries } = turn.state
  const bytes = transcript.reduce((sum, { length }) => sum + length, outputLength)
  const limit = connection.kind === 'admitted' ? connection.payloadBytesMax : 0
  if (transcript.length > transcriptPartsMax || bytes > limit) return []
  if (!delivery.commitFirst) return transcript
  let keptBytes = bytes
  for (const { phase } of deliveries.values())
    if (phase.kind === 'committed') keptBytes += answerLength(phase.answer)
  return keptBytes <= committedBytesMax ? transcript : []
}

function answerLength({ output, transcript }: Answer): number {
  return transcript.reduce((sum, { length }) => sum + length, output?.length ?? 0)
}

export function notExecuted(turn: Turn, { run, reason, text }: InputOf<'notExecuted'>): void {
  free(turn, run)
  const held = heldByRun(turn, run)
  if (held?.phase.kind === 'executing') rejectHeld(turn, held, reason, text)
  startNext(turn)
}

export function resultSigned(turn: Turn, input: InputOf<'resultSigned'>): void {
  if (smallSigned(turn, input)) return
  const { run, signature } = input
  const held = heldByRun(turn, run)
  if (held?.phase.kind !== 'signing') return
  const { answer } = held.phase
  const [attestation] = resultBatch(turn, held, answer).attest(signature)
  if (attestation === undefined) throw new Error('a batch of one has one attestation')
  if (!held.delivery.commitFirst) return give(turn, held, answer, attestation)
  const { deliveryId, taskId } = held.delivery
  const { outputDigest, traceRoot, salt } = answer
  const { workerId, sha256 } = turn.rules
  const commitment = commitTo({ workerId, deliveryId, outputDigest, traceRoot, salt }, sha256)
  hold(turn, { ...held, phase: { kind: 'committed', answer, attestation } })
  send(turn, 'commits', { commits: [{ deliveryId, commitment }] })
  report(turn, { kind: 'committed', deliveryId, taskId })
}

export function resultUnsigned(turn: Turn, input: InputOf<'resultUnsigned'>): void {
  if (smallUnsigned(turn, input)) return
  const { run, text } = input
  const held = heldByRun(turn, run)
  if (held?.phase.kind === 'signing') rejectHeld(turn, held, 'executionFailed', text)
}

/** Every worker on these tasks is bound: the answers are shown. One that is not bound yet is out of place here. */
export function commitmentsClosed(turn: Turn, { deliveryIds }: Closings): void {
  const small = new Set<SmallDelivery>()
  for (const deliveryId of deliveryIds) {
    const item = turn.state.small.held.get(deliveryId)
    if (item === undefined) {
      if (!closeOne(turn, deliveryId)) return
    } else if (isOpen(item)) {
      return lose(turn, { kind: 'unexpectedFrame', frame: 'closings', during: item.phase })
    } else if (item.phase === 'committed') {
      small.add(item)
    }
  }
  revealSmall(turn, [...small])
}

function closeOne(turn: Turn, deliveryId: DeliveryId): boolean {
  const held = turn.state.deliveries.get(deliveryId)
  // Handed back or answered already: the frames crossed.
  if (held === undefined || held.phase.kind === 'answered') return true
  if (held.phase.kind !== 'committed') {
    lose(turn, { kind: 'unexpectedFrame', frame: 'closings', during: held.phase.kind })
    return false
  }
  const { answer, attestation } = held.phase
  give(turn, held, answer, attestation)
  return true
}

function sendOutput(turn: Turn, output: Uint8Array, transcript: readonly Uint8Array[]): void {
  const raw = transcript.length === 0 ? output : joined([output, ...transcript])
  if (raw.length === 0) return
  const { connection } = turn.state
  if (connection.kind === 'admitted') {
    const startMs = Math.max(turn.nowMs, connection.sendingUntilMs)
    const endMs = startMs + Math.ceil(raw.length / uplinkBytesPerMs)
    changeAdmitted(turn, { sendingUntilMs: Math.min(endMs, turn.nowMs + payloadPatienceMs) })
  }
  sendRaw(turn, raw)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function give(turn: Turn, held: HeldDelivery, answer: Answer, attestation: Attestation): void {
  const { deliveryId, taskId, commitFirst } = held.delivery
  const { output, transcript, outputDigest, traceRoot, outputLength } = answer
  const outputIncluded = output !== undefined
  const audit = auditOf(held)
  hold(turn, { ...held, keptInput: undefined, phase: { kind: 'answered', outputDigest, audit } })
  send(turn, 'result', {
    deliveryId,
    outputDigest,
    outputLength,
    outputIncluded,
    attestation,
    traceRoot,
    salt: commitFirst ? answer.salt : undefined,
    partLengths: transcript.map(({ length }) => length),
    proof: answer.proof,
  })
  if (output !== undefined) sendOutput(turn, output, transcript)
  report(turn, { kind: 'answered', deliveryId, taskId })
  if (countHeld(turn.state, isForgettable) <= answeredMax) return
  for (const oldest of turn.state.deliveries.values()) {
    if (isForgettable(oldest)) return forgetAnswered(turn, oldest)
  }
}

function auditOf({ delivery, product, keptInput }: HeldDelivery): Audit | undefined {
  const { proof } = delivery
  if (proof === undefined || product === undefined || keptInput === undefined) return undefined
  const { verifierVersion } = proof
  return { kind: 'unasked', source: { verifierVersion, product, input: keptInput } }
}

/** Nothing but a verdict is still to come. What is audited counts for nothing without its proof, and has a bound of its own. */
function isForgettable({ phase }: HeldDelivery): boolean {
  return phase.kind === 'answered' && (phase.audit === undefined || phase.audit.kind === 'proven')
}
