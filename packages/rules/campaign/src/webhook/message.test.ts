import { describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { after, campaignIdOf, credits, sha256, startMs } from '../../test/identity.ts'
import type { CampaignEvent } from '../record.ts'
import { canonicalJson, type JsonValue } from './canonicalJson.ts'
import { hmacSha256, isSame } from './hmac.ts'
import { signWebhook, verifyWebhook, webhookBody, webhookHeaders } from './message.ts'

const event: CampaignEvent = {
  campaignId: campaignIdOf('c'),
  sequence: 3,
  atMs: startMs,
  type: 'campaign_ended',
  status: 'ended',
  reason: 'completed',
  total: 10,
  open: 0,
  verified: 9,
  accepted: 0,
  dead: 1,
  refused: 0,
  cancelled: 0,
  spentMicroCredit: credits(90),
}

const secret = Buffer.from('0123456789abcdef0123456789abcdef')

function receivedOf(changes: Partial<Parameters<typeof verifyWebhook>[0]> = {}) {
  const { headers, body } = signWebhook(secret, event, after(1_000), sha256)
  return {
    eventId: headers[webhookHeaders.id] ?? '',
    timeMs: headers[webhookHeaders.timeMs] ?? '',
    signature: headers[webhookHeaders.signature] ?? '',
    body,
    ...changes,
  }
}

describe('canonical JSON', () => {
  test('has one text for a value', () => {
    expect(canonicalJson({ b: [1, -0, true, null], a: { d: 'é"\n', c: 2n ** 63n } })).toBe(
      '{"a":{"c":"9223372036854775808","d":"\\u00e9\\"\\n"},"b":[1,0,true,null]}',
    )
    for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => canonicalJson(number)).toThrow('has no one spelling')
    }
  })

  test('reads back as the value, and is ASCII', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        fc.maxSafeInteger().map((number) => (number === 0 ? 0 : number)),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value as fc.Arbitrary<JsonValue>
    fc.assert(
      fc.property(value, (given) => {
        const text = canonicalJson(given)
        expect(JSON.parse(text)).toEqual(given)
        expect(text).toMatch(/^[\x20-\x7e]*$/)
      }),
    )
  })
})

describe('HMAC-SHA256', () => {
  test('is that of RFC 4231', () => {
    const key = Uint8Array.from({ length: 20 }, () => 0x0b)
    expect(Buffer.from(hmacSha256(key, Buffer.from('Hi There'), sha256)).toString('hex')).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
  })

  test('is that of the host, for keys on both sides of a block', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 140 }), fc.uint8Array({ maxLength: 200 }), (key, message) => {
        const expected = createHmac('sha256', key).update(message).digest()
        expect(isSame(hmacSha256(key, message, sha256), expected)).toBe(true)
      }),
    )
  })

  test('is compared as a whole', () => {
    expect(isSame(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
    for (const other of [[1, 3], [1], [1, 2, 0], []]) {
      expect(isSame(Uint8Array.of(1, 2), Uint8Array.from(other))).toBe(false)
    }
  })
})

describe('a webhook', () => {
  test('says what happened in a body that keeps its bytes', () => {
    expect(webhookBody(event)).toMatchInlineSnapshot(
      `"{"accepted":0,"atMs":1800000000000,"campaignId":"aa2aa22e2c33a0763e70ab331066436c","cancelled":0,"dead":1,"eventId":"aa2aa22e2c33a0763e70ab331066436c-3","open":0,"reason":"completed","refused":0,"sequence":3,"spentMicroCredit":"90","status":"ended","total":10,"type":"campaign_ended","verified":9}"`,
    )
    expect(webhookBody({ ...event, reason: undefined })).not.toContain('reason')
  })

  test('is signed so that any HMAC can check it', () => {
    const { eventId, timeMs, signature, body } = receivedOf()
    const mac = createHmac('sha256', secret).update(`${eventId}.${timeMs}.${body}`).digest('hex')
    expect(signature).toBe(`v1=${mac}`)
    expect(verifyWebhook(receivedOf(), secret, after(2_000), sha256)).toBeUndefined()
  })

  test('has the same id and body at every attempt', () => {
    const [first, second] = [
      signWebhook(secret, event, after(0), sha256),
      signWebhook(secret, event, after(9), sha256),
    ]
    expect(first.body).toBe(second.body)
    expect(first.headers[webhookHeaders.id]).toBe(second.headers[webhookHeaders.id] as string)
    expect(first.headers[webhookHeaders.signature]).not.toBe(
      second.headers[webhookHeaders.signature] as string,
    )
  })

  const forged: readonly (readonly [string, Parameters<typeof receivedOf>[0], number, string])[] = [
    ['another body', { body: webhookBody({ ...event, dead: 0 }) }, 2_000, 'wrongSignature'],
    ['another id', { eventId: `${event.campaignId}-4` }, 2_000, 'wrongSignature'],
    ['another time', { timeMs: String(startMs) }, 2_000, 'wrongSignature'],
    ['a dot moved', { eventId: '', timeMs: String(startMs + 1_000) }, 2_000, 'wrongSignature'],
    ['a letter that hides in eight bits', { body: 'ţ' }, 2_000, 'wrongSignature'],
    ['no signature', { signature: '' }, 2_000, 'noSignature'],
    ['a signature of another kind', { signature: `v2=${'0'.repeat(64)}` }, 2_000, 'noSignature'],
    ['a signature cut short', { signature: `v1=${'0'.repeat(62)}` }, 2_000, 'noSignature'],
    ['a signature of zeros', { signature: `v1=${'0'.repeat(64)}` }, 2_000, 'wrongSignature'],
    ['no time', { timeMs: '' }, 2_000, 'noTime'],
    ['a time in words', { timeMs: '1e12' }, 2_000, 'noTime'],
    ['a replay an hour later', {}, 3_600_000, 'wrongTime'],
    ['a message from the future', {}, -400_000, 'wrongTime'],
  ]
  for (const [name, changes, nowMs, flaw] of forged) {
    test(`is not taken: ${name}`, () => {
      expect<string | undefined>(verifyWebhook(receivedOf(changes), secret, after(nowMs), sha256)).toBe(flaw)
    })
  }

  test('is not taken under another secret', () => {
    const other = Buffer.from('another secret of some length')
    expect(verifyWebhook(receivedOf(), other, after(2_000), sha256)).toBe('wrongSignature')
  })

  test('is not signed with a secret that can be guessed', () => {
    for (const length of [0, 15, 257]) {
      expect(() => signWebhook(new Uint8Array(length), event, startMs, sha256)).toThrow(
        `a secret of ${length} bytes`,
      )
    }
  })
})
