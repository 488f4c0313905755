import { beforeEach, describe, expect, test } from 'bun:test'
import type { Delivery } from '@shardy/protocol'
import { encodeProgram, inputLength, matmulProgram, outputLength } from '@shardy/tensor'
import { batchOf, deliveryOf, digestOf, Scenario, salt } from '../../test/scenario.ts'
import { answeredMax, auditedMax } from './bounds.ts'
import type { Rules } from './turn.ts'

/** Two tiles in a row, each the sum of three blocks. */
const program = matmulProgram({ m: 3, k: 40, n: 20 })
const input = Uint8Array.from({ length: inputLength(program) }, (_, index) => index * 7)
const output = new Uint8Array(outputLength(program)).fill(5)
const asked: Partial<Delivery> = {
  program: encodeProgram(program),
  payloadLength: input.length,
  payloadDigest: digestOf(input),
  proof: { kind: 'v3', verifierVersion: 3 },
}
const { deliveryId, taskId } = deliveryOf(1)
const commitments = [11n, 22n, 33n]
const proof = { kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256).fill(7) } as const
const product = {
  node: 0,
  m: 3,
  k: 40,
  n: 20,
  a: { offset: 0, rowStride: 40, columnStride: 1 },
  b: { offset: 120, rowStride: 20, columnStride: 1 },
}

function delivered(changes: Partial<Delivery> = {}, rules: Partial<Rules> = {}, number = 1): Scenario {
  return deliver(new Scenario({ proofs: ['v2', 'v3'], ...rules }).admit(), number, changes)
}

function deliver(scenario: Scenario, number: number, changes: Partial<Delivery> = {}): Scenario {
  scenario.frame('delivery', deliveryOf(number, { ...asked, ...changes }))
  const before = scenario.effects
  scenario.receive(input)
  scenario.effects = [...before, ...scenario.effects]
  return scenario
}

function answer(scenario: Scenario, run: number): Scenario {
  scenario.feed({ kind: 'verified', run, inputDigest: digestOf(input), attestationHolds: true })
  const executed = { output, outputDigest: digestOf(output), transcript: [], proof: undefined, salt }
  return scenario.feed({ kind: 'executed', run, ...executed }).sign(run)
}

let scenario: Scenario
beforeEach(() => {
  scenario = answer(delivered(), 1)
})
const named = () => scenario.frame('auditTile', { deliveryId, row: 0, column: 1 })
const committed = () => named().feed({ kind: 'sumsCommitted', run: 1, commitments })
const asking = () => committed().frame('auditBlock', { deliveryId, depth: 2 })

describe('an audit', () => {
  test('comes after the answer, which carries no proof itself', () => {
    expect(scenario.sent[0]).toMatchObject({ type: 'result', body: { deliveryId, proof: undefined } })
    expect(scenario.phase()).toBe('answered')
  })

  test('first has the sums of a tile committed to', () => {
    expect(named().effects).toEqual([
      { kind: 'commitSums', run: 1, product, input, tile: { tileRow: 0, tileColumn: 1 } },
    ])
    scenario.feed({ kind: 'sumsCommitted', run: 1, commitments })
    expect(scenario.sent).toEqual([{ type: 'auditSums', body: { deliveryId, commitments } }])
  })

  test('then has one of its blocks proven, about this delivery, worker and output', () => {
    const block = {
      verifierVersion: 3,
      taskId,
      deliveryId,
      workerId: scenario.rules.workerId,
      outputDigest: digestOf(output),
      outputLength: output.length,
      product,
      input,
      position: { node: 0, tileRow: 0, tileColumn: 1, depth: 2 },
    }
    expect(asking().effects).toEqual([{ kind: 'proveBlock', run: 1, block }])
    scenario.feed({ kind: 'blockProven', run: 1, proof })
    expect(scenario.sent).toEqual([{ type: 'auditProof', body: { deliveryId, proof } }])
    expect(scenario.phase()).toBe('answered')
  })

  test('has no deadline here: the orchestrator ends it', () => {
    named()
    for (let sequence = 1; sequence <= 70; sequence++) {
      scenario.wait(1_000).frame('heartbeat', { sequence, inFlight: 0 })
    }
    scenario.feed({ kind: 'sumsCommitted', run: 1, commitments })
    expect(scenario.done).toEqual(['auditSums'])
  })

  test('comes also after an answer that was committed to first', () => {
    scenario = answer(delivered({ commitFirst: true }), 1).frame('closings', { deliveryIds: [deliveryId] })
    expect(scenario.done).toEqual(['result', 'raw'])
    expect(asking().done).toEqual(['proveBlock'])
  })
})

describe('what is out of place ends the connection', () => {
  const tile = { deliveryId, row: 0, column: 0 }
  const block = { deliveryId, depth: 0 }
  const table: readonly [string, () => Scenario, 'auditTile' | 'auditBlock', string][] = [
    ['a tile before the answer', () => delivered(), 'auditTile', 'verifying'],
    ['a second tile while the first is committed to', named, 'auditTile', 'committing'],
    ['a second tile', committed, 'auditTile', 'committed'],
    ['a tile after the block', asking, 'auditTile', 'proving'],
    ['a block before its tile', () => scenario, 'auditBlock', 'unasked'],
    ['a block before the sums', named, 'auditBlock', 'committing'],
    ['a second block', asking, 'auditBlock', 'proving'],
    [
      'a block after the proof',
      () => asking().feed({ kind: 'blockProven', run: 1, proof }),
      'auditBlock',
      'proven',
    ],
    [
      'an audit of an answer that brought its proof',
      () => answer(delivered({ proof: { kind: 'v2', verifierVersion: 2 } }), 1),
      'auditTile',
      'answered',
    ],
  ]
  test.each(table)('%s', (_, given, frame, during) => {
    scenario = given()
    if (frame === 'auditTile') scenario.frame(frame, tile)
    else scenario.frame(frame, block)
    expect(scenario.lostReason).toEqual({ kind: 'unexpectedFrame', frame, during })
  })

  test.each([
    ['a row beyond the output', { row: 1, column: 0 }, 'tile (1, 0) of 1 × 2'],
    ['a column beyond the output', { row: 0, column: 2 }, 'tile (0, 2) of 1 × 2'],
  ])('%s', (_, place, text) => {
    scenario.frame('auditTile', { deliveryId, ...place })
    expect(scenario.lostReason).toEqual({ kind: 'unusableAudit', text })
  })

  test('a block beyond the tile', () => {
    committed().frame('auditBlock', { deliveryId, depth: 3 })
    expect(scenario.lostReason).toEqual({ kind: 'unusableAudit', text: 'block 3 of a tile of 3' })
  })
})

describe('what is no longer held is not audited', () => {
  const ends: readonly [string, () => Scenario][] = [
    ['settled', () => settle('accepted')],
    ['cancelled', () => scenario.frame('cancel', { deliveryId, reason: 'leaseExpired' })],
  ]
  const settle = (outcome: 'accepted') =>
    scenario.frame('settlements', {
      settlements: [{ deliveryId, outcome, rewardMicroCredit: 1n as never }],
    })
  for (const [what, end] of ends) {
    test(`once it is ${what}, frames that crossed mean nothing`, () => {
      end()
      scenario
        .frame('auditTile', { deliveryId, row: 0, column: 0 })
        .frame('auditBlock', { deliveryId, depth: 0 })
      expect(scenario.done).toEqual([])
      expect(scenario.state.connection.kind).toBe('admitted')
      expect(scenario.state.deliveries.size).toBe(0)
    })

    test(`${what} while it is committed to, or proven: what comes of that is dropped`, () => {
      named()
      end()
      scenario.feed({ kind: 'sumsCommitted', run: 1, commitments })
      expect(scenario.done).toEqual([])
      scenario = answer(delivered(), 1)
      asking()
      end()
      scenario.feed({ kind: 'blockProven', run: 1, proof })
      expect(scenario.done).toEqual([])
    })
  }

  test('and everything is lost with the line', () => {
    asking().feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
    expect(scenario.state.deliveries.size).toBe(0)
    expect(scenario.feed({ kind: 'blockProven', run: 1, proof }).done).toEqual([])
  })
})

describe('who cannot says so', () => {
  test.each([
    ['commit', named],
    ['prove', asking],
  ])('%s', (_, given) => {
    given().feed({ kind: 'auditFailed', run: 1, text: 'no key' })
    const body = { deliveryId, reason: 'executionFailed', message: 'no key' }
    expect(scenario.sent).toEqual([{ type: 'reject', body: body as never }])
    expect(scenario.phase()).toBeUndefined()
  })

  test('with another number of commitments than there are blocks', () => {
    named().feed({ kind: 'sumsCommitted', run: 1, commitments: [1n] })
    const message = 'the prover gave 1 commitments for a tile of 3 blocks'
    expect(scenario.sent).toMatchObject([{ type: 'reject', body: { reason: 'executionFailed', message } }])
  })

  test('once: what fails after it was handed back changes nothing', () => {
    named().feed({ kind: 'auditFailed', run: 1, text: 'no key' })
    expect(scenario.feed({ kind: 'auditFailed', run: 1, text: 'no key' }).done).toEqual([])
  })
})

describe('a delivery that asks for a proof of a block is handed back', () => {
  const rejected = (): unknown => (scenario.sent[0] as { readonly body?: unknown } | undefined)?.body

  test('where none are made', () => {
    scenario = delivered({}, { proofs: ['v2'] })
    expect(rejected()).toMatchObject({ reason: 'unsupported', message: 'proofs of kind v3' })
  })

  test('where its program has no such block', () => {
    const three = { ...program, nodes: [{ op: 'transpose' as const, x: 0, permutation: [1, 0] }] }
    scenario = delivered({ program: encodeProgram(three) })
    const message =
      'no block of it can be proven: program.nodes[0].transpose: makes the output; a proof is about one that a matmul makes'
    expect(rejected()).toMatchObject({ reason: 'unsupported', message })
  })

  test('where too many inputs are kept, and taken again once one was proven', () => {
    const room = { slots: 64, offer: { ...new Scenario().rules.offer, prefetch: 1024 } }
    scenario = new Scenario({ proofs: ['v3'], ...room }).admit()
    for (let run = 1; run <= auditedMax; run++) answer(deliver(scenario, run), run)
    deliver(scenario, 100)
    const message = `${auditedMax} deliveries wait for their audits`
    expect(rejected()).toMatchObject({ reason: 'busy', message })
    asking().feed({ kind: 'blockProven', run: 1, proof })
    expect(deliver(scenario, 101).done).toEqual(['verify'])
  })

  test('in a batch of small ones', () => {
    scenario = new Scenario({ proofs: ['v3'] }).admit()
    scenario.frame('deliveries', batchOf([1], { proof: { kind: 'v3', verifierVersion: 3 } }))
    const message = 'a block is proven of a delivery that comes by itself'
    expect(rejected()).toMatchObject({ reason: 'unsupported', message })
  })
})

test('answers that wait for nothing but a verdict are forgotten before one that is still to be audited', () => {
  const room = { slots: 64 }
  scenario = answer(delivered({}, room), 1)
  for (let number = 2; number <= answeredMax + 3; number++) {
    scenario.deliver(number).verify(number).execute(number).sign(number)
  }
  expect(scenario.phase(1)).toBe('answered')
  expect(scenario.phase(2)).toBeUndefined()
  expect(named().done).toEqual(['commitSums'])
})
