// What the text of a contract depends on, and keys that must not become one.

import { expect, test } from 'bun:test'
import { parseVerifyingKey } from '@shardy/proofs'
import { groth16Verifier, type VerifierFacts } from '../src/groth16Verifier.ts'
import { trapdoorKey } from './trapdoor.ts'

const facts: VerifierFacts = {
  name: 'Verifier',
  circuit: 'some-circuit',
  verifierVersion: 7,
  trust: 'development',
  circuitSha256: 'ab'.repeat(32),
  verifyingKeySha256: 'cd'.repeat(32),
}

function write(
  change: Readonly<Record<string, unknown>> = {},
  otherFacts: Partial<VerifierFacts> = {},
): string {
  const key = parseVerifyingKey({ ...JSON.parse(trapdoorKey(2, 'writer').json), ...change })
  if (!key.ok) throw new Error(key.refusal.detail)
  return groth16Verifier(key.value, { ...facts, ...otherFacts })
}

test('the same key makes the same text', () => {
  expect(write()).toBe(write())
})

test('a development key is called one in the contract, and a ceremony key is not', () => {
  expect(write()).toContain('@notice DEVELOPMENT KEY')
  expect(write()).toContain('TRUST = "development"')
  expect(write({}, { trust: 'ceremony' })).not.toContain('DEVELOPMENT')
})

test('a key that leaves a signal unbound is refused', () => {
  const key = parseVerifyingKey(JSON.parse(trapdoorKey(2, 'writer').json))
  if (!key.ok) throw new Error(key.refusal.detail)
  const signals = key.value.signals.with(2, new Uint8Array(64))
  expect(() => groth16Verifier({ ...key.value, signals }, facts)).toThrow(
    'some-circuit does not bind its signal 1',
  )
})

test('a digest that is none is refused', () => {
  expect(() => write({}, { circuitSha256: '0x12' })).toThrow('not a SHA-256 in hex: 0x12')
})
