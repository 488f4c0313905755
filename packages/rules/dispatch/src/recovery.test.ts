import { describe, expect, test } from 'bun:test'
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import { nameOf, taskIdOf } from '../test/identity.ts'
import { inWords, Scene, startMs } from '../test/scene.ts'
import type { Records } from './index.ts'

const joined = ['ann joins', 'bob joins', 'cat joins']
const lives = {
  checked: ['ann joins', 'submit t', 'ann acks', 'ann answers x', 'ann passes'],
  quorum: [
    ...joined,
    'submit t quorum(2,2)',
    'ann acks',
    'ann commits x',
    'cat commits x',
    'ann answers x',
    'cat answers x',
  ],
  quarrel: [
    ...[...joined, 'submit t quorum(3,2)', 'ann commits x', 'cat commits y', 'bob commits x'],
    ...['ann answers x', 'cat answers y', 'bob answers x', 'cat fails', 'ann passes'],
  ],
  trouble: [
    'ann joins',
    'submit t',
    'ann rejects',
    'wait 300',
    'bob joins',
    'bob acks',
    'bob leaves',
    'wait 1000',
    'cat joins',
    'cat corrupts',
  ],
  revival: ['ann joins', 'submit t', 'wait 3600000', 'requeue t', 'bob joins', 'bob answers x', 'bob passes'],
}

/** A copy, so that what is saved later does not change it. */
function copy(records: Records): Records {
  return structuredClone({
    tasks: [...records.tasks],
    standings: [...records.standings],
    stakes: records.stakes,
    lateAudits: [...records.lateAudits],
    mode: records.mode,
  })
}

/** Whoever has a delivery does it honestly, step by step, until nothing is left to do. */
function finish(scene: Scene): void {
  for (let round = 0; round < 20 && scene.state.tasks.size > 0; round++) {
    for (const { workerId, state, check, deliveryId } of [...scene.state.deliveries.values()]) {
      const name = nameOf(workerId)
      if (check === 'asked') {
        const verdict = { kind: 'right', by: 'projection' } as const
        scene.send({ kind: 'checked', workerId, deliveryId, verdict })
        continue
      }
      if (scene.state.deliveries.get(deliveryId) === undefined || state === 'answered') continue
      const isQuorum = scene.deliveryOf(name).task.spec.verify.mode === 'quorum'
      if (state === 'revealing' || !isQuorum) scene.play(`${name} answers x`)
      else if (state !== 'committed') scene.play(`${name} commits x`)
    }
    scene.wait(1000)
  }
}

describe('a restart', () => {
  for (const [life, sentences] of Object.entries(lives)) {
    for (const savesAll of [true, false]) {
      for (let count = 0; count <= sentences.length; count++) {
        const last = sentences[count - 1] ?? 'nothing'
        const what = savesAll ? 'everything' : 'only what must be'
        test(`after "${last}" in ${life}, with ${what} saved: all ends well`, () => {
          const scene = new Scene()
          scene.savesAll = savesAll
          scene.play(...sentences.slice(0, count))
          const before = scene.witness.tasks.get(taskIdOf('t'))
          const wasEnded = scene.state.tasks.size === 0
          scene.restart(copy(scene.witness.records()))
          for (const { state } of scene.state.deliveries.values()) expect(state).toBe('answered')
          if (wasEnded) return expect(scene.state.tasks.size).toBe(0)
          expect(before).toBeDefined()
          scene.play('dan joins', 'eve joins', 'fay joins')
          finish(scene)
          expect(scene.task().status).toBe('verified')
          scene.witness.assertBalanced()
        })
      }
    }
  }

  test('gives no delivery an id that was given before', () => {
    const scene = new Scene()
    // What is out need not be saved, so the number of the attempt is given again.
    scene.savesAll = false
    scene.play('submit t', 'ann joins')
    const { deliveryId } = scene.deliveryOf('ann')
    scene.play('restart', 'ann joins')
    expect(scene.deliveryOf('ann').deliveryId).not.toBe(deliveryId)
    expect(scene.play('ann answers x')).toContain('event answered')
  })

  test('hands out nothing whose deadline passed meanwhile: it is dead before anybody joins', () => {
    const scene = new Scene()
    scene.submit('late', { deadlineMs: (startMs + 1_000) as TimeMs })
    scene.play('ann joins', 'submit early', 'submit u')
    scene.nowMs = (startMs + 1_000) as TimeMs
    expect(scene.play('restart')).toContain('event task_dead')
    expect(scene.task('late')).toMatchObject({
      status: 'dead',
      deadReason: 'deadline',
      decidedAtMs: scene.nowMs,
    })
    expect(scene.deliveries('late')).toEqual(['ann lost'])
    expect(scene.play('bob joins')).toContain('deliver to bob')
    expect(scene.deliveryOf('bob').task.spec.taskId).not.toBe(taskIdOf('late'))
    scene.witness.assertBalanced()
  })

  test('carries through what was drawn for an audit, although the deadline has passed', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t adaptive', 'ann answers x')
    scene.nowMs = (startMs + 3_600_000) as TimeMs
    const effects = scene.play('restart')
    expect(effects).toContain('check ann')
    expect(effects).toContain('event task_dead')
    expect(scene.play('ann fails')).toContain('offence ann: unpaidAndQuarantine')
  })

  for (const mode of ['paused', 'draining'] as const) {
    test(`finds dispatch ${mode} that was ${mode} (D35)`, () => {
      const scene = new Scene()
      scene.play('submit t', `operate ${mode}`, 'restart')
      expect(scene.play('ann joins').includes('deliver to ann')).toBe(mode === 'draining')
      expect(scene.play('submit u').includes('refused: draining')).toBe(mode === 'draining')
      expect(scene.play(`operate ${mode}`)).toEqual(['ignored: nothingChanged'])
    })
  }

  test('twice in a row changes nothing but the attempts', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'restart', 'restart')
    expect(scene.deliveries()).toEqual(['ann lost'])
  })

  test('audits again what was being audited', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t adaptive', 'ann answers x')
    expect(scene.play('restart')).toContain('check ann')
  })

  const endings: Readonly<Record<string, readonly string[]>> = {
    'was cancelled': ['cancel t'],
    died: ['wait 3600000'],
    'died and was revived': ['wait 3600000', 'requeue t'],
  }
  for (const [what, ending] of Object.entries(endings)) {
    for (const savesAll of [true, false]) {
      test(`carries an audit through whose task ${what}, with ${savesAll ? 'everything' : 'the least'} saved (D30)`, () => {
        const scene = new Scene()
        scene.savesAll = savesAll
        scene.stake = { lockedMicroCredit: 1_000n as MicroCredit, withdrawingMicroCredit: 0n as MicroCredit }
        scene.play('ann joins', 'submit t adaptive', 'ann answers x', ...ending)
        const exposure = (): bigint | undefined =>
          scene.state.standings.get(scene.deliveryOf('ann').workerId)?.exposureMicroCredit
        expect(exposure()).toBe(500n)
        for (let count = 0; count < 2; count++) {
          expect(scene.restart(copy(scene.witness.records())).map(inWords)).toContain('check ann')
          expect(exposure()).toBe(500n)
        }
        if (what !== 'died and was revived') expect(scene.submit('t')).toEqual(['refused: beingChecked'])
        expect(scene.play('ann fails')).toContain('offence ann: unpaidAndQuarantine')
        expect(exposure()).toBe(0n)
        expect(scene.history()).toContain('wrong 1')
        expect(scene.play('restart')).not.toContain('check ann')
        expect(scene.witness.offences).toHaveLength(1)
      })
    }
  }

  test('audits what was drawn, also when its worker has more to lose by then', () => {
    const scene = new Scene()
    scene.stake = { lockedMicroCredit: 1_000n as MicroCredit, withdrawingMicroCredit: 0n as MicroCredit }
    scene.play('ann joins', 'submit t adaptive', 'ann answers x')
    const { workerId } = scene.deliveryOf('ann')
    const stake = {
      lockedMicroCredit: (10n ** 15n) as MicroCredit,
      withdrawingMicroCredit: 0n as MicroCredit,
    }
    const stakes = new Map([[workerId, stake]])
    const again = scene.restart({ ...scene.witness.records(), stakes }).map(inWords)
    expect(again).toContain('check ann')
    expect(scene.history().filter((word) => word === 'audited 1')).toHaveLength(1)
    expect(scene.state.standings.get(workerId)?.exposureMicroCredit).toBe((10n ** 15n / 2n) as MicroCredit)
  })
})
