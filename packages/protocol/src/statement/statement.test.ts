import { expect, test } from 'bun:test'
import { sha256 } from '../../test/sha256.ts'
import { domainPayload } from '../payload.ts'
import { type Statement, statement, statementLeaf } from './statement.ts'

const delivered = {
  role: 'delivery',
  taskId: '01'.repeat(16),
  deliveryId: '02'.repeat(16),
  programId: '03'.repeat(32),
  seed: 4n,
  inputDigest: '05'.repeat(32),
  outputDigest: undefined,
  workerId: '06'.repeat(32),
  deadlineMs: 7,
  traceRoot: undefined,
} as unknown as Statement

const rule = 'a result names its output, a delivery has none yet'

test('a delivery that names an output and a result that names none cannot be written', () => {
  expect(() => statement.encode({ ...delivered, role: 'result' })).toThrow(rule)
  const outputDigest = delivered.inputDigest
  expect(() => statement.encode({ ...delivered, outputDigest })).toThrow(rule)
  expect(() => statement.encode({ ...delivered, role: 'result', outputDigest })).not.toThrow()
})

test('nor are they read', () => {
  const bytes = statement.encode(delivered)
  bytes[1] = 2
  expect(statement.decode(bytes)).toEqual({
    ok: false,
    refusal: { kind: 'inconsistent', field: 'Statement.outputDigest', rule },
  })
})

test('a delivery that has a trace already can be neither written nor read (spec S7)', () => {
  const traceRoot = delivered.inputDigest
  expect(() => statement.encode({ ...delivered, traceRoot })).toThrow('a delivery has no trace yet')
  const outputDigest = delivered.inputDigest
  const bytes = statement.encode({ ...delivered, role: 'result', outputDigest, traceRoot })
  expect(statement.decode(bytes)).toMatchObject({ ok: true, value: { traceRoot } })
  const withoutOutput = Uint8Array.from([...statement.encode(delivered), ...bytes.subarray(-34)])
  expect(statement.decode(withoutOutput)).toMatchObject({
    ok: false,
    refusal: { kind: 'inconsistent', field: 'Statement.traceRoot' },
  })
})

test('the leaf is the hash of a zero byte, the domain and the bytes (spec S2, S4)', () => {
  const payload = domainPayload('statement', statement.encode(delivered))
  expect(statementLeaf(delivered, sha256)).toEqual(sha256(new Uint8Array([0, ...payload])))
})

test('the role alone tells a delivery from a result', () => {
  const outputDigest = delivered.inputDigest
  const result = statement.encode({ ...delivered, role: 'result', outputDigest })
  expect(result[1]).toBe(2)
  expect(statement.encode(delivered)[1]).toBe(1)
})
