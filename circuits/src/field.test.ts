// Arithmetic on signals, against what it means.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { fieldModulus } from './curve.ts'
import { evaluateAtPowers, invertAll, power, reduce, rootOfUnity } from './field.ts'

const element = fc.bigInt({ min: 0n, max: fieldModulus - 1n })

test('reducing gives the one representative below the modulus', () => {
  fc.assert(
    fc.property(element, fc.bigInt({ min: -3n, max: 3n }), (value, turns) => {
      expect(reduce(value + turns * fieldModulus)).toBe(value)
    }),
  )
})

test('inverses multiply to one, and zero has none', () => {
  fc.assert(
    fc.property(fc.array(element.filter((value) => value !== 0n)), (values) => {
      const inverses = invertAll(values)
      expect(values.map((value, index) => reduce(value * (inverses[index] ?? 0n)))).toEqual(
        values.map(() => 1n),
      )
    }),
  )
  expect(() => invertAll([1n, 0n])).toThrow('zero has no inverse')
})

test('a root of unity has exactly its order', () => {
  for (const order of [1, 2, 8, 2 ** 15, 2 ** 28]) {
    expect(power(rootOfUnity(order), BigInt(order))).toBe(1n)
    if (order > 1) expect(power(rootOfUnity(order), BigInt(order / 2))).toBe(fieldModulus - 1n)
  }
  for (const order of [0, 3, 2 ** 29]) expect(() => rootOfUnity(order)).toThrow('no root of unity')
})

test('a polynomial is evaluated at every power as term by term', () => {
  const polynomial = fc
    .integer({ min: 0, max: 5 })
    .chain((bits) => fc.array(element, { minLength: 2 ** bits, maxLength: 2 ** bits, size: 'max' }))
  fc.assert(
    fc.property(polynomial, (coefficients) => {
      const root = rootOfUnity(coefficients.length)
      const expected = coefficients.map((_, place) => {
        const point = power(root, BigInt(place))
        return coefficients.reduceRight((value, coefficient) => reduce(value * point + coefficient), 0n)
      })
      expect(evaluateAtPowers(coefficients, root)).toEqual(expected)
    }),
  )
  expect(() => evaluateAtPowers([1n, 2n, 3n], 1n)).toThrow('no power of two')
})
