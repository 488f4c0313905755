/** The routes of money: what a requester has, and what work costs. All of it is test credits so far. */
import { deliveriesPerTaskMax, payloadBytesMax, rewardMicroCreditMax, values } from '@shardy/protocol'
import { type Static, Type } from '@sinclair/typebox'
import { route } from './route.ts'
import { decimal, digest, words } from './shapes.ts'

const currency = words(['test credits'])
const wholeText = (digits: number, description: string) =>
  Type.String({ pattern: `^(0|[1-9][0-9]{0,${digits - 1}})$`, description })

export const balanceView = Type.Object({
  requesterId: digest,
  currency,
  balanceMicroCredit: decimal('what can be put in escrow for new tasks, in millionths'),
  reservedMicroCredit: decimal('of that, what submissions under way have set aside'),
  grantMicroCredit: decimal('what every new requester finds'),
  note: Type.String(),
})
export type BalanceView = Static<typeof balanceView>

export const quoteQuery = Type.Object({
  complexity: wholeText(15, 'multiply-adds, or steps of like cost'),
  inputLength: Type.Optional(wholeText(8, `bytes, at most ${payloadBytesMax}`)),
  outputLength: Type.Optional(wholeText(8, `bytes, at most ${payloadBytesMax}`)),
  constantBytes: Type.Optional(wholeText(15, 'bytes of the blobs that the program names')),
  replicas: Type.Optional(
    wholeText(
      2,
      `deliveries that are paid, at most ${deliveriesPerTaskMax}; as many as verify asks unless given`,
    ),
  ),
  verify: Type.Optional(Type.String({ maxLength: 16 })),
  proof: Type.Optional(
    words(values.proofKinds, {
      description: 'unless given, what a submission of exact work asks for that says nothing of it',
    }),
  ),
})

export const quoteView = Type.Object({
  currency,
  costModel: Type.Object({ id: digest, version: Type.Integer() }),
  unitsNormalised: decimal('thousands of multiply-adds, or what equals them'),
  perDeliveryMicroCredit: decimal('one worker’s pay'),
  microCredit: decimal(`pay and fee; at most ${rewardMicroCreditMax}`),
  lines: Type.Array(
    Type.Object({
      what: words(['operations', 'input', 'output', 'constants', 'delivery', 'verification', 'proof', 'fee']),
      unitsNormalised: decimal('units'),
      microCredit: decimal('millionths'),
      to: words(['workers', 'fees']),
    }),
  ),
})
export type QuoteView = Static<typeof quoteView>

export const ledgerRoutes = {
  balance: route({
    method: 'GET',
    path: '/v1/balance',
    summary: 'Your own test credits.',
    scope: 'ledger:read',
    responses: { 200: balanceView },
    errors: ['storageFailed'],
  }),
  quote: route({
    method: 'GET',
    path: '/v1/quote',
    summary: 'What work costs by the published rates, with the arithmetic by which verdicts account for it.',
    scope: 'ledger:read',
    query: quoteQuery,
    responses: { 200: quoteView },
    errors: [],
  }),
} as const
