// Every kind of valid, malleated and bad proof on a real chain: what the verifier answers, by name, and that no shortage
// of gas turns a valid proof into a false one.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Contract } from '../src/compile.ts'
import { casesOf, gasLimits, refusedByPrecompile, someSignals } from './cases.ts'
import { type Chain, hasChain, openChain } from './chain.ts'
import { calldata, readRefusal, readRevert, readVerdict } from './contract.ts'
import { trapdoorKey, words } from './trapdoor.ts'
import { type Kind, keyOf, signalCounts, sourcesOf, taskProof } from './verifiers.ts'

// npm brings anvil for some platforms only.
describe.skipIf(!hasChain).each(['v2', 'v3'] as const)('the verifier of %s', (kind: Kind) => {
  const signals = someSignals(signalCounts[kind], kind)
  const cases = casesOf(keyOf(kind), signals, trapdoorKey(signalCounts[kind], 'another'))
  let chain: Chain
  let contract: Contract
  let at = ''

  beforeAll(async () => {
    chain = await openChain()
    contract = taskProof(kind)
    at = (await chain.deploy(contract.bytecode)).contract
  })
  afterAll(() => chain.close())

  const ask = (name: string, ...args: readonly (readonly bigint[])[]) =>
    chain.call([{ to: at, data: calldata(contract, name, ...args) }])

  test('names what is wrong with every bad proof, and accepts every valid one', async () => {
    const answers = await chain.call(
      cases.map((one) => ({ to: at, data: calldata(contract, 'refusalOf', one.proof, one.signals) })),
    )
    expect(answers.map((answer, index) => `${cases[index]?.name}: ${readRefusal(answer)}`)).toEqual(
      cases.map((one) => `${one.name}: ${one.answer}`),
    )
  })

  test('says true exactly where there is no refusal', async () => {
    const answers = await chain.call(
      cases.map((one) => ({ to: at, data: calldata(contract, 'verify', one.proof, one.signals) })),
    )
    const wanted = (answer: string) =>
      answer === refusedByPrecompile ? answer : answer === 'None' ? 'true' : 'false'
    expect(answers.map((answer, index) => `${cases[index]?.name}: ${readVerdict(answer)}`)).toEqual(
      cases.map((one) => `${one.name}: ${wanted(one.answer)}`),
    )
  })

  test('refuses arguments that are cut short', async () => {
    const whole = calldata(contract, 'verify', words(keyOf(kind).prove(signals, 'honest')), signals)
    const lengths = [10, 12, 64, 8 + 512, whole.length - 64, whole.length - 2]
    const answers = await chain.call(lengths.map((length) => ({ to: at, data: whole.slice(0, length) })))
    expect(answers.map(readRevert)).toEqual(lengths.map(() => 'reverts: 0x'))
  })

  test('with too little gas never calls a valid proof false', async () => {
    const data = calldata(contract, 'verify', words(keyOf(kind).prove(signals, 'honest')), signals)
    const answers = await chain.call(gasLimits.map((gas) => ({ to: at, data, gas })))
    const seen = answers.map(readVerdict)
    expect(seen.filter((verdict) => verdict === 'false')).toEqual([])
    expect(seen[0]).toBe('reverts: 0x')
    expect(seen.at(-1)).toBe('true')
  })

  test('says which key it holds', async () => {
    const [version] = await ask('VERIFIER_VERSION')
    expect(version?.data).toBe(`0x${(kind === 'v2' ? 2n : 3n).toString(16).padStart(64, '0')}`)
    const [circuit] = await ask('CIRCUIT_SHA256')
    expect(circuit?.data).toBe(`0x${'c1'.repeat(32)}`)
    const [verifyingKey] = await ask('VERIFYING_KEY_SHA256')
    expect(verifyingKey?.data).toBe(`0x${'5e'.repeat(32)}`)
    const [trust] = await ask('TRUST')
    expect(Buffer.from(trust?.data.slice(130, 130 + 22) ?? '', 'hex').toString()).toBe('development')
  })

  test('reverts on a chain that lacks a precompile, instead of reading what was never written', async () => {
    const sources = sourcesOf(kind)
    for (const address of [6, 7, 8]) {
      const name = `Groth16Verifier${kind.toUpperCase()}.sol`
      const text =
        sources[name]?.replaceAll(`staticcall(gas(), ${address},`, `staticcall(gas(), 0xee${address},`) ?? ''
      expect(text).not.toBe(sources[name] ?? '')
      const lacking = taskProof(kind, { ...sources, [name]: text })
      const { contract: to } = await chain.deploy(lacking.bytecode)
      const data = calldata(lacking, 'verify', words(keyOf(kind).prove(signals, 'honest')), signals)
      expect((await chain.call([{ to, data }])).map(readVerdict)).toEqual([refusedByPrecompile])
    }
  })
})
