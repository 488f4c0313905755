// Proofs to try on a verifier, valid, malleated and bad, each with what the chain must answer. The first of each kind of
// fault that a proof or a signal can have is here; random ones are in differential.test.ts.

import { bn254 } from '@noble/curves/bn254.js'
import { baseOrder } from '@shardy/proofs'
import { scalarFieldOrder } from '@shardy/protocol'
import { seeded } from './seeded.ts'
import {
  G1,
  G2,
  type G2Point,
  type ProofPoints,
  type ProofWords,
  type TrapdoorKey,
  words,
} from './trapdoor.ts'

const { Fp2, Fr } = bn254.fields

export type Case = {
  readonly name: string
  readonly proof: ProofWords
  readonly signals: readonly bigint[]
  /** As `readRefusal` says it. */
  readonly answer: string
}

export const refusedByPrecompile = 'reverts: PrecompileRefused'

/** From far too little to enough, in steps smaller than what is left after a pairing took all it was given. */
export const gasLimits: readonly bigint[] = Array.from(
  { length: 300 },
  (_, step) => 50_000n + BigInt(step) * 1_000n,
)

/** Signals of every length up to the field's, none of them zero. */
export function someSignals(count: number, seed: string): readonly bigint[] {
  const random = seeded(`signals ${seed}`)
  return Array.from(
    { length: count },
    (_, index) => 1n + random.below(index % 2 === 0 ? 1n << 128n : scalarFieldOrder - 1n),
  )
}

export function casesOf(
  key: TrapdoorKey,
  signals: readonly bigint[],
  otherKey: TrapdoorKey,
): readonly Case[] {
  const honest = key.prove(signals, 'honest')
  const proof = words(honest)
  const other = key.prove(
    signals.map((signal, index) => (index === 0 ? signal + 1n : signal)),
    'other',
  )
  const { a, b, c } = honest
  const cofactorPoint = outsideSubgroup('cofactor')
    .multiplyUnsafe(scalarFieldOrder - 1n)
    .add(outsideSubgroup('cofactor'))
  const of = (name: string, points: ProofPoints | ProofWords, answer: string, values = signals): Case => ({
    name,
    proof: 'a' in points ? words(points) : points,
    signals: values,
    answer,
  })
  const wordNames = ['A.x', 'A.y', 'B.x.c1', 'B.x.c0', 'B.y.c1', 'B.y.c0', 'C.x', 'C.y']
  const oneSmaller = signals.map((signal, index) => (index === 0 ? signal - 1n : signal))
  return [
    of('honest', honest, 'None'),
    of('another honest proof of the same', key.prove(signals, 'again'), 'None'),
    ...Object.entries(malleated(honest, key.delta, 'table')).map(([name, points]) =>
      of(name, points, 'None'),
    ),
    of(
      'every signal zero',
      key.prove(
        signals.map(() => 0n),
        'zeros',
      ),
      'None',
      signals.map(() => 0n),
    ),
    of(
      'every signal one below the modulus',
      key.prove(
        signals.map(() => scalarFieldOrder - 1n),
        'largest',
      ),
      'None',
      signals.map(() => scalarFieldOrder - 1n),
    ),

    ...signals.flatMap((signal, at) =>
      [signal + scalarFieldOrder, signal + 4n * scalarFieldOrder, scalarFieldOrder, (1n << 256n) - 1n].map(
        (value, index) =>
          of(`signal ${at} not reduced (${index})`, honest, 'NonCanonical', replaced(signals, at, value)),
      ),
    ),
    ...proof.flatMap((value, at) =>
      [value + baseOrder, value + 4n * baseOrder, baseOrder, (1n << 256n) - 1n].map((wrong, index) =>
        of(`${wordNames[at]} not reduced (${index})`, replaced(proof, at, wrong), 'NonCanonical'),
      ),
    ),

    of('A at infinity', { ...honest, a: G1.ZERO }, 'Infinity'),
    of('B at infinity', { ...honest, b: G2.ZERO }, 'Infinity'),
    of('C at infinity', { ...honest, c: G1.ZERO }, 'Infinity'),
    of('all at infinity', { a: G1.ZERO, b: G2.ZERO, c: G1.ZERO }, 'Infinity'),

    ...proof.map((value, at) =>
      of(`${wordNames[at]} off by one`, replaced(proof, at, neighbour(value)), 'OffCurve'),
    ),
    ...proof.map((_, at) => of(`${wordNames[at]} zero`, replaced(proof, at, 0n), 'OffCurve')),
    of('parts of B swapped', permuted(proof, [0, 1, 3, 2, 5, 4, 6, 7]), 'OffCurve'),
    of('x and y of A swapped', permuted(proof, [1, 0, 2, 3, 4, 5, 6, 7]), 'OffCurve'),

    of('B outside the subgroup', { ...honest, b: outsideSubgroup('alone') }, refusedByPrecompile),
    of('B in the cofactor', { ...honest, b: cofactorPoint }, refusedByPrecompile),
    of('B plus a point of the cofactor', { ...honest, b: b.add(cofactorPoint) }, refusedByPrecompile),

    of('A negated', { ...honest, a: a.negate() }, 'False'),
    of('B negated', { ...honest, b: b.negate() }, 'False'),
    of('C negated', { ...honest, c: c.negate() }, 'False'),
    of('A and C swapped', { a: c, b, c: a }, 'False'),
    of('A doubled', { ...honest, a: a.double() }, 'False'),
    of('generators', { a: G1.BASE, b: G2.BASE, c: G1.BASE }, 'False'),
    of('C of another proof', { ...honest, c: other.c }, 'False'),
    of('of other signals', other, 'False'),
    of('of another key', otherKey.prove(signals, 'honest'), 'False'),
    of('first signal smaller by one', honest, 'False', oneSmaller),
    ...signals.map((_, at) => of(`signal ${at} zero`, honest, 'False', replaced(signals, at, 0n))),
    ...signals
      .slice(1)
      .map((_, at) => of(`signals ${at} and ${at + 1} swapped`, honest, 'False', swapped(signals, at))),
  ]
}

/** Other proofs of the same statement, which anyone can make of one. */
export function malleated(
  { a, b, c }: ProofPoints,
  delta: G2Point,
  seed: string,
): Readonly<Record<string, ProofPoints>> {
  const random = seeded(`malleated ${seed}`)
  const t = 2n + random.below(scalarFieldOrder - 2n)
  const s = 1n + random.below(scalarFieldOrder - 1n)
  const scaled = { a: a.multiply(t), b: b.multiply(Fr.inv(t)), c }
  const shifted = { a, b: b.add(delta.multiply(s)), c: c.add(a.multiply(s)) }
  return {
    'A·t and B/t': scaled,
    '−A and −B': { a: a.negate(), b: b.negate(), c },
    'B + s·δ and C + s·A': shifted,
    both: { ...shifted, a: shifted.a.multiply(t), b: shifted.b.multiply(Fr.inv(t)) },
  }
}

/** A point of the twist that is in neither the subgroup nor, but for luck that a test would notice, the cofactor. */
export function outsideSubgroup(seed: string): G2Point {
  const random = seeded(`twist ${seed}`)
  const threeByNinePlusI = Fp2.div({ c0: 3n, c1: 0n }, { c0: 9n, c1: 1n })
  for (;;) {
    const x = { c0: random.below(baseOrder), c1: random.below(baseOrder) }
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), threeByNinePlusI))
      return G2.fromAffine({ x, y })
    } catch {
      // Half of all x have no y.
    }
  }
}

const neighbour = (value: bigint) => (value + 1n === baseOrder ? value - 1n : value + 1n)

export function replaced(values: readonly bigint[], at: number, value: bigint): readonly bigint[] {
  return values.map((one, index) => (index === at ? value : one))
}

function permuted(values: readonly bigint[], order: readonly number[]): readonly bigint[] {
  return order.map((index) => values[index] ?? 0n)
}

function swapped(values: readonly bigint[], at: number): readonly bigint[] {
  return permuted(
    values,
    values.map((_, index) => (index === at ? at + 1 : index === at + 1 ? at : index)),
  )
}
