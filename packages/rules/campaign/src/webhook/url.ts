/**
 * Where a webhook may go (spec K12). The URL is read by a grammar so narrow that nobody can read it otherwise, and every
 * address that its name resolves to has to be public. Whoever connects does so to an address judged here, since a name
 * can resolve to another one a moment later.
 */
import { webhookUrlLengthMax } from '../limits.ts'
import { type AddressClass, classOfAddress, parseIpv4 } from './address.ts'

export interface WebhookUrlPolicy {
  /** Also `http:`; the signature then still holds, but anyone on the way reads along. */
  readonly allowsHttp: boolean
  /** Also this machine and its networks, for tests and for networks without strangers. Never metadata. */
  readonly allowsPrivate: boolean
  readonly ports: readonly number[]
}

export const strictUrlPolicy: WebhookUrlPolicy = {
  allowsHttp: false,
  allowsPrivate: false,
  ports: [443, 8443],
}

export interface WebhookUrlRefusal {
  readonly kind:
    | 'tooLong'
    | 'malformed'
    | 'scheme'
    | 'credentials'
    | 'host'
    | 'port'
    | 'localName'
    | 'unresolved'
    | 'address'
  readonly value: string
  readonly bound: string
}

export interface WebhookUrl {
  readonly scheme: 'https' | 'http'
  /** A name, or an address; of IPv6 without brackets. */
  readonly host: string
  readonly isAddress: boolean
  readonly port: number
  /** Path and query. */
  readonly target: string
}

type Parsed =
  | { readonly ok: true; readonly value: WebhookUrl }
  | { readonly ok: false; readonly refusal: WebhookUrlRefusal }

const no = (kind: WebhookUrlRefusal['kind'], value: string, bound: string): Parsed => ({
  ok: false,
  refusal: { kind, value, bound },
})

const shape = /^([a-z]+):\/\/([^/?#\\]*)((?:\/[!$&-;=?-Z_a-z~%]*)?)$/
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export function parseWebhookUrl(url: string): Parsed {
  if (url.length > webhookUrlLengthMax) {
    return no('tooLong', `${url.length} characters`, `at most ${webhookUrlLengthMax} characters`)
  }
  const [, scheme = '', authority = '', target = ''] = shape.exec(url) ?? []
  if (scheme === '')
    return no('malformed', url, 'https://name/path?query in lower-case ASCII, without a fragment')
  if (scheme !== 'https' && scheme !== 'http') return no('scheme', scheme, 'https')
  if (authority.includes('@')) return no('credentials', 'a name before the host', 'no credentials in the URL')
  const [, inBrackets, outside, portText] =
    /^(?:\[([^\][]*)\]|([^:[\]]*))(?::([0-9]*))?$/.exec(authority) ?? []
  const host = inBrackets ?? outside ?? ''
  const isAddress = inBrackets !== undefined || parseIpv4(host) !== undefined
  const isGood = isAddress ? classOfAddress(host) !== 'notAnAddress' : isName(host)
  if (!isGood || (inBrackets !== undefined && parseIpv4(host) !== undefined)) {
    return no('host', authority, 'a lower-case name of at least two labels, or an address in its usual form')
  }
  if (portText !== undefined && !/^[1-9][0-9]{0,4}$/.test(portText)) return no('port', portText, 'a port')
  const port = portText === undefined ? (scheme === 'https' ? 443 : 80) : Number(portText)
  return { ok: true, value: { scheme, host, isAddress, port, target: target === '' ? '/' : target } }
}

/** A last label that could be a number would make it an address to some readers: 127.1, 0x7f000001. */
function isName(host: string): boolean {
  const labels = host.split('.')
  const last = labels.at(-1) ?? ''
  return host.length <= 253 && labels.every((each) => label.test(each)) && /^[a-z]/.test(last)
}

const localNames = [
  'localhost',
  'local',
  'localdomain',
  'internal',
  'intranet',
  'lan',
  'home',
  'corp',
  'arpa',
  'onion',
]

function isLocalName(host: string): boolean {
  const labels = host.split('.')
  return labels.length < 2 || localNames.includes(labels.at(-1) ?? '')
}

const privateClasses: readonly AddressClass[] = ['loopback', 'private', 'linkLocal']

/** Undefined: it may be sent to, at one of these addresses. */
export function refuseWebhookUrl(
  url: string,
  resolvedAddresses: readonly string[],
  policy: WebhookUrlPolicy,
): WebhookUrlRefusal | undefined {
  const parsed = parseWebhookUrl(url)
  if (!parsed.ok) return parsed.refusal
  const { scheme, host, isAddress, port } = parsed.value
  if (scheme === 'http' && !policy.allowsHttp) return { kind: 'scheme', value: scheme, bound: 'https' }
  if (!policy.ports.includes(port)) {
    return { kind: 'port', value: String(port), bound: `one of ${policy.ports.join(', ')}` }
  }
  if (!isAddress && isLocalName(host) && !policy.allowsPrivate) {
    return { kind: 'localName', value: host, bound: 'a name of the public internet' }
  }
  const addresses = isAddress ? [host, ...resolvedAddresses] : resolvedAddresses
  if (addresses.length === 0) return { kind: 'unresolved', value: host, bound: 'a name that has an address' }
  for (const address of addresses) {
    const found = classOfAddress(address)
    if (found === 'public' || (policy.allowsPrivate && privateClasses.includes(found))) continue
    return { kind: 'address', value: `${address} (${found})`, bound: 'addresses of the public internet' }
  }
  return undefined
}
