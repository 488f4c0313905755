// The contract and the JavaScript verifier must never differ: the same key, the same proofs, the same name for what is
// wrong. Where the chain cannot give a name, the table says what it does instead.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { baseOrder, openVerifier, type RefusalCode, type Verifier } from '@shardy/proofs'
import { scalarFieldOrder } from '@shardy/protocol'
import type { Contract } from '../src/compile.ts'
import { casesOf, malleated, outsideSubgroup, refusedByPrecompile, replaced, someSignals } from './cases.ts'
import { type Chain, hasChain, openChain } from './chain.ts'
import { calldata, readRefusal, word } from './contract.ts'
import { type Seeded, seeded } from './seeded.ts'
import { G1, G2, type ProofPoints, type ProofWords, trapdoorKey, words } from './trapdoor.ts'
import { type Kind, keyOf, signalCounts, taskProof, verifyingKeyOf } from './verifiers.ts'

const mutationsPerKind = 400

/** What the chain answers where JavaScript names this. */
const chainAnswers: Readonly<Partial<Record<RefusalCode | 'accepted', string>>> = {
  accepted: 'None',
  nonCanonical: 'NonCanonical',
  infinity: 'Infinity',
  offCurve: 'OffCurve',
  false: 'False',
  // The precompile checks it, and says nothing when it refuses.
  wrongSubgroup: refusedByPrecompile,
  // Arguments that are too short for their types do not reach the verifier.
  malformed: 'reverts: 0x',
  signalCount: 'reverts: 0x',
}

type Trial = { readonly name: string; readonly proof: ProofWords; readonly signals: readonly bigint[] }

describe.skipIf(!hasChain).each(['v2', 'v3'] as const)('%s on the chain and in JavaScript', (kind: Kind) => {
  const signalCount = signalCounts[kind]
  let chain: Chain
  let contract: Contract
  let at = ''
  let verifier: Verifier

  beforeAll(async () => {
    chain = await openChain()
    contract = taskProof(kind)
    at = (await chain.deploy(contract.bytecode)).contract
    const opened = await openVerifier(verifyingKeyOf(kind))
    if (!opened.ok) throw new Error(opened.refusal.detail)
    verifier = opened.value
  })
  afterAll(async () => {
    await chain.close()
  })

  const inJavaScript = (proof: Uint8Array, signals: readonly bigint[]) => {
    const verdict = verifier.verify(proof, signals)
    return verdict.ok ? 'accepted' : verdict.refusal.code
  }

  /** Both answers for each trial, the JavaScript one in the chain's words, and how often each came. */
  async function compare(trials: readonly Trial[]) {
    const answers = await chain.call(
      trials.map(({ proof, signals }) => ({ to: at, data: calldata(contract, 'refusalOf', proof, signals) })),
    )
    const seen = new Map<string, number>()
    const onChain: string[] = []
    const inOurs: string[] = []
    for (const [index, trial] of trials.entries()) {
      const answer = answers[index]
      if (answer === undefined) throw new Error(`${trial.name} went unanswered`)
      const code = inJavaScript(proofBytes(trial.proof), trial.signals)
      onChain.push(`${trial.name}: ${readRefusal(answer)}`)
      inOurs.push(`${trial.name}: ${chainAnswers[code]}`)
      seen.set(code, (seen.get(code) ?? 0) + 1)
    }
    return { onChain, inOurs, seen }
  }

  test('name the same for every kind of valid, malleated and bad proof', async () => {
    const cases = casesOf(keyOf(kind), someSignals(signalCount, kind), trapdoorKey(signalCount, 'another'))
    const { onChain, inOurs, seen } = await compare(cases)
    expect(onChain).toEqual(inOurs)
    expect([...seen.keys()].sort()).toEqual(
      ['accepted', 'false', 'infinity', 'nonCanonical', 'offCurve', 'wrongSubgroup'].sort(),
    )
  })

  test(`name the same for ${mutationsPerKind} mutations`, async () => {
    const random = seeded(`mutations of ${kind}`)
    const trials = Array.from({ length: mutationsPerKind }, (_, index) => mutation(kind, index, random))
    const { onChain, inOurs, seen } = await compare(trials)
    expect(onChain).toEqual(inOurs)
    for (const code of [
      'accepted',
      'false',
      'infinity',
      'nonCanonical',
      'offCurve',
      'wrongSubgroup',
    ] as const)
      expect(`${code}: ${(seen.get(code) ?? 0) > 4}`).toBe(`${code}: true`)
  }, 60_000)

  test('refuse proofs and signals of another length', async () => {
    const signals = someSignals(signalCount, 'lengths')
    const proof = words(keyOf(kind).prove(signals, 'lengths'))
    expect(inJavaScript(proofBytes(proof).subarray(1), signals)).toBe('malformed')
    expect(inJavaScript(proofBytes(proof), signals.slice(1))).toBe('signalCount')
    const whole = calldata(contract, 'refusalOf', proof, signals)
    const answers = await chain.call([2, 64].map((cut) => ({ to: at, data: whole.slice(0, -cut) })))
    expect(answers.map(readRefusal)).toEqual([chainAnswers.malformed, chainAnswers.signalCount].map(String))
  })
})

type Change = (
  points: ProofPoints,
  signals: readonly bigint[],
  random: Seeded,
  kind: Kind,
) => Omit<Trial, 'name'>

const withPoints =
  (change: (points: ProofPoints, random: Seeded) => ProofPoints): Change =>
  (points, signals, random) => ({ proof: words(change(points, random)), signals })
const withWord =
  (change: (value: bigint, random: Seeded) => bigint): Change =>
  (points, signals, random) => {
    const proof = words(points)
    const at = random.index(proof.length)
    return { proof: replaced(proof, at, change(proof[at] ?? 0n, random)), signals }
  }
const withSignal =
  (change: (value: bigint, random: Seeded) => bigint): Change =>
  (points, signals, random) => {
    const at = random.index(signals.length)
    return { proof: words(points), signals: replaced(signals, at, change(signals[at] ?? 0n, random)) }
  }
const flipped = (value: bigint, random: Seeded) => value ^ (1n << random.below(256n))
const place = (random: Seeded) => (['a', 'b', 'c'] as const)[random.index(3)] ?? 'a'

/** One fault each, so that there is one right name for it. */
const changes: Readonly<Record<string, Change>> = {
  none: withPoints((points) => points),
  'point at infinity': withPoints((points, random) => {
    const at = place(random)
    return at === 'b' ? { ...points, b: G2.ZERO } : { ...points, [at]: G1.ZERO }
  }),
  'point negated': withPoints((points, random) => {
    const at = place(random)
    return { ...points, [at]: points[at].negate() }
  }),
  'A times something': withPoints((points, random) => ({
    ...points,
    a: points.a.multiply(2n + random.below(1000n)),
  })),
  'other C': withPoints((points, random) => ({
    ...points,
    c: G1.BASE.multiply(1n + random.below(scalarFieldOrder - 1n)),
  })),
  'B moved out of the subgroup': withPoints((points, random) => ({
    ...points,
    b: points.b.add(outsideSubgroup(`${random.below(1n << 64n)}`)),
  })),
  'B outside the subgroup': withPoints((points, random) => ({
    ...points,
    b: outsideSubgroup(`${random.below(1n << 64n)}`),
  })),
  malleated: (points, signals, random, kind) => {
    const others = Object.values(malleated(points, keyOf(kind).delta, `${random.below(1n << 64n)}`))
    return { proof: words(others[random.index(others.length)] ?? points), signals }
  },
  'bit of a coordinate': withWord(flipped),
  'coordinate of 256 bits': withWord((_, random) => random.below(1n << 256n)),
  'coordinate below the modulus': withWord((_, random) => random.below(baseOrder)),
  'coordinate plus the modulus': withWord((value, random) => value + (1n + random.below(4n)) * baseOrder),
  'coordinates swapped': (points, signals, random) => {
    const proof = words(points)
    const [left, right] = [random.index(8), random.index(8)]
    const swapped = replaced(replaced(proof, left, proof[right] ?? 0n), right, proof[left] ?? 0n)
    return { proof: swapped, signals }
  },
  'bit of a signal': withSignal(flipped),
  'signal of 256 bits': withSignal((_, random) => random.below(1n << 256n)),
  'signal below the modulus': withSignal((_, random) => random.below(scalarFieldOrder)),
  'signal plus the modulus': withSignal(
    (value, random) => value + (1n + random.below(4n)) * scalarFieldOrder,
  ),
  'signals of another proof': (points, signals, random) => ({
    proof: words(points),
    signals: someSignals(signals.length, `${random.below(1n << 64n)}`),
  }),
}

function mutation(kind: Kind, index: number, random: Seeded): Trial {
  const names = Object.keys(changes)
  const name = names[index % names.length] ?? ''
  const signals = someSignals(signalCounts[kind], `${kind} ${index}`)
  const points = keyOf(kind).prove(signals, `mutation ${index}`)
  const change = changes[name]
  if (change === undefined) throw new Error(`no change ${name}`)
  return { name: `${index} ${name}`, ...change(points, signals, random, kind) }
}

const proofBytes = (proof: ProofWords) => Uint8Array.from(Buffer.from(proof.map(word).join(''), 'hex'))
