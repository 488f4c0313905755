import { expect, test } from 'bun:test'
import { createRequestIds } from './requestId.ts'

const request = (id?: string) =>
  new Request('http://localhost/', id === undefined ? {} : { headers: { 'x-request-id': id } })

test('a plain word is kept, anything else gets a new id', () => {
  let made = 0
  const ids = createRequestIds((bytes) => `${++made}`.padStart(2 * bytes, '0'))
  for (const id of ['a', '0b5c-7', 'trace.9_x', 'z'.repeat(64)]) expect(ids.of(request(id))).toBe(id)
  for (const id of ['', '-a', 'a b', '{"a":1}', 'é', 'a,b', 'z'.repeat(65), '<b>']) {
    expect(ids.of(request(id))).toMatch(/^[0-9]{16}$/)
  }
  expect(made).toBe(8)
  const one = request()
  expect(ids.of(one)).toBe(ids.of(one))
  expect(ids.of(ids.share(one, request('other')))).toBe(ids.of(one))
})
