import { expect, test } from 'bun:test'
import { streamEventTypes, streamEventView } from '@shardy/api'
import { type DeliveryId, type Digest, eventTypes, type MicroCredit, type WorkerId } from '@shardy/protocol'
import { Value } from '@sinclair/typebox/value'
import { streamRecordOf } from '../../test/streamRecords.ts'
import { streamRecord, streamRow, viewStreamEvent } from './streamRecord.ts'

const spent = {
  workUnits: 65_536,
  bytesIn: 2_048,
  bytesOut: 4_096,
  computeMs: 3,
  replicas: 1,
  checkedBy: 'projection',
  rewardMicroCredit: 1_000n as MicroCredit,
}
const whole = streamRecordOf(7, {
  deliveryId: 'ab'.repeat(16) as DeliveryId,
  workerId: 'cd'.repeat(32) as WorkerId,
  outputDigest: 'ef'.repeat(32) as Digest,
  spent,
})

test('whatever can happen to a task can be streamed', () => {
  for (const type of eventTypes) expect(streamEventTypes).toContain(type)
})

test('the numbers of the types on disk do not change', () => {
  const numbered = 'submitted 1, delivered 2, task_verified 10, task_accepted 13, slashed 19, dead_letter 21'
  for (const pair of numbered.split(', ')) {
    const [type, number] = pair.split(' ')
    expect(streamEventTypes.indexOf(type as 'submitted') + 1).toBe(Number(number))
  }
})

test('a record comes back as it was, alone and in a row', () => {
  const bare = streamRecordOf(1, { requesterId: undefined, taskId: undefined, detail: '' })
  for (const record of [whole, bare]) {
    expect(streamRecord.decode(streamRecord.encode(record))).toEqual({ ok: true, value: record })
  }
  const row = { bytesBefore: 2 ** 40, records: [whole, bare] }
  expect(streamRow.decode(streamRow.encode(row))).toEqual({ ok: true, value: row })
})

test('a view is what the contract says, and shows an output with a verdict and not before', () => {
  for (const type of streamEventTypes) {
    const view = viewStreamEvent({ sequence: 12, record: { ...whole, type } })
    expect(Value.Check(streamEventView, view)).toBe(true)
    expect(JSON.stringify(view)).not.toContain('requesterId')
    const isShown = ['task_verified', 'task_accepted', 'offence', 'slashed'].includes(type)
    expect(view.outputDigest !== undefined).toBe(isShown)
  }
  expect(viewStreamEvent({ sequence: 12, record: whole })).toMatchObject({
    cursor: '12',
    spent: { workUnits: 65_536, rewardMicroCredit: '1000' },
  })
})
