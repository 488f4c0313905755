import { describe, expect, test } from 'bun:test'
import { type MicroCredit, quorum } from '@shardy/protocol'
import { taskIdOf, workerIdOf } from '../test/identity.ts'
import { Scene } from '../test/scene.ts'
import { type Constraint, explainIdle, explainWaiting, type NewTask, type Profile } from './index.ts'

function waiting(scene: Scene, name = 't') {
  const task = scene.state.tasks.get(taskIdOf(name))
  if (task === undefined) throw new Error(`no live task ${name}`)
  return explainWaiting(scene.state, task)
}

function idle(scene: Scene, name: string) {
  const worker = scene.state.workers.get(workerIdOf(name))
  if (worker === undefined) throw new Error(`no worker ${name}`)
  return explainIdle(scene.state, worker)
}

const named = (explanation: ReturnType<typeof waiting>): readonly Constraint[] =>
  explanation?.constraints.map(({ constraint }) => constraint) ?? []

describe('a task that the only worker cannot take says why, and so does the worker', () => {
  const table: readonly (readonly [Constraint, Partial<Profile>, Partial<NewTask>])[] = [
    ['wrongKind', {}, { kind: 'lite' }],
    ['tierTooLow', {}, { tierMin: 2 }],
    ['featureMissing', {}, { features: ['f16'] }],
    ['proofNotMade', { features: ['proof-v3'] }, { proof: 'v2' }],
    ['payloadTooLarge', { payloadBytesMax: 1000 }, {}],
    ['memoryTooSmall', { memoryBytes: 1000 }, {}],
    ['paysTooLittle', { askMicroCredit: (10n ** 9n) as MicroCredit }, {}],
  ]
  for (const [constraint, profile, about] of table) {
    test(constraint, () => {
      const scene = new Scene()
      scene.join('ann', profile)
      scene.submit('t', about)
      expect(waiting(scene)?.constraints).toEqual([{ constraint, workers: 1 }])
      expect(named(idle(scene, 'ann'))).toEqual([constraint])
    })
  }

  test('hasHadThisTask', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'ann rejects', 'wait 60000')
    expect(named(waiting(scene))).toEqual(['hasHadThisTask'])
    expect(named(idle(scene, 'ann'))).toEqual(['hasHadThisTask'])
  })
  test('sameOperator', () => {
    const scene = new Scene()
    scene.join('ann', { operator: 'acme', slots: 2 })
    scene.submit('t', { verify: quorum(2, 2) })
    scene.join('bob', { operator: 'acme' })
    expect(waiting(scene)?.text).toBe(
      'needs 1 more worker; of 2 connected: 1 already had it, 1 of an operator that has it already',
    )
    expect(named(idle(scene, 'bob'))).toEqual(['sameOperator'])
  })
  test('otherHardware', () => {
    const scene = new Scene()
    scene.join('ann')
    scene.submit('t', { exact: false, verify: quorum(2, 2) })
    scene.join('bob', { hardwareClass: 'other' })
    expect(named(idle(scene, 'bob'))).toEqual(['otherHardware'])
  })
  test('holdsTooMuch and roomIsKept', () => {
    const outputLength = 64 * 1024 * 1024
    const scene = new Scene()
    scene.join('ann', { slots: 8 })
    for (const name of ['t', 'u', 'v', 'w']) scene.submit(name, { outputLength, complexity: 0 })
    scene.submit('x', { outputLength, complexity: 0 })
    expect(named(waiting(scene, 'x'))).toEqual(['holdsTooMuch'])
    scene.play('cancel w', 'cancel x')
    scene.submit('y', { outputLength, verify: quorum(2, 2) })
    expect(named(waiting(scene, 'y'))).toEqual(['roomIsKept'])
  })
})

describe('a worker that takes nothing says why', () => {
  const table: readonly (readonly [Constraint, readonly string[]])[] = [
    ['paused', ['ann joins', 'ann is paused', 'submit t']],
    ['draining', ['ann joins', 'ann drains', 'submit t']],
    ['quarantined', ['ann joins', 'submit u', 'ann answers x', 'ann fails', 'cancel u', 'submit t']],
    ['dispatchPaused', ['ann joins', 'operate paused', 'submit t']],
  ]
  for (const [constraint, sentences] of table) {
    test(constraint, () => {
      const scene = new Scene()
      scene.play(...sentences)
      expect(named(waiting(scene))).toEqual([constraint])
      expect(named(idle(scene, 'ann'))).toEqual([constraint])
    })
  }
  test('beingMeasured, until it was measured or is not measured after all', () => {
    const scene = new Scene()
    const measuring = (isOn: boolean) =>
      scene.send({ kind: 'measuring', workerId: workerIdOf('ann'), measuring: isOn })
    scene.play('ann joins')
    measuring(true)
    scene.play('submit t')
    expect(named(waiting(scene))).toEqual(['beingMeasured'])
    expect(named(idle(scene, 'ann'))).toEqual(['beingMeasured'])
    measuring(false)
    expect(waiting(scene)).toBeUndefined()
    measuring(true)
    scene.play('ann benchmarks', 'ann answers t', 'submit u')
    expect(named(waiting(scene, 'u'))).not.toContain('beingMeasured')
  })
  test('noFreeSlot and prefetchFull', () => {
    const scene = new Scene()
    scene.join('ann')
    scene.join('bob', { prefetch: 4 })
    for (const name of ['s', 't', 'u']) scene.submit(name, { complexity: 1e9 })
    expect(named(waiting(scene, 'u'))).toEqual(['noFreeSlot', 'prefetchFull'])
    expect(idle(scene, 'ann')).toBeUndefined()
  })
  test('holdsTooMany', () => {
    const scene = new Scene()
    scene.isChecked = false
    scene.join('zoe', { slots: 64, prefetch: 1024 })
    const tiny = { complexity: 0, inputLength: 0, outputLength: 0 }
    for (let index = 0; index < 1024; index++) scene.submit(`t${index}`, tiny)
    scene.submit('u', tiny)
    expect(named(waiting(scene, 'u'))).toEqual(['holdsTooMany'])
  })
})

describe('otherwise', () => {
  test('nobody is connected', () => {
    const scene = new Scene()
    scene.play('submit t')
    expect(waiting(scene)?.text).toBe('needs 1 more worker; no worker is connected')
  })
  test('the task pauses after a failure', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'ann rejects')
    expect(named(waiting(scene))).toEqual(['backoff'])
  })
  test('its answer is being checked', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t', 'ann answers x')
    expect(named(waiting(scene))).toEqual(['beingChecked'])
  })
  test('it has all that it wants, and the worker has work', () => {
    const scene = new Scene()
    scene.play('ann joins', 'submit t')
    expect(waiting(scene)).toBeUndefined()
    expect(idle(scene, 'ann')).toBeUndefined()
  })
  test('nothing waits', () => {
    const scene = new Scene()
    scene.play('ann joins')
    expect(idle(scene, 'ann')?.text).toBe('no task is waiting')
    expect(named(idle(scene, 'ann'))).toEqual(['noTaskWaits'])
  })
})
