import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { frameBodies } from '../../test/arbitraries.ts'
import { sha256 } from '../../test/sha256.ts'
import type { OrchestratorId, PublicKey } from '../ids.ts'
import { protocolVersion } from '../limits.ts'
import {
  type Challenge,
  challenge,
  type Hello,
  helloPayload,
  negotiateVersion,
  orchestratorIdOf,
  workerIdOf,
} from './handshake.ts'

const hellos = frameBodies.hello as fc.Arbitrary<Hello>
const nonce = '0a'.repeat(32)
const orchestrator = '0b'.repeat(32) as OrchestratorId

test('a hello is signed over each of its fields, the nonce and for whom it is meant (spec W11)', () => {
  fc.assert(
    fc.property(hellos, hellos, (one, other) => {
      const { signature, ...content } = one
      const payload = helloPayload(content, nonce, orchestrator)
      expect(helloPayload(one, nonce, orchestrator)).toEqual(payload)
      expect(helloPayload(content, '0c'.repeat(32), orchestrator)).not.toEqual(payload)
      expect(helloPayload(content, nonce, '0c'.repeat(32) as OrchestratorId)).not.toEqual(payload)
      for (const name of Object.keys(content) as (keyof typeof content)[]) {
        const changed = { ...content, [name]: other[name] }
        const isSame = Bun.deepEquals(changed, content)
        if (isSame) expect(helloPayload(changed, nonce, orchestrator)).toEqual(payload)
        else expect(helloPayload(changed, nonce, orchestrator)).not.toEqual(payload)
      }
    }),
  )
})

test('an id is the hash of the whole public key', () => {
  const key = new Uint8Array(65).fill(4) as PublicKey
  const expected = Buffer.from(sha256(key)).toString('hex')
  expect<string>(workerIdOf(key, sha256)).toBe(expected)
  expect<string>(orchestratorIdOf(key, sha256)).toBe(expected)
})

describe('version negotiation (spec W13)', () => {
  const offers: { versionMin: number; versionMax: number; agreed: number | undefined }[] = [
    { versionMin: protocolVersion, versionMax: protocolVersion, agreed: protocolVersion },
    { versionMin: protocolVersion, versionMax: 65_535, agreed: protocolVersion },
    { versionMin: protocolVersion + 1, versionMax: 65_535, agreed: undefined },
  ]
  for (const { versionMin, versionMax, agreed } of offers) {
    test(`${versionMin} to ${versionMax} gives ${agreed}`, () => {
      expect(negotiateVersion({ versionMin, versionMax } as Challenge)).toBe(agreed)
    })
  }

  test('an offer from newest to oldest is refused', () => {
    const [valid] = fc.sample(frameBodies.challenge as fc.Arbitrary<Challenge>, { numRuns: 1, seed: 1 })
    if (valid === undefined) throw new Error('one sample was asked for')
    const bytes = challenge.encode({ ...valid, versionMin: 2, versionMax: 2 })
    bytes[1] = 3
    expect(challenge.decode(bytes)).toEqual({
      ok: false,
      refusal: {
        kind: 'inconsistent',
        field: 'Challenge.versionMin',
        rule: 'the oldest version is not above the newest',
      },
    })
  })
})
