import { expect, test } from 'bun:test'
import type { Digest } from '@shardy/protocol'
import { encodeProgram, type Program, tensorType } from '@shardy/tensor'
import { Scenario } from '../../test/scenario.ts'

const digest = 'ab'.repeat(32) as Digest
/** Takes as many bytes of input as the scenario's own program. */
const program: Program = {
  inputs: [tensorType('i8', [1, 18])],
  constants: [{ type: tensorType('i8', [18, 2]), digest }],
  nodes: [{ op: 'matmul', a: 0, b: 1, transposeB: false }],
  outputs: [2],
}
const blobs = new Map([[digest, new Uint8Array(36)]])

function fetching(): Scenario {
  return new Scenario()
    .admit()
    .deliver(1, { program: encodeProgram(program) })
    .verify(1)
}

test('a program with constants waits for them, then is executed with them', () => {
  const scenario = fetching()
  expect(scenario.done).toEqual(['ack', 'fetchConstants'])
  expect(scenario.phase()).toBe('fetching')
  scenario.feed({ kind: 'constantsFetched', run: 1, blobs })
  expect(scenario.effects.at(-1)).toMatchObject({ kind: 'execute', run: 1, blobs })
  expect(scenario.phase()).toBe('executing')
})

test('constants that cannot be brought hand the delivery back, with the reason', () => {
  const scenario = fetching().feed({ kind: 'constantsNotFetched', run: 1, text: 'HTTP 404' })
  expect(scenario.sent).toMatchObject([
    { type: 'reject', body: { reason: 'corrupted', message: 'HTTP 404' } },
  ])
  expect(scenario.state.deliveries.size).toBe(0)
})

test('a delivery that is taken back ends its fetch, and what comes of it is dropped', () => {
  const scenario = fetching()
  const [held] = scenario.state.deliveries.values()
  if (held === undefined) throw new Error('nothing is held')
  const { deliveryId } = held.delivery
  scenario.frame('cancel', { deliveryId, reason: 'taskCancelled' })
  expect(scenario.effects).toContainEqual({ kind: 'abort', run: 1 })
  scenario.feed({ kind: 'constantsFetched', run: 1, blobs })
  expect(scenario.effects).toEqual([])
  scenario.feed({ kind: 'constantsNotFetched', run: 1, text: 'aborted' })
  expect(scenario.effects).toEqual([])
})
