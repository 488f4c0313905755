import { expect, test } from 'bun:test'
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  attestedPayload,
  type DeliveryId,
  type Digest,
  type ProgramId,
  type Statement,
  type TaskId,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'
import { createSigner } from './signer.ts'

const statement = (number: number): Statement => ({
  role: 'delivery',
  taskId: '01'.repeat(16) as TaskId,
  deliveryId: number.toString(16).padStart(32, '0') as DeliveryId,
  programId: '02'.repeat(32) as ProgramId,
  seed: 7n,
  inputDigest: '03'.repeat(32) as Digest,
  outputDigest: undefined,
  traceRoot: undefined,
  workerId: '04'.repeat(32) as WorkerId,
  deadlineMs: 9 as TimeMs,
})

test('statements of one turn share a signature, and each verifies on its own', async () => {
  const identity = await generateIdentity({ extractable: false })
  let signatures = 0
  const signer = createSigner((payload) => {
    signatures++
    return identity.sign(payload)
  }, sha256)
  const statements = [1, 2, 3, 4, 5].map(statement)
  const attestations = await Promise.all(statements.map((each) => signer.attest(each)))
  expect(signatures).toBe(1)
  for (const [index, attestation] of attestations.entries()) {
    const payload = attestedPayload(statement(index + 1), attestation, sha256)
    expect(payload).toBeDefined()
    if (payload) expect(await verifySignature(identity.publicKey, payload, attestation.signature)).toBe(true)
  }
})

test('a signature that fails fails its batch and not the next', async () => {
  const identity = await generateIdentity({ extractable: false })
  let calls = 0
  const signer = createSigner(async (payload) => {
    if (++calls === 1) throw new Error('no key')
    return identity.sign(payload)
  }, sha256)
  expect(signer.attest(statement(1))).rejects.toThrow('no key')
  await signer.attest(statement(1)).catch(() => {})
  expect((await signer.attest(statement(2))).count).toBe(1)
})
