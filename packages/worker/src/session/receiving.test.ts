import { describe, expect, test } from 'bun:test'
import {
  attestedPayload,
  type Delivery,
  deliveryStatement,
  domainPayload,
  encodeHex,
  type ProgramId,
  type RejectReason,
} from '@shardy/protocol'
import {
  encodeProgram,
  inputLength,
  matmulProgram,
  noBlobs,
  outputLength,
  type Program,
} from '@shardy/tensor'
import {
  attestation,
  deliveryOf,
  digestOf,
  heartbeatMs,
  input,
  offsetMs,
  orchestratorKey,
  program,
  Scenario,
  salt,
  sha256,
  signature,
  startMs,
} from '../../test/scenario.ts'
import { committedBytesMax, committedMax } from './bounds.ts'

const deadline = (leftMs: number): Delivery['deadlineMs'] =>
  (startMs + offsetMs + leftMs) as Delivery['deadlineMs']

test('a delivery with its payload is verified, acknowledged and executed', () => {
  const scenario = new Scenario().admit().frame('delivery', deliveryOf(1))
  expect(scenario.done).toEqual([])
  expect(scenario.phase()).toBe('awaitingPayload')
  scenario.receive(input)
  const id = encodeHex(sha256(domainPayload('program', encodeProgram(program)))) as ProgramId
  const statement = deliveryStatement(deliveryOf(1), id, scenario.rules.workerId)
  expect(scenario.effects).toEqual([
    {
      kind: 'verify',
      run: 1,
      input,
      publicKey: orchestratorKey,
      payload: attestedPayload(statement, attestation, sha256) ?? new Uint8Array(),
      signature,
    },
  ])
  scenario.verify(1)
  expect(scenario.done).toEqual(['ack', 'execute'])
  expect(scenario.effects.at(-1)).toEqual({
    kind: 'execute',
    run: 1,
    work: { kind: 'program', program },
    input,
    blobs: noBlobs,
    transcript: false,
    proof: undefined,
    keepsInput: false,
  })
  expect(scenario.phase()).toBe('executing')
})

type Refused = { desc: string; reason: RejectReason; changes?: Partial<Delivery>; make?: () => Scenario }

describe('handed back at the meta frame, and its payload dropped', () => {
  const cases: Refused[] = [
    { desc: 'paused', reason: 'paused', make: () => new Scenario().admit().feed({ kind: 'pause' }) },
    {
      desc: 'no slot free',
      reason: 'busy',
      make: () => new Scenario({ slots: 1 }).admit().deliver(2),
    },
    {
      desc: 'a proof is wanted of a kind that is not made here',
      reason: 'unsupported',
      changes: { proof: { kind: 'v3', verifierVersion: 3 } },
    },
    { desc: 'no program', reason: 'unsupported', changes: { program: new Uint8Array(0) } },
    { desc: 'not a program', reason: 'unsupported', changes: { program: Uint8Array.of(1, 2, 3) } },
    { desc: 'input of another length', reason: 'unsupported', changes: { payloadLength: 17 } },
    {
      desc: 'larger than the profile said',
      reason: 'tooLarge',
      make: () => new Scenario({ payloadBytesMax: 10 }).admit(),
    },
    {
      desc: 'an output larger than the profile said',
      reason: 'tooLarge',
      make: () => new Scenario({ payloadBytesMax: 31 }).admit(),
    },
    { desc: 'past its deadline', reason: 'outOfTime', changes: { deadlineMs: deadline(0) } },
    {
      desc: 'too slow for its deadline',
      reason: 'outOfTime',
      changes: { deadlineMs: deadline(23) },
      make: () => new Scenario({ operationsPerSecond: 1_000 }).admit(),
    },
    {
      desc: 'too slow after what is held already',
      reason: 'outOfTime',
      changes: { deadlineMs: deadline(47) },
      make: () => new Scenario({ operationsPerSecond: 1_000 }).admit().deliver(2),
    },
  ]
  test.each(cases)('$desc: $reason', ({ reason, changes, make }) => {
    const scenario = (make ?? (() => new Scenario().admit()))()
    scenario.frame('delivery', deliveryOf(1, changes))
    expect(scenario.sent).toMatchObject([
      { type: 'reject', body: { deliveryId: deliveryOf(1).deliveryId, reason } },
    ])
    expect(scenario.phase()).toBeUndefined()
    expect(scenario.state.history[0]).toMatchObject({ ending: { kind: 'rejected', reason } })
    // The raw frame that follows is swallowed and the session goes on.
    expect(scenario.receive(input).done).toEqual([])
    expect(scenario.state.connection.kind).toBe('admitted')
  })

  test('without a payload the next frame is a frame again', () => {
    const scenario = new Scenario().admit().frame('delivery', deliveryOf(1, { payloadLength: 0 }))
    expect(scenario.sent).toMatchObject([{ body: { reason: 'unsupported' } }])
    scenario.frame('cancel', { deliveryId: deliveryOf(1).deliveryId, reason: 'taskDecided' })
    expect(scenario.state.connection.kind).toBe('admitted')
  })
})

test('an unmeasured worker judges only by the deadline', () => {
  const scenario = new Scenario({ operationsPerSecond: 0 }).admit()
  expect(scenario.deliver(1, { deadlineMs: deadline(1) }).done).toEqual(['verify'])
})

describe('handed back when the payload is there', () => {
  test('of another length', () => {
    const scenario = new Scenario().admit().frame('delivery', deliveryOf(1)).receive(input.slice(1))
    expect(scenario.sent).toMatchObject([{ body: { reason: 'corrupted' } }])
  })

  test('of another digest', () => {
    const scenario = new Scenario().admit().deliver()
    scenario.feed({
      kind: 'verified',
      run: 1,
      inputDigest: digestOf(Uint8Array.of(1)),
      attestationHolds: true,
    })
    expect(scenario.sent).toMatchObject([{ body: { reason: 'corrupted' } }])
    expect(scenario.done).toEqual(['reject'])
  })

  test('not attested by the orchestrator', () => {
    const scenario = new Scenario().admit().deliver()
    scenario.feed({ kind: 'verified', run: 1, inputDigest: digestOf(input), attestationHolds: false })
    expect(scenario.sent).toMatchObject([{ body: { reason: 'badAttestation' } }])
  })

  test('with a path that fits no batch', () => {
    const path = ['00'.repeat(32)]
    const scenario = new Scenario().admit().deliver(1, { attestation: { ...attestation, path } })
    expect(scenario.sent).toMatchObject([{ body: { reason: 'badAttestation' } }])
    expect(scenario.done).toEqual(['reject'])
  })
})

test('a delivery sent twice ends the connection', () => {
  const scenario = new Scenario().admit().deliver().frame('delivery', deliveryOf(1))
  expect(scenario.lostReason).toEqual({ kind: 'duplicateDelivery', deliveryId: deliveryOf(1).deliveryId })
})

test('committed deliveries take no slot, yet their number is bounded', () => {
  const scenario = new Scenario({ slots: 1 }).admit()
  for (let run = 1; run <= committedMax; run++) {
    scenario.deliver(run, { commitFirst: true }).verify(run).execute(run).sign(run)
    expect(scenario.phase(run)).toBe('committed')
  }
  scenario.deliver(committedMax + 1)
  expect(scenario.sent).toMatchObject([{ body: { reason: 'busy' } }])
})

test('the outputs that commitments keep are bounded in bytes', () => {
  const large: Program = matmulProgram({ m: 4096, k: 1, n: 4096 })
  const largeInput = new Uint8Array(inputLength(large))
  const largeOutput = new Uint8Array(outputLength(large))
  const changes = {
    program: encodeProgram(large),
    payloadLength: largeInput.length,
    payloadDigest: digestOf(largeInput),
    commitFirst: true,
  }
  const payloadBytesMax = 64 * 1024 * 1024
  const scenario = new Scenario({ payloadBytesMax }).greet()
  const sessionId = 'ab'.repeat(16) as never
  scenario.frame('welcome', { sessionId, heartbeatMs: heartbeatMs as never, payloadBytesMax })
  const fitting = committedBytesMax / largeOutput.length
  for (let run = 1; run <= fitting; run++) {
    scenario.frame('delivery', deliveryOf(run, changes)).receive(largeInput)
    scenario.feed({
      kind: 'verified',
      run,
      inputDigest: changes.payloadDigest,
      attestationHolds: true,
    })
    scenario.feed({
      kind: 'executed',
      run,
      output: largeOutput,
      outputDigest: changes.payloadDigest,
      proof: undefined,
      transcript: [],
      salt,
    })
    expect(scenario.sign(run).phase(run)).toBe('committed')
  }
  scenario.frame('delivery', deliveryOf(fitting + 1, changes))
  expect(scenario.sent).toMatchObject([
    { type: 'reject', body: { reason: 'busy', message: expect.stringContaining('268435456 bytes') } },
  ])
  scenario.receive(largeInput)
  // What keeps nothing still fits, and a reveal makes room.
  expect(scenario.deliver(fitting + 2, { commitFirst: true, returnOutput: false }).done).toEqual(['verify'])
  scenario.frame('closings', { deliveryIds: [deliveryOf(1).deliveryId] })
  scenario.frame('delivery', deliveryOf(fitting + 3, changes)).receive(largeInput)
  expect(scenario.phase(fitting + 3)).toBe('verifying')
})
