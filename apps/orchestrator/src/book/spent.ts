/** What a task took, in the published model's units: the arithmetic of the quote, with the deliveries that were paid. */
import type { TaskSpec } from '@shardy/dispatch'
import { defaultCostModel, type NormalisedWork, quote } from '@shardy/ledger'

type Asked = Pick<
  TaskSpec,
  'complexity' | 'inputLength' | 'outputLength' | 'constantBytes' | 'verify' | 'proof'
>

export function spentOn(spec: Asked, replicas: number): NormalisedWork {
  const { complexity, inputLength, outputLength, constantBytes, verify, proof } = spec
  const work = { complexity, inputLength, outputLength, constantBytes, replicas, verify: verify.mode, proof }
  const quoted = quote(work, defaultCostModel, 0)
  if (!quoted.ok) throw new Error(`a task was taken whose work cannot be counted: ${quoted.refusal.kind}`)
  return quoted.cost.unitsNormalised
}
