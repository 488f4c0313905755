import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { deliveryOf, heartbeatMs, output, Scenario, startMs } from '../../test/scenario.ts'
import { closeTextLengthMax, reconnectMsMax, reconnectMsMin, uplinkBytesPerMs } from './bounds.ts'
import { nextWakeMs } from './liveness.ts'

test('heartbeats go out at every interval and name what is in flight', () => {
  const scenario = new Scenario().admit().deliver()
  expect(scenario.wait(heartbeatMs).sent).toEqual([{ type: 'heartbeat', body: { sequence: 1, inFlight: 1 } }])
  scenario.frame('heartbeat', { sequence: 1, inFlight: 1 })
  expect(scenario.wait(heartbeatMs).sent).toEqual([{ type: 'heartbeat', body: { sequence: 2, inFlight: 1 } }])
})

test('three silent intervals end the connection', () => {
  const scenario = new Scenario().admit()
  expect(scenario.wait(3 * heartbeatMs - 1).done).toEqual(['heartbeat', 'heartbeat'])
  scenario.wait(1)
  expect(scenario.lostReason).toEqual({ kind: 'heartbeatUnanswered', intervals: 3 })
  expect(scenario.effects[0]).toEqual({ kind: 'close', connection: 1, cause: 'silence' })
})

test('what a close says reaches nobody raw: terminals obey what they print', () => {
  const scenario = new Scenario().admit()
  const text = `\u001b]0;owned\u0007\u009b2J\u202e\n${'x'.repeat(200)}`
  scenario.feed({ kind: 'closed', connection: 1, code: 4000, text })
  const safe = `${`?]0;owned??2J? ${'x'.repeat(200)}`.slice(0, closeTextLengthMax - 3)}...`
  expect(scenario.lostReason).toEqual({ kind: 'connectionClosed', code: 4000, text: safe })
})

test('an answered line lives on', () => {
  const scenario = new Scenario().admit()
  for (let sequence = 1; sequence <= 20; sequence++) {
    scenario.wait(heartbeatMs).frame('heartbeat', { sequence, inFlight: 0 })
  }
  expect(scenario.state.connection.kind).toBe('admitted')
})

test('a long raw frame on its way is not silence', () => {
  const scenario = new Scenario().admit().frame('delivery', deliveryOf(1))
  scenario.wait(10 * heartbeatMs)
  expect(scenario.state.connection.kind).toBe('admitted')
  scenario.wait(120_000)
  expect(scenario.state.connection.kind).not.toBe('admitted')
})

test('no echo is expected before an output can be through a slow uplink', () => {
  const uploadMs = Math.ceil(output.length / uplinkBytesPerMs)
  expect(uploadMs).toBeGreaterThan(0)
  const scenario = new Scenario().admit().deliver(1, { commitFirst: false }).verify(1).execute(1).sign(1)
  expect(scenario.sent.map(({ type }) => type)).toEqual(['result', 'raw'])
  scenario.wait(3 * heartbeatMs + uploadMs - 1)
  expect(scenario.state.connection.kind).toBe('admitted')
  scenario.wait(1)
  expect(scenario.lostReason).toEqual({ kind: 'heartbeatUnanswered', intervals: 3 })
})

describe('handshake', () => {
  const until: { desc: string; make: () => Scenario }[] = [
    { desc: 'connecting', make: () => new Scenario().feed({ kind: 'start' }) },
    { desc: 'no challenge', make: () => new Scenario().connect() },
    { desc: 'no welcome', make: () => new Scenario().greet() },
  ]
  test.each(until)('gives up: $desc', ({ make }) => {
    const scenario = make().wait(14_999)
    expect(scenario.lostReason).toBeUndefined()
    scenario.wait(1)
    expect(scenario.lostReason).toEqual({ kind: 'handshakeTimeout' })
    expect(scenario.done).toEqual(['close'])
  })
})

describe('reconnecting', () => {
  const closed = (scenario: Scenario): Scenario =>
    scenario.feed({ kind: 'closed', connection: scenario.state.attempts, code: 1006, text: 'gone' })

  test('a closed connection is tried again', () => {
    const scenario = closed(new Scenario().connect())
    expect(scenario.lostReason).toEqual({ kind: 'connectionClosed', code: 1006, text: 'gone' })
    scenario.wait(2_000)
    expect(scenario.done).toEqual(['connect'])
    expect(scenario.state.connection).toMatchObject({ kind: 'connecting', number: 2 })
  })

  test('waits grow, stay within their bounds, and differ between workers', () => {
    const waits = (jitterSeed: number): number[] => {
      const scenario = new Scenario().connect()
      scenario.state = { ...scenario.state, jitterSeed }
      return Array.from({ length: 12 }, () => {
        closed(scenario)
        const waitMs = (nextWakeMs(scenario.state) ?? 0) - scenario.nowMs
        scenario.wait(waitMs)
        return waitMs
      })
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const all = waits(seed)
        for (const [failures, waitMs] of all.entries()) {
          expect(waitMs).toBeGreaterThanOrEqual(reconnectMsMin)
          expect(waitMs).toBeLessThanOrEqual(Math.min(reconnectMsMax, reconnectMsMin * 2 ** (failures + 1)))
        }
      }),
    )
    expect(waits(1)).not.toEqual(waits(2))
  })

  test('an answered heartbeat makes the next wait short again', () => {
    const scenario = new Scenario().connect()
    scenario.state = { ...scenario.state, failures: 9 }
    scenario.admit()
    expect(scenario.state.failures).toBe(9)
    scenario.wait(heartbeatMs).frame('heartbeat', { sequence: 1, inFlight: 0 })
    expect(scenario.state.failures).toBe(0)
  })
})

test('stopping takes leave, and afterwards nothing happens', () => {
  const scenario = new Scenario().admit().feed({ kind: 'stop' })
  expect(scenario.done).toEqual(['presence', 'close'])
  expect(scenario.sent).toEqual([{ type: 'presence', body: { state: 'leaving' } }])
  expect(scenario.stopReason).toEqual({ kind: 'asked' })
  expect(nextWakeMs(scenario.state)).toBeUndefined()
  scenario.nowMs = startMs + 1_000_000
  scenario.feed({ kind: 'woke' }, { kind: 'start' }, { kind: 'stop' }, { kind: 'pause' }, { kind: 'resume' })
  expect(scenario.effects).toEqual([])
})

test('stopping while waiting or connecting needs no leave', () => {
  expect(new Scenario().connect().feed({ kind: 'stop' }).done).toEqual(['close'])
  const waiting = new Scenario().connect().feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
  expect(waiting.feed({ kind: 'stop' }).done).toEqual([])
  expect(waiting.stopReason).toEqual({ kind: 'asked' })
})
