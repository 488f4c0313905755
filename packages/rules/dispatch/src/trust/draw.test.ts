import { expect, test } from 'bun:test'
import type { DeliveryId, Digest } from '@shardy/protocol'
import { sha256 } from '../../test/identity.ts'
import { drawOf } from './draw.ts'

const secret = new Uint8Array(32).fill(7)
const delivery = '00112233445566778899aabbccddeeff' as DeliveryId
const digest = 'ab'.repeat(32) as Digest
const draw = (about: { secret?: Uint8Array; delivery?: DeliveryId; digest?: Digest } = {}) =>
  drawOf(about.secret ?? secret, about.delivery ?? delivery, about.digest ?? digest, sha256)

// The vector was computed apart: SHA-256 of label, 0, secret, delivery, digest; the first four bytes.
test('is the same every time', () => {
  expect(draw()).toBe(330_931_658)
  expect(draw()).toBe(draw())
})

test('is another for another secret, delivery or digest', () => {
  const draws = [
    draw(),
    draw({ secret: new Uint8Array(32).fill(8) }),
    draw({ delivery: '10112233445566778899aabbccddeeff' as DeliveryId }),
    draw({ digest: 'ac'.repeat(32) as Digest }),
  ]
  expect(new Set(draws).size).toBe(4)
})

test('is even: of 16,384 draws about one in sixteen lies in each sixteenth', () => {
  const counts = new Array<number>(16).fill(0)
  for (let index = 0; index < 16_384; index++) {
    const drawn = draw({ delivery: index.toString(16).padStart(32, '0') as DeliveryId })
    const bin = Math.floor(drawn / 2 ** 28)
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  // 1,024 expected in each, σ = 31.
  for (const count of counts) expect(Math.abs(count - 1_024)).toBeLessThan(5 * 31)
})

test('refuses what is no secret, no delivery, no digest', () => {
  expect(() => draw({ secret: new Uint8Array(31) })).toThrow(RangeError)
  expect(() => draw({ delivery: 'zz' as DeliveryId })).toThrow(RangeError)
  expect(() => draw({ digest: 'abcd' as Digest })).toThrow(RangeError)
})
