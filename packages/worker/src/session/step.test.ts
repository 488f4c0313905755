/** Whatever an orchestrator sends, in whatever order: the session never throws and stays within its bounds. */
import { expect, test } from 'bun:test'
import { decodeFrame, encodeFrame } from '@shardy/protocol'
import fc from 'fast-check'
import {
  batchOf,
  challenge,
  deliveryOf,
  digestOf,
  heartbeatMs,
  input,
  output,
  rules,
  Scenario,
  salt,
  signature,
} from '../../test/scenario.ts'
import type { Effect } from './effect.ts'
import type { Input } from './input.ts'
import { isOpen } from './small/work.ts'

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
    .record({
      numbers: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      commitFirst: fc.boolean(),
    })
    .map(({ numbers, commitFirst }) => encodeFrame('deliveries', batchOf(numbers, { commitFirst }))),
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom('cancel', 'closings', 'settlements'))
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

type Move = typeof moves extends fc.Arbitrary<infer T> ? T : never

const offer = { ...rules.offer, prefetch: 8 }

function play(conversation: readonly Move[], look: (scenario: Scenario) => void): readonly Effect[] {
  const scenario = new Scenario({ offer }).admit()
  const effects: Effect[] = []
  /** By what and for which run: nothing else answers it. */
  const asked = new Set<string>()
  const collect = (): void => {
    effects.push(...scenario.effects)
    for (const effect of scenario.effects) if ('run' in effect) asked.add(`${effect.kind} ${effect.run}`)
  }
  for (const move of conversation) {
    if (move.kind === 'reply') {
      for (const [effect, reply] of repliesOf(move.run, scenario.state.attempts)) {
        if (effect !== undefined && !asked.has(`${effect} ${move.run}`)) continue
        scenario.feed(reply)
        collect()
      }
    } else {
      if (move.kind === 'frame') scenario.receive(move.bytes)
      else if (move.kind === 'wait') scenario.wait(move.durationMs)
      else scenario.feed({ kind: move.kind })
      collect()
    }
    look(scenario)
  }
  return effects
}

/** Whatever could answer a run, in the order in which it would, with the effect that it answers. */
function repliesOf(
  run: number,
  connection: number,
): readonly (readonly [Effect['kind'] | undefined, Input])[] {
  const outputDigest = digestOf(output)
  const outcome = { ok: true, output, outputDigest, proof: undefined } as const
  return [
    [undefined, { kind: 'opened', connection }],
    [undefined, { kind: 'helloSigned', connection, signature }],
    ['verify', { kind: 'verified', run, inputDigest: digestOf(input), attestationHolds: true }],
    ['verifyBatch', { kind: 'batchVerified', run, holds: run % 4 !== 0 }],
    ['execute', { kind: 'executed', run, output, outputDigest, transcript: [], proof: undefined, salt }],
    ['executeBatch', { kind: 'batchExecuted', run, outcomes: [outcome], salts: new Uint8Array(32) }],
    ['signResult', { kind: 'resultSigned', run, signature }],
  ]
}

/** What is kept as sums is what counting gives, and nothing is held that has no place. */
function expectWhole({ state }: Scenario): void {
  const { small } = state
  const executing = [...state.deliveries.values()].filter(({ phase }) => phase.kind === 'executing')
  expect(executing.length).toBeLessThanOrEqual(1)
  for (const { run } of executing) expect(state.executing).toBe(run)
  const held = [...small.held.values()]
  for (const [phase, count] of Object.entries(small.counts)) {
    expect(held.filter((item) => item.phase === phase).length).toBe(count)
  }
  const open = held.filter(isOpen)
  expect(small.operations).toBe(open.reduce((sum, { program }) => sum + program.facts.complexity, 0))
  expect(open.length).toBeLessThanOrEqual(rules.slots + offer.prefetch)
  const batches = [...small.runs.values(), ...[...small.signing.values()].map(({ batch }) => batch)]
  const placed = new Set([...batches.flat(), ...small.queue.slice(small.taken)])
  for (const item of held) {
    if (item.phase !== 'committed' && item.phase !== 'answered') expect(placed.has(item)).toBe(true)
  }
  if (state.connection.kind !== 'admitted') expect(state.deliveries.size + small.held.size).toBe(0)
}

/** No delivery is answered twice in a session, or answered and handed back. */
function expectOneAnswer(effects: readonly Effect[]): void {
  const said = new Map<string, string>()
  for (const effect of effects) {
    if (effect.kind === 'connect') said.clear()
    if (effect.kind !== 'send') continue
    const decoded = decodeFrame(effect.bytes, 'worker')
    if (!decoded.ok) continue
    const { type, body } = decoded.value
    const ids =
      type === 'results'
        ? body.results.map(({ deliveryId }) => deliveryId)
        : type === 'result' || type === 'reject'
          ? [body.deliveryId]
          : []
    for (const id of ids) {
      const before = said.get(id)
      // What was handed back, or had its verdict, may be delivered anew.
      if (before !== undefined && before !== 'reject') expect([before, type]).toEqual([before, 'redelivered'])
      said.set(id, type)
    }
  }
}

test('any conversation keeps the bounds and is repeatable', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60 }), (conversation) => {
      const effects = play(conversation, expectWhole)
      expect(play(conversation, () => {})).toEqual(effects)
    }),
  )
})

test('no delivery is answered twice', () => {
  // Without verdicts and cancels, after which an id may come again.
  const unsettled = moves.filter((move) => move.kind !== 'frame' || ![12, 22].includes(move.bytes[0] ?? 0))
  fc.assert(
    fc.property(fc.array(unsettled, { maxLength: 60 }), (conversation) => {
      expectOneAnswer(play(conversation, () => {}))
    }),
  )
})
