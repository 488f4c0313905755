/**
 * What the adversary does who knows the challenge beforehand: small whole numbers d, not all zero, with d · r ≡ 0 modulo p
 * for every vector r. They are a short vector of a lattice, found by the algorithm of Lenstra, Lenstra and Lovász.
 */
import { expandVectors } from '../../src/check/vectors.ts'
import { checkModulus } from '../../src/modulus.ts'
import { sha256 } from '../sha256.ts'
import { onward } from './claims.ts'
import { at, change } from './scene.ts'

const p = BigInt(checkModulus)
const modulo = (value: bigint) => ((value % p) + p) % p

function inverse(value: bigint): bigint {
  let [result, base, exponent] = [1n, modulo(value), p - 2n]
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % p
    base = (base * base) % p
  }
  return result
}

/** A basis of all d with d · r ≡ 0 for every r: the last entries follow from the free first ones, or are multiples of p. */
function kernel(vectors: readonly (readonly bigint[])[]): bigint[][] {
  const rows = vectors.map((vector) => [...vector])
  const length = rows[0]?.length ?? 0
  rows.forEach((row, index) => {
    const pivot = length - 1 - index
    const scale = inverse(row[pivot] ?? 0n)
    for (let at = 0; at < length; at++) row[at] = modulo((row[at] ?? 0n) * scale)
    for (const other of rows) {
      const factor = other === row ? 0n : (other[pivot] ?? 0n)
      for (let at = 0; at < length; at++) other[at] = modulo((other[at] ?? 0n) - factor * (row[at] ?? 0n))
    }
  })
  return Array.from({ length }, (_, index) => {
    const vector = new Array<bigint>(length).fill(0n)
    if (index >= length - rows.length) vector[index] = p
    else {
      vector[index] = 1n
      rows.forEach((row, at) => {
        vector[length - 1 - at] = modulo(-(row[index] ?? 0n))
      })
    }
    return vector
  })
}

const dot = (one: readonly number[], other: readonly number[]) =>
  one.reduce((sum, x, at) => sum + x * (other[at] ?? 0), 0)

/** In doubles, which suffice for a handful of dimensions; what comes out is checked by the caller. */
export function shortVector(vectors: readonly (readonly number[])[]): readonly number[] {
  const basis = kernel(vectors.map((vector) => vector.map(BigInt))).map((vector) => vector.map(Number))
  const orthogonal = () => {
    const made: number[][] = []
    const factors = basis.map((vector) => {
      const row = made.map((one) => dot(vector, one) / dot(one, one))
      made.push(
        vector.map(
          (x, at) => x - row.reduce((sum, factor, index) => sum + factor * (made[index]?.[at] ?? 0), 0),
        ),
      )
      return row
    })
    return { made, factors }
  }
  let index = 1
  while (index < basis.length) {
    const vector = basis[index] as number[]
    for (let other = index - 1; other >= 0; other--) {
      const factor = Math.round(orthogonal().factors[index]?.[other] ?? 0)
      const lower = basis[other] as number[]
      if (factor !== 0)
        for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] ?? 0) - factor * (lower[at] ?? 0)
    }
    const { made, factors } = orthogonal()
    const [upper, lower] = [made[index] as number[], made[index - 1] as number[]]
    const factor = factors[index]?.[index - 1] ?? 0
    if (dot(upper, upper) >= (0.75 - factor * factor) * dot(lower, lower)) index += 1
    else {
      basis[index] = basis[index - 1] as number[]
      basis[index - 1] = vector
      index = Math.max(1, index - 1)
    }
  }
  return basis[0] as number[]
}

/** The first product is projected from the left: it has fewer rows than columns. */
const rows = 5
export const columns = 15

/** One column of the first product moved by what the vectors of this seed cannot see; all that follows comes from it. */
export function forgeryFor(seed: Uint8Array, repetitions: number, times = 1) {
  const { elements } = expandVectors(seed, repetitions, sha256).take(rows)
  const vectors = Array.from({ length: repetitions }, (_, index) => [
    ...elements.subarray(index * rows, (index + 1) * rows),
  ])
  const by = shortVector(vectors)
  if (by.every((entry) => entry === 0)) throw new Error('no entry would change')
  return onward(at.first, (tensor) =>
    change(tensor, (entry, index) => {
      return entry + (index % columns === 6 ? times * (by[Math.floor(index / columns)] ?? 0) : 0)
    }),
  )
}
