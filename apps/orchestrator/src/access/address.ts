/**
 * Internet addresses as eight groups of 16 bits, IPv4 in the mapped form ::ffff:a.b.c.d, so that one address has one
 * value however it is spelled. Strict: what could be read in two ways (leading zeros, ports without brackets) is none.
 */
export type Address = readonly number[]

export interface Network {
  readonly address: Address
  readonly prefixBits: number
}

function parseV4(text: string): readonly [number, number] | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (parts === null) return undefined
  const bytes = parts.slice(1).map(Number)
  if (parts.slice(1).some((part, index) => part !== String(bytes[index]) || Number(part) > 255))
    return undefined
  const [a = 0, b = 0, c = 0, d = 0] = bytes
  return [a * 256 + b, c * 256 + d]
}

/** The groups on one side of `::`, or all of them. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const v4 = index === parts.length - 1 ? parseV4(part) : undefined
    if (v4 !== undefined) groups.push(...v4)
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

/** Undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 64) return undefined
  const v4 = parseV4(text)
  if (v4 !== undefined) return [0, 0, 0, 0, 0, 0xffff, ...v4]
  // A zone names an interface of this machine.
  const bare = text.replace(/%[0-9A-Za-z._-]+$/, '')
  const sides = bare.split('::')
  if (sides.length > 2 || !bare.includes(':')) return undefined
  const left = parseGroups(sides[0] ?? '')
  const right = sides[1] === undefined ? [] : parseGroups(sides[1])
  if (left === undefined || right === undefined) return undefined
  // An IPv4 tail stands at the very end only.
  if (sides.length === 2 && sides[0]?.includes('.')) return undefined
  const missing = 8 - left.length - right.length
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined
  return [...left, ...new Array<number>(missing).fill(0), ...right]
}

const isV4 = (address: Address): boolean =>
  address[5] === 0xffff && address.slice(0, 5).every((group) => group === 0)

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Undefined when it is none, or names bits behind its prefix. */
export function parseNetwork(text: string): Network | undefined {
  const [, spelled = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(spelled)
  if (address === undefined) return undefined
  const isDotted = !spelled.includes(':')
  const most = isDotted ? 32 : 128
  const given = bits === undefined ? most : Number(bits)
  if (given > most || (bits !== undefined && String(given) !== bits)) return undefined
  const prefixBits = isDotted ? given + 96 : given
  const network = { address, prefixBits }
  const isBare = address.every((group, index) => (group & ~maskOf(prefixBits, index) & 0xffff) === 0)
  return isBare ? network : undefined
}

/** Of one group, the bits that belong to the prefix. */
function maskOf(prefixBits: number, index: number): number {
  const bits = Math.min(16, Math.max(0, prefixBits - 16 * index))
  return (0xffff << (16 - bits)) & 0xffff
}

export function isWithin(address: Address, { address: start, prefixBits }: Network): boolean {
  return start.every((group, index) => (((address[index] ?? 0) ^ group) & maskOf(prefixBits, index)) === 0)
}

/** As whom an address is counted: IPv4 one by one, IPv6 by its /64, which one household or server has to itself. */
export function countedAs(address: Address): string {
  if (isV4(address)) {
    const [high = 0, low = 0] = address.slice(6)
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  }
  const prefix = address.slice(0, 4).map((group) => group.toString(16))
  return `${prefix.join(':')}::/64`
}
