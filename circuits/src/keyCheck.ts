// Whether a Groth16 key belongs to a constraint system, decided from the key, the system and three points of its setup,
// without the powers of tau that it was made from.
//
// The points H of a key are one linear function of polynomials below the domain's degree. If it turns times x into times
// tau, it is evaluation at tau, scaled by Z(tau)/delta; so from H alone the value at tau of any combination of the system's
// polynomials can be had, and a pairing compares it with the same combination of the key's points. The weights are
// drawn here, after the key is fixed: a wrong point of the group passes with a probability below 2^-120.
//
// Not covered: the points of the public signals, which only a proof can show (`verify.ts` makes one). A point of B in G2
// that is off by a point of small order escapes once in 10,069 times; the other checks of a key do not rest on it.

import { randomBytes } from 'node:crypto'
import type { Curve, Group } from 'ffjavascript'
import { fieldModulus } from './curve.ts'
import { evaluateAtPowers, power, reduce, rootOfUnity } from './field.ts'
import type { Constraint, R1cs, Term } from './r1cs.ts'
import { writeElement } from './sections.ts'
import type { Setup } from './setup.ts'
import { type Coefficient, decodeZkey, type Zkey } from './zkey.ts'

type Matrix = 'a' | 'b' | 'c'

/** What is wrong with the key, in words; nothing when it belongs to the system. */
export async function findKeyFaults(
  curve: Curve,
  { key: bytes, r1cs, setup }: { readonly key: Uint8Array; readonly r1cs: R1cs; readonly setup: Setup },
): Promise<string[]> {
  const key = decodeZkey(bytes)
  const faults = [...findShapeFaults(key, r1cs), ...findInvalidPoints(curve, key, setup)]
  // What follows would read beyond ends, or pair what is no point.
  if (faults.length > 0) return faults

  const { G1, G2 } = curve
  const expect = async (fault: string, ...pairs: readonly (readonly [Uint8Array, Uint8Array])[]) => {
    // Infinity pairs to one, which the curve's own pairing does not know.
    const finite = pairs.filter(([left, right]) => !G1.isZero(left) && !G2.isZero(right))
    if (finite.length > 0 && !(await curve.pairingEq(...finite.flat()))) faults.push(fault)
  }
  const negative = (point: Uint8Array) => G1.neg(point)
  const evaluate = createEvaluate(curve, key)
  const vanishingG2 = G2.add(setup.tauDomainG2, G2.neg(G2.g))
  const { domain } = key
  if (G2.isZero(vanishingG2)) return ['tau is a root of unity, where every check holds']

  await expect('alpha differs between the groups', [key.alphaG1, G2.g], [negative(G1.g), setup.alphaG2])
  await expect('beta differs between the groups', [key.betaG1, G2.g], [negative(G1.g), key.betaG2])
  await expect('delta differs between the groups', [key.deltaG1, G2.g], [negative(G1.g), key.deltaG2])
  if (!G2.eq(key.gammaG2, G2.g)) faults.push('gamma is not the generator')
  if (G2.eq(key.deltaG2, G2.g)) faults.push('nobody contributed to delta, so that anyone can forge')

  const drawn = [...drawWeights(domain - 1), 0n]
  const times = [0n, ...drawn.slice(0, -1)]
  const one = await evaluate([1n, ...Array<bigint>(domain - 1).fill(0n)])
  const highest = await evaluate([...Array<bigint>(domain - 1).fill(0n), 1n])
  await expect(
    'H is not evaluation at tau',
    [await evaluate(drawn), setup.tauG2],
    [negative(await evaluate(times)), G2.g],
  )
  await expect(
    'tau to the domain is another power',
    [highest, setup.tauG2],
    [negative(one), setup.tauDomainG2],
  )
  await expect('H is not scaled by Z(tau) / delta', [one, key.deltaG2], [negative(G1.g), vanishingG2])

  const weights = drawWeights(r1cs.wires)
  const at = async (matrix: Matrix, chosen: readonly bigint[]) =>
    evaluate(combine(r1cs, domain, matrix, chosen))
  const b = await weighted(G1, key.bG1, weights)
  const bG2 = await weighted(G2, key.bG2, weights)
  await expect(
    'points of A are not of this circuit',
    [await weighted(G1, key.a, weights), vanishingG2],
    [negative(await at('a', weights)), key.deltaG2],
  )
  await expect(
    'points of B are not of this circuit',
    [b, vanishingG2],
    [negative(await at('b', weights)), key.deltaG2],
  )
  if (!isInSubgroup(curve, bG2)) faults.push('points of B in G2 lie outside the group')
  else await expect('points of B differ between the groups', [b, G2.g], [negative(G1.g), bG2])

  const privateFrom = r1cs.publicSignals + 1
  const masked = weights.map((weight, wire) => (wire < privateFrom ? 0n : weight))
  await expect(
    'points of C are not of this circuit',
    [await weighted(G1, key.c, weights.slice(privateFrom)), vanishingG2],
    [negative(await at('a', masked)), key.betaG2],
    [negative(await at('b', masked)), setup.alphaG2],
    [negative(await at('c', masked)), G2.g],
  )
  return faults
}

function findShapeFaults(key: Zkey, r1cs: R1cs): string[] {
  const rows = r1cs.constraints.length + r1cs.publicSignals + 1
  const wanted = {
    wires: [key.wires, r1cs.wires],
    'public signals': [key.publicSignals, r1cs.publicSignals],
    domain: [key.domain, 2 ** Math.ceil(Math.log2(rows))],
    'bytes of signals': [key.signals.length, 64 * (r1cs.publicSignals + 1)],
    'bytes of A': [key.a.length, 64 * r1cs.wires],
    'bytes of B in G1': [key.bG1.length, 64 * r1cs.wires],
    'bytes of B in G2': [key.bG2.length, 128 * r1cs.wires],
    'bytes of C': [key.c.length, 64 * (r1cs.wires - r1cs.publicSignals - 1)],
    'bytes of H': [key.h.length, 64 * key.domain],
  }
  const faults = Object.entries(wanted)
    .filter(([, [found, expected]]) => found !== expected)
    .map(([name, [found, expected]]) => `${name}: ${found} instead of ${expected}`)
  const expected = coefficientsOf(r1cs)
  const differs = (index: number) => {
    const [left, right] = [key.coefficients[index], expected[index]]
    return (
      left === undefined ||
      right === undefined ||
      left.matrix !== right.matrix ||
      left.row !== right.row ||
      left.wire !== right.wire ||
      left.factor !== right.factor
    )
  }
  const longest = Math.max(key.coefficients.length, expected.length)
  const first = Array.from({ length: longest }, (_, index) => index).find(differs)
  if (first !== undefined) faults.push(`coefficient ${first} is not of this circuit`)
  return faults
}

/** In the order in which snarkjs writes them. Each public signal has a row of its own in A, after the constraints. */
function coefficientsOf(r1cs: R1cs): Coefficient[] {
  const own = r1cs.constraints.flatMap(({ a, b }, row) => [
    ...a.map(({ wire, factor }) => ({ matrix: 'a' as const, row, wire, factor })),
    ...b.map(({ wire, factor }) => ({ matrix: 'b' as const, row, wire, factor })),
  ])
  for (let wire = 0; wire <= r1cs.publicSignals; wire++)
    own.push({ matrix: 'a', row: r1cs.constraints.length + wire, wire, factor: 1n })
  return own
}

function findInvalidPoints(curve: Curve, key: Zkey, setup: Setup): string[] {
  const faults: string[] = []
  const inG1 = {
    alpha: key.alphaG1,
    beta: key.betaG1,
    delta: key.deltaG1,
    signals: key.signals,
    A: key.a,
    B: key.bG1,
    C: key.c,
    H: key.h,
  }
  for (const [name, points] of Object.entries(inG1))
    if (!areOnCurve(curve, 'G1', points)) faults.push(`${name} has a point off the curve`)
  if (!areOnCurve(curve, 'G2', key.bG2)) faults.push('B has a point off the curve in G2')
  const inG2 = { ...setup, beta: key.betaG2, gamma: key.gammaG2, delta: key.deltaG2 }
  for (const [name, point] of Object.entries(inG2))
    if (!areOnCurve(curve, 'G2', point) || !isInSubgroup(curve, point)) faults.push(`${name} is not in G2`)
  const nonzero = { alpha: key.alphaG1, beta: key.betaG1, delta: key.deltaG1, tau: setup.tauG2 }
  for (const [name, point] of Object.entries(nonzero))
    if (point.every((byte) => byte === 0)) faults.push(`${name} is infinity`)
  return faults
}

function areOnCurve(curve: Curve, group: 'G1' | 'G2', points: Uint8Array): boolean {
  const length = 2 * curve[group].F.n8
  for (let at = 0; at < points.length; at += length)
    if (!curve[group].isValid(points.slice(at, at + length))) return false
  return true
}

const isInSubgroup = ({ G2 }: Curve, point: Uint8Array): boolean =>
  G2.isZero(point) || G2.isZero(G2.timesScalar(point, fieldModulus))

/** From a polynomial's coefficients, its value at tau times Z(tau) / delta, if H is what it should be. */
function createEvaluate(curve: Curve, key: Zkey): (coefficients: readonly bigint[]) => Promise<Uint8Array> {
  const { domain } = key
  const root = rootOfUnity(domain)
  const shift = rootOfUnity(2 * domain)
  return (coefficients) => {
    let scale = 1n
    const shifted = coefficients.map((coefficient) => {
      const value = (coefficient * scale) % fieldModulus
      scale = (scale * shift) % fieldModulus
      return value
    })
    // At the odd powers Z is -2; H holds the Lagrange basis of twice the domain there.
    const values = evaluateAtPowers(shifted, root).map((value) => reduce(-2n * value))
    return weighted(curve.G1, key.h, values)
  }
}

/** The coefficients of the weighted sum of the wires' polynomials. */
function combine(r1cs: R1cs, domain: number, matrix: Matrix, weights: readonly bigint[]): bigint[] {
  const sum = (terms: readonly Term[]) =>
    terms.reduce((total, { wire, factor }) => total + factor * (weights[wire] ?? 0n), 0n) % fieldModulus
  const values = Array<bigint>(domain).fill(0n)
  for (const [row, constraint] of r1cs.constraints.entries())
    values[row] = sum(constraint[matrix satisfies keyof Constraint])
  if (matrix === 'a')
    for (let wire = 0; wire <= r1cs.publicSignals; wire++)
      values[r1cs.constraints.length + wire] = weights[wire] ?? 0n
  const inverseRoot = power(rootOfUnity(domain), BigInt(domain - 1))
  const inverseSize = power(BigInt(domain), fieldModulus - 2n)
  return evaluateAtPowers(values, inverseRoot).map((value) => (value * inverseSize) % fieldModulus)
}

function drawWeights(count: number): bigint[] {
  const bytes = randomBytes(16 * count)
  return Array.from(
    { length: count },
    (_, index) => bytes.readBigUInt64LE(16 * index) | (bytes.readBigUInt64LE(16 * index + 8) << 64n),
  )
}

/** Affine, since a sum over nothing but infinity comes back as no point at all until it is made so. */
async function weighted(group: Group, points: Uint8Array, weights: readonly bigint[]): Promise<Uint8Array> {
  const scalars = new Uint8Array(32 * weights.length)
  for (const [index, weight] of weights.entries()) writeElement(weight, scalars, 32 * index)
  return group.toAffine(await group.multiExpAffine(points, scalars))
}
