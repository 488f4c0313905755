import { expect, test } from 'bun:test'
import { sha256 } from '../../test/sha256.ts'
import type { DeliveryId, Digest, WorkerId } from '../ids.ts'
import { domainPayload } from '../payload.ts'
import { commitmentContent, commitTo } from './commitment.ts'

const content = {
  workerId: '01'.repeat(32) as WorkerId,
  deliveryId: '02'.repeat(16) as DeliveryId,
  outputDigest: '03'.repeat(32) as Digest,
  salt: '04'.repeat(32),
  traceRoot: undefined,
}

test('is the hash of worker, delivery, answer and salt under its own domain (spec S6)', () => {
  const payload = domainPayload('commitment', commitmentContent.encode(content))
  expect(commitTo(content, sha256)).toBe(Buffer.from(sha256(payload)).toString('hex') as Digest)
})

test('is bound to each of them: nobody else, and no other delivery, can use it', () => {
  const commitments = [
    content,
    { ...content, workerId: '11'.repeat(32) as WorkerId },
    { ...content, deliveryId: '12'.repeat(16) as DeliveryId },
    { ...content, outputDigest: '13'.repeat(32) as Digest },
    { ...content, salt: '14'.repeat(32) },
    { ...content, traceRoot: '05'.repeat(32) as Digest },
    { ...content, traceRoot: '15'.repeat(32) as Digest },
  ].map((one) => commitTo(one, sha256))
  expect(new Set(commitments).size).toBe(7)
})
