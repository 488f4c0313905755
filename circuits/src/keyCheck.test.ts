// A key of a small circuit passes, and with any part of it replaced by something as well-formed it does not.

import { beforeAll, describe, expect, test } from 'bun:test'
import type { Curve } from 'ffjavascript'
import { type MemoryFile, zKey } from 'snarkjs'
import { compile } from './compile.ts'
import { openCurve } from './curve.ts'
import { deal } from './dealer.ts'
import { dealKey } from './key.ts'
import { findKeyFaults } from './keyCheck.ts'
import { decodeR1cs, type R1cs } from './r1cs.ts'
import { decodeSections, encodeSections } from './sections.ts'
import type { Setup } from './setup.ts'

const domainPower = 3
let curve: Curve
let r1cs: R1cs
let r1csBytes: Uint8Array
let key: Uint8Array
let setup: Setup
beforeAll(async () => {
  curve = await openCurve()
  r1csBytes = compile('test/small.circom', '--O1').r1cs
  r1cs = decodeR1cs(r1csBytes)
  const dealt = await dealKey(curve, r1csBytes, domainPower)
  key = dealt.key
  setup = dealt.setup
}, 60_000)

/** The key with some bytes of one section written over. */
function overwrite(section: number, at: number, bytes: Uint8Array): Uint8Array {
  const sections = new Map(decodeSections('zkey', key))
  const changed = Uint8Array.from(sections.get(section) ?? [])
  changed.set(bytes, at)
  sections.set(section, changed)
  return encodeSections('zkey', sections)
}

const check = (parts: Partial<Parameters<typeof findKeyFaults>[1]>): Promise<string[]> =>
  findKeyFaults(curve, { key, r1cs, setup, ...parts })

/** Five times the generator, which is no honest part of any key. */
const stray = (group: 'G1' | 'G2'): Uint8Array =>
  curve[group].toAffine(curve[group].timesScalar(curve[group].g, 5n))

test('a key belongs to its circuit', async () => {
  expect(await check({})).toEqual([])
})

test('not to one that differs in a factor of C', async () => {
  const other = decodeR1cs(compile('test/smallOther.circom', '--O1').r1cs)
  expect(await check({ r1cs: other })).toEqual(['points of C are not of this circuit'])
})

test('not to one of another shape', async () => {
  const fewer = { ...r1cs, constraints: r1cs.constraints.slice(1) }
  expect(await check({ r1cs: fewer })).toContain('coefficient 0 is not of this circuit')
  expect(await check({ r1cs: { ...r1cs, wires: r1cs.wires + 1 } })).toContain('wires: 6 instead of 7')
})

describe('a stray point is found', () => {
  const places: readonly (readonly [string, number, number, 'G1' | 'G2', string])[] = [
    ['alpha', 2, 84, 'G1', 'alpha differs between the groups'],
    ['beta in G1', 2, 148, 'G1', 'beta differs between the groups'],
    ['beta in G2', 2, 212, 'G2', 'beta differs between the groups'],
    ['gamma', 2, 340, 'G2', 'gamma is not the generator'],
    ['delta in G1', 2, 468, 'G1', 'delta differs between the groups'],
    ['delta in G2', 2, 532, 'G2', 'delta differs between the groups'],
    ['the last of A', 5, 4 * 64, 'G1', 'points of A are not of this circuit'],
    ['the third of B in G1', 6, 3 * 64, 'G1', 'points of B are not of this circuit'],
    ['the third of B in G2', 7, 3 * 128, 'G2', 'points of B differ between the groups'],
    ['the first of C', 8, 0, 'G1', 'points of C are not of this circuit'],
    ['the first of H', 9, 0, 'G1', 'H is not evaluation at tau'],
    ['the last of H', 9, 7 * 64, 'G1', 'H is not evaluation at tau'],
  ]
  for (const [name, section, at, group, fault] of places)
    test(name, async () => {
      expect(await check({ key: overwrite(section, at, stray(group)) })).toContain(fault)
    })
})

test('points of the setup that belong to another key are found', async () => {
  const { setup: other } = deal(curve, domainPower)
  expect(await check({ setup: { ...setup, tauG2: other.tauG2 } })).toContain('H is not evaluation at tau')
  expect(await check({ setup: { ...setup, alphaG2: other.alphaG2 } })).toContain(
    'alpha differs between the groups',
  )
  expect(await check({ setup: { ...setup, tauDomainG2: other.tauDomainG2 } })).toContain(
    'tau to the domain is another power',
  )
})

test('a setup in which every check would hold is refused', async () => {
  const generator = curve.G2.toAffine(curve.G2.g)
  expect(await check({ setup: { ...setup, tauDomainG2: generator } })).toEqual([
    'tau is a root of unity, where every check holds',
  ])
})

test('a coefficient that is not the circuit’s is found', async () => {
  // The first factor comes after the count, the matrix, the row and the wire.
  expect(await check({ key: overwrite(4, 16, new Uint8Array(32).fill(1)) })).toEqual([
    'coefficient 0 is not of this circuit',
  ])
})

test('a point off the curve, or outside the group, is found before anything is paired with it', async () => {
  expect(await check({ key: overwrite(9, 0, new Uint8Array(64).fill(7)) })).toEqual([
    'H has a point off the curve',
  ])
  const outside = pointOutsideGroup()
  expect(curve.G2.isValid(outside)).toBe(true)
  expect(await check({ key: overwrite(7, 3 * 128, outside) })).toContain(
    'points of B in G2 lie outside the group',
  )
  expect(await check({ setup: { ...setup, tauG2: outside } })).toEqual(['tauG2 is not in G2'])
})

test('a key to which nobody contributed is found: under it anyone can forge', async () => {
  const { powers, setup: own } = deal(curve, domainPower)
  const first: MemoryFile = { type: 'mem' }
  await zKey.newZKey(r1csBytes, powers, first)
  expect(await check({ key: first.data ?? new Uint8Array(), setup: own })).toEqual([
    'nobody contributed to delta, so that anyone can forge',
  ])
})

/** On the curve over the quadratic field, whose order is a large multiple of the group's. */
function pointOutsideGroup(): Uint8Array {
  for (let x = 1; ; x++) {
    const compressed = new Uint8Array(64)
    compressed[63] = x
    const point = curve.G2.fromRprCompressed(compressed, 0)
    if (curve.G2.isValid(point)) return curve.G2.toAffine(point)
  }
}
