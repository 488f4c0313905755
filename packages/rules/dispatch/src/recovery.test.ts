import { describe, expect, test } from 'bun:test'
import { nameOf } from '../test/identity.ts'
import { Scene } from '../test/scene.ts'

const honestLife = [
  'ann joins',
  'bob joins',
  'submit t',
  'ann acks',
  'bob acks',
  'ann commits x',
  'bob commits x',
  'ann reveals x',
  'ann answers x',
  'bob reveals x',
  'bob answers x',
]
const quarrel = [
  ...honestLife.slice(0, 6),
  'bob commits y',
  'ann reveals x',
  'ann answers x',
  'bob reveals y',
  'bob answers y',
  'cat joins',
  'cat acks',
  'cat commits x',
  'cat reveals x',
  'cat answers x',
]
const trouble = ['ann joins', 'submit t', 'ann rejects', 'wait 300', 'ann acks', 'bob joins', 'bob leaves']

/** Whoever has a delivery does it honestly, step by step, until nothing is left to do. */
function finish(scene: Scene): void {
  for (let round = 0; round < 10 && scene.state.tasks.size > 0; round++) {
    scene.wait(1000)
    for (const [deliveryId, { workerId, state }] of scene.state.deliveries.entries()) {
      const name = nameOf(workerId)
      if (scene.deliveryOf(name).deliveryId !== deliveryId) continue
      if (state === 'leased' || state === 'computing') scene.play(`${name} commits x`)
      if (state === 'revealing') scene.play(`${name} reveals x`, `${name} answers x`)
    }
  }
}

describe('a restart', () => {
  for (const [life, sentences] of Object.entries({ honestLife, quarrel, trouble })) {
    for (let count = 0; count <= sentences.length; count++) {
      const last = sentences[count - 1] ?? 'nothing'
      test(`after "${last}" in ${life}: what was out is lost, what was answered stays, and all ends well`, () => {
        const scene = new Scene()
        scene.play(...sentences.slice(0, count))
        const before = scene.archive.tasks.size > 0 ? scene.deliveries() : []
        const wasLive = scene.state.tasks.size > 0
        scene.play('restart')
        expect(scene.state.workers.size).toBe(0)
        expect(scene.state.tasks.size > 0).toBe(wasLive)
        if (scene.archive.tasks.size === 0) return
        expect(scene.deliveries()).toEqual(
          before.map((each) => each.replace(/ (leased|computing|committed|revealing|revealed)$/, ' lost')),
        )
        scene.play('ann joins', 'bob joins', 'cat joins', 'dan joins')
        finish(scene)
        expect(scene.task().status).toBe('verified')
        const paid = scene.archive
          .deliveriesOf(scene.task())
          .reduce((sum, { rewardMicroCredit }) => sum + BigInt(rewardMicroCredit), 0n)
        expect(paid).toBe(1001n)
      })
    }
  }

  test('twice in a row changes nothing more', () => {
    const scene = new Scene()
    scene.play(...honestLife.slice(0, 9), 'restart')
    const { state } = scene
    expect(scene.play('restart')).toEqual([])
    expect(scene.state).toEqual(state)
  })

  test('a task whose time ran out meanwhile is dead at the first tick', () => {
    const scene = new Scene()
    scene.play('submit t')
    scene.nowMs = (scene.nowMs + 4_000_000) as typeof scene.nowMs
    scene.play('restart')
    expect(scene.play('tick')).toEqual(['event task_dead'])
  })

  test('an ended task that is handed in is passed over, and so are its deliveries', () => {
    const scene = new Scene()
    scene.play(...honestLife)
    const all = {
      tasks: [...scene.archive.tasks.values()],
      deliveries: [...scene.archive.deliveries.values()],
      standings: [...scene.archive.standings.values()],
    }
    scene.archive.records = () => all
    expect(scene.play('restart')).toEqual([])
    expect(scene.state.tasks.size + scene.state.deliveries.size).toBe(0)
    expect(scene.state.standings.size).toBe(2)
  })

  test('that leaves too few attempts ends the task', () => {
    const scene = new Scene({ attemptsMax: 3 })
    scene.play(...honestLife.slice(0, 5))
    expect(scene.play('restart').slice(-1)).toEqual(['event task_dead'])
    expect(scene.task()).toMatchObject({ status: 'dead', deadReason: 'attemptsExhausted' })
  })
})
