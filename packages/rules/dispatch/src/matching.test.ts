import { describe, expect, test } from 'bun:test'
import { checked, type MicroCredit, quorum } from '@shardy/protocol'
import fc from 'fast-check'
import { nameOf, requesterIdOf, taskIdOf, workerIdOf } from '../test/identity.ts'
import { Scene } from '../test/scene.ts'
import { explainIdle, type NewTask, type Profile } from './index.ts'

const given = (words: readonly string[]): readonly string[] =>
  words.filter((word) => word.startsWith('deliver'))

describe('of several idle workers', () => {
  const table: readonly (readonly [string, Partial<Profile>, Partial<Profile>, Partial<NewTask>])[] = [
    ['the faster one is taken', {}, { operationsPerSecond: 4e9 }, { complexity: 1e10 }],
    ['the nearer one is taken', { latencyMs: 300 }, {}, {}],
    ['the one in the region is taken', { region: 'us' }, { region: 'eu' }, { region: 'eu' }],
    ['the cheaper one is taken', { askMicroCredit: 500_000n as MicroCredit }, {}, {}],
    ['the one of the tier is taken', {}, { tier: 3 }, { tierMin: 2 }],
    ['the one with the feature is taken', {}, { features: ['f16'] }, { features: ['f16'] }],
  ]
  for (const [desc, ann, bob, about] of table) {
    test(desc, () => {
      const scene = new Scene()
      scene.join('ann', ann)
      scene.join('bob', bob)
      expect(given(scene.submit('t', about))).toEqual(['deliver to bob'])
    })
  }

  test('the visible one is taken', () => {
    const scene = new Scene()
    scene.play('ann joins', 'bob joins', 'ann is hidden')
    expect(given(scene.submit('t'))).toEqual(['deliver to bob'])
  })

  test('the one that holds the constants is taken', () => {
    const scene = new Scene()
    scene.play('ann joins', 'ann is paused', 'bob joins')
    const about = { constantBytes: 1_000_000 }
    scene.submit('t', about)
    scene.play('bob answers x', 'bob passes', 'ann is available')
    expect(given(scene.submit('u', about))).toEqual(['deliver to bob'])
  })

  test('the one whose work came to something is taken', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'ann rejects', 'bob joins')
    expect(given(scene.submit('u'))).toEqual(['deliver to bob'])
  })

  test('who only hands back waits longer each time, and cannot use up what waits', () => {
    const scene = new Scene()
    scene.join('ann', { slots: 1 })
    for (let index = 0; index < 20; index++) scene.submit(`t${index}`)
    let handedBack = 0
    const hand = (): void => {
      while (scene.state.workers.get(workerIdOf('ann'))?.computing === 1) {
        scene.play('ann rejects')
        handedBack++
      }
    }
    hand()
    expect(handedBack).toBe(2)
    const ann = scene.state.workers.get(workerIdOf('ann'))
    expect(ann && explainIdle(scene.state, ann)?.constraints[0]?.constraint).toBe('failing')
    const pauses: number[] = []
    for (let count = 0; count < 12; count++) {
      const before = scene.nowMs
      while (scene.state.workers.get(workerIdOf('ann'))?.computing === 0 && scene.nowMs < before + 60_000)
        scene.wait(50)
      pauses.push(scene.nowMs - before)
      hand()
    }
    expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800])
    expect(Math.max(...pauses)).toBeLessThanOrEqual(30_000)
  })

  test('joining anew does not end the pause, nor does it start the count of failures again (D16)', () => {
    const scene = new Scene()
    for (let index = 0; index < 20; index++) scene.submit(`t${index}`)
    const again = (): readonly string[] => given(scene.play('ann leaves', 'ann joins'))
    scene.play('ann joins', 'ann rejects', 'ann rejects')
    const pauses: number[] = []
    for (let count = 0; count < 5; count++) {
      const before = scene.nowMs
      expect(again()).toEqual([])
      while (scene.state.workers.get(workerIdOf('ann'))?.computing === 0 && scene.nowMs < before + 60_000)
        scene.wait(50)
      pauses.push(scene.nowMs - before)
      // To leave with a delivery comes to the same as to hand it back.
      scene.play(count % 2 === 0 ? 'ann leaves' : 'ann rejects')
      if (count % 2 === 0) scene.play('ann joins')
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600])
  })

  test('a pause that ended while the worker was away keeps nobody', () => {
    const scene = new Scene()
    for (let index = 0; index < 3; index++) scene.submit(`t${index}`)
    scene.play('ann joins', 'ann rejects', 'ann rejects', 'ann leaves', 'wait 100')
    expect(given(scene.play('ann joins'))).toEqual(['deliver to ann'])
  })

  test('an accepted answer ends the count of failures', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'ann rejects')
    const ann = scene.state.standings.get(scene.deliveryOf('ann').workerId)
    expect(ann?.failures).toBe(1)
    scene.play('submit u', 'ann answers x', 'ann passes')
    expect(ann?.failures).toBe(0)
  })

  test('the less loaded one is taken', () => {
    const scene = new Scene()
    scene.join('ann', { slots: 2 })
    scene.join('bob', { slots: 2 })
    const heavy = { complexity: 1e9 }
    expect([...given(scene.submit('t', heavy)), ...given(scene.submit('u', heavy))]).toEqual([
      'deliver to ann',
      'deliver to bob',
    ])
  })
})

describe('prefetch', () => {
  test('hands out ahead, in order, as much as the worker takes', () => {
    const scene = new Scene()
    for (let index = 0; index < 9; index++) scene.submit(`t${index}`)
    expect(given(scene.join('ann', { slots: 2, prefetch: 4 }))).toHaveLength(6)
    const order = scene.state.effects.flatMap((effect) =>
      effect.kind === 'deliver' ? [effect.task.spec.taskId] : [],
    )
    expect(order).toEqual([0, 1, 2, 3, 4, 5].map((index) => taskIdOf(`t${index}`)))
    expect([5, 6].map((index) => scene.task(`t${index}`).status)).toEqual(['running', 'waiting'])
    expect(given(scene.play('ann@t0 answers x'))).toEqual(['deliver to ann'])
  })
  test('hands out no more than it can do soon', () => {
    const scene = new Scene()
    for (let index = 0; index < 9; index++) scene.submit(`t${index}`, { complexity: 1e8 })
    // A tenth of a second each, and a quarter of one to be had ahead.
    expect(given(scene.join('ann', { prefetch: 8 }))).toHaveLength(3)
  })
})

describe('what a worker never gets', () => {
  test('is a task that it has had', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'ann rejects', 'wait 60000')
    expect(scene.deliveries()).toEqual(['ann rejected'])
    scene.play('ann leaves', 'ann joins', 'wait 60000')
    expect(scene.deliveries()).toEqual(['ann rejected'])
    expect(given(scene.play('bob joins'))).toEqual(['deliver to bob'])
  })
  test('but it does when the orchestrator restarted', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'restart')
    expect(given(scene.play('ann joins'))).toEqual(['deliver to ann'])
    expect(scene.deliveries()).toEqual(['ann lost', 'ann leased'])
    expect(scene.state.standings.get(scene.deliveryOf('ann').workerId)?.lostCount).toBe(0)
  })
  test('is a task that another of its operator has, until that came to nothing', () => {
    const scene = new Scene()
    scene.join('ann', { operator: 'acme' })
    scene.submit('t', { verify: quorum(2, 2) })
    expect(given(scene.join('bob', { operator: 'acme' }))).toEqual([])
    scene.play('ann leaves', 'wait 1000')
    expect(scene.deliveries()).toEqual(['ann lost', 'bob leased'])
  })
  test('is found by whoever is idle when a wrong answer makes room', () => {
    const scene = new Scene()
    scene.join('ann', { operator: 'acme' })
    scene.play('cat joins')
    scene.submit('t', { verify: quorum(3, 2) })
    scene.join('bob', { operator: 'acme' })
    scene.play('ann commits x', 'cat commits y', 'ann answers x', 'cat answers y', 'cat puzzles')
    expect(given(scene.play('ann fails'))).toEqual(['deliver to bob'])
  })
  test('is a float task that other hardware has', () => {
    const scene = new Scene()
    scene.join('ann', { hardwareClass: 'acme' })
    scene.submit('t', { exact: false, verify: quorum(2, 2) })
    expect(given(scene.join('bob', { hardwareClass: 'other' }))).toEqual([])
    expect(given(scene.join('cat', { hardwareClass: 'acme' }))).toEqual(['deliver to cat'])
  })
})

describe('a requester', () => {
  const serve = (scene: Scene, count: number): readonly string[] => {
    const order: string[] = []
    for (let index = 0; index < count; index++) {
      const { task } = scene.deliveryOf('ann')
      order.push(task.spec.requesterId)
      scene.play('ann answers x', 'ann passes')
    }
    return order
  }

  test('has its more urgent tasks done first, and older ones first among those', () => {
    const scene = new Scene()
    scene.play('submit t')
    for (const [name, priority] of [
      ['low', 0],
      ['high', 9],
      ['mid', 5],
      ['high2', 9],
    ] as const)
      scene.submit(name, { priority })
    scene.play('cancel t', 'ann joins')
    const order: string[] = []
    for (let index = 0; index < 4; index++) {
      order.push(scene.deliveryOf('ann').task.spec.taskId)
      scene.play('ann answers x', 'ann passes')
    }
    expect(order).toEqual(['high', 'high2', 'mid', 'low'].map((name) => scene.task(name).spec.taskId))
  })

  test('has its share of the work, whatever its sizes, priorities and numbers', () => {
    const size = fc.integer({ min: 0, max: 5_000_000 })
    fc.assert(
      fc.property(
        size,
        size,
        fc.nat(9),
        fc.nat(9),
        fc.integer({ min: 1, max: 3 }),
        (ritas, sams, urgent, lazy, classes) => {
          const scene = new Scene()
          scene.isChecked = false
          const submit = (name: string, index: number, complexity: number, priority: number): void => {
            // Prices tell classes apart; a reward that grows with the work does not.
            const rewardMicroCredit = BigInt(1 + (index % classes)) as MicroCredit
            scene.submit(`${name}${index}`, {
              requesterId: requesterIdOf(name),
              complexity,
              priority,
              rewardMicroCredit,
              verify: checked,
            })
          }
          // Sam comes later, with fewer, and calls them all the same.
          for (let index = 0; index < 60; index++) submit('rita', index, ritas, urgent)
          for (let index = 0; index < 40; index++) submit('sam', index, sams, lazy)
          scene.join('ann')
          const cost = { rita: 1 + ritas / 1e6, sam: 1 + sams / 1e6 }
          let [rita, sam] = [0, 0]
          for (const requester of serve(scene, 60)) {
            if (requester === requesterIdOf('rita')) rita++
            else sam++
            if (sam >= 39 || rita >= 59) break
            expect(Math.abs(rita * cost.rita - sam * cost.sam)).toBeLessThanOrEqual(cost.rita + cost.sam)
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  test('that comes back has not saved up a claim', () => {
    const scene = new Scene()
    const by = (name: string): Partial<NewTask> => ({ requesterId: requesterIdOf(name) })
    scene.submit('early', by('sam'))
    scene.play('ann joins', 'ann answers x', 'ann passes')
    for (let index = 0; index < 20; index++) scene.submit(`r${index}`, by('rita'))
    serve(scene, 10)
    for (let index = 0; index < 10; index++) scene.submit(`s${index}`, by('sam'))
    const turns = serve(scene, 8)
    expect(turns.filter((requester) => requester === requesterIdOf('sam')).length).toBeLessThanOrEqual(4)
  })

  test('pays for tries that come to nothing', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t')
    const flow = scene.state.flows.get(requesterIdOf('rita'))
    const before = flow?.virtualTime ?? 0
    scene.play('bob joins', 'ann rejects', 'wait 1000')
    expect(scene.deliveries()).toEqual(['ann rejected', 'bob leased'])
    expect(flow?.virtualTime).toBe(2 * before)
  })
})

describe('a thousand tasks that cannot be had', () => {
  function scene(): Scene {
    const made = new Scene()
    made.isChecked = false
    return made
  }
  test('hide no other, where they are of another class', () => {
    const made = scene()
    for (let index = 0; index < 1000; index++) made.submit(`t${index}`, { tierMin: 3, priority: 9 })
    made.submit('u')
    expect(given(made.join('ann'))).toEqual(['deliver to ann'])
    expect(made.task('u').status).toBe('running')
  })
  test('hide no other for long, where its operator has had them', () => {
    const made = scene()
    const tiny = { complexity: 0, inputLength: 0, outputLength: 0, verify: quorum(2, 2) }
    made.join('ann', { slots: 64, prefetch: 1024, operator: 'acme' })
    for (let index = 0; index < 1000; index++) made.submit(`t${index}`, tiny)
    made.play('ann drains')
    made.join('dan', { operator: 'acme' })
    made.submit('u', tiny)
    made.play('dan rejects', 'dan leaves', 'wait 1000')
    expect(made.deliveries('u')).toEqual(['dan rejected'])
    made.join('cat', { operator: 'acme' })
    made.wait(5_000)
    expect(made.deliveries('u')).toEqual(['dan rejected', 'cat leased'])
  })
  test('are looked past by a worker that keeps room', () => {
    const made = scene()
    const tiny = { complexity: 0, inputLength: 0, outputLength: 0 }
    made.join('ann', { slots: 64, prefetch: 1024 })
    for (let index = 0; index < 600; index++) {
      made.submit(`t${index}`, { ...tiny, verify: quorum(3, 3) })
      const delivery = made.state.deliveries.size
      if (delivery > index) made.play(`ann commits x`)
    }
    expect(made.state.deliveries.size).toBe(512)
    expect(given(made.submit('u', tiny))).toEqual(['deliver to ann'])
  })
})

test('the sweep finds the one of a thousand idle that fits', () => {
  const scene = new Scene()
  scene.isChecked = false
  for (let index = 0; index < 1000; index++) scene.join(`w${index}`, index === 777 ? { tier: 3 } : {})
  scene.submit('t', { tierMin: 3 })
  scene.wait(2_000)
  expect(scene.deliveries()).toEqual(['w777 leased'])
  expect(nameOf(scene.deliveryOf('w777').workerId)).toBe('w777')
})

test('the sweep ends when everybody idle has looked', () => {
  const scene = new Scene()
  scene.isChecked = false
  for (let index = 0; index < 1000; index++) scene.join(`w${index}`)
  scene.submit('t', { tierMin: 3 })
  scene.wait(2_000)
  expect(scene.state.sweepAtMs).toBeUndefined()
})
