/**
 * A receipt as JSON and back. JSON is only its clothing: what is signed is the canonical encoding, which the decoder
 * rebuilds and checks, so no spelling of the JSON can change what a receipt says.
 */
import { type Attestation, type Receipt, receipt } from '@shardy/protocol'
import { Value } from '@sinclair/typebox/value'
import { type ReceiptView, receiptView } from './shapes.ts'

type AttestationView = ReceiptView['deliveries'][number]['attestation']

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

function fromBase64<T extends Uint8Array>(text: string): T {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) as T
}

function attestationToJson({ signature, index, count, path }: Attestation): AttestationView {
  return { signature: toBase64(signature), index, count, path: [...path] }
}

function attestationFromJson({ signature, index, count, path }: AttestationView): Attestation {
  return { signature: fromBase64(signature), index, count, path }
}

export function receiptToJson(value: Receipt): ReceiptView {
  return {
    ...value,
    program: toBase64(value.program),
    seed: String(value.seed),
    deliveries: value.deliveries.map((delivery) => ({
      deliveryId: delivery.deliveryId,
      workerKey: toBase64(delivery.workerKey),
      deadlineMs: delivery.deadlineMs,
      attestation: attestationToJson(delivery.attestation),
      ...(delivery.answer && {
        answer: {
          outputDigest: delivery.answer.outputDigest,
          attestation: attestationToJson(delivery.answer.attestation),
        },
      }),
      outcome: delivery.outcome,
      rewardMicroCredit: String(delivery.rewardMicroCredit),
    })),
    orchestratorKey: toBase64(value.orchestratorKey),
    signature: toBase64(value.signature),
  }
}

export type ParsedReceipt =
  | { readonly ok: true; readonly receipt: Receipt }
  | { readonly ok: false; readonly field: string; readonly reason: string }

export function receiptFromJson(value: unknown): ParsedReceipt {
  if (!Value.Check(receiptView, value)) {
    const [first] = Value.Errors(receiptView, value)
    const field = first?.path.split('/').slice(1).join('.') || 'receipt'
    return { ok: false, field, reason: first?.message ?? 'is not a receipt' }
  }
  try {
    const rebuilt = {
      ...value,
      program: fromBase64(value.program),
      seed: BigInt(value.seed),
      deliveries: value.deliveries.map((delivery) => ({
        ...delivery,
        workerKey: fromBase64(delivery.workerKey),
        attestation: attestationFromJson(delivery.attestation),
        answer: delivery.answer && {
          outputDigest: delivery.answer.outputDigest,
          attestation: attestationFromJson(delivery.answer.attestation),
        },
        rewardMicroCredit: BigInt(delivery.rewardMicroCredit),
      })),
      orchestratorKey: fromBase64(value.orchestratorKey),
      signature: fromBase64(value.signature),
    } as unknown as Receipt
    // The schema's own limits are checked by the canonical decoder, which sees every field.
    const decoded = receipt.decode(receipt.encode(rebuilt))
    if (decoded.ok) return { ok: true, receipt: decoded.value }
    return { ok: false, field: decoded.refusal.field, reason: decoded.refusal.kind }
  } catch (error) {
    return { ok: false, field: 'receipt', reason: error instanceof Error ? error.message : String(error) }
  }
}
