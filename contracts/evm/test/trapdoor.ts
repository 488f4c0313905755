// Verifying keys whose secrets are known here, for tests: with them a proof of any signals can be made without a circuit,
// and it has the same distribution as an honest one. So a verifier can be tried on every shape of key in milliseconds.

import { bn254 } from '@noble/curves/bn254.js'
import { scalarFieldOrder } from '@shardy/protocol'
import { seeded } from './seeded.ts'

const { Fr } = bn254.fields
export const G1 = bn254.G1.Point
export const G2 = bn254.G2.Point
export type G1Point = typeof G1.BASE
export type G2Point = typeof G2.BASE
/** The eight words of a proof in the order of EIP-197. */
export type ProofWords = readonly bigint[]
export type ProofPoints = { readonly a: G1Point; readonly b: G2Point; readonly c: G1Point }

export type TrapdoorKey = {
  /** As snarkjs writes it. */
  readonly json: string
  readonly delta: G2Point
  /** A proof of the signals; the seed picks one of the many. */
  prove(signals: readonly bigint[], seed: string): ProofPoints
}

export function trapdoorKey(signalCount: number, seed: string): TrapdoorKey {
  const random = seeded(seed)
  const draw = () => 1n + random.below(scalarFieldOrder - 1n)
  const [alpha, beta, gamma, delta] = [draw(), draw(), draw(), draw()]
  const inputs = Array.from({ length: signalCount + 1 }, draw)
  const json = {
    protocol: 'groth16',
    curve: 'bn128',
    nPublic: signalCount,
    vk_alpha_1: curveJson(G1.BASE.multiply(alpha)),
    vk_beta_2: twistJson(G2.BASE.multiply(beta)),
    vk_gamma_2: twistJson(G2.BASE.multiply(gamma)),
    vk_delta_2: twistJson(G2.BASE.multiply(delta)),
    IC: inputs.map((scalar) => curveJson(G1.BASE.multiply(scalar))),
  }
  return {
    json: JSON.stringify(json),
    delta: G2.BASE.multiply(delta),
    prove(signals, proofSeed) {
      const picks = seeded(`${seed} ${proofSeed}`)
      const [a, b] = [1n + picks.below(scalarFieldOrder - 1n), 1n + picks.below(scalarFieldOrder - 1n)]
      const sum = inputs.reduce(
        (total, scalar, index) => total + scalar * (index === 0 ? 1n : (signals[index - 1] ?? 0n)),
        0n,
      )
      // a·b = α·β + sum·γ + c·δ, solved for c.
      const c = Fr.div(Fr.create(a * b - alpha * beta - sum * gamma), delta)
      return { a: G1.BASE.multiply(a), b: G2.BASE.multiply(b), c: G1.BASE.multiply(c) }
    },
  }
}

export function words({ a, b, c }: ProofPoints): ProofWords {
  return [...curveWords(a), ...twistWords(b), ...curveWords(c)]
}

export function curveWords(point: G1Point): readonly [bigint, bigint] {
  if (point.is0()) return [0n, 0n]
  const { x, y } = point.toAffine()
  return [x, y]
}

export function twistWords(point: G2Point): readonly [bigint, bigint, bigint, bigint] {
  if (point.is0()) return [0n, 0n, 0n, 0n]
  const { x, y } = point.toAffine()
  return [x.c1, x.c0, y.c1, y.c0]
}

function curveJson(point: G1Point) {
  return [...curveWords(point).map(String), '1']
}

function twistJson(point: G2Point) {
  const [x1, x0, y1, y0] = twistWords(point).map(String)
  return [
    [x0, x1],
    [y0, y1],
    ['1', '0'],
  ]
}
