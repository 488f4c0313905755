import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { oddMultiples, placesMax, writeDigits } from './digits.ts'

const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

test('digits are sparse, odd and small, and add up to the number', () => {
  fc.assert(
    fc.property(fc.oneof(word, fc.constantFrom(0n, 1n, 7n, 8n, 15n, 2n ** 64n - 1n, 2n ** 63n)), (value) => {
      const digits = new Int8Array(placesMax).fill(99)
      const length = writeDigits(digits, Number(value & 0xffffffffn), Number(value >> 32n))
      let sum = 0n
      let before = -4
      for (let place = 0; place < length; place++) {
        const digit = digits[place] as number
        sum += BigInt(digit) << BigInt(place)
        if (digit === 0) continue
        expect(Math.abs(digit) % 2).toBe(1)
        expect(Math.abs(digit)).toBeLessThan(2 * oddMultiples)
        expect(place - before).toBeGreaterThanOrEqual(4)
        before = place
      }
      expect(sum).toBe(value)
      expect(length).toBeLessThanOrEqual(placesMax)
    }),
    { numRuns: 2_000 },
  )
})
