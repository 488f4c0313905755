/**
 * From the place where the sides part to who is wrong (spec B12–B16): the values that the node takes are shown, by
 * either side since they are agreed, and whoever has the blobs executes it.
 */
import { areInTrace, type Evidence, wrongBy } from './evidence.ts'
import type { InputOf } from './input.ts'
import { dependenciesOf } from './outline.ts'
import { knownAnswer, questionOf } from './question.ts'
import { type DisputeRecord, disputedNode, sideNames, workerOf } from './record.ts'
import { ask, enter, ignore, outlineOf, put, settledPart, type Turn } from './turn.ts'
import { end } from './verdict.ts'

export function takeLeaves(turn: Turn, dispute: DisputeRecord, input: InputOf<'leavesShown'>): void {
  const { workerId, leaves } = input
  if (!sideNames.some((name) => workerOf(dispute[name]) === workerId)) return ignore(turn, 'notAParty')
  if (dispute.phase === 'executing') return ignore(turn, 'alreadyShown')
  if (dispute.phase !== 'showing') return ignore(turn, 'notAsked')
  const outline = outlineOf(turn, dispute)
  const node = disputedNode(dispute)
  const { nodes } = dependenciesOf(outline, node)
  const { disputeId } = dispute
  const parties = { a: dispute.a.party, b: dispute.b.party }
  if (!areInTrace(leaves, nodes, outline, parties, turn.tools.sha256)) {
    turn.effects.push({ kind: 'revealRefused', disputeId, workerId, flaw: 'wrongLeaves' })
    return
  }
  const shown: DisputeRecord = { ...dispute, shown: leaves }
  const digest = knownAnswer(questionOf(settledPart(shown, node), outline), outline)
  if (digest === undefined) enter(turn, shown, 'executing')
  else decide(turn, shown, digest)
}

export function takeDigest(turn: Turn, dispute: DisputeRecord, { digest }: InputOf<'reexecuted'>): void {
  if (dispute.phase !== 'executing') return ignore(turn, 'notAsked')
  decide(turn, dispute, digest)
}

export function noteMissing(turn: Turn, dispute: DisputeRecord, { digests }: InputOf<'blobsMissing'>): void {
  if (dispute.phase !== 'executing') return ignore(turn, 'notAsked')
  const { blobs } = questionOf(settledPart(dispute, disputedNode(dispute)), outlineOf(turn, dispute))
  const missing = blobs.filter((digest) => digests.includes(digest))
  const isSame =
    missing.length === dispute.missing.length && missing.every((each) => dispute.missing.includes(each))
  if (isSame) return ignore(turn, 'alreadyShown')
  const noted: DisputeRecord = { ...dispute, missing }
  put(turn, noted)
  if (missing.length > 0) ask(turn, noted)
}

function decide(turn: Turn, dispute: DisputeRecord, digest: Evidence['digest']): void {
  const { a, b } = dispute
  const node = disputedNode(dispute)
  const [claimA, claimB] = [a, b].map(({ hash, beside }) =>
    node === undefined ? undefined : { leafHash: hash, path: beside },
  )
  const found: Evidence = { ...settledPart(dispute, node), claimA, claimB, digest }
  end(turn, dispute, 'decided', wrongBy(found, outlineOf(turn, dispute), turn.tools.sha256), found)
}
