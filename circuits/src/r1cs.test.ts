// The reader of .r1cs files: what circom writes, and what it refuses.

import { beforeAll, describe, expect, test } from 'bun:test'
import { compile } from './compile.ts'
import { fieldModulus } from './curve.ts'
import { checkShape, decodeR1cs } from './r1cs.ts'
import { decodeSections, encodeSections, writeElement } from './sections.ts'
import { findBroken } from './witness.ts'

let bytes = new Uint8Array()
beforeAll(() => {
  bytes = new Uint8Array(compile('test/small.circom', '--O1').r1cs)
}, 60_000)

/** The file with one section replaced. */
function withSection(id: number, change: (content: Uint8Array) => Uint8Array): Uint8Array {
  const sections = new Map(decodeSections('r1cs', bytes))
  sections.set(id, change(Uint8Array.from(sections.get(id) ?? [])))
  return encodeSections('r1cs', sections)
}

const overwrite = (at: number, value: number) => (content: Uint8Array) => {
  new DataView(content.buffer).setUint32(at, value, true)
  return content
}

test('the constraints of a small circuit', () => {
  const r1cs = decodeR1cs(bytes)
  expect(() => checkShape(r1cs, { constraints: 2, wires: 6, publicSignals: 2 })).not.toThrow()
  expect(r1cs.privateInputs).toBe(2)
  // Wires: one, x, result, y, rest, product. 3 · 4 = 12, and 12 · (4 + 5) = 3 · 2 + 102.
  expect(findBroken(r1cs, [1n, 3n, 102n, 4n, 2n, 12n])).toEqual([])
  expect(findBroken(r1cs, [1n, 3n, 102n - fieldModulus, 4n, 2n, 12n])).toEqual([])
  expect(findBroken(r1cs, [1n, 4n, 102n, 4n, 2n, 12n])).toEqual([0])
  expect(findBroken(r1cs, [1n, 3n, 103n, 4n, 2n, 12n])).toEqual([1])
  expect(findBroken(r1cs, [1n, 3n, 102n, 4n, 2n, 13n])).toEqual([0, 1])
  expect(() => findBroken(r1cs, [1n, 3n, 102n, 4n, 2n])).toThrow('5 values for 6 wires')
})

describe('refuses', () => {
  const files: readonly (readonly [string, () => Uint8Array, string])[] = [
    ['nothing', () => new Uint8Array(), 'not a .r1cs file'],
    ['another file', () => encodeSections('wtns', new Map()), 'not a .r1cs file'],
    ['no sections', () => encodeSections('r1cs', new Map()), 'section 1 is missing'],
    ['a section twice', () => twice(), 'section 1 comes twice'],
    ['another field', () => withSection(1, overwrite(4, 1)), 'not that of BN254'],
    ['another size of element', () => withSection(1, overwrite(0, 48)), 'not of 32 bytes'],
    ['more constraints than there are', () => withSection(1, overwrite(60, 3)), 'a section is cut short'],
    [
      'fewer constraints than there are',
      () => withSection(1, overwrite(60, 1)),
      'follow the last constraint',
    ],
    ['a wire that is none', () => withSection(2, overwrite(4, 6)), 'names wire 6 of 6'],
    [
      'a factor that is not below the modulus',
      () =>
        withSection(2, (content) => {
          writeElement(fieldModulus, content, 8)
          return content
        }),
      'not below the modulus',
    ],
  ]
  for (const [name, make, problem] of files)
    test(name, () => {
      expect(() => decodeR1cs(make())).toThrow(problem)
    })

  test('a file that ends anywhere before its end', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeR1cs(bytes.slice(0, length))).toThrow()
  })
})

test('each number of a shape is compared', () => {
  const r1cs = decodeR1cs(bytes)
  const shape = { constraints: 2, wires: 6, publicSignals: 2 }
  for (const name of ['constraints', 'wires', 'publicSignals'] as const)
    expect(() => checkShape(r1cs, { ...shape, [name]: 3 })).toThrow('and should be')
})

function twice(): Uint8Array {
  const { length } = encodeSections('r1cs', new Map([[1, new Uint8Array()]]))
  const one = encodeSections('r1cs', new Map([[1, new Uint8Array()]]))
  const both = new Uint8Array(2 * length - 12)
  both.set(one)
  both.set(one.subarray(12), length)
  new DataView(both.buffer).setUint32(8, 2, true)
  return both
}
