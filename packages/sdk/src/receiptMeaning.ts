/** What a receipt that holds proves and what not, in plain words (spec R4, R5). It claims no more than was signed. */
import type { Receipt } from '@shardy/protocol'

export interface ReceiptMeaning {
  readonly proves: string
  readonly doesNotProve: string
  /** How to find out what it does not prove. */
  readonly next: string
}

const repeat = 'check it yourself with `checkAnswer`, or compute it again'

export function receiptMeaning(
  { basis, checkedBy }: Pick<Receipt, 'basis' | 'checkedBy'>,
  { isExact, accepted }: { readonly isExact: boolean; readonly accepted: number },
): ReceiptMeaning {
  switch (basis) {
    case 'agreement':
      return {
        proves: isExact
          ? `${accepted} distinct worker keys signed this same answer, and the orchestrator signed that it accepted them`
          : `${accepted} distinct worker keys signed answers that the orchestrator says are the same within its tolerance`,
        doesNotProve: 'that the answer is right: one person may hold all these keys, and workers can collude',
        next: isExact ? repeat : 'compute it again: honest devices may differ in the last bits',
      }
    case 'checked': {
      const how =
        checkedBy === 'projection'
          ? 'checked it by random projections, which a wrong answer passes with a chance below 2^-61'
          : 'computed it again and got the same bytes'
      return {
        proves: `a worker key signed this answer, and the orchestrator signed that it ${how}`,
        doesNotProve: 'that the orchestrator did check: nobody else saw it',
        next: `${repeat}: the same check needs nobody's word`,
      }
    }
    case 'trusted':
      return {
        proves: 'a worker key signed this answer, and the orchestrator signed that it took it',
        doesNotProve: 'anything about the answer: nobody checked it and nobody else computed it',
        next: repeat,
      }
  }
}
