/**
 * Wrong answers of exact kinds, as they are kept: with evidence that a stranger can check (docs/spec/trust.md, A14), made before
 * the commit that punishes and written in it. The orchestrator's signature is made anew, over the statement that it sent; ECDSA
 * gives another one each time, which is why the evidence's bytes are kept and not made again.
 */
import type { Offence, TaskSpec } from '@shardy/dispatch'
import {
  attestation,
  blob,
  choice,
  type Digest,
  deliveryStatement,
  encodeHex,
  field,
  type Infer,
  message,
  messageLengthMax,
  optional,
  type PublicKey,
  resultStatement,
  type Sha256,
  type TimeMs,
  text,
  values,
} from '@shardy/protocol'
import { encodeOffenceEvidence, offenceEvidenceBytesMax } from '@shardy/sdk'
import { describe } from '../gateway/outgoing.ts'
import type { Signer } from '../signer.ts'
import { idKey } from '../tables.ts'
import type { TableOperation } from './archive.ts'
import { isInline, type Payloads } from './payloads.ts'

export const offenceRecord = message('OffenceRecord', {
  deliveryId: field(1, values.deliveryId),
  taskId: field(2, values.taskId),
  workerId: field(3, values.workerId),
  outputDigest: field(4, values.digest),
  answer: field(5, attestation.codec),
  detail: field(6, text(messageLengthMax)),
  consequence: field(7, choice(['unpaid', 'unpaidAndQuarantine', 'slash', 'banned'])),
  amountMicroCredit: field(8, values.microCredit),
  atMs: field(9, values.timeMs),
  rightDigest: field(10, optional(values.digest)),
  /** The canonical bytes; the book's slash names their SHA-256. */
  evidence: field(11, blob(offenceEvidenceBytesMax)),
})
export type OffenceRecord = Infer<typeof offenceRecord>

export interface Evidence {
  readonly bytes: Uint8Array
  readonly digest: Digest
}

export interface EvidenceParts {
  readonly signer: Signer
  readonly publicKey: PublicKey
  readonly sha256: Sha256
  readonly payloads: Pick<Payloads, 'input'>
}

export type MakeEvidence = (offence: Offence) => Promise<Evidence>

const nothing = new Uint8Array(0)

export function createEvidence({ signer, publicKey, sha256, payloads }: EvidenceParts): MakeEvidence {
  /** Its requester may have forgotten the task while the answer was being checked. Whoever has the input can still check. */
  const inputOf = (spec: TaskSpec): Promise<Uint8Array> => payloads.input(spec).catch(() => nothing)

  return async ({ delivery, workerId, workerKey, outputDigest, rightDigest, answer }) => {
    const { spec } = delivery.task
    const about = describe(delivery)
    const given = deliveryStatement(about, spec.programId, workerId)
    const { traceRoot } = delivery
    const result = resultStatement(about, spec.programId, workerId, { outputDigest, traceRoot })
    const bytes = encodeOffenceEvidence({
      kind: spec.kind,
      program: spec.program,
      delivery: { statement: given, attestation: await signer.attest(given), publicKey },
      result: { statement: result, attestation: answer, publicKey: workerKey },
      inputLength: spec.inputLength,
      input: isInline(spec.inputLength) ? await inputOf(spec) : nothing,
      rightDigest,
    })
    return { bytes, digest: encodeHex(sha256(bytes)) as Digest }
  }
}

export function offenceOperation(offence: Offence, evidence: Uint8Array, atMs: TimeMs): TableOperation {
  const { consequence, deliveryId } = offence
  const amountMicroCredit =
    'amountMicroCredit' in consequence
      ? consequence.amountMicroCredit
      : (0n as OffenceRecord['amountMicroCredit'])
  const detail = offence.detail.slice(0, messageLengthMax).replace(/[^\x20-\x7e]/g, '?')
  const value = offenceRecord.encode({
    ...offence,
    detail,
    consequence: consequence.kind,
    amountMicroCredit,
    atMs,
    evidence,
  })
  return { kind: 'put', table: 'offences', key: idKey(deliveryId), value }
}
