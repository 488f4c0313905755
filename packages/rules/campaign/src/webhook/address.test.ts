import { describe, expect, test } from 'bun:test'
import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { type AddressClass, classOfAddress, parseIpv4, parseIpv6 } from './address.ts'

const table: Readonly<Record<Exclude<AddressClass, 'notAnAddress'>, readonly string[]>> = {
  public: [
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2001:4860:4860:0:0:0:0:8888',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
  ],
  unspecified: ['0.0.0.0', '0.1.2.3', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0'],
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::FFFF:7F00:0001',
    '0:0:0:0:0:ffff:127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ],
  private: [
    '10.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '::ffff:10.0.0.1',
    '2002:a00:1::',
    '64:ff9b:1::1',
    'fc00::1',
    'fd12:3456::1',
    'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'fec0::1',
  ],
  linkLocal: ['169.254.0.1', '169.254.255.255', 'fe80::1', 'febf::1', '::ffff:169.254.1.1'],
  metadata: [
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    'fd00:ec2::254',
    'fd20:ce::254',
  ],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  reserved: [
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '198.51.100.1',
    '203.0.113.1',
    '240.0.0.1',
    '255.255.255.255',
    '::7f00:1',
    '::127.0.0.1',
    '::8.8.8.8',
    '2001::1',
    '2001:10::1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '4000::1',
    'e000::1',
  ],
}

describe('an address', () => {
  for (const [expected, addresses] of Object.entries(table)) {
    for (const address of addresses) {
      test(`${address} is ${expected}`, () =>
        expect<AddressClass>(classOfAddress(address)).toBe(expected as AddressClass))
    }
  }

  const none = [
    '',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.0.0.01',
    '127.0.0.1.',
    ' 127.0.0.1',
    '127.0.0.1\n',
    '127.0.0.256',
    '127.0.0.1.1',
    '１２７.0.0.1',
    '::1%lo',
    'fe80::1%25eth0',
    '[::1]',
    ':::1',
    '::1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '12345::',
    '::g',
    ':1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:',
    '::127.0.0.1:1',
    '::1.2.3',
    '1.2.3.4::',
    'localhost',
    '/etc/hosts',
  ]
  for (const text of none) {
    test(`${JSON.stringify(text)} is none`, () => expect(classOfAddress(text)).toBe('notAnAddress'))
  }

  test('is one here exactly when it is one to the host, zones aside', () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(...'0127af:.:::'), maxLength: 24 }),
    )
    fc.assert(
      fc.property(text, (address) => {
        expect(parseIpv4(address) !== undefined).toBe(isIPv4(address))
        expect(parseIpv6(address) !== undefined).toBe(isIPv6(address))
      }),
      { numRuns: 5_000 },
    )
  })

  test('in a carrier is judged like the address that it carries', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const expected = classOfAddress(address)
        for (const prefix of ['::ffff:', '64:ff9b::', '::ffff:0:']) {
          expect(classOfAddress(prefix + address)).toBe(expected)
        }
      }),
    )
  })
})
