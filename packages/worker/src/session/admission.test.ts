import { describe, expect, test } from 'bun:test'
import { encodeFrame, helloPayload, orchestratorIdOf, type RefusalCode } from '@shardy/protocol'
import {
  challenge,
  deliveryOf,
  heartbeatMs,
  orchestratorKey,
  Scenario,
  sha256,
  signature,
} from '../../test/scenario.ts'

const orchestratorId = orchestratorIdOf(orchestratorKey, sha256)

test('start connects, and the challenge is answered with a hello over nonce and orchestrator', () => {
  const scenario = new Scenario()
  expect(scenario.feed({ kind: 'start' }).done).toEqual(['connect'])
  expect(scenario.feed({ kind: 'opened', connection: 1 }).done).toEqual([])
  scenario.frame('challenge', challenge)
  const { publicKey, agent, kinds, executor, adapter } = scenario.rules
  const hello = { version: 1, publicKey, agent, kinds, executor, adapter }
  expect(scenario.effects).toEqual([
    { kind: 'signHello', connection: 1, payload: helloPayload(hello, challenge.nonce, orchestratorId) },
  ])
  scenario.feed({ kind: 'helloSigned', connection: 1, signature })
  expect(scenario.sent).toEqual([{ type: 'hello', body: { ...hello, signature } }])
})

test('a welcome is answered with profile and presence, within the limits of both sides', () => {
  const scenario = new Scenario().admit()
  expect(scenario.sent).toEqual([
    {
      type: 'profileV2',
      body: { operationsPerSecond: 1_000_000, payloadBytesMax: 500_000, slots: 2, ...scenario.rules.offer },
    },
    { type: 'presence', body: { state: 'available' } },
  ])
  expect(scenario.state.connection).toMatchObject({
    kind: 'admitted',
    orchestrator: { clockOffsetMs: 5_000 },
  })
})

test('presence chosen before admission is told at admission', () => {
  const scenario = new Scenario()
  expect(scenario.feed({ kind: 'hidden', hidden: true }, { kind: 'pause' }).done).toEqual([])
  expect(scenario.admit().sent.at(-1)).toEqual({ type: 'presence', body: { state: 'paused' } })
})

test('starting twice connects once', () => {
  expect(new Scenario().feed({ kind: 'start' }, { kind: 'start' }).done).toEqual(['connect'])
})

test('versions without overlap stop the worker and say which', () => {
  const scenario = new Scenario().connect().frame('challenge', { ...challenge, versionMin: 2, versionMax: 3 })
  expect(scenario.stopReason).toEqual({ kind: 'unsupportedVersion', versionMin: 2, versionMax: 3 })
  expect(scenario.done).toEqual(['close'])
})

test('an identity that cannot sign stops the worker', () => {
  const scenario = new Scenario().connect().frame('challenge', challenge)
  scenario.feed({ kind: 'helloUnsigned', connection: 1, text: 'key gone' })
  expect(scenario.stopReason).toEqual({ kind: 'signingFailed', text: 'key gone' })
})

describe('refusals', () => {
  const codes: { code: RefusalCode; stops: boolean }[] = [
    { code: 'unsupportedVersion', stops: true },
    { code: 'badSignature', stops: true },
    { code: 'identityInUse', stops: true },
    { code: 'malformedFrame', stops: false },
    { code: 'unexpectedFrame', stops: false },
    { code: 'frameTooLarge', stops: false },
    { code: 'replayedHello', stops: false },
    { code: 'handshakeTimeout', stops: false },
    { code: 'heartbeatMissed', stops: false },
    { code: 'overloaded', stops: false },
    { code: 'shuttingDown', stops: false },
  ]
  test.each(codes)('$code', ({ code, stops }) => {
    const scenario = new Scenario().greet().frame('refusal', { code, message: 'because' })
    const reason = { kind: 'refused', code, text: 'because' } as const
    expect(scenario.stopReason).toEqual(stops ? reason : undefined)
    expect(scenario.lostReason).toEqual(stops ? undefined : reason)
    expect(scenario.done).toEqual(['close'])
  })

  test('identityInUse soon after a lost session is our own ghost, later it is a rival', () => {
    const scenario = new Scenario().admit()
    const refuse = (): void => {
      scenario.feed({ kind: 'opened', connection: scenario.state.attempts }).frame('challenge', challenge)
      scenario.feed({ kind: 'helloSigned', connection: scenario.state.attempts, signature })
      scenario.frame('refusal', { code: 'identityInUse', message: '' })
    }
    scenario.feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
    scenario.wait(2_000)
    refuse()
    expect(scenario.state.connection.kind).toBe('waiting')
    scenario.nowMs += 6 * heartbeatMs
    scenario.feed({ kind: 'woke' })
    refuse()
    expect(scenario.stopReason).toMatchObject({ code: 'identityInUse' })
  })
})

test('a rival that takes an admitted session ends it, also right after a reconnect', () => {
  const scenario = new Scenario().admit().feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
  scenario.wait(2_000).feed({ kind: 'opened', connection: 2 })
  scenario.admit().frame('refusal', { code: 'identityInUse', message: '' })
  expect(scenario.stopReason).toMatchObject({ code: 'identityInUse' })
})

describe('frames out of place end the connection with their name', () => {
  const welcome = { sessionId: 'ab'.repeat(16), heartbeatMs, payloadBytesMax: 1 } as never
  const cases: { desc: string; scenario: () => Scenario; frame: Uint8Array; reason: object }[] = [
    {
      desc: 'welcome before the challenge',
      scenario: () => new Scenario().connect(),
      frame: encodeFrame('welcome', welcome),
      reason: { kind: 'unexpectedFrame', frame: 'welcome', during: 'opened' },
    },
    {
      desc: 'welcome before the hello',
      scenario: () => new Scenario().connect().frame('challenge', challenge),
      frame: encodeFrame('welcome', welcome),
      reason: { kind: 'unexpectedFrame', frame: 'welcome', during: 'challenged' },
    },
    {
      desc: 'a second challenge',
      scenario: () => new Scenario().greet(),
      frame: encodeFrame('challenge', challenge),
      reason: { kind: 'unexpectedFrame', frame: 'challenge', during: 'helloSent' },
    },
    {
      desc: 'a second welcome',
      scenario: () => new Scenario().admit(),
      frame: encodeFrame('welcome', welcome),
      reason: { kind: 'unexpectedFrame', frame: 'welcome', during: 'admitted' },
    },
    {
      desc: 'a delivery before admission',
      scenario: () => new Scenario().greet(),
      frame: encodeFrame('delivery', deliveryOf(1)),
      reason: { kind: 'unexpectedFrame', frame: 'delivery', during: 'helloSent' },
    },
    {
      desc: "a worker's frame",
      scenario: () => new Scenario().admit(),
      frame: encodeFrame('ack', { deliveryId: deliveryOf(1).deliveryId }),
      reason: {
        kind: 'malformedFrame',
        refusal: { kind: 'unexpectedFrame', field: 'ack', sender: 'orchestrator' },
      },
    },
    {
      desc: 'an unknown type',
      scenario: () => new Scenario().connect(),
      frame: Uint8Array.of(250),
      reason: { kind: 'malformedFrame', refusal: { kind: 'unknownFrame', field: 'frame', actual: 250 } },
    },
    {
      desc: 'nothing at all',
      scenario: () => new Scenario().connect(),
      frame: new Uint8Array(0),
      reason: { kind: 'malformedFrame', refusal: { kind: 'truncated', field: 'frame' } },
    },
    {
      desc: 'a heartbeat that makes a flood',
      scenario: () => new Scenario().greet(),
      frame: encodeFrame('welcome', { ...(welcome as object), heartbeatMs: 0 } as never),
      reason: { kind: 'unusableHeartbeat', heartbeatMs: 0 },
    },
    {
      desc: 'an answer to a heartbeat never sent',
      scenario: () => new Scenario().admit(),
      frame: encodeFrame('heartbeat', { sequence: 1, inFlight: 0 }),
      reason: { kind: 'unexpectedFrame', frame: 'heartbeat', during: 'waiting for another sequence' },
    },
  ]
  test.each(cases)('$desc', ({ scenario: make, frame, reason }) => {
    const scenario = make().receive(frame)
    expect(scenario.lostReason).toEqual(reason)
    expect(scenario.effects[0]).toEqual({ kind: 'close', connection: 1, cause: 'violation' })
  })

  test('text', () => {
    expect(new Scenario().admit().receive(undefined).lostReason).toEqual({ kind: 'textFrame' })
  })
})

test('what an abandoned socket still says is ignored', () => {
  const scenario = new Scenario().admit().feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
  scenario.wait(2_000)
  const { state } = scenario
  scenario.feed(
    { kind: 'opened', connection: 1 },
    { kind: 'received', connection: 1, bytes: Uint8Array.of(250) },
    { kind: 'helloSigned', connection: 1, signature },
    { kind: 'helloUnsigned', connection: 1, text: '' },
    { kind: 'closed', connection: 1, code: 1000, text: '' },
  )
  expect(scenario.state).toBe(state)
  expect(scenario.effects).toEqual([])
})
