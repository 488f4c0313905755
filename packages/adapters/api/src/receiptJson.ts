/**
 * A receipt as JSON and back. JSON is only its clothing: what is signed is the canonical encoding, which the decoder
 * rebuilds and checks, so no spelling of the JSON can change what a receipt says.
 */
import {
  type Attestation,
  describeRefusal,
  describeVerify,
  isSignature,
  parseVerify,
  type Receipt,
  receipt,
  type ZkProofPayload,
} from '@shardy/protocol'
import { Value } from '@sinclair/typebox/value'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { type ReceiptView, receiptView } from './shapes.ts'

type ProofView = NonNullable<NonNullable<ReceiptView['deliveries'][number]['answer']>['proof']>
type AttestationView = ReceiptView['deliveries'][number]['attestation']

/** For text whose spelling the shape has checked already. */
function bytesOf<T extends Uint8Array>(text: string): T {
  const bytes = decodeBase64(text)
  if (bytes === undefined) throw new Error('the shape takes base64 that cannot be decoded')
  return bytes as Uint8Array as T
}

function attestationToJson({ signature, index, count, path }: Attestation): AttestationView {
  return { signature: encodeBase64(signature), index, count, path: [...path] }
}

function attestationFromJson({ signature, index, count, path }: AttestationView): Attestation {
  return { signature: bytesOf(signature), index, count, path }
}

function proofToJson({ proof, ...key }: ZkProofPayload): ProofView {
  return { ...key, proof: encodeBase64(proof) }
}

function proofFromJson({ proof, ...key }: ProofView): ZkProofPayload {
  return { ...key, proof: bytesOf(proof) }
}

export function receiptToJson({ checkedBy, ...value }: Receipt): ReceiptView {
  return {
    ...value,
    ...(checkedBy && { checkedBy }),
    verify: describeVerify(value.verify),
    program: encodeBase64(value.program),
    seed: String(value.seed),
    deliveries: value.deliveries.map((delivery) => ({
      deliveryId: delivery.deliveryId,
      workerKey: encodeBase64(delivery.workerKey),
      deadlineMs: delivery.deadlineMs,
      attestation: attestationToJson(delivery.attestation),
      ...(delivery.answer && {
        answer: {
          outputDigest: delivery.answer.outputDigest,
          ...(delivery.answer.traceRoot && { traceRoot: delivery.answer.traceRoot }),
          attestation: attestationToJson(delivery.answer.attestation),
          ...(delivery.answer.proof && { proof: proofToJson(delivery.answer.proof) }),
        },
      }),
      outcome: delivery.outcome,
      rewardMicroCredit: String(delivery.rewardMicroCredit),
    })),
    orchestratorKey: encodeBase64(value.orchestratorKey),
    signature: encodeBase64(value.signature),
  }
}

export type ParsedReceipt =
  | { readonly ok: true; readonly receipt: Receipt }
  | { readonly ok: false; readonly field: string; readonly reason: string }

/** The numbers whose bound no pattern can say. */
function firstBeyond(value: ReceiptView): string | undefined {
  if (BigInt(value.seed) > seedMax) return 'seed'
  const index = value.deliveries.findIndex((each) => BigInt(each.rewardMicroCredit) > microCreditMax)
  return index < 0 ? undefined : `deliveries.${index}.rewardMicroCredit`
}

const seedMax = 2n ** 64n - 1n
const microCreditMax = 2n ** 63n - 1n

function refuse(field: string, reason: string): ParsedReceipt {
  return { ok: false, field, reason }
}

/** Reads a receipt out of anything, and refuses what is not one by field. Whether it is true is for a check to say. */
export function receiptFromJson(value: unknown): ParsedReceipt {
  if (!Value.Check(receiptView, value)) {
    const [first] = Value.Errors(receiptView, value)
    return refuse(first?.path.split('/').slice(1).join('.') || 'receipt', first?.message ?? 'is no receipt')
  }
  const beyond = firstBeyond(value)
  if (beyond !== undefined) return refuse(beyond, 'is beyond its range')
  const verify = parseVerify(value.verify)
  if (verify === undefined) return refuse('verify', 'is no verify policy')
  const program = decodeBase64(value.program)
  if (program === undefined) return refuse('program', 'is not base64 in its one spelling')
  const rebuilt = {
    ...value,
    checkedBy: value.checkedBy,
    verify,
    program,
    seed: BigInt(value.seed),
    deliveries: value.deliveries.map((delivery) => ({
      ...delivery,
      workerKey: bytesOf(delivery.workerKey),
      attestation: attestationFromJson(delivery.attestation),
      answer: delivery.answer && {
        outputDigest: delivery.answer.outputDigest,
        traceRoot: delivery.answer.traceRoot,
        attestation: attestationFromJson(delivery.answer.attestation),
        proof: delivery.answer.proof && proofFromJson(delivery.answer.proof),
      },
      rewardMicroCredit: BigInt(delivery.rewardMicroCredit),
    })),
    orchestratorKey: bytesOf(value.orchestratorKey),
    signature: bytesOf(value.signature),
  } as unknown as Receipt
  const malformed = firstMalformed(rebuilt)
  if (malformed !== undefined) return malformed
  // What remains, the canonical decoder judges: it sees every field once more.
  const decoded = receipt.decode(receipt.encode(rebuilt))
  if (decoded.ok) return { ok: true, receipt: decoded.value }
  return refuse(decoded.refusal.field, describeRefusal(decoded.refusal))
}

/** What a shape cannot say about keys and attestations, and the encoder would throw about. */
function firstMalformed({ deliveries, orchestratorKey, signature }: Receipt): ParsedReceipt | undefined {
  const keys: (readonly [string, Uint8Array])[] = [['orchestratorKey', orchestratorKey]]
  const signatures: (readonly [string, Uint8Array])[] = [['signature', signature]]
  const indices: (readonly [string, Attestation])[] = []
  deliveries.forEach(({ workerKey, attestation, answer }, number) => {
    const at = `deliveries.${number}`
    keys.push([`${at}.workerKey`, workerKey])
    const attestations = [[`${at}.attestation`, attestation]] as [string, Attestation][]
    if (answer) attestations.push([`${at}.answer.attestation`, answer.attestation])
    for (const [field, each] of attestations) {
      signatures.push([`${field}.signature`, each.signature])
      indices.push([`${field}.index`, each])
    }
  })
  const key = keys.find(([, bytes]) => bytes[0] !== 4)
  if (key !== undefined) return refuse(key[0], 'is not an uncompressed P-256 point')
  const signed = signatures.find(([, bytes]) => !isSignature(bytes))
  if (signed !== undefined) return refuse(signed[0], 'is not a low-s ECDSA P-256 signature')
  const outside = indices.find(([, { index, count }]) => index >= count)
  return outside && refuse(outside[0], 'lies outside its batch')
}
