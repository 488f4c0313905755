import { describe, expect, test } from 'bun:test'
import { strictUrlPolicy } from '@shardy/campaign'
import { destinationOf, privateUrlPolicy, urlPolicyOf } from './destination.ts'

const at =
  (...addresses: string[]) =>
  async () =>
    addresses

describe('a webhook goes', () => {
  test('to the addresses that its name has, all of them judged', async () => {
    const found = await destinationOf(
      'https://a.example.org/x',
      strictUrlPolicy,
      at('1.1.1.1', '1.1.1.1', '8.8.8.8'),
    )
    expect(found).toMatchObject({ ok: true, addresses: ['1.1.1.1', '8.8.8.8'] })
  })

  const refused: readonly (readonly [string, string, readonly string[]])[] = [
    ['address', 'https://a.example.org/', ['10.0.0.1']],
    // One bad address among good ones.
    ['address', 'https://a.example.org/', ['1.1.1.1', '127.0.0.1']],
    ['address', 'https://a.example.org/', ['169.254.169.254']],
    ['address', 'https://a.example.org/', ['::ffff:127.0.0.1']],
    ['unresolved', 'https://a.example.org/', []],
    ['address', 'https://192.168.0.1/', []],
    ['scheme', 'http://a.example.org/', ['1.1.1.1']],
    ['port', 'https://a.example.org:22/', ['1.1.1.1']],
    ['localName', 'https://db.internal/', ['1.1.1.1']],
    ['credentials', 'https://a@b.example.org/', ['1.1.1.1']],
  ]
  for (const [kind, url, addresses] of refused) {
    test(`not to ${url} at ${addresses.join(', ') || 'no address'}: ${kind}`, async () => {
      expect(await destinationOf(url, strictUrlPolicy, at(...addresses))).toMatchObject({
        ok: false,
        refusal: { kind },
      })
    })
  }

  test('without asking about a name that is refused anyway', async () => {
    let asked = 0
    const resolve = async () => {
      asked++
      return ['1.1.1.1']
    }
    for (const url of [
      'https://db.internal/',
      'http://a.example.org/',
      'https://a.example.org:22/',
      'https://8.8.8.8/',
    ]) {
      await destinationOf(url, strictUrlPolicy, resolve)
    }
    expect(asked).toBe(0)
  })

  test('to private addresses only where an operator says so, and never to metadata', async () => {
    const go = (address: string) =>
      destinationOf('http://hooks.internal:9000/', privateUrlPolicy, at(address))
    expect(await go('10.0.0.1')).toMatchObject({ ok: true })
    expect(await go('169.254.169.254')).toMatchObject({ ok: false, refusal: { kind: 'address' } })
    expect([urlPolicyOf('off'), urlPolicyOf('public'), urlPolicyOf('private')]).toEqual([
      undefined,
      strictUrlPolicy,
      privateUrlPolicy,
    ])
  })
})
