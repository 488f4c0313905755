/**
 * What may be run here: kinds that are switched off, programs that are denied, how large a program and how much work
 * a task may be, and how much work one requester may hand in within a minute. It says no at the door only: what was
 * accepted goes on. A denied program that is changed by one byte has another id, so the deny list stops repetition
 * and not intent.
 */
import type { Denial, PolicyRules } from '@shardy/api'
import {
  choice,
  field,
  flag,
  type Infer,
  list,
  message,
  type ProgramId,
  programBytesMax,
  type TaskKind,
  text,
  values,
  whole,
} from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import type { Clock } from '../clock.ts'
import { idKey, type Table } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'
import { createTurns } from '../turns.ts'
import type { Actor, Audit } from './audit.ts'
import { createBuckets } from './buckets.ts'

const workMax = 10 ** 15

export const policyRecord = message('PolicyRecord', {
  enforced: field(1, flag()),
  kindsOff: field(2, list(choice(values.taskKinds), values.taskKinds.length)),
  programBytesMax: field(3, whole(1, programBytesMax)),
  complexityMax: field(4, whole(1, workMax)),
  complexityPerMinuteMax: field(5, whole(1, workMax)),
})

export const denialRecord = message('DenialRecord', {
  programId: field(1, values.programId),
  reason: field(2, text(256)),
  deniedAtMs: field(3, values.timeMs),
})
export type DenialRecord = Infer<typeof denialRecord>

export const defaultPolicyRules: PolicyRules = {
  enforced: true,
  kindsOff: [],
  programBytesMax,
  /** Minutes on a fast device. */
  complexityMax: 10 ** 14,
  complexityPerMinuteMax: 10 ** 15,
}

/** What is known of a task before it is taken. */
export interface OfferedWork {
  readonly kind: TaskKind
  readonly programId: ProgramId
  readonly programBytes: number
  readonly complexity: number
}

export type PolicyRefusal =
  | { readonly kind: 'kindOff'; readonly taskKind: TaskKind; readonly allowed: readonly TaskKind[] }
  | { readonly kind: 'programDenied'; readonly programId: ProgramId; readonly reason: string }
  | { readonly kind: 'programTooLarge'; readonly bytes: number; readonly bytesMax: number }
  | { readonly kind: 'taskTooComplex'; readonly complexity: number; readonly complexityMax: number }
  | {
      readonly kind: 'workRateLimited'
      readonly complexity: number
      readonly perMinuteMax: number
      readonly retryAfterMs: number
    }

export interface WorkPolicy {
  /** Undefined when it may be taken, and then its work is counted. `who` is the key or requester it counts for. */
  refuse(work: OfferedWork, who: string): PolicyRefusal | undefined
  rules(): PolicyRules
  set(rules: PolicyRules, actor: Actor): Promise<void>
  /** Undefined when the list is full. Denying again changes the reason. */
  deny(denial: Denial, actor: Actor): Promise<DenialRecord | undefined>
  /** False when it was not denied. */
  allow(programId: string, actor: Actor): Promise<boolean>
  denied(limit: number, cursor: string): readonly DenialRecord[]
  deniedCount(): number
}

/** All of them are held in memory. */
export const deniedMax = 100_000
/** Requesters whose work is counted at a time. */
const countedMax = 10_000

const rulesKey = new Uint8Array([1])

export async function openWorkPolicy(store: Store<Table>, clock: Clock, audit: Audit): Promise<WorkPolicy> {
  const stored = await store.get('policy', rulesKey)
  let rules: PolicyRules =
    stored === undefined ? defaultPolicyRules : asRules(decodeRecord(policyRecord, stored))
  let counted = countedBy(rules)
  const denials = new Map<string, DenialRecord>()
  for await (const { value } of store.iterate('deniedPrograms')) {
    const record = decodeRecord(denialRecord, value)
    denials.set(record.programId, record)
  }
  const turns = createTurns<'change'>()

  return {
    refuse({ kind, programId, programBytes, complexity }, who) {
      if (!rules.enforced) return undefined
      if (rules.kindsOff.includes(kind)) {
        const allowed = values.taskKinds.filter((each) => !rules.kindsOff.includes(each))
        return { kind: 'kindOff', taskKind: kind, allowed }
      }
      const denial = denials.get(programId)
      if (denial !== undefined) return { kind: 'programDenied', programId, reason: denial.reason }
      if (programBytes > rules.programBytesMax) {
        return { kind: 'programTooLarge', bytes: programBytes, bytesMax: rules.programBytesMax }
      }
      if (complexity > rules.complexityMax) {
        return { kind: 'taskTooComplex', complexity, complexityMax: rules.complexityMax }
      }
      const retryAfterMs = counted.take(who, clock.nowMs(), complexity)
      if (retryAfterMs === 0) return undefined
      return { kind: 'workRateLimited', complexity, perMinuteMax: rules.complexityPerMinuteMax, retryAfterMs }
    },
    rules: () => rules,
    set: (next, actor) =>
      turns.take('change', async () => {
        const value = policyRecord.encode(next)
        const entry = { action: 'policyChanged', detail: JSON.stringify(next), by: actor } as const
        await audit.append(entry, [{ kind: 'put', table: 'policy', key: rulesKey, value }])
        if (next.complexityPerMinuteMax !== rules.complexityPerMinuteMax) counted = countedBy(next)
        rules = next
      }),
    deny: ({ programId, reason }, actor) =>
      turns.take('change', async () => {
        if (denials.size >= deniedMax && !denials.has(programId)) return undefined
        const record = { programId: programId as ProgramId, reason, deniedAtMs: clock.nowMs() }
        const value = denialRecord.encode(record)
        const entry = { action: 'programDenied', subject: programId, detail: reason, by: actor } as const
        await audit.append(entry, [{ kind: 'put', table: 'deniedPrograms', key: idKey(programId), value }])
        denials.set(programId, record)
        return record
      }),
    allow: (programId, actor) =>
      turns.take('change', async () => {
        if (!denials.has(programId)) return false
        const entry = { action: 'programAllowed', subject: programId, by: actor } as const
        await audit.append(entry, [{ kind: 'delete', table: 'deniedPrograms', key: idKey(programId) }])
        denials.delete(programId)
        return true
      }),
    denied(limit, cursor) {
      const behind = [...denials.keys()].filter((id) => id > cursor).sort()
      return behind.slice(0, limit).flatMap((id) => denials.get(id) ?? [])
    },
    deniedCount: () => denials.size,
  }
}

function asRules({ kindsOff, ...rest }: Infer<typeof policyRecord>): PolicyRules {
  return { ...rest, kindsOff: [...kindsOff] }
}

const countedBy = ({ complexityPerMinuteMax }: PolicyRules) =>
  createBuckets({ perSecond: complexityPerMinuteMax / 60, burst: complexityPerMinuteMax }, countedMax)
