import { expect, test } from 'bun:test'
import { domainPayload, encodeHex } from '@shardy/protocol'
import { sha256 } from '../../test/sha256.ts'
import { checkModulus } from '../modulus.ts'
import { expandVectors } from './vectors.ts'

const seed = new Uint8Array(32).fill(7)

test('a golden vector, so that any implementation draws the same (spec C9)', () => {
  const { elements } = expandVectors(seed, 2, sha256).take(3)
  const block = (repetition: number) =>
    sha256(domainPayload('vectors', Uint8Array.from([...seed, 0, 0, 0, repetition])))
  const word = (repetition: number, at: number) =>
    new DataView(block(repetition).buffer).getUint32(4 * at, true) & checkModulus
  expect([...elements]).toEqual([word(0, 0), word(0, 1), word(0, 2), word(1, 0), word(1, 1), word(1, 2)])
  expect([...elements].map((element) => element.toString(16)).join(' ')).toMatchInlineSnapshot(
    `"4ad5c77a 59f65fd0 f1b0131 26285328 4daa0238 2ab120a3"`,
  )
})

test('a longer vector begins with the shorter one, in whatever order they are taken', () => {
  const one = expandVectors(seed, 1, sha256)
  const long = one.take(100).elements
  expect(expandVectors(seed, 1, sha256).take(9).elements).toEqual(long.subarray(0, 9))
  expect(one.take(9).elements).toEqual(long.subarray(0, 9))
})

test('p itself is thrown away and the next word taken', () => {
  let calls = 0
  const scripted = () => {
    const block = new Uint8Array(32).fill(255)
    block[4] = calls++
    return block
  }
  // Words 0 and 2 to 7 of each block are 2^32 - 1, whose low 31 bits are p.
  expect([...expandVectors(seed, 1, scripted).take(2).elements]).toEqual([0x7fff_ff00, 0x7fff_ff01])
})

test('elements lie evenly below p: none above, and the mean of many in the middle', () => {
  const { elements } = expandVectors(seed, 1, sha256).take(20_000)
  expect(elements.every((element) => element < checkModulus)).toBe(true)
  const mean = elements.reduce((sum, element) => sum + element, 0) / elements.length / checkModulus
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.02)
})

test('another seed, another stream', () => {
  const other = expandVectors(new Uint8Array(32).fill(8), 1, sha256).take(4).elements
  expect(encodeHex(new Uint8Array(other.buffer))).not.toBe(
    encodeHex(new Uint8Array(expandVectors(seed, 1, sha256).take(4).elements.buffer)),
  )
})

test('a seed of another length is a bug of the caller', () => {
  expect(() => expandVectors(new Uint8Array(31), 1, sha256)).toThrow('31 bytes')
})
