/**
 * Which IP addresses a server of ours may be sent to by a stranger: those of the public internet. An address that
 * carries another one inside (mapped, NAT64, 6to4) is judged by that one.
 */
export type AddressClass =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'linkLocal'
  /** Where clouds tell machines their secrets. */
  | 'metadata'
  | 'multicast'
  | 'reserved'
  | 'notAnAddress'

type Groups = readonly number[]

/** Four numbers without leading zeros and nothing else: no octal, hexadecimal or shortened form. */
export function parseIpv4(text: string): Groups | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part))) return undefined
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

/** Eight groups of 16 bits; no zone, because a zone is of this machine. */
export function parseIpv6(text: string): Groups | undefined {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const tail = groups.at(-1)
  const last = tail?.at(-1)
  if (tail !== undefined && last?.includes('.')) {
    const bytes = parseIpv4(last)
    if (bytes === undefined) return undefined
    const [a = 0, b = 0, c = 0, d = 0] = bytes
    tail.splice(-1, 1, (a * 256 + b).toString(16), (c * 256 + d).toString(16))
  }
  const [head = [], rest = []] = groups
  const given = head.length + rest.length
  if (halves.length === 2 ? given > 7 : given !== 8) return undefined
  const all = [...head, ...Array.from({ length: 8 - given }, () => '0'), ...rest]
  return all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))
    ? all.map((group) => Number.parseInt(group, 16))
    : undefined
}

type Range = readonly [prefix: string, bits: number, found: Exclude<AddressClass, 'public' | 'notAnAddress'>]

const ipv4Ranges: readonly Range[] = [
  // Azure's metadata service has an address of the public internet.
  ['168.63.129.16', 32, 'metadata'],
  ['169.254.169.254', 32, 'metadata'],
  ['169.254.170.2', 32, 'metadata'],
  ['100.100.100.200', 32, 'metadata'],
  ['192.0.0.192', 32, 'metadata'],
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'linkLocal'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'private'],
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
]

const ipv6Ranges: readonly Range[] = [
  ['fd00:ec2::254', 128, 'metadata'],
  ['fd20:ce::254', 128, 'metadata'],
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['::', 96, 'reserved'],
  ['64:ff9b:1::', 48, 'private'],
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'reserved'],
  ['3fff::', 20, 'reserved'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'linkLocal'],
  ['fec0::', 10, 'private'],
  ['ff00::', 8, 'multicast'],
]

/** Prefixes that carry an IPv4 address, and the group in which it begins. */
const carriers: readonly (readonly [prefix: string, bits: number, group: number])[] = [
  ['::ffff:0:0', 96, 6],
  ['::ffff:0:0:0', 96, 6],
  ['64:ff9b::', 96, 6],
  ['2002::', 16, 1],
]

function isWithin(address: Groups, prefix: Groups, bits: number, groupBits: number): boolean {
  return address.every((group, place) => {
    const counted = Math.min(groupBits, Math.max(0, bits - place * groupBits))
    const dropped = groupBits - counted
    return counted === 0 || group >> dropped === (prefix[place] ?? 0) >> dropped
  })
}

function classOfIpv4(address: Groups): AddressClass {
  const found = ipv4Ranges.find(([prefix, bits]) => isWithin(address, parseIpv4(prefix) ?? [], bits, 8))
  return found?.[2] ?? 'public'
}

function classOfIpv6(address: Groups): AddressClass {
  const within = (prefix: string, bits: number) => isWithin(address, parseIpv6(prefix) ?? [], bits, 16)
  const carrier = carriers.find(([prefix, bits]) => within(prefix, bits))
  if (carrier !== undefined) {
    const [high = 0, low = 0] = address.slice(carrier[2], carrier[2] + 2)
    return classOfIpv4([high >> 8, high & 255, low >> 8, low & 255])
  }
  const found = ipv6Ranges.find(([prefix, bits]) => within(prefix, bits))
  // Nothing outside 2000::/3 has been given to anyone.
  return found?.[2] ?? (within('2000::', 3) ? 'public' : 'reserved')
}

export function classOfAddress(text: string): AddressClass {
  const ipv4 = parseIpv4(text)
  if (ipv4 !== undefined) return classOfIpv4(ipv4)
  const ipv6 = parseIpv6(text)
  return ipv6 === undefined ? 'notAnAddress' : classOfIpv6(ipv6)
}
