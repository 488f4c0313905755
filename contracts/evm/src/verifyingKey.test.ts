// Keys that must not become a contract, each refused by what is wrong with it.

import { expect, test } from 'bun:test'
import { trapdoorKey } from '../test/trapdoor.ts'
import { baseModulus, readVerifyingKey } from './verifyingKey.ts'

const { json } = trapdoorKey(2, 'reader')
const changed = (change: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ ...JSON.parse(json), ...change })
const point = (x: unknown, y: unknown = '2', z: unknown = '1') => [x, y, z]

test('a key is read with one point more than signals', () => {
  expect(readVerifyingKey(json).inputs).toHaveLength(3)
})

test.each([
  ['another protocol', { protocol: 'plonk' }, 'for plonk, not groth16'],
  ['another curve', { curve: 'bls12381' }, 'over bls12381, not bn128'],
  ['too few points', { nPublic: 3 }, 'IC has 3 points for 3 public signals'],
  ['points that are no list', { IC: 'none' }, 'IC is not a list'],
  [
    'a signal that does not count',
    { IC: [point('1'), point('1'), point('0', '1', '0')] },
    'IC[2] is at infinity',
  ],
  [
    'a point at infinity on the twist',
    {
      vk_beta_2: [
        ['0', '0'],
        ['1', '0'],
        ['0', '0'],
      ],
    },
    'vk_beta_2 is at infinity',
  ],
  ['a coordinate at the modulus', { vk_alpha_1: point(String(baseModulus)) }, 'not below the modulus'],
  ['a leading zero', { vk_alpha_1: point('01') }, 'no canonical decimal number'],
  ['a sign', { vk_alpha_1: point('-1') }, 'no canonical decimal number'],
  ['a number that is no text', { vk_alpha_1: point(1) }, 'no canonical decimal number'],
  ['a point with a part too many', { vk_alpha_1: ['1', '2', '1', '1'] }, 'vk_alpha_1 is not a list of 3'],
  ['a missing point', { vk_gamma_2: undefined }, 'has no vk_gamma_2'],
])('%s', (_, change, message) => {
  expect(() => readVerifyingKey(changed(change))).toThrow(message)
})
