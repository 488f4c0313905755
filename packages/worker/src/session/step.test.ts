/** Whatever an orchestrator sends, in whatever order: the session never throws and stays within its bounds. */
import { expect, test } from 'bun:test'
import { encodeFrame } from '@shardy/protocol'
import fc from 'fast-check'
import {
  challenge,
  deliveryOf,
  digestOf,
  heartbeatMs,
  input,
  output,
  Scenario,
  salt,
  signature,
} from '../../test/scenario.ts'
import { step } from './step.ts'

const frames = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.constantFrom(
    encodeFrame('challenge', challenge),
    encodeFrame('welcome', { sessionId: 'ab'.repeat(16), heartbeatMs, payloadBytesMax: 1000 } as never),
    encodeFrame('refusal', { code: 'overloaded', message: '' }),
    encodeFrame('heartbeat', { sequence: 1, inFlight: 0 }),
    input,
  ),
  fc
    .record({ number: fc.integer({ min: 1, max: 4 }), commitFirst: fc.boolean(), returnOutput: fc.boolean() })
    .map(({ number, ...changes }) => encodeFrame('delivery', deliveryOf(number, changes))),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('cancel', 'closings', 'settlements'))
    .map(([number, type]) => {
      const { deliveryId } = deliveryOf(number)
      if (type === 'cancel') return encodeFrame('cancel', { deliveryId, reason: 'taskDecided' })
      if (type === 'closings') return encodeFrame('closings', { deliveryIds: [deliveryId] })
      const settlement = { deliveryId, outcome: 'accepted' as const, rewardMicroCredit: 1n as never }
      return encodeFrame('settlements', { settlements: [settlement] })
    }),
)

const moves = fc.oneof(
  { weight: 6, arbitrary: frames.map((bytes) => ({ kind: 'frame', bytes }) as const) },
  { weight: 3, arbitrary: fc.nat(8).map((run) => ({ kind: 'reply', run }) as const) },
  { weight: 1, arbitrary: fc.nat(5_000).map((durationMs) => ({ kind: 'wait', durationMs }) as const) },
  { weight: 1, arbitrary: fc.constantFrom('pause', 'resume').map((kind) => ({ kind }) as const) },
)

test('any conversation keeps the bounds and is repeatable', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60 }), (conversation) => {
      const scenario = new Scenario().admit()
      for (const move of conversation) {
        if (move.kind === 'frame') scenario.receive(move.bytes)
        else if (move.kind === 'wait') scenario.wait(move.durationMs)
        else if (move.kind === 'reply') {
          const { run } = move
          scenario.feed({ kind: 'opened', connection: scenario.state.attempts })
          scenario.feed({ kind: 'helloSigned', connection: scenario.state.attempts, signature })
          scenario.feed({ kind: 'verified', run, inputDigest: digestOf(input), attestationHolds: true })
          scenario.feed({
            kind: 'executed',
            run,
            output,
            outputDigest: digestOf(output),
            transcript: [],
            salt,
          })
          scenario.feed({ kind: 'resultSigned', run, signature })
        } else scenario.feed({ kind: move.kind })
        const { state } = scenario
        const executing = [...state.deliveries.values()].filter(({ phase }) => phase.kind === 'executing')
        expect(executing.length).toBeLessThanOrEqual(1)
        for (const { run } of executing) expect(state.executing).toBe(run)
        if (state.connection.kind !== 'admitted') expect(state.deliveries.size).toBe(0)
      }
      const woke = [0, 1].map(() =>
        step(scenario.rules, scenario.state, scenario.nowMs + 9_999, { kind: 'woke' }),
      )
      expect(woke[0]).toEqual(woke[1] as NonNullable<(typeof woke)[1]>)
    }),
  )
})
