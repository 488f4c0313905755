import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cases } from '../../test/arbitraries.ts'
import { deliveriesPerTaskMax } from '../limits.ts'
import { domainPayload } from '../payload.ts'
import { quorum } from '../verify.ts'
import { type Receipt, receipt, receiptContent, receiptPayload } from './receipt.ts'

const receipts = cases.find(({ message }) => message.name === 'Receipt')?.values as fc.Arbitrary<Receipt>

test('the signature covers every field but itself (spec R2)', () => {
  fc.assert(
    fc.property(receipts, receipts, (one, other) => {
      const { signature, ...content } = one
      const payload = receiptPayload(content)
      expect(payload).toEqual(domainPayload('receipt', receiptContent.encode(content)))
      expect(receiptPayload(one)).toEqual(payload)
      for (const name of Object.keys(content) as (keyof typeof content)[]) {
        const changed = { ...content, [name]: other[name] }
        const isSame = Bun.deepEquals(changed, content)
        if (isSame) expect(receiptPayload(changed)).toEqual(payload)
        else expect(receiptPayload(changed)).not.toEqual(payload)
      }
    }),
    { numRuns: 40 },
  )
})

describe('refuses', () => {
  const [sample] = fc.sample(
    receipts.filter(({ deliveries }) => deliveries.length > 0),
    { numRuns: 1, seed: 2 },
  )
  if (sample === undefined) throw new Error('one sample was asked for')

  test('more deliveries than a task may have', () => {
    const [one] = sample.deliveries
    if (one === undefined) throw new Error('the sample has a delivery')
    const deliveries = Array.from({ length: deliveriesPerTaskMax }, () => one)
    expect(receipt.decode(receipt.encode({ ...sample, deliveries })).ok).toBe(true)
    expect(() => receipt.encode({ ...sample, deliveries: [...deliveries, one] })).toThrow()
  })

  test('a quorum of one', () => {
    expect(() => receipt.encode({ ...sample, verify: quorum(2, 1) })).toThrow()
  })

  test('a receipt without its signature', () => {
    expect(receipt.decode(receiptContent.encode(sample))).toEqual({
      ok: false,
      refusal: { kind: 'missing', field: 'Receipt.signature' },
    })
  })
})
