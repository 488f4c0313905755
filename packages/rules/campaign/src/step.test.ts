import { describe, expect, test } from 'bun:test'
import type { TaskId, TimeMs } from '@shardy/protocol'
import { after, credits, manifestOf, rangeOf } from '../test/identity.ts'
import { later, World } from '../test/world.ts'
import { type Input, type Manifest, newCampaign, nextDueMs, progressOf, step } from './index.ts'

function started(changes: Partial<Manifest> = {}): World {
  const world = new World(manifestOf(changes))
  world.create()
  return world
}

const open = (world: World): readonly number[] => [...world.state.open.keys()].sort((a, b) => a - b)
const types = (world: World): readonly string[] => world.events.map(({ type }) => type)

describe('a campaign', () => {
  test('opens as many items as its window holds, and one more for each that ends', () => {
    const world = started()
    expect(open(world)).toEqual([0, 1, 2, 3])
    world.finish(2)
    expect(open(world)).toEqual([0, 1, 3, 4])
    expect(progressOf(world.state, world.atMs).heldUpBy).toEqual({ kind: 'window', window: 4 })
  })

  test('ends when every item has a result, in whatever order they come', () => {
    const world = started({ inputs: rangeOf(5) })
    for (const index of [3, 0, 4, 1]) world.finish(index, index === 4 ? 'accepted' : 'verified')
    expect(progressOf(world.state, world.atMs).heldUpBy).toEqual({ kind: 'lastItems' })
    world.finish(2)
    world.checkEnded()
    expect(world.record).toMatchObject({ status: 'ended', reason: 'completed', verified: 4, accepted: 1 })
    expect(types(world)).toEqual([
      'campaign_started',
      ...Array.from({ length: 4 }, () => 'campaign_progress'),
      'campaign_ended',
    ])
    expect(nextDueMs(world.state)).toBeUndefined()
  })

  test('hears the end of a task before its acceptance', () => {
    const world = started({ inputs: rangeOf(1) })
    world.finish(0)
    const { index, attempt } = { index: 0, attempt: 1 }
    world.post({ kind: 'tasksAnswered', atMs: world.atMs, answers: [{ index, attempt, kind: 'accepted' }] })
    expect(world.ignored).toEqual(['notOpen'])
    world.checkEnded()
  })

  test('takes an end once', () => {
    const world = started()
    const end = world.finish(0)
    world.post({ kind: 'tasksEnded', atMs: world.atMs, ends: [end, end] })
    expect(world.ignored).toEqual(['notOpen', 'notOpen'])
    expect(world.record?.spentMicroCredit).toBe(credits(10))
  })

  test('submits no more in one step than its policy says, and the rest at once', () => {
    const world = new World(manifestOf({ inputs: rangeOf(2_000), window: 600 }))
    const effects = step(world.state, { kind: 'created', atMs: world.atMs })
    const submitted = effects.flatMap((effect) => (effect.kind === 'submitItems' ? effect.items : []))
    expect(submitted).toHaveLength(256)
    expect(nextDueMs(world.state)).toBe(0 as TimeMs)
    step(world.state, { kind: 'tick', atMs: world.atMs })
    step(world.state, { kind: 'tick', atMs: world.atMs })
    expect(world.state.open.size).toBe(600)
    expect(nextDueMs(world.state)).toBeGreaterThan(world.atMs)
  })

  test('is a bug of the driver when a task costs more than was kept for it', () => {
    const world = started()
    expect(() => world.finish(0, 'verified', 11n)).toThrow('item 0 cost 11, kept for it was 10')
  })
})

describe('an item whose task died', () => {
  test('is tried again later, as often as the manifest says, and each attempt is a task of its own', () => {
    const world = started({ inputs: rangeOf(1), retriesMax: 2 })
    for (const attempt of [1, 2, 3]) {
      expect(world.state.open.get(0)?.attempt).toBe(attempt)
      expect(world.tasks.size).toBe(attempt)
      world.finish(0, 'dead', 1n)
      if (attempt === 3) break
      expect(world.live.size).toBe(0)
      const dueMs = nextDueMs(world.state) ?? 0
      expect(dueMs).toBeGreaterThan(world.atMs)
      world.tick(dueMs - world.atMs - 1)
      expect(world.live.size).toBe(0)
      world.tick(1)
      expect(world.live.size).toBe(1)
    }
    world.checkEnded()
    expect(world.results.get(0)).toMatchObject({
      status: 'dead',
      attempts: 3,
      costMicroCredit: 3n,
      code: 'dead',
    })
  })

  test('is not tried again when what it cost leaves too little for another attempt', () => {
    const world = started({ inputs: rangeOf(1), budgetMicroCredit: credits(15) })
    world.finish(0, 'dead', 6n)
    expect(world.results.get(0)).toMatchObject({ status: 'dead', attempts: 1 })
    world.checkEnded()
  })

  test('ends the campaign when there are too many', () => {
    const world = started({ retriesMax: 0, stopAfterFailures: 2 })
    world.finish(0, 'dead', 0n)
    expect(world.record?.status).toBe('running')
    world.finish(1, 'dead', 0n)
    expect(world.record).toMatchObject({ status: 'stopping', reason: 'tooManyFailures' })
    expect(world.live.size).toBe(0)
    world.tick(60_000)
    world.checkEnded()
    expect(world.record).toMatchObject({ dead: 2, cancelled: 3, next: 5 })
    expect(progressOf(world.state, world.atMs).remaining).toBe(5)
  })

  test('says otherwise what it was about', () => {
    const world = started({ inputs: rangeOf(1) })
    const first = world.finish(0, 'dead', 0n)
    world.post({ kind: 'tasksEnded', atMs: world.atMs, ends: [first] })
    expect(world.ignored).toEqual(['otherAttempt'])
  })
})

describe('a submission that was not taken', () => {
  test('is repeated later, and nothing else is submitted meanwhile', () => {
    const world = new World(manifestOf())
    world.answer = (item) => ({ ...item, kind: 'later', retryAfterMs: later(5_000) })
    world.create()
    world.answer = (item) => ({ ...item, kind: 'accepted' })
    expect(world.live.size).toBe(0)
    expect(progressOf(world.state, world.atMs).heldUpBy).toEqual({ kind: 'overload', untilMs: after(5_000) })
    expect(nextDueMs(world.state)).toBe(after(5_000))
    world.tick(5_000)
    expect(world.live.size).toBe(4)
  })

  test('asks for no more patience than the policy has', () => {
    const world = new World(manifestOf())
    world.answer = (item) => ({ ...item, kind: 'later', retryAfterMs: later(10 ** 12) })
    world.create()
    expect(nextDueMs(world.state)).toBe(after(60_000))
  })

  test('is the result of its item when it can never be taken', () => {
    const world = new World(manifestOf({ inputs: rangeOf(1) }))
    world.answer = (item) => ({ ...item, kind: 'refused', code: 'inputMissing' })
    world.create()
    world.checkEnded()
    expect(world.results.get(0)).toMatchObject({ status: 'refused', attempts: 1, code: 'inputMissing' })
  })

  test('pauses the campaign when the requester cannot pay', () => {
    const world = new World(manifestOf())
    world.answer = (item) => ({ ...item, kind: 'fundsMissing' })
    world.create()
    expect(world.record).toMatchObject({ status: 'paused', reason: 'fundsMissing' })
    world.answer = (item) => ({ ...item, kind: 'accepted' })
    world.say('resume')
    expect(world.live.size).toBe(4)
    expect(world.record).toMatchObject({ status: 'running', reason: undefined })
  })

  test('changes nothing about an item that lives', () => {
    const world = started()
    world.post({
      kind: 'tasksAnswered',
      atMs: world.atMs,
      answers: [{ index: 0, attempt: 1, kind: 'refused', code: 'late' }],
    })
    expect(world.ignored).toEqual(['notSubmitting'])
  })
})

describe('the budget', () => {
  test('bounds what is open, and ends the campaign when it is spent', () => {
    const world = started({ budgetMicroCredit: credits(35) })
    expect(open(world)).toEqual([0, 1, 2])
    expect(progressOf(world.state, world.atMs).heldUpBy).toEqual({
      kind: 'budget',
      leftMicroCredit: credits(5),
    })
    for (const index of [0, 1, 2]) world.finish(index)
    world.checkEnded()
    expect(world.record).toMatchObject({ reason: 'budgetSpent', verified: 3, next: 3 })
    expect(world.record?.spentMicroCredit).toBe(credits(30))
    expect(progressOf(world.state, world.atMs).remaining).toBe(7)
  })

  test('goes further when tasks cost less than was kept for them', () => {
    const world = started({ budgetMicroCredit: credits(35) })
    world.finish(0, 'verified', 1n)
    world.finish(1, 'verified', 1n)
    expect(open(world)).toEqual([2, 3, 4])
  })

  test('of work without reward is never spent', () => {
    const world = started({ rewardMicroCredit: credits(0), budgetMicroCredit: credits(0) })
    for (let index = 0; index < 10; index++) world.finish(index, 'verified', 0n)
    world.checkEnded()
  })
})

describe('pause, resume, cancel, deadline', () => {
  test('a pause submits nothing from the next step on, and takes what lives', () => {
    const world = started()
    world.say('pause')
    world.finish(0)
    world.tick(1_000)
    expect(open(world)).toEqual([1, 2, 3])
    expect(world.live.size).toBe(3)
    world.say('resume')
    expect(open(world)).toEqual([1, 2, 3, 4])
  })

  test('a paused campaign ends when its last items do', () => {
    const world = started({ inputs: rangeOf(2) })
    world.say('pause')
    world.finish(0)
    world.finish(1)
    world.checkEnded()
    expect(world.record?.reason).toBe('completed')
  })

  test('cancel ends it with the remainder counted; a result on the way still counts', () => {
    const world = started()
    const end = world.endTask([...world.live][0] as TaskId, 'verified', 10n)
    world.say('cancel')
    expect(world.live.size).toBe(0)
    world.post({ kind: 'tasksEnded', atMs: world.atMs, ends: [end] })
    world.tick(60_000)
    world.checkEnded()
    expect(world.record).toMatchObject({ reason: 'cancelled', verified: 1, cancelled: 3, next: 4 })
    expect(types(world)).toEqual([
      'campaign_started',
      'campaign_stopping',
      'campaign_progress',
      'campaign_ended',
    ])
  })

  test('the deadline ends it, paused or not', () => {
    for (const isPaused of [false, true]) {
      const world = started({ deadlineMs: after(5_000) })
      if (isPaused) world.say('pause')
      expect(nextDueMs(world.state)).toBe(after(5_000))
      world.tick(5_000)
      expect(world.record).toMatchObject({ status: 'stopping', reason: 'deadline' })
      world.tick(60_000)
      world.checkEnded()
      expect(world.record).toMatchObject({ cancelled: 4, next: 4 })
    }
  })

  test('an item that waits for another attempt is dead when the campaign stops', () => {
    const world = started({ inputs: rangeOf(1) })
    world.finish(0, 'dead', 2n)
    world.say('cancel')
    world.checkEnded()
    expect(world.results.get(0)).toMatchObject({ status: 'dead', attempts: 1, costMicroCredit: 2n })
  })

  test('an item accepted after the stop is cancelled', () => {
    const world = new World(manifestOf({ inputs: rangeOf(1) }))
    world.post({ kind: 'created', atMs: world.atMs }, false)
    expect(world.live.size).toBe(1)
    const effects = step(world.state, { kind: 'cancel', atMs: world.atMs })
    expect(effects.map(({ kind }) => kind)).toContain('cancelItems')
    const again = step(world.state, {
      kind: 'tasksAnswered',
      atMs: world.atMs,
      answers: [{ index: 0, attempt: 1, kind: 'accepted' }],
    })
    expect(again).toEqual([{ kind: 'cancelItems', items: [{ index: 0, attempt: 1 }] }])
  })

  const table: readonly (readonly [string, readonly Input['kind'][], string])[] = [
    ['create', ['created'], 'alreadyCreated'],
    ['resume while it runs', ['resume'], 'running'],
    ['pause twice', ['pause', 'pause'], 'alreadyPaused'],
    ['pause while it stops', ['cancel', 'pause'], 'stopping'],
    ['resume while it stops', ['cancel', 'resume'], 'stopping'],
    ['cancel twice', ['cancel', 'cancel'], 'stopping'],
  ]
  for (const [name, kinds, reason] of table) {
    test(`there is nothing to do: ${name}`, () => {
      const world = started()
      for (const kind of kinds) world.post({ kind, atMs: world.atMs } as Input)
      expect(world.ignored).toEqual([reason])
    })
  }

  test('nothing changes a campaign that has ended', () => {
    const world = started({ inputs: rangeOf(1) })
    world.finish(0)
    const before = structuredClone(world.record)
    for (const kind of ['pause', 'resume', 'cancel', 'tick', 'recovered'] as const) {
      world.post({ kind, atMs: world.atMs })
    }
    expect(world.ignored).toEqual(['ended', 'ended', 'ended'])
    expect(world.record).toEqual(before)
  })
})

describe('what is told', () => {
  test('goes to the webhook when the manifest names it', () => {
    const webhook = { url: 'https://a.example.org/', events: ['campaign_ended'] as const, secretName: 's' }
    const world = started({ inputs: rangeOf(2), webhook })
    world.finish(0)
    world.finish(1)
    expect(world.webhooks.map(({ type, verified, sequence }) => ({ type, verified, sequence }))).toEqual([
      { type: 'campaign_ended', verified: 2, sequence: 3 },
    ])
  })

  test('is no more than a hundred times progress, however many items there are', () => {
    const world = started({ inputs: rangeOf(1_000) })
    for (let index = 0; index < 1_000; index++) world.finish(index)
    world.checkEnded()
    expect(types(world).filter((type) => type === 'campaign_progress')).toHaveLength(99)
  })
})

test('a policy of nothing is refused', () => {
  expect(() =>
    newCampaign('00'.repeat(16) as never, '00'.repeat(32) as never, manifestOf(), {
      submitPerStepMax: 0,
      checkEveryMs: later(1),
      retryMs: later(1),
      retryMsMax: later(1),
      laterMsMax: later(1),
    }),
  ).toThrow('submitPerStepMax is 0, the least is 1')
})
