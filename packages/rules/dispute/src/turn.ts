/** One step in the making: the disputes as they will be, and what is to be saved and done. */
import type { DurationMs, TimeMs } from '@shardy/protocol'
import type { Effect, IgnoredReason } from './effect.ts'
import { dependenciesOf, type ProgramOutline } from './outline.ts'
import { signatureOf } from './party.ts'
import { questionOf } from './question.ts'
import {
  type DisputeId,
  type DisputeRecord,
  disputedNode,
  type Phase,
  sideNames,
  workerOf,
} from './record.ts'
import type { DisputeState, DisputeTools } from './state.ts'
import { endsByMs } from './state.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface Turn {
  readonly atMs: TimeMs
  readonly tools: DisputeTools
  readonly state: Mutable<DisputeState>
  readonly records: Map<DisputeId, DisputeRecord>
  readonly forgotten: DisputeId[]
  readonly effects: Effect[]
}

export interface Step {
  readonly state: DisputeState
  readonly effects: readonly Effect[]
}

export function openTurn(state: DisputeState, atMs: TimeMs, tools: DisputeTools): Turn {
  return { atMs, tools, state: { ...state }, records: new Map(), forgotten: [], effects: [] }
}

export function closeTurn({ state, records, forgotten, effects }: Turn): Step {
  const isChanged = records.size > 0 || forgotten.length > 0
  const save: Effect[] = isChanged ? [{ kind: 'save', records: [...records.values()], forgotten }] : []
  return { state, effects: [...save, ...effects] }
}

export function ignore(turn: Turn, reason: IgnoredReason): void {
  turn.effects.push({ kind: 'ignored', reason })
}

export function put(turn: Turn, dispute: DisputeRecord): void {
  const { disputeId } = dispute
  turn.records.set(disputeId, dispute)
  const open = new Map(turn.state.open)
  if (dispute.phase === 'ended') open.delete(disputeId)
  else open.set(disputeId, dispute)
  turn.state.open = open
}

/** The program was read when the dispute was opened, from the same bytes. */
export function outlineOf(turn: Turn, { program }: DisputeRecord): ProgramOutline {
  const outline = turn.tools.outline(program)
  if (outline === undefined) throw new Error('a program that could be read no longer can')
  return outline
}

/** The form in which the question and the evidence take a dispute. */
export function settledPart({ program, a, b, shown }: DisputeRecord, node: number | undefined) {
  return { program, a: a.party, b: b.party, node, shown }
}

/** Opens the window of a phase and asks for what it waits for. */
export function enter(turn: Turn, dispute: DisputeRecord, phase: Phase): void {
  const { verifyMs, revealMs, executeMs, askEveryMs } = turn.state.policy
  const windowMs: DurationMs = phase === 'verifying' ? verifyMs : phase === 'executing' ? executeMs : revealMs
  const entered: DisputeRecord = {
    ...dispute,
    phase,
    dueMs: (turn.atMs + windowMs) as TimeMs,
    askAtMs: (turn.atMs + askEveryMs) as TimeMs,
  }
  put(turn, entered)
  if (phase !== dispute.phase) keep(turn, entered)
  ask(turn, entered)
}

/** Before there is a question, all that one may need of what the task and its program name. */
export function keep(turn: Turn, dispute: DisputeRecord): void {
  const { disputeId, phase, a } = dispute
  if (phase === 'verifying' || phase === 'ended') return
  const outline = outlineOf(turn, dispute)
  const named = [a.party.statement.inputDigest, ...outline.constants.flatMap((digest) => digest ?? [])]
  const digests =
    phase === 'executing'
      ? questionOf(settledPart(dispute, disputedNode(dispute)), outline).blobs
      : [...new Set(named)]
  turn.effects.push({ kind: 'keepBlobs', disputeId, digests, untilMs: endsByMs(dispute, turn.state.policy) })
}

/** Says once more what is waited for, to those that it is waited for from. */
export function ask(turn: Turn, dispute: DisputeRecord): void {
  const { effects, tools } = turn
  const { disputeId, phase, dueMs, from, to, missing } = dispute
  const sides = sideNames.map((name) => dispute[name])
  const toSide = (side: DisputeRecord['a']) => ({
    disputeId,
    workerId: workerOf(side),
    deliveryId: side.party.statement.deliveryId,
    dueMs,
  })
  switch (phase) {
    case 'verifying':
      for (const { isSigned, party } of sides) {
        if (!isSigned) effects.push({ kind: 'verify', disputeId, ...signatureOf(party, tools.sha256) })
      }
      return
    case 'bisecting':
      for (const side of sides) {
        if (side.halves === undefined) effects.push({ kind: 'askHalves', ...toSide(side), from, to })
      }
      return
    case 'showing': {
      const { nodes } = dependenciesOf(outlineOf(turn, dispute), disputedNode(dispute))
      for (const side of sides) effects.push({ kind: 'askLeaves', ...toSide(side), nodes })
      return
    }
    case 'executing': {
      const question = questionOf(settledPart(dispute, disputedNode(dispute)), outlineOf(turn, dispute))
      if (missing.length > 0) {
        for (const side of sides) effects.push({ kind: 'askBlobs', ...toSide(side), digests: missing })
      }
      effects.push({ kind: 'reexecute', disputeId, question, dueMs })
      return
    }
    case 'ended':
      return
  }
}
