/**
 * A receipt as JSON and back. JSON is only its clothing: what is signed is the canonical encoding, which the decoder
 * rebuilds and checks, so no spelling of the JSON can change what a receipt says.
 */
import {
  type Attestation,
  describeRefusal,
  describeVerify,
  encodeFieldElement,
  encodeHex,
  isFieldElement,
  isSignature,
  type ProvenBlock,
  parseVerify,
  type Receipt,
  receipt,
  type ZkProofPayload,
} from '@shardy/protocol'
import { Value } from '@sinclair/typebox/value'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { type ReceiptView, receiptView } from './shapes.ts'

type ProofView = NonNullable<NonNullable<ReceiptView['deliveries'][number]['answer']>['proof']>
type BlockView = NonNullable<NonNullable<ReceiptView['deliveries'][number]['answer']>['block']>
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

const hexOf = (element: bigint): string => encodeHex(encodeFieldElement(element))

function blockToJson({ commitA, commitB, commitIn, commitOut, ...position }: ProvenBlock): BlockView {
  const commitments = { commitA: hexOf(commitA), commitB: hexOf(commitB) }
  return { ...position, ...commitments, commitIn: hexOf(commitIn), commitOut: hexOf(commitOut) }
}

/** For numbers that were found to be elements. */
function blockFromJson({ commitA, commitB, commitIn, commitOut, ...position }: BlockView): ProvenBlock {
  const commitments = { commitA: numberOf(commitA), commitB: numberOf(commitB) }
  return { ...position, ...commitments, commitIn: numberOf(commitIn), commitOut: numberOf(commitOut) }
}

const numberOf = (text: string): bigint => BigInt(`0x${text}`)

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
          ...(delivery.answer.block && { block: blockToJson(delivery.answer.block) }),
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
  for (const [index, { rewardMicroCredit, answer }] of value.deliveries.entries()) {
    if (BigInt(rewardMicroCredit) > microCreditMax) return `deliveries.${index}.rewardMicroCredit`
    for (const name of commitmentNames) {
      const commitment = answer?.block?.[name]
      if (commitment !== undefined && !isFieldElement(numberOf(commitment)))
        return `deliveries.${index}.answer.block.${name}`
    }
  }
  return undefined
}

const commitmentNames = ['commitA', 'commitB', 'commitIn', 'commitOut'] as const

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
        block: delivery.answer.block && blockFromJson(delivery.answer.block),
      },
      rewardMicroCredit: BigInt(delivery.rewardMicroCredit),
    })),
    orchestratorKey: bytesOf(value.orchestratorKey),
    signature: bytesOf(value.signature),
  } as unknown as Receipt
  const malformed = firstUnpaired(rebuilt) ?? firstMalformed(rebuilt)
  if (malformed !== undefined) return malformed
  // What remains, the canonical decoder judges: it sees every field once more.
  const decoded = receipt.decode(receipt.encode(rebuilt))
  if (decoded.ok) return { ok: true, receipt: decoded.value }
  return refuse(decoded.refusal.field, describeRefusal(decoded.refusal))
}

/** A proof of kind v3 has its block, and nothing else has one. */
function firstUnpaired({ deliveries }: Receipt): ParsedReceipt | undefined {
  const number = deliveries.findIndex(
    ({ answer }) => (answer?.proof?.kind === 'v3') !== (answer?.block !== undefined),
  )
  if (number < 0) return undefined
  return refuse(`deliveries.${number}.answer.block`, 'is there exactly where a proof of kind v3 is')
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
