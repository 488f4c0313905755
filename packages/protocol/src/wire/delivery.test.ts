import { expect, test } from 'bun:test'
import type { Digest, ProgramId, WorkerId } from '../ids.ts'
import { statement } from '../statement/statement.ts'
import { type Delivery, deliveryStatement } from './delivery.ts'
import { resultStatement } from './result.ts'

const delivery = {
  taskId: '01'.repeat(16),
  deliveryId: '02'.repeat(16),
  seed: 3n,
  payloadDigest: '04'.repeat(32),
  deadlineMs: 5,
} as unknown as Delivery
const programId = '06'.repeat(32) as ProgramId
const workerId = '07'.repeat(32) as WorkerId
const outputDigest = '08'.repeat(32) as Digest
const traceRoot = '09'.repeat(32) as Digest

test('orchestrator and worker sign the same facts, told apart by role and output', () => {
  const delivered = deliveryStatement(delivery, programId, workerId)
  const answered = resultStatement(delivery, programId, workerId, { outputDigest, traceRoot })
  expect(delivered).toEqual({
    role: 'delivery',
    taskId: delivery.taskId,
    deliveryId: delivery.deliveryId,
    programId,
    seed: 3n,
    inputDigest: delivery.payloadDigest,
    outputDigest: undefined,
    workerId,
    deadlineMs: delivery.deadlineMs,
    traceRoot: undefined,
  })
  expect(answered).toEqual({ ...delivered, role: 'result', outputDigest, traceRoot })
  for (const value of [delivered, answered]) {
    expect(statement.decode(statement.encode(value))).toEqual({ ok: true, value })
  }
})
