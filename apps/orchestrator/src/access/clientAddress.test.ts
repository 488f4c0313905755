import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { countedAs, isWithin, type Network, parseAddress, parseNetwork } from './address.ts'
import { clientAddress, readProxies } from './clientAddress.ts'

function proxiesOf(text: string): readonly Network[] {
  const read = readProxies(text)
  if (!read.ok) throw new Error(read.value)
  return read.proxies
}

describe('an address', () => {
  const same: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ]
  for (const [text, counted] of same) {
    test(`${text} counts as ${counted}`, () => {
      const address = parseAddress(text)
      expect(address && countedAs(address)).toBe(counted)
      expect(address).toHaveLength(8)
    })
  }

  const none = [
    '',
    ' ',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.4 ',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.-4',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::',
    '::1.2.3',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '::%',
    'localhost',
    'unknown',
    '_hidden',
    '١.٢.٣.٤',
    '1'.repeat(100_000),
    `${'0:'.repeat(50_000)}1`,
  ]
  for (const text of none) {
    test(`${JSON.stringify(text.slice(0, 24))} is none`, () => expect(parseAddress(text)).toBeUndefined())
  }

  test('is the same however it is spelled', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(groups, (address) => {
        const full = address.map((group) => group.toString(16)).join(':')
        expect(parseAddress(full)).toEqual(address)
        const padded = address.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':')
        expect(parseAddress(padded)).toEqual(address)
      }),
    )
  })
})

describe('a network', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.6', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '203.0.113.9', true],
    ['::ffff:0:0/96', '203.0.113.9', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['172.16.0.0/12', '172.31.255.255', true],
    ['172.16.0.0/12', '172.32.0.0', false],
  ]
  for (const [network, address, isIn] of table) {
    test(`${network} ${isIn ? 'has' : 'has not'} ${address}`, () => {
      const [parsed, inside] = [parseNetwork(network), parseAddress(address)]
      expect(parsed && inside && isWithin(inside, parsed)).toBe(isIn)
    })
  }

  for (const text of [
    '10.0.0.1/8',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '*',
    'a',
  ]) {
    test(`'${text}' is none`, () =>
      expect(readProxies(`127.0.0.1,${text}`)).toEqual({ ok: false, value: text }))
  }
})

describe('the client', () => {
  const proxies = proxiesOf('10.0.0.0/8,2001:db8:aaaa::/48')
  const table: readonly {
    readonly desc: string
    readonly peer: string | undefined
    readonly forwarded: string | null
    readonly client: string
  }[] = [
    { desc: 'is the peer without a header', peer: '203.0.113.9', forwarded: null, client: '203.0.113.9' },
    {
      desc: 'is the peer whatever a stranger claims',
      peer: '203.0.113.9',
      forwarded: '1.2.3.4',
      client: '203.0.113.9',
    },
    {
      desc: 'that claims to be a proxy is itself',
      peer: '203.0.113.9',
      forwarded: '10.0.0.1',
      client: '203.0.113.9',
    },
    { desc: 'is what the proxy saw', peer: '10.0.0.1', forwarded: '203.0.113.9', client: '203.0.113.9' },
    {
      desc: 'is the last, not what it wrote before',
      peer: '10.0.0.1',
      forwarded: '1.1.1.1, 203.0.113.9',
      client: '203.0.113.9',
    },
    {
      desc: 'stands before the proxies',
      peer: '10.0.0.1',
      forwarded: '1.1.1.1,203.0.113.9 ,10.2.2.2',
      client: '203.0.113.9',
    },
    {
      desc: 'that forged our proxies is itself',
      peer: '10.0.0.1',
      forwarded: '10.9.9.9, 203.0.113.9',
      client: '203.0.113.9',
    },
    { desc: 'is the proxy without a header', peer: '10.0.0.1', forwarded: null, client: '10.0.0.1' },
    { desc: 'is the proxy with an empty one', peer: '10.0.0.1', forwarded: '', client: '10.0.0.1' },
    {
      desc: 'is the proxy when the header is rubbish',
      peer: '10.0.0.1',
      forwarded: 'rubbish',
      client: '10.0.0.1',
    },
    {
      desc: 'is the last known before rubbish',
      peer: '10.0.0.1',
      forwarded: 'x, 10.0.0.7',
      client: '10.0.0.7',
    },
    {
      desc: 'is the last known before a gap',
      peer: '10.0.0.1',
      forwarded: '203.0.113.9,,10.0.0.7',
      client: '10.0.0.7',
    },
    {
      desc: 'is the first when all are proxies',
      peer: '10.0.0.1',
      forwarded: '10.0.0.5,10.0.0.6',
      client: '10.0.0.5',
    },
    { desc: 'may have a port', peer: '10.0.0.1', forwarded: '203.0.113.9:4711', client: '203.0.113.9' },
    {
      desc: 'may be IPv6 with a port',
      peer: '10.0.0.1',
      forwarded: '[2001:db8::5]:4711',
      client: '2001:db8:0:0::/64',
    },
    {
      desc: 'may be IPv6 in brackets',
      peer: '10.0.0.1',
      forwarded: '[2001:db8::5]',
      client: '2001:db8:0:0::/64',
    },
    { desc: 'may be IPv6 without', peer: '10.0.0.1', forwarded: '2001:db8::5', client: '2001:db8:0:0::/64' },
    { desc: 'may be mapped', peer: '10.0.0.1', forwarded: '::ffff:203.0.113.9', client: '203.0.113.9' },
    {
      desc: 'behind a mapped proxy',
      peer: '::ffff:10.0.0.1',
      forwarded: '203.0.113.9',
      client: '203.0.113.9',
    },
    {
      desc: 'behind an IPv6 proxy',
      peer: '2001:db8:aaaa::1',
      forwarded: '203.0.113.9',
      client: '203.0.113.9',
    },
    { desc: 'of one /64 is one', peer: '2001:db8:1:2:3:4:5:6', forwarded: null, client: '2001:db8:1:2::/64' },
    { desc: 'that nobody knows has a name', peer: undefined, forwarded: '203.0.113.9', client: 'unknown' },
    { desc: 'that is no address has a name', peer: 'unix:', forwarded: '203.0.113.9', client: 'unknown' },
  ]
  for (const { desc, peer, forwarded, client } of table) {
    test(desc, () => expect(clientAddress(peer, forwarded, proxies)).toBe(client))
  }

  test('is the peer when no proxy is configured', () => {
    expect(clientAddress('127.0.0.1', '203.0.113.9', [])).toBe('127.0.0.1')
    expect(clientAddress('::ffff:127.0.0.1', '203.0.113.9', [])).toBe('127.0.0.1')
  })

  test('cannot be chosen: whatever is written to the left changes nothing', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 })
    fc.assert(
      fc.property(text, (hostile) => {
        expect(clientAddress('10.0.0.1', `${hostile},203.0.113.9`, proxies)).toBe('203.0.113.9')
        expect(clientAddress('203.0.113.9', hostile, proxies)).toBe('203.0.113.9')
        clientAddress('10.0.0.1', hostile, proxies)
      }),
    )
  })

  test('is found in bounded time behind a header of proxies without end', () => {
    expect(clientAddress('10.0.0.1', '10.0.0.2,'.repeat(100_000), proxies)).toBe('10.0.0.1')
    expect(clientAddress('10.0.0.1', `203.0.113.9${',10.0.0.2'.repeat(100_000)}`, proxies)).toBe('10.0.0.2')
  })
})
