import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { applyBinary, applyUnary, integerBuiltins, wrap } from './arithmetic.ts'

/** The same rules a second time, over integers that cannot overflow. */
const word = {
  i32: (value: bigint) => BigInt.asIntN(32, value),
  u32: (value: bigint) => BigInt.asUintN(32, value),
}
const binary: Readonly<Record<string, (one: bigint, other: bigint) => bigint>> = {
  '+': (one, other) => one + other,
  '-': (one, other) => one - other,
  '*': (one, other) => one * other,
  '/': (one, other) => (other === 0n ? one : one / other),
  '%': (one, other) => (other === 0n ? 0n : one % other),
  '&': (one, other) => one & other,
  '|': (one, other) => one | other,
  '^': (one, other) => one ^ other,
  '<<': (one, other) => one << (other & 31n),
  '>>': (one, other) => one >> (other & 31n),
  '<': (one, other) => (one < other ? 1n : 0n),
  '>=': (one, other) => (one >= other ? 1n : 0n),
  '!=': (one, other) => (one !== other ? 1n : 0n),
}

const raw = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 31, 32, 2 ** 31 - 1, -(2 ** 31)))

for (const of of ['i32', 'u32'] as const) {
  describe(of, () => {
    for (const [operator, expected] of Object.entries(binary)) {
      test(`${operator} is what unlimited integers give, wrapped`, () => {
        fc.assert(
          fc.property(raw, raw, (left, right) => {
            const [one, other] = [
              wrap(of, left),
              operator.length === 2 && '<<>>'.includes(operator) ? right >>> 0 : wrap(of, right),
            ]
            const actual = applyBinary(operator as '+', of, one, other)
            expect(BigInt(actual)).toBe(word[of](expected(BigInt(one), BigInt(other))))
          }),
        )
      })
    }

    test('bits are counted as their text shows them', () => {
      fc.assert(
        fc.property(raw, (value) => {
          const own = wrap(of, value)
          const bits = (own >>> 0).toString(2).padStart(32, '0')
          const apply = (name: string) => integerBuiltins.get(name)?.apply(of, own, 0, 0)
          const none = of === 'u32' ? 2 ** 32 - 1 : -1
          const lead = of === 'i32' && own < 0 ? bits.indexOf('0') : bits.indexOf('1')
          expect(apply('countOneBits')).toBe(bits.replaceAll('0', '').length)
          expect(apply('countLeadingZeros')).toBe(own === 0 ? 32 : bits.indexOf('1'))
          expect(apply('countTrailingZeros')).toBe(own === 0 ? 32 : 31 - bits.lastIndexOf('1'))
          expect(apply('firstLeadingBit')).toBe(lead === -1 ? none : 31 - lead)
          expect(apply('firstTrailingBit')).toBe(own === 0 ? none : 31 - bits.lastIndexOf('1'))
          expect(apply('reverseBits')).toBe(wrap(of, Number.parseInt([...bits].reverse().join(''), 2)))
          expect(applyUnary('~', of, own)).toBe(
            wrap(
              of,
              Number.parseInt(
                bits.replace(/./g, (bit) => (bit === '0' ? '1' : '0')),
                2,
              ),
            ),
          )
        }),
      )
    })
  })
}

test('the least i32 has no positive twin', () => {
  expect(applyUnary('-', 'i32', -(2 ** 31))).toBe(-(2 ** 31))
  expect(integerBuiltins.get('abs')?.apply('i32', -(2 ** 31), 0, 0)).toBe(-(2 ** 31))
  expect(applyBinary('/', 'i32', -(2 ** 31), -1)).toBe(-(2 ** 31))
  expect(applyBinary('%', 'i32', -(2 ** 31), -1)).toBe(0)
})

test('clamp with its bounds in the wrong order gives the upper one', () => {
  expect(integerBuiltins.get('clamp')?.apply('i32', 5, 9, 3)).toBe(3)
})
