/**
 * What a proof, and what a verdict, says and does not say, in the words that people are shown (docs/spec/proofs.md). They live here
 * once: the API, the command line, the page and the spec's table show these, so nobody reads more into one than into another.
 */
import type { Basis, CheckMechanism } from '../task.ts'
import type { ProofKind } from '../values.ts'

export interface PlainWords {
  /** A clause, for a place beside a task. */
  readonly short: string
  readonly statement: string
  readonly proves: string
  readonly provesNot: string
  readonly verifiedBy: string
  readonly cost: string
  readonly trust: string
}

export const proofWords: Readonly<Record<ProofKind, PlainWords>> = {
  none: {
    short: 'no zero-knowledge proof was asked for',
    statement: 'no proof',
    proves: 'nothing',
    provesNot: 'anything: see what the verdict rests on',
    verifiedBy: 'nobody',
    cost: 'nothing',
    trust: 'none is asked for',
  },
  v2: {
    short:
      "identity binding: it ties the answer's digest to this task, its seed and its length, and does not show that the answer is right",
    statement: 'witness + taskId + seed + outputLen = resultDigest',
    proves: 'that whoever made it made it for this digest together with this task, seed and length',
    provesNot:
      'that the result is right, or that anything was computed: such a proof can be made for any digest, by anybody, in half a millisecond. It names no worker',
    verifiedBy:
      'the orchestrator, before it takes the answer; then anyone with the receipt and the verifying key',
    cost: 'half a millisecond to make; 2 ms to verify alone, half a millisecond among many',
    trust:
      'a key in this repository is for development: its dealer can forge proofs. Little is lost: everybody can prove any digest anyway',
  },
  v3: {
    short:
      'it shows that one block of 16 x 16 x 16 products, drawn after the answer was bound, adds up exactly, and nothing of the other blocks',
    statement:
      'Out = In + A * B for one block of 16 x 16 x 16 whose operands and sums open commitments, every entry of A, B and Out within its range',
    proves:
      "that these committed sums follow from those by this block's products, exactly; it is tied to task, delivery, worker and result, and good for no other",
    provesNot:
      'the rest of the result, nor that the committed sums belong to it: whoever has the output checks the last one. An audit finds a fraction f of bad blocks with the chance f; a wrong tile may have only one bad block among all those of its inner length',
    verifiedBy: 'the orchestrator, which draws the block after what it audits was fixed',
    cost: 'about a second of one core to make, in a busy tab up to three, with a key of 12 MB; as v2 to verify',
    trust:
      "a key in this repository is for development: its dealer can forge proofs of blocks that were never computed. A ceremony's key needs one honest contributor",
  },
}

/** What a verdict rests on, and how it was checked where it was. */
export type Footing = Exclude<Basis, 'checked'> | CheckMechanism

export const footingWords: Readonly<Record<Footing, PlainWords>> = {
  projection: {
    short:
      'the orchestrator checked the answer by random projections: a wrong one passes with a chance below 2^-61',
    statement: 'the products agree on random vectors, and all else was computed again',
    proves: "that the result is the program's, but for a chance below 2^-61",
    provesNot: 'that to anyone but the orchestrator, unless they check it again',
    verifiedBy: 'the orchestrator; then anyone with input and output',
    cost: 'some percent of computing it',
    trust: "in the orchestrator's word, for who does not check again",
  },
  recomputation: {
    short: 'the orchestrator computed the answer again and found the same bytes',
    statement: 'the result was computed a second time',
    proves: "that the result is the program's",
    provesNot: 'that to anyone but the orchestrator, unless they compute it again',
    verifiedBy: 'the orchestrator; then anyone with the input',
    cost: 'as much as computing it',
    trust: "in the orchestrator's word, for who does not compute it again",
  },
  agreement: {
    short: 'distinct workers gave the same answer; who colludes can agree on a wrong one',
    statement: 'so many distinct keys signed equal digests, or floats within the tolerance',
    proves: 'that these keys gave this result',
    provesNot:
      'that the result is right, or that the keys are distinct people: some can agree on a wrong one beforehand',
    verifiedBy: 'the orchestrator; the signatures then anyone with the receipt',
    cost: 'computing it so many times',
    trust: 'in the workers not being in league',
  },
  trusted: {
    short:
      'one worker was taken at its word; answers like this are checked by chance, and this one was not drawn',
    statement: 'one key signed this digest',
    proves: 'that this key gave this result',
    provesNot: 'anything about the result',
    verifiedBy: 'nobody',
    cost: 'nothing',
    trust: 'in the worker, who loses value if an audit finds it wrong',
  },
}

/** The words for a verdict; undefined where its basis says `checked` and not how. */
export function wordsOfVerdict(basis: Basis, checkedBy: CheckMechanism | undefined): PlainWords | undefined {
  if (basis !== 'checked') return footingWords[basis]
  return checkedBy && footingWords[checkedBy]
}
