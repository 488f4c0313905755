/**
 * From the queue to the answer (spec W33–W35): a run of small deliveries, then one signature over all their answers, or
 * commitments first and the signature once they are closed.
 */
import {
  type BatchResult,
  batchMax,
  type Commit,
  commitTo,
  type Digest,
  encodeHex,
  merkleRoot,
  resultStatement,
  signedBatch,
  statementLeaf,
} from '@shardy/protocol'
import { smallAnsweredMax } from '../bounds.ts'
import type { InputOf, Outcome } from '../input.ts'
import { wantedWithAnswer } from '../proof.ts'
import { change, nextRun, report, send, type Turn } from '../turn.ts'
import { forgetSmall, rejectSmall } from './ending.ts'
import { fitFrame, move, putBack, type SmallAnswer, type SmallDelivery, takeChunk } from './work.ts'

/** Gives the executor the oldest that wait. */
export function executeSmall(turn: Turn): void {
  const { small } = turn.state
  const chunk = takeChunk(small)
  const run = nextRun(turn)
  small.runs.set(run, chunk)
  change(turn, { executing: run })
  const batch = chunk.map(({ program, input, delivery }) => {
    return { work: program.work, input, proof: wantedWithAnswer(delivery) }
  })
  turn.effects.push({ kind: 'executeBatch', run, batch })
}

export function batchExecuted(turn: Turn, { run, outcomes, salts }: InputOf<'batchExecuted'>): void {
  const { small } = turn.state
  const chunk = small.runs.get(run)
  if (chunk === undefined) return
  small.runs.delete(run)
  const ready: SmallDelivery[] = []
  const committed: SmallDelivery[] = []
  for (const [index, outcome] of outcomes.entries()) {
    const item = chunk[index]
    // Cancelled, or handed back, while it was computed.
    if (item?.phase !== 'executing') continue
    const failure = failureOf(item, outcome)
    if (failure !== undefined) {
      rejectSmall(turn, [item], failure.reason, failure.text)
      continue
    }
    if (!outcome.ok) continue
    const { commitFirst, returnOutput } = item.delivery
    const salt = commitFirst ? encodeHex(salts.subarray(32 * index, 32 * index + 32)) : undefined
    const output = returnOutput ? outcome.output : undefined
    const { outputDigest, proof } = outcome
    item.answer = { outputDigest, output, proof, salt }
    ;(commitFirst ? committed : ready).push(item)
  }
  putBack(small, chunk.slice(outcomes.length))
  commit(turn, committed)
  sign(turn, ready)
}

function failureOf(
  { program }: SmallDelivery,
  outcome: Outcome,
): Extract<Outcome, { ok: false }> | undefined {
  if (!outcome.ok) return outcome
  const { outputLength, summary } = program.facts
  if (outcome.output.length === outputLength) return undefined
  const text = `the executor gave ${outcome.output.length} bytes, the ${summary} makes ${outputLength}`
  return { ok: false, reason: 'executionFailed', text }
}

function commit(turn: Turn, batch: readonly SmallDelivery[]): void {
  if (batch.length === 0) return
  const { workerId, sha256 } = turn.rules
  const commits = batch.map((item): Commit => {
    move(turn.state.small, item, 'committed')
    const { deliveryId } = item.delivery
    const { outputDigest, salt = '' } = item.answer as SmallAnswer
    const commitment = commitTo({ workerId, deliveryId, outputDigest, traceRoot: undefined, salt }, sha256)
    return { deliveryId, commitment }
  })
  for (let from = 0; from < commits.length; from += batchMax) {
    send(turn, 'commits', { commits: commits.slice(from, from + batchMax) })
  }
  report(turn, { kind: 'smallCommitted', count: commits.length })
}

/** One signature for as many as fit a frame. From here on each has its one answer. */
function sign(turn: Turn, batch: readonly SmallDelivery[]): void {
  const { small } = turn.state
  const { workerId, sha256 } = turn.rules
  for (let from = 0; from < batch.length; ) {
    const to = fitFrame(batch, from)
    const part = batch.slice(from, to)
    const leaves = part.map((item) => {
      move(small, item, 'signing')
      const { delivery, payloadDigest, program, answer } = item
      const { outputDigest } = answer as SmallAnswer
      const answered = { outputDigest, traceRoot: undefined }
      const statement = resultStatement({ ...delivery, payloadDigest }, program.programId, workerId, answered)
      return statementLeaf(statement, sha256)
    })
    const run = nextRun(turn)
    small.signing.set(run, { batch: part, leaves })
    turn.effects.push({
      kind: 'signResult',
      run,
      payload: signedBatch(merkleRoot(leaves, sha256), leaves.length),
    })
    from = to
  }
}

/** False when the run is not one of small deliveries. */
export function smallSigned(turn: Turn, { run, signature }: InputOf<'resultSigned'>): boolean {
  const { small } = turn.state
  const signing = small.signing.get(run)
  if (signing === undefined) return false
  small.signing.delete(run)
  // One that was cancelled meanwhile is under the signature too, so it goes along; nobody waits for it.
  const results = signing.batch.map(({ delivery, answer }, index): BatchResult => {
    const leaf = encodeHex(signing.leaves[index] as Uint8Array) as Digest
    return { deliveryId: delivery.deliveryId, ...(answer as SmallAnswer), traceRoot: undefined, leaf }
  })
  send(turn, 'results', { results, signature })
  for (const item of signing.batch) {
    if (item.phase !== 'signing') continue
    move(small, item, 'answered')
    item.answer = undefined
  }
  report(turn, { kind: 'smallAnswered', count: results.length })
  forgetSmall(turn, small.counts.answered - smallAnsweredMax)
  return true
}

export function smallUnsigned(turn: Turn, { run, text }: InputOf<'resultUnsigned'>): boolean {
  const { small } = turn.state
  const signing = small.signing.get(run)
  if (signing === undefined) return false
  small.signing.delete(run)
  const left = signing.batch.filter(({ phase }) => phase === 'signing')
  rejectSmall(turn, left, 'executionFailed', text)
  return true
}

/** All of them are committed: the answers are shown. */
export function revealSmall(turn: Turn, batch: readonly SmallDelivery[]): void {
  sign(turn, batch)
}
