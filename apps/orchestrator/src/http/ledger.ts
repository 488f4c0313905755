/** Money over HTTP: a requester's own balance, and what work costs. */
import { ApiError, type BalanceView, type QuoteView } from '@shardy/api'
import { costModelId, defaultCostModel, quote } from '@shardy/ledger'
import {
  checked,
  type ProofKind,
  parseVerify,
  type RequesterId,
  rewardMicroCreditMax,
} from '@shardy/protocol'
import type { Services } from '../orchestrator.ts'
import { proofOf } from './verification.ts'

const currency = 'test credits'

export async function viewBalance(
  { bookkeeper }: Services,
  requesterId: RequesterId,
  maySubmit: boolean,
): Promise<BalanceView> {
  // Who may submit finds what it would find with its first task.
  if (maySubmit) await bookkeeper.welcome(requesterId)
  return {
    requesterId,
    currency,
    balanceMicroCredit: String(bookkeeper.book.balance({ kind: 'requester', requesterId })),
    reservedMicroCredit: String(bookkeeper.reserved(requesterId)),
    grantMicroCredit: String(bookkeeper.grantMicroCredit),
    note: 'Test credits are granted by this orchestrator and worth nothing elsewhere.',
  }
}

export interface QuoteQuery {
  readonly complexity: string
  readonly inputLength?: string
  readonly outputLength?: string
  readonly constantBytes?: string
  readonly replicas?: string
  readonly verify?: string
  readonly proof?: ProofKind
}

export function viewQuote({ bookkeeper, proofs, sha256 }: Services, query: QuoteQuery): QuoteView {
  const policy = query.verify === undefined ? checked : parseVerify(query.verify)
  if (policy === undefined) {
    const bound = 'checked, quorum(n,k), audited(permille) or adaptive'
    const value = JSON.stringify(query.verify)
    throw new ApiError('invalidField', {
      detail: `query.verify must be ${bound}; it is ${value}`,
      field: 'query.verify',
      value,
      bound,
    })
  }
  const work = {
    complexity: Number(query.complexity),
    inputLength: Number(query.inputLength ?? 0),
    outputLength: Number(query.outputLength ?? 0),
    constantBytes: Number(query.constantBytes ?? 0),
    replicas: Number(query.replicas ?? policy.replicas),
    verify: policy.mode,
    // As a submission of exact work that says nothing of it.
    proof: query.proof ?? proofOf({}, true, proofs.kinds),
  }
  const quoted = quote(work, defaultCostModel, bookkeeper.book.parameters.feePermille)
  if (!quoted.ok) {
    const { refusal } = quoted
    const isRange = refusal.kind === 'outOfRange'
    const field = isRange ? `query.${refusal.field}` : 'query.complexity'
    const value = String(refusal.actual)
    const bound = isRange
      ? `a whole number from ${refusal.min} to ${refusal.max}`
      : `work for at most ${rewardMicroCreditMax} micro-credits`
    throw new ApiError('invalidField', {
      detail: `${field} is ${value}; it must be ${bound}`,
      field,
      value,
      bound,
    })
  }
  const { cost } = quoted
  return {
    currency,
    costModel: { id: costModelId(defaultCostModel, sha256), version: defaultCostModel.version },
    unitsNormalised: String(cost.unitsNormalised),
    perDeliveryMicroCredit: String(cost.perDelivery),
    microCredit: String(cost.microCredit),
    lines: cost.lines.map(({ what, unitsNormalised, microCredit, to }) => ({
      what,
      unitsNormalised: String(unitsNormalised),
      microCredit: String(microCredit),
      to,
    })),
  }
}
