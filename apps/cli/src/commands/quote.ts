/** `quote`, for every kind of order: what its work costs by the published rates. Nothing is submitted. */
import { factsOf } from '@shardy/compute/work'
import { type QuoteView, type TaskTerms, whyUncheckable } from '@shardy/sdk'
import type { Command, Outcome } from '../command.ts'
import type { Order, OrderKind } from '../order.ts'
import { lite } from '../orders/lite.ts'
import { matmul } from '../orders/matmul.ts'
import { program } from '../orders/program.ts'
import { shader } from '../orders/shader.ts'
import { credits, printable, short, table } from '../wording.ts'

/** As the orchestrator would take it: what cannot be checked is asked of two. */
function verifyOf({ verify, redundancy }: TaskTerms, isCheckable: boolean): string {
  if (verify !== undefined) return verify
  if (redundancy === undefined) return isCheckable ? 'checked' : 'quorum(2,2)'
  return redundancy === 1 ? 'checked' : `quorum(${redundancy},${redundancy})`
}

function describe(quote: QuoteView, summary: string, verify: string): string {
  const { lines, unitsNormalised, microCredit, perDeliveryMicroCredit, costModel, currency } = quote
  const rows = lines.map((line) => [`  ${line.what}`, line.unitsNormalised, line.microCredit, line.to])
  const total = ['  total', unitsNormalised, microCredit]
  return [
    `${printable(summary)}, with --verify ${verify}, costs ${credits(BigInt(microCredit))} ${currency}:`,
    table([['  FOR', 'UNITS', 'MICRO-CREDITS', 'TO'], ...rows, total]),
    `One worker's pay is ${perDeliveryMicroCredit} micro-credits, by cost model ${costModel.version} (${short(costModel.id)}).`,
    'These are the published rates. What a task does pay is its --reward.',
  ].join('\n')
}

const quoteOf = ({ name, summary, operands, options, example, read }: OrderKind): Command => ({
  name: `quote ${name}`,
  summary: `say what it costs to have ${summary}`,
  operands,
  options,
  more: 'It takes what `submit` takes, so that one word makes the one of the other. Nothing is submitted: --wait, --to and the terms\nthat are not priced change nothing.',
  example: `quote ${example}`,
  async run(call): Promise<Outcome> {
    const { terms, work: workOf }: Order = await read(call)
    const work = workOf()
    const { complexity, inputLength, outputLength, constantBytes, summary: what } = factsOf(work)
    const verify = verifyOf(terms, whyUncheckable(work) === undefined)
    const isExact = work.kind !== 'shader' || work.shader.exactness.exactness === 'exact'
    // What is exact is proven as the orchestrator would have it; floats are not.
    const proof = terms.proof ?? (isExact ? undefined : 'none')
    const asked = { complexity, inputLength, outputLength, constantBytes, verify, proof }
    const quote = await call.requester.quote(asked)
    return { json: { ...quote, verify }, text: describe(quote, what, verify) }
  },
})

export const quoteCommands: readonly Command[] = [matmul, program, shader, lite].map(quoteOf)
