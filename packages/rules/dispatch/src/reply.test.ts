import { describe, expect, test } from 'bun:test'
import { adaptive, type MicroCredit } from '@shardy/protocol'
import { taskIdOf, workerIdOf } from '../test/identity.ts'
import { Scene } from '../test/scene.ts'

const given = ['ann joins', 'bob joins', 'submit t']
const pair = ['ann joins', 'bob joins', 'submit t quorum(2,2)']

describe('what is late, repeated or somebody else’s changes nothing (D18)', () => {
  const table: readonly (readonly [string, readonly string[], string, string])[] = [
    ['an ack of what bob has', given, 'bob/ann acks', 'notYours'],
    ['an answer to what bob has', given, 'bob/ann answers x', 'notYours'],
    ['a second ack', [...given, 'ann acks'], 'ann acks', 'alreadyAcked'],
    ['an ack after the commitment', [...pair, 'ann commits x'], 'ann acks', 'alreadyAcked'],
    ['a second commitment', [...pair, 'ann commits x'], 'ann commits y', 'alreadyCommitted'],
    [
      'a commitment after commitments closed',
      [...pair, 'ann commits x', 'bob commits x'],
      'ann commits x',
      'alreadyCommitted',
    ],
    ['a second answer', [...given, 'ann answers x'], 'ann answers y', 'alreadyAnswered'],
    ['a commitment after the answer', [...given, 'ann answers x'], 'ann commits x', 'alreadyCommitted'],
    ['a rejection after the answer', [...given, 'ann answers x'], 'ann rejects', 'alreadyAnswered'],
    ['a broken frame after the answer', [...given, 'ann answers x'], 'ann corrupts', 'alreadyAnswered'],
    ['a verdict that nobody asked for', given, 'ann passes', 'alreadyChecked'],
    [
      'an answer after the verdict',
      [...given, 'ann answers x', 'ann passes'],
      'ann answers x',
      'unknownDelivery',
    ],
    ['a second verdict', [...given, 'ann answers x', 'ann passes'], 'ann fails', 'unknownDelivery'],
    ['an answer after a loss', [...given, 'ann leaves'], 'ann answers x', 'unknownDelivery'],
    ['an answer after a restart', [...given, 'restart', 'ann joins'], 'ann answers x', 'unknownDelivery'],
    ['cancelling what is unknown', [], 'cancel t', 'unknownTask'],
    ['leaving without having come', [], 'ann leaves', 'unknownWorker'],
    ['presence of nobody', [], 'ann is paused', 'unknownWorker'],
    ['draining nobody', [], 'ann drains', 'unknownWorker'],
    ['measuring nobody', [], 'ann benchmarks', 'unknownWorker'],
    ['running what runs', [], 'operate running', 'nothingChanged'],
    ['reviving what is not dead', [...given, 'cancel t'], 'requeue t', 'nothingChanged'],
  ]
  for (const [desc, before, when, reason] of table) {
    test(desc, () => {
      const scene = new Scene()
      scene.play(...before)
      const outcomes = scene.state.tasks.has(taskIdOf('t')) ? scene.deliveries() : []
      const words = scene.play(when)
      if (desc !== 'an answer after a restart') expect(words).toEqual([`ignored: ${reason}`])
      else expect(words).toContain('event answered')
      if (words.length === 1 && outcomes.length > 0) expect(scene.deliveries()).toEqual([...outcomes])
    })
  }
})

describe('what could not be sent for a reason of our own (D14)', () => {
  test('is lost, excused, and no attempt: the same worker may have the task again', () => {
    const scene = new Scene({ attemptsMax: 1 })
    scene.play(...given)
    expect(scene.play('ann misses')).not.toContain('event task_dead')
    expect(scene.task().deliveries[0]).toMatchObject({ outcome: 'lost', excused: true })
    expect(scene.state.standings.get(workerIdOf('ann'))).toMatchObject({ lostCount: 0, corruptedCount: 0 })
    expect(scene.state.standings.get(workerIdOf('ann'))?.failures).toBe(0)
    scene.wait(1_000)
    expect(scene.deliveries()).toHaveLength(2)
  })
})

describe('a device that is slower than it was measured', () => {
  const slow = { operationsPerSecond: 10_000_000 }
  test('is measured again, once in a while', () => {
    const scene = new Scene()
    scene.join('ann', slow)
    for (const name of ['t', 'u', 'v']) scene.submit(name, { complexity: 100_000_000 })
    scene.wait(26_000)
    expect(scene.play('ann answers x')).toContain('benchmark ann: drift')
    scene.play('ann passes')
    scene.wait(26_000)
    expect(scene.play('ann answers x')).not.toContain('benchmark ann: drift')
  })
  test('is not, when it took what it was expected to', () => {
    const scene = new Scene()
    scene.join('ann', slow)
    scene.submit('t', { complexity: 100_000_000 })
    scene.wait(24_000)
    expect(scene.play('ann answers x')).not.toContain('benchmark ann: drift')
  })
  test('is not, for small work', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'wait 14000')
    expect(scene.play('ann answers x')).not.toContain('benchmark ann: drift')
  })
  test('is not the one that waited for others', () => {
    const scene = new Scene()
    scene.join('ann', slow)
    scene.join('bob', { operationsPerSecond: 10_000_000 })
    scene.submit('t', {
      complexity: 30_000_000,
      verify: { mode: 'quorum', replicas: 2, agreeing: 2, auditPermille: 0 },
    })
    scene.play('wait 3000', 'ann commits x', 'wait 8000')
    expect(scene.play('bob commits x')).toContain('benchmark bob: drift')
    expect(scene.play('ann answers x')).toEqual(['event answered'])
  })
})

describe('a convict (D32)', () => {
  const lockedMicroCredit = 1000n as MicroCredit
  const stake = { lockedMicroCredit, withdrawingMicroCredit: 0n as MicroCredit }
  function convicted(): Scene {
    const scene = new Scene()
    scene.stake = stake
    scene.play('ann joins', 'submit t', 'ann answers x', 'wait 1', 'ann fails')
    return scene
  }
  test('is not freed by a benchmark that was under way when it was convicted', () => {
    const scene = convicted()
    const quarantined = () => scene.state.workers.get(workerIdOf('ann'))?.quarantined
    expect(scene.play(`ann benchmarks ${scene.nowMs - 1}`)).toEqual(['benchmark ann: quarantine'])
    expect(quarantined()).toBe(true)
    scene.play(`ann benchmarks ${scene.nowMs}`)
    expect(quarantined()).toBe(false)
  })

  const again = (scene: Scene, name: string): readonly string[] => {
    scene.submit(name)
    scene.play('wait 1', `ann@${name} answers x`, 'wait 1')
    return scene.play(`ann@${name} fails`)
  }

  for (const policy of ['checked', 'audited(1000)', 'adaptive']) {
    test(`is one under ${policy}, on its signed answer`, () => {
      const scene = new Scene()
      scene.stake = stake
      scene.play('ann joins', `submit t ${policy}`, 'ann answers x', 'wait 1', 'ann fails')
      const { deliveryId, workerId, outputDigest, answer } = scene.deliveryOf('ann')
      if (outputDigest === undefined || answer === undefined) throw new Error('ann has not answered')
      expect(scene.witness.offences).toEqual([
        {
          taskId: taskIdOf('t'),
          deliveryId,
          workerId,
          workerKey: expect.anything(),
          delivery: scene.deliveryOf('ann'),
          outputDigest,
          rightDigest: undefined,
          answer,
          detail: 'a sum is off',
          consequence: {
            kind: 'unpaidAndQuarantine',
            heldMicroCredit: lockedMicroCredit,
            heldUntilMs: expect.any(Number),
          },
        },
      ])
    })
  }

  test('is nobody for a float that a check found wrong', () => {
    const scene = new Scene()
    scene.play('ann joins')
    scene.submit('t', { exact: false })
    expect(scene.play('ann answers x', 'ann fails')).toEqual(['settle ann: wrong 0', 'event wrong'])
  })

  test('gets nothing before a benchmark, whatever session it comes with', () => {
    const scene = convicted()
    expect(scene.play('submit u')).toEqual(['book escrow', 'event submitted'])
    expect(scene.play('ann joins')).toEqual(['benchmark ann: quarantine'])
    expect(scene.play('ann benchmarks')).toContain('deliver to ann')
  })

  test('what it has at hand goes on', () => {
    const scene = new Scene()
    scene.join('ann', { slots: 2 })
    scene.play('submit t', 'submit u', 'ann@t answers x', 'ann@t fails', 'ann@u answers x')
    expect(scene.play('ann@u passes')).toContain('event task_verified')
  })

  test('is free after the benchmark and enough clean answers', () => {
    const scene = convicted()
    scene.play('ann benchmarks')
    for (let index = 0; index < 100; index++) {
      expect(scene.state.standings.get(workerIdOf('ann'))?.conduct.quarantine).toBeDefined()
      scene.play(`submit u${index}`, 'wait 1', 'ann answers x', 'ann passes')
    }
    expect(scene.state.standings.get(workerIdOf('ann'))?.conduct.quarantine).toBeUndefined()
  })

  test('is looked at every time until then, however much it has', () => {
    const scene = convicted()
    scene.stake = { ...stake, lockedMicroCredit: (10n ** 15n) as MicroCredit }
    scene.play('ann benchmarks', 'wait 1')
    scene.submit('u', { verify: adaptive })
    expect(scene.play('ann answers x')).toContain('check ann')
  })

  test('is not convicted twice of one incident', () => {
    const scene = new Scene()
    scene.stake = stake
    scene.join('ann', { slots: 2 })
    scene.play('submit t', 'submit u', 'ann@t answers x', 'ann@u answers x', 'wait 1', 'ann@t fails')
    expect(scene.play('ann@u fails')).toContain('offence ann: unpaid')
  })

  test('loses what it has locked when it goes on, and is banned in the end', () => {
    const scene = convicted()
    scene.play('ann benchmarks')
    const second = again(scene, 'u')
    expect(second).toContain('offence ann: slash')
    expect(second).toContain('book slash')
    scene.play('ann benchmarks')
    expect(again(scene, 'v')).toContain('offence ann: slash')
    scene.play('ann benchmarks')
    const last = again(scene, 'w')
    expect(last).toContain('offence ann: banned')
    expect(last).not.toContain('benchmark ann: quarantine')
    scene.play('submit z', 'ann benchmarks', 'ann joins')
    expect(scene.task('z').status).toBe('waiting')
  })

  test('loses what the book says it has, also after a restart', () => {
    const scene = new Scene()
    scene.stake = stake
    scene.play('ann joins', 'submit t', 'ann answers x', 'restart', 'ann fails')
    expect(scene.witness.offences[0]?.consequence).toMatchObject({ heldMicroCredit: lockedMicroCredit })
  })

  test('is remembered after a restart', () => {
    const scene = convicted()
    expect(scene.play('restart', 'submit u', 'ann joins')).toEqual(['benchmark ann: quarantine'])
  })
})
