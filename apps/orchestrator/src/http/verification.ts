/** How a submission says it wants its answer verified, what it gets when it says nothing, and what a verdict rests on in words. */
import { ApiError, type Submission } from '@shardy/api'
import { provableWork, type Work } from '@shardy/compute/work'
import type { TaskRecord } from '@shardy/dispatch'
import {
  checked,
  describeVerify,
  footingWords,
  type MadeProofKind,
  type ProofKind,
  parseVerify,
  quorum,
  type VerifyPolicy,
  wordsOfVerdict,
} from '@shardy/protocol'
import { whyUncheckable } from '@shardy/sdk'
import { provableLengthMax } from '@shardy/tensor'

export interface Verification {
  readonly verify: VerifyPolicy
  readonly proof: ProofKind
  /** Nothing was said of proofs, and what that means depends on the keys of the day. */
  readonly isProofDefault: boolean
  readonly exact: boolean
}

type AskedVerification = Pick<Submission, 'verify' | 'redundancy' | 'proof'>

/** `offered` are the kinds of proof that can be had here. */
export function verificationOf(
  submission: AskedVerification,
  work: Work,
  offered: readonly MadeProofKind[],
): Verification {
  const exact = work.kind !== 'shader' || work.shader.exactness.exactness === 'exact'
  const uncheckable = whyUncheckable(work)
  const verify = asked(submission) ?? (uncheckable === undefined ? checked : quorum(2, 2))
  if (verify.mode !== 'quorum' && uncheckable !== undefined) {
    const bound = 'quorum(n,k)'
    const value = describeVerify(verify)
    const detail = `${value} needs a check that the orchestrator can make: ${uncheckable}; ask for ${bound}`
    throw new ApiError('invalidField', { detail, field: 'verify', value, bound })
  }
  const proof = proofOf(submission, exact, offered)
  if (proof === 'v3') refuseUnprovable(work)
  return { verify, proof, isProofDefault: submission.proof === undefined, exact }
}

/** What is exact is proven unless the requester says otherwise; floats differ, and a proof would say less still. */
export function proofOf(
  { proof }: Pick<AskedVerification, 'proof'>,
  exact: boolean,
  offered: readonly MadeProofKind[],
): ProofKind {
  if (proof === undefined) return exact && offered.includes('v2') ? 'v2' : 'none'
  refuseUnoffered(proof, offered)
  return proof
}

/** A proof of kind v3 is about a block of a product: a task that has none is refused before anybody computes it. */
function refuseUnprovable(work: Work): void {
  const provable = provableWork(work)
  if (provable.ok) return
  const bound = `a product of two i8 matrices of the input, sums of at most ${provableLengthMax}`
  const detail = `proofs of kind v3 are about ${bound}: ${provable.reason}`
  throw new ApiError('invalidField', { detail, field: 'proof', value: 'v3', bound })
}

export function refuseUnoffered(proof: ProofKind, offered: readonly MadeProofKind[]): void {
  if (proof === 'none' || offered.includes(proof)) return
  const bound = ['none', ...offered].join(' or ')
  const detail = `proofs of kind ${proof} are not to be had here; ask for ${bound}`
  throw new ApiError('invalidField', { detail, field: 'proof', value: proof, bound })
}

/** `redundancy: n` is another way to say `quorum(n,n)`, and 1 to say `checked`. */
function asked({ verify, redundancy }: AskedVerification): VerifyPolicy | undefined {
  if (verify === undefined) {
    if (redundancy === undefined) return undefined
    return redundancy === 1 ? checked : quorum(redundancy, redundancy)
  }
  const bound = 'checked, quorum(n,k), audited(permille) or adaptive'
  if (redundancy !== undefined) {
    const detail = 'verify says how often the task is computed; leave redundancy out'
    throw new ApiError('invalidField', { detail, field: 'redundancy', value: String(redundancy), bound })
  }
  const parsed = parseVerify(verify)
  if (parsed !== undefined) return parsed
  const detail = `verify is ${verify}; it must be ${bound}, with n up to 7 and k from 2 to n`
  throw new ApiError('invalidField', { detail, field: 'verify', value: verify, bound })
}

/** One sentence that claims no more than was done. */
export function restsOn({ basis, checkedBy, spec }: TaskRecord): string {
  switch (basis) {
    case 'agreement': {
      const within = spec.exact ? '' : ', within the tolerance of floats'
      return `${spec.verify.agreeing} ${footingWords.agreement.short}${within}`
    }
    case undefined:
      return 'nothing is decided'
    default:
      return wordsOfVerdict(basis, checkedBy)?.short ?? 'the orchestrator checked the answer'
  }
}
