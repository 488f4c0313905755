/**
 * The audit of an answer (spec W50 to W53): commitments to the sums of a tile that the orchestrator named, then the proof of the one of
 * its blocks that it named next. Each is asked for once, in this order; the input is kept until the second.
 */
import type { AuditBlock, AuditTile, DeliveryId, FrameType } from '@shardy/protocol'
import { tilesOf } from '@shardy/tensor'
import { lose } from './connection.ts'
import { rejectHeld } from './ending.ts'
import type { InputOf } from './input.ts'
import type { Audit, HeldDelivery, Phase } from './state.ts'
import { heldByRun, hold, send, type Turn } from './turn.ts'

interface Answered extends HeldDelivery {
  readonly phase: Extract<Phase, { readonly kind: 'answered' }>
}

type AuditOf<Kind extends Audit['kind']> = Extract<Audit, { readonly kind: Kind }>

interface At<Kind extends Audit['kind']> {
  readonly held: Answered
  readonly audit: AuditOf<Kind>
}

/** The delivery, where its audit has come as far as that. */
function at<Kind extends Audit['kind']>(held: HeldDelivery, kind: Kind): At<Kind> | undefined {
  const { phase } = held
  if (phase.kind !== 'answered' || phase.audit?.kind !== kind) return undefined
  return { held: { ...held, phase }, audit: phase.audit as AuditOf<Kind> }
}

/** For a frame, which is out of place anywhere else; about a delivery that is not held it means nothing, the frames crossed. */
function expectedAt<Kind extends Audit['kind']>(
  turn: Turn,
  deliveryId: DeliveryId,
  kind: Kind,
  frame: FrameType,
): At<Kind> | undefined {
  const held = turn.state.deliveries.get(deliveryId)
  if (held === undefined) return undefined
  const found = at(held, kind)
  if (found !== undefined) return found
  const { phase } = held
  const during = phase.kind === 'answered' && phase.audit !== undefined ? phase.audit.kind : phase.kind
  lose(turn, { kind: 'unexpectedFrame', frame, during })
  return undefined
}

function move(turn: Turn, { held }: { readonly held: Answered }, audit: Audit): void {
  hold(turn, { ...held, phase: { ...held.phase, audit } })
}

export function tileAsked(turn: Turn, { deliveryId, row, column }: AuditTile): void {
  const found = expectedAt(turn, deliveryId, 'unasked', 'auditTile')
  if (found === undefined) return
  const { held, audit } = found
  const { product, input } = audit.source
  const { rows, columns } = tilesOf(product)
  if (row >= rows || column >= columns) {
    const text = `tile (${row}, ${column}) of ${rows} × ${columns}`
    return lose(turn, { kind: 'unusableAudit', text })
  }
  const tile = { tileRow: row, tileColumn: column }
  move(turn, found, { kind: 'committing', source: audit.source, tile })
  turn.effects.push({ kind: 'commitSums', run: held.run, product, input, tile })
}

export function sumsCommitted(turn: Turn, { run, commitments }: InputOf<'sumsCommitted'>): void {
  const found = foundByRun(turn, run, 'committing')
  if (found === undefined) return
  const { held, audit } = found
  const { source, tile } = audit
  const { depth } = tilesOf(source.product)
  if (commitments.length !== depth) {
    const why = `the prover gave ${commitments.length} commitments for a tile of ${depth} blocks`
    return rejectHeld(turn, held, 'executionFailed', why)
  }
  move(turn, found, { kind: 'committed', source, tile })
  send(turn, 'auditSums', { deliveryId: held.delivery.deliveryId, commitments })
}

export function blockAsked(turn: Turn, { deliveryId, depth }: AuditBlock): void {
  const found = expectedAt(turn, deliveryId, 'committed', 'auditBlock')
  if (found === undefined) return
  const { held, audit } = found
  const { source, tile } = audit
  const blocks = tilesOf(source.product).depth
  if (depth >= blocks)
    return lose(turn, { kind: 'unusableAudit', text: `block ${depth} of a tile of ${blocks}` })
  move(turn, found, { kind: 'proving' })
  const { run, delivery, phase, facts } = held
  const position = { node: source.product.node, ...tile, depth }
  turn.effects.push({
    kind: 'proveBlock',
    run,
    block: {
      ...source,
      taskId: delivery.taskId,
      deliveryId,
      workerId: turn.rules.workerId,
      outputDigest: phase.outputDigest,
      outputLength: facts.outputLength,
      position,
    },
  })
}

export function blockProven(turn: Turn, { run, proof }: InputOf<'blockProven'>): void {
  const found = foundByRun(turn, run, 'proving')
  if (found === undefined) return
  move(turn, found, { kind: 'proven' })
  send(turn, 'auditProof', { deliveryId: found.held.delivery.deliveryId, proof })
}

/** Whichever of the two it was, the answer will not count. */
export function auditFailed(turn: Turn, { run, text }: InputOf<'auditFailed'>): void {
  const found = foundByRun(turn, run, 'committing') ?? foundByRun(turn, run, 'proving')
  if (found !== undefined) rejectHeld(turn, found.held, 'executionFailed', text)
}

function foundByRun<Kind extends Audit['kind']>(turn: Turn, run: number, kind: Kind): At<Kind> | undefined {
  const held = heldByRun(turn, run)
  return held && at(held, kind)
}
