import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { sha256 } from '../../test/sha256.ts'
import type { DeliveryId, Digest, TaskId, WorkerId } from '../ids.ts'
import { encodeHex } from '../schema/hex.ts'
import { isFieldElement, scalarFieldOrder } from './field.ts'
import {
  idSignal,
  publicSignalCounts,
  type TaskProofV2,
  type TaskProofV3,
  taskProofV2Signals,
  taskProofV3Signals,
  workerSignals,
} from './signals.ts'

const hexOf = <T extends string>(length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => encodeHex(bytes) as T)

const block: TaskProofV3 = {
  taskId: '01'.repeat(16) as TaskId,
  deliveryId: '02'.repeat(16) as DeliveryId,
  workerId: '03'.repeat(32) as WorkerId,
  outputDigest: '04'.repeat(32) as Digest,
  outputLength: 5,
  position: { node: 6, tileRow: 7, tileColumn: 8, depth: 9 },
  commitA: 10n,
  commitB: 11n,
  commitIn: 12n,
  commitOut: 13n,
}
const identity: TaskProofV2 = {
  taskId: block.taskId,
  seed: 6n,
  outputDigest: block.outputDigest,
  outputLength: 5,
}

test('an id can be read back from its signal, so no two share one (spec E7)', () => {
  fc.assert(
    fc.property(hexOf<TaskId>(16), (id) => {
      expect(idSignal(id).toString(16).padStart(32, '0')).toBe(id)
      expect(isFieldElement(idSignal(id))).toBe(true)
    }),
  )
  fc.assert(
    fc.property(hexOf<WorkerId>(32), (id) => {
      const signals = workerSignals(id)
      expect(signals.map((signal) => signal.toString(16).padStart(32, '0')).join('')).toBe(id)
      expect(signals.every(isFieldElement)).toBe(true)
    }),
  )
})

test('ids that are congruent modulo r still differ', () => {
  const text = (value: bigint) => value.toString(16).padStart(64, '0') as WorkerId
  expect(workerSignals(text(scalarFieldOrder + 1n))).not.toEqual(workerSignals(text(1n)))
})

test('each statement has so many signals, all of them elements', () => {
  expect(taskProofV2Signals(identity, sha256)).toHaveLength(publicSignalCounts.v2)
  expect(taskProofV3Signals(block, sha256)).toHaveLength(publicSignalCounts.v3)
  expect(
    [...taskProofV2Signals(identity, sha256), ...taskProofV3Signals(block, sha256)].every(isFieldElement),
  ).toBe(true)
})

test('another value of any field changes exactly the signals that it goes into', () => {
  const others: [Partial<TaskProofV3>, readonly number[]][] = [
    [{ taskId: '11'.repeat(16) as TaskId }, [0]],
    [{ deliveryId: '11'.repeat(16) as DeliveryId }, [1]],
    [{ workerId: ('11'.repeat(16) + '03'.repeat(16)) as WorkerId }, [2]],
    [{ workerId: ('03'.repeat(16) + '11'.repeat(16)) as WorkerId }, [3]],
    [{ outputDigest: '11'.repeat(32) as Digest }, [4]],
    [{ outputLength: 6 }, [4]],
    [{ position: { ...block.position, depth: 10 } }, [5]],
    [{ commitA: 14n }, [6]],
    [{ commitB: 14n }, [7]],
    [{ commitIn: 14n }, [8]],
    [{ commitOut: 14n }, [9]],
  ]
  const signals = taskProofV3Signals(block, sha256)
  for (const [other, changed] of others)
    expect(differing(signals, taskProofV3Signals({ ...block, ...other }, sha256))).toEqual(changed)
  const short: [Partial<TaskProofV2>, readonly number[]][] = [
    [{ taskId: '11'.repeat(16) as TaskId }, [0]],
    [{ seed: 7n }, [1]],
    [{ outputLength: 6 }, [2, 3]],
    [{ outputDigest: '11'.repeat(32) as Digest }, [3]],
  ]
  const identitySignals = taskProofV2Signals(identity, sha256)
  for (const [other, changed] of short)
    expect(differing(identitySignals, taskProofV2Signals({ ...identity, ...other }, sha256))).toEqual(changed)
})

function differing(some: readonly bigint[], others: readonly bigint[]): readonly number[] {
  return some.flatMap((signal, index) => (signal === others[index] ? [] : [index]))
}

test('what has no place in a signal throws', () => {
  for (const seed of [-1n, 2n ** 64n])
    expect(() => taskProofV2Signals({ ...identity, seed }, sha256)).toThrow('is not 64 bits')
  for (const taskId of ['', '01'.repeat(15), '01'.repeat(17), 'AB'.repeat(16)])
    expect(() => idSignal(taskId as TaskId)).toThrow('is no id of 16 bytes')
  expect(() => workerSignals('01'.repeat(31) as WorkerId)).toThrow('is no id of 32 bytes')
  for (const commitIn of [-1n, scalarFieldOrder])
    expect(() => taskProofV3Signals({ ...block, commitIn }, sha256)).toThrow('is no commitment')
})
