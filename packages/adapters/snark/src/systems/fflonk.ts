/**
 * FFLONK (eprint 2021/1167) as snarkjs has it: four commitments and sixteen numbers. The last, `inv`, spares a contract its
 * inversions. snarkjs does not look at it, so any value would do; here it must be the one, or a proof had many spellings.
 */

import { keccak_256 } from '@noble/hashes/sha3.js'
import { fieldOrder, type PublicSignals } from '@shardy/proofs'
import { elementLength, power, product, readElement, reduce, rootOfUnity, writeElement } from './field.ts'
import { type Place, type Point, type ProofParts, pointFromJson, proofForm } from './proofForm.ts'
import type { UniversalKey } from './universalKey.ts'
import { type UniversalForm, universalSystem } from './universalSystem.ts'

const commitments = ['C1', 'C2', 'W1', 'W2']
/** In the order in which they are hashed; `inv` is not. */
const hashed = ['ql', 'qr', 'qm', 'qo', 'qc', 's1', 's2', 's3', 'a', 'b', 'c', 'z', 'zw', 't1w', 't2w']

export const fflonkForm: UniversalForm = {
  name: 'fflonk',
  proof: proofForm('fflonk', [
    ...commitments.map((name): Place => ({ group: 'polynomials', name, kind: 'point' })),
    ...[...hashed, 'inv'].map((name): Place => ({ group: 'evaluations', name, kind: 'number' })),
  ]),
  key: {
    system: 'fflonk',
    points: ['C0'],
    selectors: [],
    numbers: ['k1', 'k2', 'w', 'w3', 'w4', 'w8', 'wr'],
  },
  isConsistent: (key, signals, parts) => {
    const inverse = parts.numbers.get('evaluations.inv') ?? 0n
    return reduce(inverse * denominators(key, signals, parts)) === 1n
  },
}

export const fflonk = universalSystem(fflonkForm)

/** The product of everything that a verifier divides by. */
function denominators(key: UniversalKey, signals: PublicSignals, { points, numbers }: ProofParts): bigint {
  const root = (name: string): bigint => key.numbers.get(name) ?? 0n
  const commitment = (name: string): Point => points.get(`polynomials.${name}`) ?? [0n, 0n]
  const c0 = pointFromJson(key.json.C0, 'C0')
  if (!c0.ok) throw new Error(c0.refusal.detail)
  const beta = challenge(...c0.value, ...signals, ...commitment('C1'))
  const gamma = challenge(beta)
  const seed = challenge(gamma, ...commitment('C2'))
  const alpha = challenge(seed, ...hashed.map((name) => numbers.get(`evaluations.${name}`) ?? 0n))
  const y = challenge(alpha, ...commitment('W1'))

  const w = rootOfUnity(key.domainPower)
  const h0 = power(seed, 3n)
  const h1 = power(seed, 6n)
  const h2 = power(seed, 8n)
  const h3 = reduce(h2 * root('wr'))
  const xi = power(seed, 24n)
  const xiNext = reduce(xi * w)
  const sets = [
    { points: turns(h0, root('w8'), 8), scale: product([8n, power(h0, 6n)]) },
    { points: turns(h1, root('w4'), 4), scale: product([4n, power(h1, 2n)]) },
    { points: turns(h2, root('w3'), 3), scale: product([3n, h2, reduce(xi - xiNext)]) },
    { points: turns(h3, root('w3'), 3), scale: product([3n, h3, reduce(xiNext - xi)]) },
  ]
  const distances = sets.map((set) => product(set.points.map((each) => reduce(y - each))))
  const lagrange = sets.flatMap((set, index) => [
    power(set.scale, BigInt(set.points.length)),
    product(set.points),
    distances[index] ?? 0n,
  ])
  const domainSize = 2n ** BigInt(key.domainPower)
  const signalPoints = turns(1n, w, signals.length).map((each) => reduce(domainSize * (xi - each)))
  return product([reduce(power(xi, domainSize) - 1n), ...distances.slice(1), ...lagrange, ...signalPoints])
}

const turns = (start: bigint, root: bigint, count: number): bigint[] =>
  Array.from({ length: count }, (_, index) => reduce(start * power(root, BigInt(index))))

function challenge(...numbers: readonly bigint[]): bigint {
  const bytes = new Uint8Array(numbers.length * elementLength)
  for (const [index, value] of numbers.entries()) writeElement(bytes, index * elementLength, value)
  return readElement(keccak_256(bytes), 0) % fieldOrder
}
