/**
 * From verified input to answer (spec W23–W26): one execution at a time, then the signature, then the commitment and
 * its reveal where other workers have the same task, then the result.
 */
import {
  type Attestation,
  batchStatements,
  type CommitmentsClosed,
  commitTo,
  resultStatement,
} from '@shardy/protocol'
import { answeredMax, payloadPatienceMs, progressStepPermille, uplinkBytesPerMs } from './bounds.ts'
import { lose } from './connection.ts'
import { forgetAnswered, rejectHeld } from './ending.ts'
import type { InputOf } from './input.ts'
import type { Answer, HeldDelivery } from './state.ts'
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

/** Gives the executor the oldest delivery that is ready, if it is free. */
export function startNext(turn: Turn): void {
  if (turn.state.executing !== undefined) return
  for (const held of turn.state.deliveries.values()) {
    if (held.phase.kind !== 'queued') continue
    const { run, work, facts, delivery } = held
    const { input, blobs } = held.phase
    hold(turn, { ...held, phase: { kind: 'executing', permille: 0, saidPermille: 0 } })
    change(turn, { executing: run })
    report(turn, {
      kind: 'executing',
      deliveryId: delivery.deliveryId,
      taskId: delivery.taskId,
      summary: facts.summary,
    })
    turn.effects.push({ kind: 'execute', run, work, input, blobs })
    return
  }
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

export function executed(turn: Turn, { run, output, outputDigest, salt }: InputOf<'executed'>): void {
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
      const answer: Answer = { outputDigest, traceRoot: undefined, outputLength: length, output: kept, salt }
      hold(turn, { ...held, phase: { kind: 'signing', answer } })
      turn.effects.push({ kind: 'signResult', run, payload: resultBatch(turn, held, answer).payload })
    }
  }
  startNext(turn)
}

export function notExecuted(turn: Turn, { run, reason, text }: InputOf<'notExecuted'>): void {
  free(turn, run)
  const held = heldByRun(turn, run)
  if (held?.phase.kind === 'executing') rejectHeld(turn, held, reason, text)
  startNext(turn)
}

export function resultSigned(turn: Turn, { run, signature }: InputOf<'resultSigned'>): void {
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
  send(turn, 'commit', { deliveryId, commitment })
  report(turn, { kind: 'committed', deliveryId, taskId })
}

export function resultUnsigned(turn: Turn, { run, text }: InputOf<'resultUnsigned'>): void {
  const held = heldByRun(turn, run)
  if (held?.phase.kind === 'signing') rejectHeld(turn, held, 'executionFailed', text)
}

export function commitmentsClosed(turn: Turn, { deliveryId }: CommitmentsClosed): void {
  const held = turn.state.deliveries.get(deliveryId)
  // Handed back or answered already: the frames crossed.
  if (held === undefined || held.phase.kind === 'answered') return
  if (held.phase.kind !== 'committed') {
    return lose(turn, { kind: 'unexpectedFrame', frame: 'commitmentsClosed', during: held.phase.kind })
  }
  const { answer, attestation } = held.phase
  const { outputDigest, traceRoot, salt } = answer
  send(turn, 'reveal', { deliveryId, outputDigest, traceRoot, salt })
  give(turn, held, answer, attestation)
}

function sendOutput(turn: Turn, output: Uint8Array): void {
  const { connection } = turn.state
  if (connection.kind === 'admitted') {
    const startMs = Math.max(turn.nowMs, connection.sendingUntilMs)
    const endMs = startMs + Math.ceil(output.length / uplinkBytesPerMs)
    changeAdmitted(turn, { sendingUntilMs: Math.min(endMs, turn.nowMs + payloadPatienceMs) })
  }
  sendRaw(turn, output)
}

function give(turn: Turn, held: HeldDelivery, answer: Answer, attestation: Attestation): void {
  const { deliveryId, taskId } = held.delivery
  const { output, outputDigest, traceRoot, outputLength } = answer
  const outputIncluded = output !== undefined
  hold(turn, { ...held, phase: { kind: 'answered' } })
  send(turn, 'result', { deliveryId, outputDigest, outputLength, outputIncluded, attestation, traceRoot })
  if (output !== undefined) sendOutput(turn, output)
  report(turn, { kind: 'answered', deliveryId, taskId })
  if (countHeld(turn.state, ({ phase }) => phase.kind === 'answered') <= answeredMax) return
  for (const oldest of turn.state.deliveries.values()) {
    if (oldest.phase.kind === 'answered') return forgetAnswered(turn, oldest)
  }
}
