/**
 * Domain separation (spec S1): what is hashed or signed begins with `shardy/<domain>/v1` and a zero byte, so bytes
 * made for one purpose are never accepted for another.
 */
export type Domain =
  | 'api-key'
  | 'audit'
  | 'batch'
  | 'benchmark'
  | 'challenge'
  | 'commitment'
  | 'delivery-id'
  | 'dispute'
  | 'hello'
  | 'idempotency'
  | 'lite'
  | 'program'
  | 'projection'
  | 'receipt'
  | 'retry'
  | 'shader'
  | 'statement'
  | 'superLite'
  | 'trace'
  | 'transcript'
  | 'vectors'

const prefixes = new Map<Domain, Uint8Array>()

function prefix(domain: Domain): Uint8Array {
  let bytes = prefixes.get(domain)
  if (bytes === undefined) {
    const label = `shardy/${domain}/v1`
    bytes = Uint8Array.from([...Array.from(label, (letter) => letter.charCodeAt(0)), 0])
    prefixes.set(domain, bytes)
  }
  return bytes
}

/** The same behind a byte, in one buffer: what a leaf hashes. */
export function domainLeaf(leading: number, domain: Domain, bytes: Uint8Array): Uint8Array {
  const head = prefix(domain)
  const payload = new Uint8Array(1 + head.length + bytes.length)
  payload[0] = leading
  payload.set(head, 1)
  payload.set(bytes, 1 + head.length)
  return payload
}

export function domainPayload(domain: Domain, bytes: Uint8Array): Uint8Array {
  const head = prefix(domain)
  const payload = new Uint8Array(head.length + bytes.length)
  payload.set(head)
  payload.set(bytes, head.length)
  return payload
}
