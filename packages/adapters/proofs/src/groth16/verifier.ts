/**
 * Groth16 over BN254: e(A, B) = e(α, β) · e(L, γ) · e(C, δ) with L = IC₀ + Σ sⱼ·ICⱼ. What depends on the key alone is worked out once. A
 * batch is one equation, weighted at random after its proofs are fixed: one Miller loop for each proof, two more, and one final
 * exponentiation. A batch that fails is halved until each false proof is named.
 */
import { elementLength } from '../bn254/bytes.ts'
import { openFixedBaseG1 } from '../bn254/fixedBase.ts'
import { frSize, g1Size, g2Size, gtSize, loadMcl, type Mcl, openScope, plainFr } from '../bn254/mcl.ts'
import { openNumbers } from '../bn254/numbers.ts'
import { openPoints } from '../bn254/points.ts'
import { openSubgroup } from '../bn254/subgroup.ts'
import { accepted, type Outcome, type ProofRefusal, refuse, type Verdict } from '../refusal.ts'
import { refuseSignals } from '../signals.ts'
import type { PublicSignals, Statement, SystemVerifier } from '../system.ts'
import { refuseLength } from './proofJson.ts'
import type { VerifyingKey } from './verifyingKey.ts'
import { openWeights, weightTablesSize } from './weights.ts'

export interface Verifier extends SystemVerifier {
  readonly key: VerifyingKey
  verify(proof: Uint8Array, signals: PublicSignals): Verdict
  verifyBatch(items: readonly Statement[]): readonly Verdict[]
  /** Gives its memory back; it may not be asked anything afterwards. */
  close(): void
}

/** Proofs that share a final exponentiation; more would gain little and make one bad proof dearer. */
export const batchMax = 64

export async function openVerifier(key: VerifyingKey): Promise<Outcome<Verifier>> {
  const { mcl, close } = openScope(await loadMcl())
  const opened = openOn(mcl, key, close)
  if (!opened.ok) close()
  return opened
}

function openOn(mcl: Mcl, key: VerifyingKey, close: () => void): Outcome<Verifier> {
  const numbers = openNumbers(mcl)
  const points = openPoints(mcl, openSubgroup(mcl, numbers))
  const { signalCount } = key
  const [alpha, beta, gamma, delta] = [
    mcl.reserve(g1Size),
    mcl.reserve(g2Size),
    mcl.reserve(g2Size),
    mcl.reserve(g2Size),
  ]
  const bases = mcl.reserve(key.signals.length * g1Size)
  const refusal =
    points.readG1(alpha, key.alpha, 0, 'vk_alpha_1') ??
    points.readG2(beta, key.beta, 0, 'vk_beta_2') ??
    points.readG2(gamma, key.gamma, 0, 'vk_gamma_2') ??
    points.readG2(delta, key.delta, 0, 'vk_delta_2') ??
    firstRefusal(key.signals, (point, index) =>
      points.readG1(bases + index * g1Size, point, 0, `IC[${index}]`),
    )
  if (refusal !== undefined) return { ok: false, refusal }

  const expected = mcl.reserve(gtSize)
  mcl._mclBn_pairing(expected, alpha, beta)
  const precomputedSize = 8 * mcl._mclBn_getUint64NumToPrecompute()
  const precompute = (point: number): number => {
    // The equation is used with these on the other side.
    mcl._mclBnG2_neg(point, point)
    const target = mcl.reserve(precomputedSize)
    mcl._mclBn_precomputeG2(target, point)
    return target
  }
  const [minusGamma, minusDelta] = [precompute(gamma), precompute(delta)]
  const fixedBases = key.signals.map((_, index) => openFixedBaseG1(mcl, bases + index * g1Size))

  const weights = openWeights(mcl, numbers, batchMax)
  const [as, bs, cs] = [
    mcl.reserve(batchMax * g1Size),
    mcl.reserve(batchMax * g2Size),
    mcl.reserve(batchMax * g1Size),
  ]
  const weighted = mcl.reserve(batchMax * g1Size)
  const [tablesA, tablesC] = [
    mcl.reserve(weightTablesSize(batchMax)),
    mcl.reserve(weightTablesSize(batchMax)),
  ]
  const scalars = mcl.reserve(batchMax * signalCount * frSize)
  const [sumL, sumC, product, other, power] = [
    mcl.reserve(g1Size),
    mcl.reserve(g1Size),
    mcl.reserve(gtSize),
    mcl.reserve(gtSize),
    mcl.reserve(gtSize),
  ]
  const [total, term, raw] = [mcl.reserve(frSize), mcl.reserve(frSize), mcl.reserve(frSize)]

  /** The points of a proof into an item's place, when everything about them and the signals is in order. */
  function place(item: number, proof: Uint8Array, signals: PublicSignals): ProofRefusal | undefined {
    const refused = refuseLength(proof) ?? refuseSignals(signals, signalCount)
    if (refused !== undefined) return refused.refusal
    return (
      points.readG1(as + item * g1Size, proof, 0, 'A') ??
      points.readG1(cs + item * g1Size, proof, 6 * elementLength, 'C') ??
      points.readG2(bs + item * g2Size, proof, 2 * elementLength, 'B')
    )
  }

  /** sum += scalar · ICⱼ. */
  function addBase(sum: number, base: number, scalar: number): void {
    plainFr(mcl, raw, scalar)
    fixedBases[base]?.addProduct(sum, mcl.bytes(), raw)
  }

  function verify(proof: Uint8Array, signals: PublicSignals): Verdict {
    const refusal = place(0, proof, signals)
    return refusal === undefined ? verifyFirst(signals) : { ok: false, refusal }
  }

  /** The proof in the first place, alone and without a weight. */
  function verifyFirst(signals: PublicSignals): Verdict {
    mcl.bytes().copyWithin(sumL, bases, bases + g1Size)
    for (let index = 0; index < signalCount; index++) {
      numbers.writeFr(term, signals[index] as bigint)
      addBase(sumL, index + 1, term)
    }
    mcl._mclBn_millerLoop(product, as, bs)
    mcl._mclBn_precomputedMillerLoop2(other, sumL, minusGamma, cs, minusDelta)
    mcl._mclBnGT_mul(product, product, other)
    mcl._mclBn_finalExp(product, product)
    return mcl._mclBnGT_isEqual(product, expected) === 1 ? accepted : notHeld()
  }

  /** Whether the weighted equation holds for the items from `first` to before `end`. */
  function holds(first: number, end: number): boolean {
    numbers.writeFr(total, 0n)
    for (let item = first; item < end; item++) mcl._mclBnFr_add(total, total, weights.scalarAt(item))
    mcl._mclBnG1_clear(sumL)
    addBase(sumL, 0, total)
    for (let index = 0; index < signalCount; index++) {
      const sum = scalars + (first * signalCount + index) * frSize
      mcl.bytes().copyWithin(term, sum, sum + frSize)
      for (let item = first + 1; item < end; item++)
        mcl._mclBnFr_add(term, term, scalars + (item * signalCount + index) * frSize)
      addBase(sumL, index + 1, term)
    }
    weights.sum(sumC, tablesC, first, end)
    mcl._mclBn_millerLoopVec(product, weighted + first * g1Size, bs + first * g2Size, end - first)
    mcl._mclBn_precomputedMillerLoop2(other, sumL, minusGamma, sumC, minusDelta)
    mcl._mclBnGT_mul(product, product, other)
    mcl._mclBn_finalExp(product, product)
    mcl._mclBnGT_pow(power, expected, total)
    return mcl._mclBnGT_isEqual(product, power) === 1
  }

  /** Items that stand behind one another from 0, all in order; calls `fail` for each that is false. */
  function search(first: number, end: number, fail: (item: number) => void): void {
    if (holds(first, end)) return
    if (end - first === 1) return fail(first)
    const middle = (first + end) >> 1
    search(first, middle, fail)
    search(middle, end, fail)
  }

  function weigh(items: readonly Statement[]): void {
    const count = items.length
    weights.draw(count)
    weights.tabulate(tablesA, as, count)
    weights.tabulate(tablesC, cs, count)
    for (const [item, { signals }] of items.entries()) {
      weights.multiply(weighted + item * g1Size, tablesA, item)
      for (let index = 0; index < signalCount; index++) {
        const scalar = scalars + (item * signalCount + index) * frSize
        numbers.writeFr(scalar, signals[index] as bigint)
        mcl._mclBnFr_mul(scalar, scalar, weights.scalarAt(item))
      }
    }
  }

  function verifyBatch(items: readonly Statement[]): readonly Verdict[] {
    const verdicts: Verdict[] = items.map(() => accepted)
    let placed: number[] = []
    function settle(): void {
      const [only] = placed
      if (only === undefined) return
      if (placed.length === 1) {
        verdicts[only] = verifyFirst((items[only] as Statement).signals)
        placed = []
        return
      }
      weigh(placed.map((index) => items[index] as Statement))
      search(0, placed.length, (item) => {
        verdicts[placed[item] as number] = notHeld()
      })
      placed = []
    }
    for (const [index, { proof, signals }] of items.entries()) {
      const refusal = place(placed.length, proof, signals)
      if (refusal !== undefined) verdicts[index] = { ok: false, refusal }
      else if (placed.push(index) === batchMax) settle()
    }
    settle()
    return verdicts
  }

  return { ok: true, value: { system: 'groth16', key, signalCount, verify, verifyBatch, close } }
}

function notHeld(): Verdict {
  return refuse('false', 'the proof is well-formed, and the equation does not hold for these signals')
}

function firstRefusal<T>(
  items: readonly T[],
  check: (item: T, index: number) => ProofRefusal | undefined,
): ProofRefusal | undefined {
  for (const [index, item] of items.entries()) {
    const refusal = check(item, index)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
