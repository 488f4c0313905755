import { expect, test } from 'bun:test'
import { type Domain, domainPayload } from './payload.ts'

/** Complete by its type: a domain without an entry does not compile. */
const all: Record<Domain, true> = {
  'api-key': true,
  audit: true,
  batch: true,
  benchmark: true,
  challenge: true,
  commitment: true,
  'delivery-id': true,
  dispute: true,
  hello: true,
  idempotency: true,
  lite: true,
  program: true,
  projection: true,
  receipt: true,
  retry: true,
  shader: true,
  statement: true,
  superLite: true,
  trace: true,
  transcript: true,
  vectors: true,
}
const domains = Object.keys(all) as Domain[]

test('begins with the domain and a zero byte, then the bytes (spec S1)', () => {
  const payload = domainPayload('batch', new Uint8Array([1, 2]))
  expect(Buffer.from(payload).toString('latin1')).toBe('shardy/batch/v1\0\x01\x02')
})

test('no domain begins another, so no bytes of one are bytes of another', () => {
  const prefixes = domains.map((domain) =>
    Buffer.from(domainPayload(domain, new Uint8Array(0))).toString('latin1'),
  )
  for (const [index, prefix] of prefixes.entries()) {
    for (const other of prefixes.toSpliced(index, 1)) expect(other.startsWith(prefix)).toBe(false)
  }
})

test('the payload is a copy and the prefix stays as it is', () => {
  const bytes = new Uint8Array([1])
  const first = domainPayload('hello', bytes)
  first.fill(0)
  expect(bytes).toEqual(new Uint8Array([1]))
  expect(domainPayload('hello', bytes)[0]).toBe('s'.charCodeAt(0))
})
