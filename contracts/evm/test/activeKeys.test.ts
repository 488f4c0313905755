// The committed contracts, under the keys that are in use: proofs that snarkjs made of the circuits themselves hold, and
// what is changed in them does not.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openVerifier } from '@shardy/proofs'
import { activeKey } from '../src/activeKeys.ts'
import { type Contract, compile, readSources } from '../src/compile.ts'
import { type Chain, hasChain, openChain } from './chain.ts'
import { calldata, readRefusal, readVerdict } from './contract.ts'
import proofs from './proofs.json'

// npm brings anvil for some platforms only.
describe.skipIf(!hasChain).each(['v2', 'v3'] as const)('the committed contract of %s', (kind) => {
  const { key, facts } = activeKey(kind)
  const kept = proofs[kind]
  const bytes = Buffer.from(kept.proof, 'hex')
  const proof = Array.from({ length: 8 }, (_, at) => BigInt(`0x${kept.proof.slice(64 * at, 64 * at + 64)}`))
  const signals = kept.signals.map(BigInt)
  let chain: Chain
  let contract: Contract
  let at = ''

  beforeAll(async () => {
    chain = await openChain()
    const name = `TaskProof${kind.toUpperCase()}`
    const sources = readSources(['Groth16.sol', `Groth16Verifier${kind.toUpperCase()}.sol`, `${name}.sol`])
    contract = compile(sources, name)
    at = (await chain.deploy(contract.bytecode)).contract
  })
  afterAll(() => chain.close())

  test('has a proof to try, under the key that is active', () => {
    // If this fails the key has changed: npx bun contracts/evm/test/writeProofs.ts
    expect(kept.verifyingKeySha256).toBe(facts.verifyingKeySha256)
  })

  test('accepts the proof, as JavaScript does', async () => {
    const answers = await chain.call([{ to: at, data: calldata(contract, 'verify', proof, signals) }])
    expect(answers.map(readVerdict)).toEqual(['true'])
    const opened = await openVerifier(key)
    if (!opened.ok) throw new Error(opened.refusal.detail)
    expect(opened.value.verify(bytes, signals)).toEqual({ ok: true })
  })

  test('refuses it with any signal changed', async () => {
    const answers = await chain.call(
      signals.map((signal, changed) => ({
        to: at,
        data: calldata(contract, 'refusalOf', proof, signals.with(changed, signal ^ 1n)),
      })),
    )
    expect(answers.map(readRefusal)).toEqual(signals.map(() => 'False'))
  })

  test('names the key that it holds', async () => {
    const names = ['VERIFIER_VERSION', 'CIRCUIT_SHA256', 'VERIFYING_KEY_SHA256']
    const answers = await chain.call(names.map((name) => ({ to: at, data: calldata(contract, name) })))
    expect(answers.map(({ data }) => BigInt(data))).toEqual([
      BigInt(facts.verifierVersion),
      BigInt(`0x${facts.circuitSha256}`),
      BigInt(`0x${facts.verifyingKeySha256}`),
    ])
  })
})
