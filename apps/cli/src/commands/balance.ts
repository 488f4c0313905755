import type { Command } from '../command.ts'
import { credits, printable } from '../wording.ts'

export const balance: Command = {
  name: 'balance',
  summary: 'show your test credits',
  operands: [],
  options: {},
  example: 'balance',
  async run({ requester }) {
    const view = await requester.balance()
    const { balanceMicroCredit, reservedMicroCredit, grantMicroCredit, note } = view
    const lines = [
      `You have ${credits(BigInt(balanceMicroCredit))} ${view.currency} for new tasks.`,
      `  set aside  ${credits(BigInt(reservedMicroCredit))} for submissions under way`,
      `  at first   ${credits(BigInt(grantMicroCredit))}, as every requester`,
      printable(note),
    ]
    return { json: view, text: lines.join('\n') }
  },
}
