// The README's contract is compiled and used as it stands there: it takes a delivery's proof once, in whatever form it comes.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { compile } from '../src/compile.ts'
import { malleated } from './cases.ts'
import { hasChain, openChain } from './chain.ts'
import { calldata, readRevert, word } from './contract.ts'
import { words } from './trapdoor.ts'
import { keyOf, sourcesOf, taskProof } from './verifiers.ts'

const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8')

// npm brings anvil for some platforms only.
test.skipIf(!hasChain)('an audited delivery stays audited, whatever other proof of it comes', async () => {
  const sample = /```solidity\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const verifier = taskProof('v3')
  const audits = compile({ ...sourcesOf('v3'), 'Audits.sol': sample }, 'Audits')
  // Small enough that the statement's fields are easily told from the signals.
  const [taskId, deliveryId, high, low, digest, depth] = [1n, 2n, 3n, 4n, 5n, 6n]
  const commitments = [7n, 8n, 9n, 10n]
  const signals = [taskId, deliveryId, high, low, digest, depth, ...commitments]
  const fields = [taskId, deliveryId, (high << 128n) | low, digest, 0n, 0n, 0n, depth, ...commitments]
  const proof = keyOf('v3').prove(signals, 'readme')
  const chain = await openChain()
  try {
    const { contract: verifierAt } = await chain.deploy(verifier.bytecode)
    const { contract: to } = await chain.deploy(`${audits.bytecode}${word(BigInt(verifierAt))}`)
    const audit = (points: typeof proof) => calldata(audits, 'audit', words(points), fields)
    const wrong = { ...proof, c: proof.c.negate() }
    expect((await chain.call([{ to, data: audit(wrong) }])).map(readRevert)).toEqual(['reverts: ProofFalse'])
    expect((await chain.send({ to, data: audit(proof) })).status).toBe(true)
    for (const other of [proof, ...Object.values(malleated(proof, keyOf('v3').delta, 'readme'))])
      expect((await chain.send({ to, data: audit(other) })).status).toBe(false)
  } finally {
    await chain.close()
  }
})
