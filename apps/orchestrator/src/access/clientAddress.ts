/**
 * From which address a request counts as coming. `X-Forwarded-For` is anybody's text: it is read only when the peer
 * is a proxy that was configured, from the right, past configured proxies, to the first that is not one of them. What
 * stands further left was written by whoever that is, and says nothing.
 */
import { type Address, countedAs, isWithin, type Network, parseAddress, parseNetwork } from './address.ts'

/** Proxies in a row; nobody has so many. */
const hopsMax = 16

export const unknownAddress = 'unknown'

/** Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function parseHop(text: string): Address | undefined {
  const [, bracketed, dotted] = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/.exec(text) ?? []
  return parseAddress(bracketed ?? dotted ?? text)
}

/** `peer` is who opened the line, `forwarded` the header, with commas between if it came more than once. */
export function clientAddress(
  peer: string | undefined,
  forwarded: string | null,
  proxies: readonly Network[],
): string {
  if (peer === undefined) return unknownAddress
  // Without proxies nothing is asked of a header, and an IPv4 address is its own name.
  if (proxies.length === 0 && !peer.includes(':')) return peer
  let client = parseAddress(peer)
  if (client === undefined) return unknownAddress
  const isProxy = (address: Address): boolean => proxies.some((network) => isWithin(address, network))
  let rest = forwarded ?? ''
  for (let hops = 0; hops < hopsMax && rest !== '' && isProxy(client); hops++) {
    const comma = rest.lastIndexOf(',')
    const hop = parseHop(rest.slice(comma + 1).trim())
    // Not an address: the proxy that let it through is the last one that is known.
    if (hop === undefined) break
    client = hop
    rest = comma === -1 ? '' : rest.slice(0, comma)
  }
  return countedAs(client)
}

export type ReadProxies =
  | { readonly ok: true; readonly proxies: readonly Network[] }
  | { readonly ok: false; readonly value: string }

/** Networks with commas between. */
export function readProxies(text: string): ReadProxies {
  const proxies: Network[] = []
  for (const each of text.split(',').filter((part) => part !== '')) {
    const network = parseNetwork(each)
    if (network === undefined) return { ok: false, value: each.slice(0, 80) }
    proxies.push(network)
  }
  return { ok: true, proxies }
}
