import { describe, expect, test } from 'bun:test'
import {
  attestedPayload,
  commitTo,
  type Delivery,
  domainPayload,
  encodeHex,
  type ProgramId,
  resultStatement,
} from '@shardy/protocol'
import { encodeProgram } from '@shardy/tensor'
import {
  attestation,
  deliveryOf,
  digestOf,
  offsetMs,
  output,
  program,
  Scenario,
  salt,
  sha256,
  startMs,
} from '../../test/scenario.ts'
import { answeredMax } from './bounds.ts'

const { deliveryId } = deliveryOf(1)
const outputDigest = digestOf(output)
const executing = (changes: Partial<Delivery> = {}): Scenario =>
  new Scenario().admit().deliver(1, changes).verify(1)

test('the answer is signed, then given with its output', () => {
  const scenario = executing().execute(1)
  const id = encodeHex(sha256(domainPayload('program', encodeProgram(program)))) as ProgramId
  const statement = resultStatement(deliveryOf(1), id, scenario.rules.workerId, {
    outputDigest,
    traceRoot: undefined,
  })
  const payload = attestedPayload(statement, attestation, sha256) ?? new Uint8Array()
  expect(scenario.effects).toEqual([{ kind: 'signResult', run: 1, payload }])
  scenario.sign(1)
  expect(scenario.sent).toEqual([
    {
      type: 'result',
      body: {
        deliveryId,
        outputDigest,
        outputLength: 32,
        outputIncluded: true,
        attestation,
        traceRoot: undefined,
        salt: undefined,
        partLengths: [],
        proof: undefined,
      },
    },
    { type: 'raw', body: output },
  ])
  expect(scenario.phase()).toBe('answered')
})

test('without returnOutput only the digest is given', () => {
  const scenario = executing({ returnOutput: false }).execute(1).sign(1)
  expect(scenario.sent).toMatchObject([{ type: 'result', body: { outputLength: 32, outputIncluded: false } }])
})

describe('commit first', () => {
  const committed = (): Scenario => executing({ commitFirst: true }).execute(1).sign(1)

  test('only the commitment is told until commitments are closed', () => {
    const scenario = committed()
    const { workerId } = scenario.rules
    const commitment = commitTo({ workerId, deliveryId, outputDigest, traceRoot: undefined, salt }, sha256)
    expect(scenario.sent).toEqual([{ type: 'commits', body: { commits: [{ deliveryId, commitment }] } }])
    scenario.frame('closings', { deliveryIds: [deliveryId] })
    expect(scenario.done).toEqual(['result', 'raw'])
    expect(scenario.sent[0]).toMatchObject({ type: 'result', body: { deliveryId, outputDigest, salt } })
  })

  test('closing twice answers once', () => {
    const scenario = committed().frame('closings', { deliveryIds: [deliveryId] })
    expect(scenario.frame('closings', { deliveryIds: [deliveryId] }).done).toEqual([])
  })

  test('closing for a delivery that was handed back means nothing', () => {
    const scenario = new Scenario().admit().frame('closings', { deliveryIds: [deliveryId] })
    expect(scenario.done).toEqual([])
    expect(scenario.state.connection.kind).toBe('admitted')
  })

  test('closing before we committed is out of place', () => {
    const scenario = executing({ commitFirst: true }).frame('closings', { deliveryIds: [deliveryId] })
    expect(scenario.lostReason).toEqual({
      kind: 'unexpectedFrame',
      frame: 'closings',
      during: 'executing',
    })
  })

  test('a commitment in time outlives the deadline', () => {
    const scenario = committed()
    for (let sequence = 1; sequence <= 70; sequence++) {
      scenario.wait(1_000).frame('heartbeat', { sequence, inFlight: 0 })
    }
    expect(scenario.phase()).toBe('committed')
    expect(scenario.frame('closings', { deliveryIds: [deliveryId] }).done).toEqual(['result', 'raw'])
  })
})

test('one execution at a time, in order of arrival', () => {
  const scenario = executing().deliver(2).verify(2)
  expect(scenario.done).toEqual(['ack'])
  expect(scenario.phase(2)).toBe('queued')
  scenario.execute(1)
  expect(scenario.done).toEqual(['signResult', 'execute'])
  expect(scenario.phase(2)).toBe('executing')
})

test('progress is told in steps', () => {
  const scenario = executing()
  const told = [10, 50, 60, 99, 100, 400, 1000].filter((permille) => {
    return scenario.feed({ kind: 'progressed', run: 1, permille }).done.includes('progress')
  })
  expect(told).toEqual([50, 100, 400])
})

describe('executions that fail', () => {
  test.each(['tooLarge', 'deviceLost', 'executionFailed'] as const)('%s', (reason) => {
    const scenario = executing().deliver(2).verify(2)
    scenario.feed({ kind: 'notExecuted', run: 1, reason, text: 'naïve\nbackend' })
    expect(scenario.sent).toEqual([
      { type: 'reject', body: { deliveryId, reason, message: 'na?ve backend' } },
    ])
    expect(scenario.done).toEqual(['reject', 'execute'])
  })

  test('an output of another length is not an answer', () => {
    const scenario = executing()
    scenario.feed({
      kind: 'executed',
      run: 1,
      output: output.slice(1),
      outputDigest,
      transcript: [],
      proof: undefined,
      salt,
    })
    expect(scenario.sent).toMatchObject([{ body: { reason: 'executionFailed' } }])
  })

  test('an answer that cannot be signed is handed back', () => {
    const scenario = executing().execute(1).feed({ kind: 'resultUnsigned', run: 1, text: 'key gone' })
    expect(scenario.sent).toMatchObject([{ body: { reason: 'executionFailed', message: 'key gone' } }])
  })

  test('the deadline aborts', () => {
    const deadlineMs = (startMs + offsetMs + 500) as Delivery['deadlineMs']
    const scenario = executing({ deadlineMs }).wait(499)
    expect(scenario.done).toEqual([])
    expect(scenario.wait(1).done).toEqual(['abort', 'reject'])
    expect(scenario.sent).toMatchObject([{ body: { reason: 'outOfTime' } }])
  })
})

describe('the executor is free only when it replied', () => {
  test('after a cancel', () => {
    const scenario = executing().frame('cancel', { deliveryId, reason: 'taskCancelled' })
    expect(scenario.done).toEqual(['abort'])
    expect(scenario.deliver(2).verify(2).done).toEqual(['ack'])
    scenario.feed({ kind: 'notExecuted', run: 1, reason: 'executionFailed', text: 'aborted' })
    expect(scenario.done).toEqual(['execute'])
  })

  test('after a lost connection, even if it finished all the same', () => {
    const scenario = executing().feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
    expect(scenario.effects.some(({ kind }) => kind === 'abort')).toBe(true)
    scenario.execute(1)
    expect(scenario.done).toEqual([])
    expect(scenario.state.executing).toBeUndefined()
  })
})

test('late replies of ended runs change nothing', () => {
  const scenario = executing().execute(1).sign(1)
  scenario.verify(1).sign(1)
  expect(scenario.done).toEqual([])
  scenario.feed({ kind: 'progressed', run: 1, permille: 500 }, { kind: 'resultUnsigned', run: 1, text: '' })
  expect(scenario.done).toEqual([])
  expect(scenario.phase()).toBe('answered')
})

test('answers without a verdict are bounded', () => {
  const scenario = new Scenario().admit()
  for (let run = 1; run <= answeredMax + 5; run++) scenario.deliver(run).verify(run).execute(run).sign(run)
  expect(scenario.state.deliveries.size).toBe(answeredMax)
  expect(scenario.state.history[0]).toMatchObject({ ending: { kind: 'unsettled' } })
  expect(scenario.phase(1)).toBeUndefined()
})

describe('a proof', () => {
  const asked = { kind: 'v2', verifierVersion: 2 } as const
  const made = { ...asked, proof: new Uint8Array(256).fill(3) }

  test('is made with the answer, and sent with it', () => {
    const scenario = executing({ proof: asked })
    const { taskId, seed } = deliveryOf(1)
    expect(scenario.effects.at(-1)).toMatchObject({ kind: 'execute', proof: { ...asked, taskId, seed } })
    scenario.execute(1, made).sign(1)
    expect(scenario.sent[0]).toMatchObject({ type: 'result', body: { proof: made } })
  })

  test('of kind v3 waits for an audit', () => {
    const scenario = new Scenario({ proofs: ['v3'] })
      .admit()
      .deliver(1, { proof: { kind: 'v3', verifierVersion: 3 } })
      .verify(1)
    expect(scenario.effects.at(-1)).toMatchObject({ kind: 'execute', proof: undefined })
  })
})
