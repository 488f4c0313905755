/** Reads evidence against a worker out of anything, and refuses what is none by field. Whether it is true is for a check to say. */
import { Value } from '@sinclair/typebox/value'
import { type OffenceEvidence, offenceEvidence } from './operationShapes.ts'

export type ParsedEvidence =
  | { readonly ok: true; readonly evidence: OffenceEvidence }
  | { readonly ok: false; readonly field: string; readonly reason: string }

export function evidenceFromJson(value: unknown): ParsedEvidence {
  if (Value.Check(offenceEvidence, value)) return { ok: true, evidence: value }
  const [first] = Value.Errors(offenceEvidence, value)
  const field = first?.path.slice(1).replaceAll('/', '.') || 'evidence'
  return { ok: false, field, reason: first?.message ?? 'is no evidence' }
}
