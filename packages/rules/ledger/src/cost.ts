/**
 * What work costs by published rates (spec L20–L24): one function, asked before a task is submitted and again with what was
 * done. Integers alone, every division rounded up, so two machines never differ and nothing is free.
 */
import {
  choice,
  type Digest,
  deliveriesPerTaskMax,
  encodeHex,
  field,
  type Infer,
  type MicroCredit,
  message,
  type ProofKind,
  rewardMicroCreditMax,
  type Sha256,
  text,
  whole,
} from '@shardy/protocol'
import { feeOf } from './sheet.ts'
import type { NormalisedWork } from './work.ts'

export const verifyKinds = ['checked', 'quorum', 'audited', 'adaptive'] as const
export type VerifyKind = (typeof verifyKinds)[number]

const rate = whole(0, 1_000_000_000)

/** One unit is a thousand multiply-adds of an exact program; everything else is measured against that. */
export const costModel = message('CostModel', {
  /** Begins the bytes, so that they pass for nothing else. */
  format: field(1, choice(['shardy-cost-model'])),
  version: field(2, whole(1, 65_535)),
  note: field(3, text(256)),
  unitsPerMillionOperations: field(4, rate),
  unitsPerMillionInputBytes: field(5, rate),
  unitsPerMillionOutputBytes: field(6, rate),
  unitsPerMillionConstantBytes: field(7, rate),
  /** For taking, answering and signing one delivery, whatever its size. */
  unitsPerDelivery: field(8, rate),
  /** What being verified adds to the work, for the worker: transcripts, holding outputs until they are revealed. */
  checkedPermille: field(9, whole(0, 10_000)),
  quorumPermille: field(10, whole(0, 10_000)),
  auditedPermille: field(11, whole(0, 10_000)),
  adaptivePermille: field(12, whole(0, 10_000)),
  unitsPerProofV2: field(13, rate),
  unitsPerProofV3: field(14, rate),
  microCreditPerMillionUnits: field(15, rate),
})
export type CostModel = Infer<typeof costModel>

export const defaultCostModel: CostModel = {
  format: 'shardy-cost-model',
  version: 1,
  note: 'a unit is a thousand multiply-adds; a byte on the line is a hundred of them; a unit costs a micro-credit',
  unitsPerMillionOperations: 1_000,
  unitsPerMillionInputBytes: 100_000,
  unitsPerMillionOutputBytes: 100_000,
  unitsPerMillionConstantBytes: 10_000,
  unitsPerDelivery: 100,
  checkedPermille: 20,
  quorumPermille: 10,
  auditedPermille: 10,
  adaptivePermille: 10,
  unitsPerProofV2: 500_000,
  unitsPerProofV3: 2_000_000,
  microCreditPerMillionUnits: 1_000_000,
}

/** A model is named like a blob, by the SHA-256 of its canonical bytes, and can be kept and fetched as one. */
export function costModelId(model: CostModel, sha256: Sha256): Digest {
  return encodeHex(sha256(costModel.encode(model))) as Digest
}

export interface Work {
  /** Multiply-adds of one execution. */
  readonly complexity: number
  readonly inputLength: number
  readonly outputLength: number
  readonly constantBytes: number
  /** Deliveries that are paid: before, as many as there may be; afterwards, as many as there were. */
  readonly replicas: number
  readonly verify: VerifyKind
  readonly proof: ProofKind
}

export interface CostLine {
  readonly what:
    | 'operations'
    | 'input'
    | 'output'
    | 'constants'
    | 'delivery'
    | 'verification'
    | 'proof'
    | 'fee'
  /** None in the fee, which is a share of money and no work. */
  readonly unitsNormalised: NormalisedWork
  readonly microCredit: MicroCredit
  readonly to: 'workers' | 'fees'
}

export interface Cost {
  /** Of all deliveries; a verdict carries it as `spent`. */
  readonly unitsNormalised: NormalisedWork
  /** One delivery's payout. */
  readonly perDelivery: MicroCredit
  /** Payouts and fee: the least that the escrow must hold. */
  readonly microCredit: MicroCredit
  /** They add up to both. */
  readonly lines: readonly CostLine[]
}

export type CostRefusal =
  | {
      readonly kind: 'outOfRange'
      readonly field: keyof Work
      readonly min: number
      readonly max: number
      readonly actual: number
    }
  | { readonly kind: 'tooDear'; readonly limit: bigint; readonly actual: bigint }

export type Quoted =
  | { readonly ok: true; readonly cost: Cost }
  | { readonly ok: false; readonly refusal: CostRefusal }

const bounds = [
  ['complexity', 0, Number.MAX_SAFE_INTEGER],
  ['inputLength', 0, Number.MAX_SAFE_INTEGER],
  ['outputLength', 0, Number.MAX_SAFE_INTEGER],
  ['constantBytes', 0, Number.MAX_SAFE_INTEGER],
  ['replicas', 0, deliveriesPerTaskMax],
] as const

const million = 1_000_000n
const thousand = 1_000n

const up = (quantity: bigint, divisor: bigint) => (quantity + divisor - 1n) / divisor

export function quote(work: Work, model: CostModel, feePermille: number): Quoted {
  for (const [name, min, max] of bounds) {
    const actual = work[name]
    if (!Number.isSafeInteger(actual) || actual < min || actual > max) {
      return { ok: false, refusal: { kind: 'outOfRange', field: name, min, max, actual } }
    }
  }
  const metered = (quantity: number, perMillion: number) => up(BigInt(quantity) * BigInt(perMillion), million)
  const units = [
    ['operations', metered(work.complexity, model.unitsPerMillionOperations)],
    ['input', metered(work.inputLength, model.unitsPerMillionInputBytes)],
    ['output', metered(work.outputLength, model.unitsPerMillionOutputBytes)],
    ['constants', metered(work.constantBytes, model.unitsPerMillionConstantBytes)],
    ['delivery', BigInt(model.unitsPerDelivery)],
  ] as [CostLine['what'], bigint][]
  const plain = units.reduce((sum, [, each]) => sum + each, 0n)
  units.push(['verification', up(plain * verifyPermille(work.verify, model), thousand)])
  units.push(['proof', proofUnits(work.proof, model)])

  const replicas = BigInt(work.replicas)
  const price = BigInt(model.microCreditPerMillionUnits)
  const lines: CostLine[] = []
  let perDelivery = 0n
  let unitsNormalised = 0n
  for (const [what, each] of units) {
    if (each === 0n) continue
    const micro = up(each * price, million)
    perDelivery += micro
    unitsNormalised += each * replicas
    lines.push({
      what,
      unitsNormalised: (each * replicas) as NormalisedWork,
      microCredit: (micro * replicas) as MicroCredit,
      to: 'workers',
    })
  }
  const paid = (perDelivery * replicas) as MicroCredit
  const fee = feeOf(paid, feePermille)
  const actual = paid + fee
  if (actual > rewardMicroCreditMax) {
    return { ok: false, refusal: { kind: 'tooDear', limit: rewardMicroCreditMax, actual } }
  }
  lines.push({ what: 'fee', unitsNormalised: 0n as NormalisedWork, microCredit: fee, to: 'fees' })
  return {
    ok: true,
    cost: {
      unitsNormalised: unitsNormalised as NormalisedWork,
      perDelivery: perDelivery as MicroCredit,
      microCredit: actual as MicroCredit,
      lines,
    },
  }
}

/** The same arithmetic after the fact: with the replicas that were paid. */
export const cost = quote

/** What an escrow must hold so that as many deliveries can be paid as much: for a requester's own offer. */
export function escrowFor(perDelivery: MicroCredit, replicas: number, feePermille: number): MicroCredit {
  const paid = (perDelivery * BigInt(replicas)) as MicroCredit
  return (paid + feeOf(paid, feePermille)) as MicroCredit
}

function verifyPermille(verify: VerifyKind, model: CostModel): bigint {
  switch (verify) {
    case 'checked':
      return BigInt(model.checkedPermille)
    case 'quorum':
      return BigInt(model.quorumPermille)
    case 'audited':
      return BigInt(model.auditedPermille)
    case 'adaptive':
      return BigInt(model.adaptivePermille)
  }
}

function proofUnits(proof: ProofKind, model: CostModel): bigint {
  switch (proof) {
    case 'none':
      return 0n
    case 'v2':
      return BigInt(model.unitsPerProofV2)
    case 'v3':
      return BigInt(model.unitsPerProofV3)
  }
}
