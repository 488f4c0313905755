/**
 * Programs written fluently: values in, values out, and every mistake refused at the line that makes it, by the same
 * inference that everybody else will run.
 */
import type { Digest } from '@shardy/protocol'
import { type Program, tensorType } from '../program/program.ts'
import type { Dtype, Entries, Shape } from '../tensor.ts'
import type { Range } from '../value.ts'
import { addConstant, addInput, addNode, createDraft, finishDraft } from './draft.ts'
import { constantOf, createTerm, sourceOf, type Term } from './term.ts'

export interface ProgramBuilder {
  /** Part of every task's input, in the order of these calls. Without a range: anything that the kind of integer holds. */
  input(dtype: Dtype, shape: Shape, range?: Range): Term
  /** Entries that travel in the program. Equal ones travel once. */
  constant(entries: Entries, shape?: Shape, range?: Range): Term
  /** Entries that lie in a blob, by the SHA-256 of their bytes. */
  weights(digest: Digest, dtype: Dtype, shape: Shape, range?: Range): Term
  concat(terms: readonly Term[], axis: number): Term
}

/** The program whose outputs are the values that `make` returns. Throws a `ProgramError` where it asks for what is refused. */
export function buildProgram(make: (builder: ProgramBuilder) => Term | readonly Term[]): Program {
  const draft = createDraft()
  const made = make({
    input: (dtype, shape, range) => createTerm(draft, addInput(draft, tensorType(dtype, [...shape], range))),
    constant: (entries, shape = [entries.length], range) =>
      createTerm(draft, addConstant(draft, constantOf(entries, [...shape], range))),
    weights: (digest, dtype, shape, range) =>
      createTerm(draft, addConstant(draft, { type: tensorType(dtype, [...shape], range), digest })),
    concat(terms, axis) {
      const sources = terms.map((term) => sourceOf(draft, term))
      return createTerm(
        draft,
        addNode(draft, (numberOf) => ({ op: 'concat', xs: sources.map(numberOf), axis })),
      )
    },
  })
  const outputs = 'dtype' in made ? [made] : made
  return finishDraft(
    draft,
    outputs.map((term) => sourceOf(draft, term)),
  )
}
