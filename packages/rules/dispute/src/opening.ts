/** How a dispute begins (spec B1–B6): what can be opened, by whom, until when; then both signatures are verified. */
import { bisect } from './bisection.ts'
import type { OpenRefusal } from './effect.ts'
import type { InputOf } from './input.ts'
import { disputedBy, type Party, readProgram, refuseParties } from './party.ts'
import { type DisputeRecord, type DisputeSide, disputeIdOf, inOrder, sideNames, workerOf } from './record.ts'
import { openUntil } from './state.ts'
import { enter, ignore, outlineOf, put, type Turn } from './turn.ts'
import { end } from './verdict.ts'

export function open(turn: Turn, input: InputOf<'open'>): void {
  const refusal = refuse(turn, input)
  if (refusal !== undefined) {
    turn.effects.push({ kind: 'refused', refusal })
    return
  }
  const [a, b] = inOrder(...input.parties)
  const dispute: DisputeRecord = {
    disputeId: disputeIdOf(a, b, turn.tools.sha256),
    openedBy: input.openedBy,
    openedAtMs: turn.atMs,
    program: input.program,
    a: sideOf(a),
    b: sideOf(b),
    phase: 'verifying',
    dueMs: turn.atMs,
    askAtMs: turn.atMs,
    from: 0,
    to: 0,
    rounds: 0,
    shown: [],
    missing: [],
    outcome: undefined,
  }
  enter(turn, { ...dispute, to: outlineOf(turn, dispute).nodes.length }, 'verifying')
}

function sideOf(party: Party): DisputeSide {
  return { party, isSigned: false, hash: disputedBy(party).traceRoot, beside: [], halves: undefined }
}

function refuse(turn: Turn, { openedBy, program, parties }: InputOf<'open'>): OpenRefusal | undefined {
  const { tools, state, atMs } = turn
  const { policy, open: opened, ended } = state
  const [a, b] = inOrder(...parties)
  const refusal = refuseParties(a, b, tools.sha256)
  if (refusal !== undefined) return refusal
  const { workerId } = openedBy
  const workers = parties.map(({ statement }) => statement.workerId)
  if (workerId !== undefined && !workers.includes(workerId)) return { kind: 'notAParty', workerId }
  for (const { statement } of parties) {
    const { deadlineMs } = statement
    if (deadlineMs > atMs + policy.leaseMsMax) return { kind: 'deadlineTooFar', deadlineMs }
  }
  const openUntilMs = openUntil(a, b, policy)
  if (atMs > openUntilMs) return { kind: 'tooLate', openUntilMs }
  const read = readProgram(program, a.statement.programId, tools)
  if (!read.ok) return read.refusal
  const disputeId = disputeIdOf(a, b, tools.sha256)
  if (opened.has(disputeId) || ended.has(disputeId)) return { kind: 'duplicate', disputeId }
  const { openMax, endedMax } = policy
  const isFull = opened.size >= openMax || opened.size + ended.size >= endedMax
  return isFull ? { kind: 'overloaded', openMax, endedMax } : undefined
}

export function checkSignature(
  turn: Turn,
  dispute: DisputeRecord,
  { workerId, isValid }: InputOf<'signatureChecked'>,
): void {
  const name = sideNames.find((each) => workerOf(dispute[each]) === workerId)
  if (name === undefined) return ignore(turn, 'notAParty')
  if (dispute[name].isSigned) return ignore(turn, 'alreadyChecked')
  if (dispute.phase !== 'verifying') return ignore(turn, 'notAsked')
  if (!isValid) return end(turn, dispute, 'badSignature', [])
  const checked: DisputeRecord = { ...dispute, [name]: { ...dispute[name], isSigned: true } }
  if (checked.a.isSigned && checked.b.isSigned) bisect(turn, checked)
  else put(turn, checked)
}
