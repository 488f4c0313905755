/** What a task took, in the published model's units: the arithmetic of the quote, with the deliveries that were paid. */
import type { TaskSpec } from '@shardy/dispatch'
import { defaultCostModel, type NormalisedWork, quote } from '@shardy/ledger'

type Asked = Pick<
  TaskSpec,
  'complexity' | 'inputLength' | 'outputLength' | 'constantBytes' | 'verify' | 'proof'
>

/** Tasks of one program differ in nothing that counts here. */
const known = new Map<string, NormalisedWork>()
const knownMax = 10_000

export function spentOn(spec: Asked, replicas: number): NormalisedWork {
  const { complexity, inputLength, outputLength, constantBytes, verify, proof } = spec
  const key = `${complexity} ${inputLength} ${outputLength} ${constantBytes} ${verify.mode} ${proof} ${replicas}`
  const before = known.get(key)
  if (before !== undefined) return before
  const work = { complexity, inputLength, outputLength, constantBytes, replicas, verify: verify.mode, proof }
  const quoted = quote(work, defaultCostModel, 0)
  if (!quoted.ok) throw new Error(`a task was taken whose work cannot be counted: ${quoted.refusal.kind}`)
  if (known.size >= knownMax) known.clear()
  const { unitsNormalised } = quoted.cost
  known.set(key, unitsNormalised)
  return unitsNormalised
}
