// The verifier broken on purpose, one way at a time: the cases that the whole one passes must notice each. A mutant that
// none notices means that a check is not needed or not tested.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { baseOrder } from '@shardy/proofs'
import { compile, type Sources } from '../src/compile.ts'
import { casesOf, gasLimits, refusedByPrecompile, someSignals } from './cases.ts'
import { type Chain, hasChain, openChain } from './chain.ts'
import { calldata, readRefusal, readVerdict, word } from './contract.ts'
import { G1, G2, trapdoorKey, words } from './trapdoor.ts'
import { keyOf, signalCounts, sourcesOf, verifyingKeyOf } from './verifiers.ts'

const kind = 'v2'
const shared = 'Groth16.sol'
const generated = 'Groth16VerifierV2.sol'
const key = verifyingKeyOf(kind)
const verifierOf = (sources: Sources) => compile(sources, 'Groth16VerifierV2')

/** What stands in the text, and what a mutant has there. */
type Change = readonly [from: string, to: string]
type Mutant = { readonly name: string; readonly file: string; readonly changes: readonly Change[] }

/** A coordinate of a point of the key as the contract writes it. */
const coordinate = (point: Uint8Array | undefined, index: number) =>
  `0x${Buffer.from(point?.subarray(32 * index, 32 * index + 32) ?? []).toString('hex')}`
const swap = (left: string, right: string): readonly Change[] => [
  [left, 'SWAPPED'],
  [right, left],
  ['SWAPPED', right],
]

const unnegated = (point: Uint8Array): readonly Change[] =>
  [2, 3].map((index) => {
    const positive = coordinate(point, index)
    return [`0x${word(baseOrder - BigInt(positive))}`, positive] as const
  })

const mutants: readonly Mutant[] = [
  ...[0, 1, 2, 3].map((index) => {
    const at = index === 0 ? 'mload(signals)' : `mload(add(signals, 0x${(32 * index).toString(16)}))`
    return {
      name: `signal ${index} is not compared with the modulus`,
      file: generated,
      changes: [[`and(isCanonical, lt(${at}, SCALAR_MODULUS))`, 'isCanonical']] as const,
    }
  }),
  ...(['delta', 'beta', 'gamma'] as const).flatMap((name) => [
    { name: `${name} is not negated`, file: generated, changes: unnegated(key[name]) },
    {
      name: `${name} has its parts of x swapped`,
      file: generated,
      changes: swap(coordinate(key[name], 0), coordinate(key[name], 1)),
    },
  ]),
  {
    name: 'alpha has the place of the last input',
    file: generated,
    changes: [
      [coordinate(key.alpha, 0), coordinate(key.signals.at(-1), 0)],
      [coordinate(key.alpha, 1), coordinate(key.signals.at(-1), 1)],
    ],
  },
  {
    name: 'the last signal is read from the place of the first',
    file: generated,
    changes: [
      ['mstore(add(product, 0x40), mload(add(signals, 0x60)))', 'mstore(add(product, 0x40), mload(signals))'],
    ],
  },
  {
    name: 'sums overwrite instead of adding',
    file: generated,
    changes: [
      ['staticcall(gas(), 6, sum, 0x80, sum, 0x40)', 'staticcall(gas(), 6, product, 0x40, sum, 0x40)'],
    ],
  },
  {
    name: 'any answer is true',
    file: generated,
    changes: [['isTrue := eq(mload(pairs), 1)', 'isTrue := isAnswered']],
  },
  {
    name: 'a precompile that refuses is a false proof',
    file: generated,
    changes: [['revert PrecompileRefused()', 'return Refusal.False']],
  },
  {
    name: 'nobody looks at how a precompile ended',
    file: generated,
    changes: [['if (!isAnswered) revert PrecompileRefused();', '']],
  },
  {
    name: 'verify turns the answer round',
    file: generated,
    changes: [['signals) == Refusal.None', 'signals) != Refusal.None']],
  },
  ...['0x20', '0x40', '0x60', '0x80', '0xa0', '0xc0', '0xe0'].map((offset) => ({
    name: `the coordinate at ${offset} is not compared with the modulus`,
    file: shared,
    changes: [[`lt(calldataload(add(proof, ${offset})), BASE_MODULUS)`, '1']] as const,
  })),
  { name: 'A may be off the curve', file: shared, changes: [['_isOnCurve(proof[0], proof[1]) && ', '']] },
  { name: 'B may be off the twist', file: shared, changes: [['_isOnTwist(proof) && ', '']] },
  { name: 'C may be off the curve', file: shared, changes: [[' && _isOnCurve(proof[6], proof[7])', '']] },
  {
    name: 'real and imaginary part of the twist swapped',
    file: shared,
    changes: swap('TWIST_REAL, BASE', 'TWIST_IMAGINARY, BASE'),
  },
  {
    name: 'infinity has no name',
    file: shared,
    changes: [['return Refusal.Infinity', 'return Refusal.OffCurve']],
  },
]

describe.skipIf(!hasChain)('the cases notice that', () => {
  const signals = someSignals(signalCounts[kind], kind)
  const cases = casesOf(keyOf(kind), signals, trapdoorKey(signalCounts[kind], 'another'))
  const whole = sourcesOf(kind)
  let chain: Chain
  beforeAll(async () => {
    chain = await openChain()
  })
  afterAll(() => chain.close())

  /** The cases that a verifier of these sources does not answer as it should. */
  async function noticed(sources: Sources): Promise<readonly string[]> {
    const contract = verifierOf(sources)
    const { contract: to } = await chain.deploy(contract.bytecode)
    const answers = await chain.call([
      ...cases.map((one) => ({ to, data: calldata(contract, 'refusalOf', one.proof, one.signals) })),
      ...cases.map((one) => ({ to, data: calldata(contract, 'verify', one.proof, one.signals) })),
    ])
    return cases
      .filter((one, index) => {
        const [refusal, verdict] = [answers[index], answers[cases.length + index]]
        if (refusal === undefined || verdict === undefined) throw new Error('a call went unanswered')
        const isTrue = verdict.ok && verdict.data === `0x${word(1n)}`
        return readRefusal(refusal) !== one.answer || isTrue !== (one.answer === 'None')
      })
      .map((one) => one.name)
  }

  test('nothing is wrong with the whole verifier', async () => {
    expect(await noticed(whole)).toEqual([])
  })

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s', async (_, { file, changes }) => {
    const text = changes.reduce((before, [from, to]) => {
      expect(before).toContain(from)
      return before.replaceAll(from, to)
    }, whole[file] ?? '')
    expect(await noticed({ ...whole, [file]: text })).not.toEqual([])
  })

  const honest = words(keyOf(kind).prove(signals, 'honest'))
  const withChange = (from: string, to: string) => {
    const text = whole[generated] ?? ''
    expect(text).toContain(from)
    return verifierOf({ ...whole, [generated]: text.replaceAll(from, to) })
  }

  test('too little gas would make a valid proof false, were a refusing precompile no revert', async () => {
    const contract = withChange('revert PrecompileRefused()', 'return Refusal.False')
    const { contract: to } = await chain.deploy(contract.bytecode)
    const data = calldata(contract, 'verify', honest, signals)
    const answers = await chain.call(gasLimits.map((gas) => ({ to, data, gas })))
    expect(answers.map(readVerdict)).toContain('false')
  })

  test('a chain without pairings would accept anything, were the length of the answer not looked at', async () => {
    const lacking = (whole[generated] ?? '').replaceAll('staticcall(gas(), 8,', 'staticcall(gas(), 0xee8,')
    const heedless = lacking.replaceAll('eq(returndatasize(), 0x20)', '1')
    expect(heedless).not.toBe(lacking)
    // A.x of this proof is 1, which is what a true answer would be.
    const proof = words({ a: G1.BASE, b: G2.BASE, c: G1.BASE })
    const ask = async (text: string) => {
      const verifier = verifierOf({ ...whole, [generated]: text })
      const { contract: to } = await chain.deploy(verifier.bytecode)
      return (await chain.call([{ to, data: calldata(verifier, 'verify', proof, signals) }])).map(readVerdict)
    }
    expect(await ask(lacking)).toEqual([refusedByPrecompile])
    expect(await ask(heedless)).toEqual(['true'])
  })
})
