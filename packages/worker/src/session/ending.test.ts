import { describe, expect, test } from 'bun:test'
import type { Settlement } from '@shardy/protocol'
import { deliveryOf, input, Scenario } from '../../test/scenario.ts'
import { historyMax } from './bounds.ts'

const { deliveryId } = deliveryOf(1)
const answered = (): Scenario => new Scenario().admit().deliver().verify(1).execute(1).sign(1)
const settle = (outcome: Settlement['outcome'], reward = 0n) => ({
  settlements: [{ deliveryId, outcome, rewardMicroCredit: reward as Settlement['rewardMicroCredit'] }],
})

describe('settled', () => {
  test('accepted is paid once, however often it is said', () => {
    const scenario = answered()
      .frame('settlements', settle('accepted', 700n))
      .frame('settlements', settle('accepted', 700n))
    expect(scenario.state.totals).toMatchObject({ accepted: 1, unpaid: 0, rewardMicroCredit: 700n })
    expect(scenario.state.history).toHaveLength(1)
    expect(scenario.state.history[0]).toMatchObject({
      ending: { kind: 'settled', outcome: 'accepted', rewardMicroCredit: 700n },
    })
    expect(scenario.state.deliveries.size).toBe(0)
  })

  test.each(['disagreed', 'wrong', 'lost', 'superseded', 'corrupted'] as const)(
    '%s is not paid',
    (outcome) => {
      const scenario = answered().frame('settlements', settle(outcome, 5n))
      expect(scenario.state.totals).toMatchObject({ accepted: 0, unpaid: 1, rewardMicroCredit: 0n })
    },
  )

  test('what was never delivered here is ignored', () => {
    const scenario = new Scenario().admit().frame('settlements', settle('accepted', 5n))
    expect(scenario.state.totals.accepted).toBe(0)
    expect(scenario.state.history).toEqual([])
  })

  test('the verdict on what we handed back adds nothing', () => {
    const scenario = new Scenario().admit().feed({ kind: 'pause' }).deliver()
    scenario.frame('settlements', settle('rejected'))
    expect(scenario.state.totals).toMatchObject({ rejected: 1, unpaid: 0 })
    expect(scenario.state.history[0]).toMatchObject({ ending: { kind: 'rejected', reason: 'paused' } })
  })

  test('a verdict that comes in the next session is still counted', () => {
    const scenario = answered().feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
    expect(scenario.state.history[0]).toMatchObject({ ending: { kind: 'unsettled' } })
    scenario.wait(2_000).feed({ kind: 'opened', connection: 2 })
    scenario.admit().frame('settlements', settle('accepted', 9n))
    expect(scenario.state.totals).toMatchObject({ accepted: 1, rewardMicroCredit: 9n })
    expect(scenario.state.history).toHaveLength(1)
  })

  test.each(['accepted', 'superseded'] as const)(
    'one for an id that had a verdict before and was delivered anew ends that too: %s',
    (outcome) => {
      const scenario = answered().frame('settlements', settle('accepted', 700n)).deliver().verify(2)
      expect(scenario.state.deliveries.size).toBe(1)
      scenario.frame('settlements', settle(outcome, 50n))
      expect(scenario.done).toEqual(['abort'])
      expect(scenario.state.deliveries.size).toBe(0)
      const isPaid = outcome === 'accepted'
      expect(scenario.state.totals).toMatchObject({
        accepted: isPaid ? 2 : 1,
        unpaid: isPaid ? 0 : 1,
        rewardMicroCredit: isPaid ? 750n : 700n,
      })
    },
  )

  test('while executing, it ends the execution', () => {
    const scenario = new Scenario().admit().deliver().verify(1).frame('settlements', settle('superseded'))
    expect(scenario.done).toEqual(['abort'])
  })
})

describe('cancel', () => {
  const phases: { phase: string; make: () => Scenario; does: string[] }[] = [
    { phase: 'verifying', make: () => new Scenario().admit().deliver(), does: [] },
    {
      phase: 'queued',
      make: () => new Scenario().admit().deliver(2).verify(1).deliver().verify(2),
      does: [],
    },
    { phase: 'executing', make: () => new Scenario().admit().deliver().verify(1), does: ['abort'] },
    { phase: 'signing', make: () => new Scenario().admit().deliver().verify(1).execute(1), does: [] },
    {
      phase: 'committed',
      make: () => new Scenario().admit().deliver(1, { commitFirst: true }).verify(1).execute(1).sign(1),
      does: [],
    },
    { phase: 'answered', make: answered, does: [] },
  ]
  test.each(phases)('while $phase', ({ phase, make, does }) => {
    const scenario = make()
    expect(scenario.phase()).toBe(phase)
    scenario.frame('cancel', { deliveryId, reason: 'taskDecided' })
    expect(scenario.done).toEqual(does)
    expect(scenario.phase()).toBeUndefined()
    expect(scenario.state.history[0]).toMatchObject({ ending: { kind: 'cancelled', reason: 'taskDecided' } })
    expect(scenario.state.totals.cancelled).toBe(1)
  })

  test('of something unknown means nothing', () => {
    const scenario = new Scenario().admit().frame('cancel', { deliveryId, reason: 'taskDecided' })
    expect(scenario.done).toEqual([])
    expect(scenario.state.history).toEqual([])
  })
})

describe('pausing', () => {
  test('hands back what is unfinished and says so', () => {
    const scenario = new Scenario().admit().deliver(1).verify(1).deliver(2).verify(2).feed({ kind: 'pause' })
    expect(scenario.done).toEqual(['presence', 'abort', 'reject', 'reject'])
    expect(scenario.sent).toMatchObject([
      { body: { state: 'paused' } },
      { body: { reason: 'paused' } },
      { body: { reason: 'paused' } },
    ])
  })

  test('between meta frame and payload the payload is dropped', () => {
    const scenario = new Scenario().admit().frame('delivery', deliveryOf(1)).feed({ kind: 'pause' })
    expect(scenario.receive(input).done).toEqual([])
    expect(scenario.state.connection.kind).toBe('admitted')
  })

  test('keeps commitments, and resuming takes work again', () => {
    const scenario = new Scenario().admit().deliver(1, { commitFirst: true }).verify(1).execute(1).sign(1)
    expect(scenario.feed({ kind: 'pause' }).done).toEqual(['presence'])
    expect(scenario.feed({ kind: 'resume' }).sent).toEqual([
      { type: 'presence', body: { state: 'available' } },
    ])
    expect(scenario.deliver(2).done).toEqual(['verify'])
  })

  test('is told once, and hides that the page is hidden', () => {
    const scenario = new Scenario().admit()
    expect(scenario.feed({ kind: 'hidden', hidden: true }).sent).toMatchObject([
      { body: { state: 'hidden' } },
    ])
    expect(scenario.feed({ kind: 'pause' }, { kind: 'pause' }).done).toEqual(['presence'])
    expect(scenario.feed({ kind: 'hidden', hidden: false }).done).toEqual([])
    expect(scenario.feed({ kind: 'resume' }).sent).toMatchObject([{ body: { state: 'available' } }])
  })
})

test('a lost connection ends every lease and remembers how', () => {
  const scenario = new Scenario().admit().deliver(1).verify(1).execute(1).sign(1).deliver(2).verify(2)
  scenario.feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
  expect(scenario.state.deliveries.size).toBe(0)
  expect(scenario.state.history.map(({ ending }) => ending.kind)).toEqual(['connectionLost', 'unsettled'])
})

test('history is bounded', () => {
  const scenario = new Scenario().admit().feed({ kind: 'pause' })
  for (let number = 1; number <= historyMax + 10; number++) scenario.deliver(number)
  expect(scenario.state.history).toHaveLength(historyMax)
  expect(scenario.state.totals.rejected).toBe(historyMax + 10)
  expect(scenario.state.history[0]?.deliveryId).toBe(deliveryOf(historyMax + 10).deliveryId)
})
