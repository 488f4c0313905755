/** What the builder throws at the line that asked for something impossible: the refusal, with the node by its place. */
import { describeRefusal, type Refusal } from '@shardy/protocol'

export class ProgramError extends Error {
  override readonly name = 'ProgramError'
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(describeRefusal(refusal))
    this.refusal = refusal
  }
}
