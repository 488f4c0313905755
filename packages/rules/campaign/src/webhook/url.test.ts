import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseWebhookUrl, refuseWebhookUrl, strictUrlPolicy, type WebhookUrlRefusal } from './url.ts'

const good = ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946']
const kindOf = (url: string, addresses = good, policy = strictUrlPolicy) =>
  refuseWebhookUrl(url, addresses, policy)?.kind

describe('a webhook URL', () => {
  for (const url of [
    'https://hooks.example.org',
    'https://hooks.example.org/',
    'https://hooks.example.org:443/a/b?c=d&e=%20',
    'https://hooks.example.org:8443/a@b:c',
    'https://xn--bcher-kva.example/',
    'https://1.2.3.4.example/',
    'https://93.184.216.34/',
    'https://[2606:4700:4700::1111]/',
  ]) {
    test(`may be ${url}`, () => expect(refuseWebhookUrl(url, good, strictUrlPolicy)).toBeUndefined())
  }

  const hostile: readonly (readonly [string, WebhookUrlRefusal['kind']])[] = [
    ['', 'malformed'],
    ['hooks.example.org', 'malformed'],
    ['//hooks.example.org/', 'malformed'],
    ['https:hooks.example.org', 'malformed'],
    ['https:///hooks.example.org', 'host'],
    ['https://', 'host'],
    ['HTTPS://hooks.example.org/', 'malformed'],
    [' https://hooks.example.org/', 'malformed'],
    ['https://hooks.example.org/ ', 'malformed'],
    ['https://hooks.example.org/\n', 'malformed'],
    ['https://hooks.example.org/a\r\nhost: 127.0.0.1', 'malformed'],
    ['ht\ttps://hooks.example.org/', 'malformed'],
    ['https://hooks.example.org/#a', 'malformed'],
    ['https://hooks.example.org?a', 'malformed'],
    ['https://hooks.example.org\\@127.0.0.1/', 'malformed'],
    ['https:\\\\127.0.0.1/', 'malformed'],
    ['https://hooks.example.org/\u0000', 'malformed'],
    ['https://hooks.example.org/ü', 'malformed'],
    [`https://hooks.example.org/${'a'.repeat(500)}`, 'tooLong'],
    ['http://hooks.example.org/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['gopher://hooks.example.org/', 'scheme'],
    ['javascript://hooks.example.org/', 'scheme'],
    ['ws://hooks.example.org/', 'scheme'],
    ['https://user@hooks.example.org/', 'credentials'],
    ['https://user:secret@hooks.example.org/', 'credentials'],
    ['https://hooks.example.org@127.0.0.1/', 'credentials'],
    ['https://hooks.example.org%40127.0.0.1/', 'host'],
    ['https://@hooks.example.org/', 'credentials'],
    ['https://Hooks.example.org/', 'host'],
    ['https://hooks.example.org./', 'host'],
    ['https://hooks..example.org/', 'host'],
    ['https://-a.example.org/', 'host'],
    ['https://a_b.example.org/', 'host'],
    ['https://höoks.example.org/', 'host'],
    ['https://１２７.0.0.1/', 'host'],
    ['https://hooks。example.org/', 'host'],
    ['https://%6c%6fcalhost/', 'host'],
    [`https://${'a.'.repeat(127)}org/`, 'host'],
    [`https://${'a'.repeat(64)}.org/`, 'host'],
    ['https://127.1/', 'host'],
    ['https://2130706433/', 'host'],
    ['https://0x7f000001/', 'host'],
    ['https://0x7f.1/', 'host'],
    ['https://0177.0.0.1/', 'host'],
    ['https://127.0.0.1./', 'host'],
    ['https://a.0/', 'host'],
    ['https://[::1/', 'host'],
    ['https://::1/', 'host'],
    ['https://[127.0.0.1]/', 'host'],
    ['https://[fe80::1%25eth0]/', 'host'],
    ['https://[]/', 'host'],
    ['https://[::1]x/', 'host'],
    ['https://hooks.example.org:/', 'port'],
    ['https://hooks.example.org:0443/', 'port'],
    ['https://hooks.example.org:0/', 'port'],
    ['https://hooks.example.org:22/', 'port'],
    ['https://hooks.example.org:6379/', 'port'],
    ['https://hooks.example.org:99999/', 'port'],
    ['https://hooks.example.org:443:443/', 'host'],
    ['https://hooks.example.org:+443/', 'host'],
    ['https://localhost/', 'localName'],
    ['https://orchestrator/', 'localName'],
    ['https://a.localhost/', 'localName'],
    ['https://printer.local/', 'localName'],
    ['https://metadata.google.internal/', 'localName'],
    ['https://1.0.0.127.in-addr.arpa/', 'localName'],
    ['https://127.0.0.1/', 'address'],
    ['https://0.0.0.0/', 'address'],
    ['https://169.254.169.254/latest/meta-data/', 'address'],
    ['https://[::1]/', 'address'],
    ['https://[::ffff:127.0.0.1]/', 'address'],
    ['https://[::ffff:a9fe:a9fe]/', 'address'],
    ['https://[fd00:ec2::254]/', 'address'],
    ['https://[::]/', 'address'],
  ]
  for (const [url, kind] of hostile) {
    test(`is refused: ${JSON.stringify(url.slice(0, 60))}`, () => expect(kindOf(url)).toBe(kind))
  }

  test('is refused when one of its addresses is not public', () => {
    const url = 'https://hooks.example.org/'
    for (const bad of [
      '127.0.0.1',
      '10.0.0.5',
      '::ffff:10.0.0.5',
      'fe80::1',
      '169.254.169.254',
      'nonsense',
    ]) {
      expect(kindOf(url, [...good, bad])).toBe('address')
      expect(kindOf(url, [bad, ...good])).toBe('address')
    }
    expect(kindOf(url, [])).toBe('unresolved')
    expect(refuseWebhookUrl(url, ['10.0.0.5'], strictUrlPolicy)).toEqual({
      kind: 'address',
      value: '10.0.0.5 (private)',
      bound: 'addresses of the public internet',
    })
  })

  test('may lead to a network without strangers where the policy says so, and never to metadata', () => {
    const open = { allowsHttp: true, allowsPrivate: true, ports: [80, 443, 8080] }
    expect(kindOf('http://localhost:8080/', ['127.0.0.1', '::1'], open)).toBeUndefined()
    expect(kindOf('http://10.0.0.5/', [], open)).toBeUndefined()
    expect(kindOf('http://a.internal/', ['10.0.0.5'], open)).toBeUndefined()
    for (const bad of [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      'fd00:ec2::254',
      '168.63.129.16',
      '0.0.0.0',
    ]) {
      expect(kindOf('http://a.internal/', [bad], open)).toBe('address')
    }
  })

  test('is read as everybody reads it, or not at all', () => {
    const text = fc.oneof(
      fc.webUrl({ withQueryParameters: true }),
      fc
        .string({ unit: fc.constantFrom(...'a1.:/@[]\\%?#-x0 é\t'), maxLength: 24 })
        .map((rest) => `https://${rest}`),
      fc.tuple(fc.domain(), fc.nat(99_999)).map(([name, port]) => `https://${name}:${port}/a`),
    )
    fc.assert(
      fc.property(text, (url) => {
        const parsed = parseWebhookUrl(url)
        if (!parsed.ok || parsed.value.port > 65_535) return
        const { scheme, host, isAddress, port } = parsed.value
        const read = new URL(url)
        expect(read.protocol).toBe(`${scheme}:`)
        if (!isAddress) expect(read.hostname).toBe(host)
        expect(read.username + read.password + read.hash).toBe('')
        expect(read.port === '' ? (scheme === 'https' ? 443 : 80) : Number(read.port)).toBe(port)
      }),
      { numRuns: 5_000 },
    )
  })
})
