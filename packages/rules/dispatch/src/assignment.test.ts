import { describe, expect, test } from 'bun:test'
import { type DeliveryId, payloadBytesMax, type WorkerId } from '@shardy/protocol'
import { digestOf, publicKeyOf, workerIdOf } from '../test/identity.ts'
import { Scene } from '../test/scene.ts'
import { explainWaiting } from './explanation.ts'
import { heldMax, readyKey } from './state.ts'

describe('who gets what', () => {
  test('a worker has no more at once than its slots, and commits make room', () => {
    const scene = new Scene()
    scene.join('ann', { slots: 2 })
    scene.play('submit t', 'submit u', 'submit v')
    expect(scene.state.deliveries.size).toBe(2)
    scene.play('ann commits x')
    expect(scene.state.deliveries.size).toBe(3)
  })

  test('the oldest task goes first', () => {
    const scene = new Scene()
    scene.play('submit t', 'wait 1', 'submit u', 'wait 1', 'submit v')
    scene.join('ann', { slots: 1 })
    expect(scene.deliveries('t')).toEqual(['ann leased'])
    scene.play('ann commits x')
    expect(scene.deliveries('u')).toEqual(['ann leased'])
  })

  test('the least loaded worker goes first', () => {
    const scene = new Scene()
    scene.join('ann', { slots: 9 })
    scene.join('bob', { slots: 9 })
    scene.play('submit t')
    scene.join('cat', { slots: 9 })
    scene.play('submit u')
    expect(scene.deliveries('u')[0]).toBe('cat leased')
  })

  test('no id is first among equals for every task', () => {
    const given = new Set<string>()
    for (let index = 0; index < 30; index++) {
      const scene = new Scene()
      for (const name of ['ann', 'bob', 'cat', 'dan']) scene.join(name)
      scene.submit(`t${index}`)
      for (const line of scene.deliveries(`t${index}`)) given.add(line)
    }
    expect(given.size).toBe(4)
  })

  test('ids that sort first do not hide the others, however many they are', () => {
    const scene = new Scene()
    scene.isChecked = false
    const join = (id: string, name: string): unknown =>
      scene.send({
        kind: 'workerJoined',
        workerId: id as WorkerId,
        publicKey: publicKeyOf(name),
        kinds: ['program'],
        operationsPerSecond: 1,
        payloadBytesMax,
        slots: 1,
      })
    for (let index = 0; index < 100; index++) {
      join(`00000000${digestOf(`ground ${index}`).slice(8)}`, `ground ${index}`)
      join(digestOf(`honest ${index}`), `honest ${index}`)
    }
    for (let index = 0; index < 20; index++) scene.submit(`t${index}`)
    const given = [...scene.state.deliveries.values()].filter((each) => !each.workerId.startsWith('00000000'))
    expect(given.length).toBeGreaterThan(20)
  })

  test('whoever lets deliveries come to nothing is last in line, until it is accepted again', () => {
    const scene = new Scene()
    scene.join('ann', { slots: 4 })
    scene.play('submit t', 'ann acks', 'wait 15000')
    expect(scene.deliveries('t')[0]).toBe('ann lost')
    scene.play('cancel t')
    scene.join('bob', { slots: 4 })
    scene.join('cat', { slots: 4 })
    for (const name of ['u', 'v', 'w']) {
      scene.submit(name)
      expect(scene.deliveries(name).toSorted()).toEqual(['bob leased', 'cat leased'])
    }
    scene.submit('x', { redundancy: 3 })
    expect(scene.deliveries('x')).toContain('ann leased')
    for (const says of ['commits', 'reveals', 'answers']) {
      for (const name of ['ann', 'bob', 'cat']) scene.play(`${name} ${says} x`)
    }
    expect(scene.task('x').status).toBe('verified')
    scene.submit('y')
    expect(scene.deliveries('y')).toContain('ann leased')
  })

  test('the silent, however slow they claim to be, keep a task from honest workers for a while only', () => {
    const scene = new Scene()
    for (let index = 0; index < 6; index++) scene.join(`silent ${index}`, { operationsPerSecond: 1 })
    scene.submit('t', { complexity: 1e12 })
    scene.join('ann')
    scene.join('bob')
    for (const name of ['ann', 'bob']) {
      while (!scene.deliveries('t').includes(`${name} leased`) && scene.state.tasks.size > 0) scene.wait(1000)
      scene.play(`${name} commits x`)
    }
    scene.play('ann reveals x', 'ann answers x', 'bob reveals x', 'bob answers x')
    expect(scene.task('t').status).toBe('verified')
  })

  test('a paused worker gets nothing until it is back; a hidden one does', () => {
    const scene = new Scene()
    scene.play('ann joins', 'ann is paused', 'bob joins', 'bob is hidden', 'submit t')
    expect(scene.deliveries()).toEqual(['bob leased'])
    expect(scene.play('ann is available')).toEqual(['event delivered', 'deliver to ann'])
  })

  test('a worker that pauses goes on with what it has', () => {
    const scene = new Scene()
    scene.play('ann joins', 'bob joins', 'submit t', 'ann is paused', 'ann acks', 'ann commits x')
    expect(scene.deliveries()).toEqual(['ann committed', 'bob leased'])
  })

  test('a task too large for one worker goes to another', () => {
    const scene = new Scene()
    scene.join('ann', { payloadBytesMax: 100, slots: 2 })
    scene.join('bob', { payloadBytesMax: 2000, slots: 2 })
    scene.submit('t', { inputLength: 1000, outputLength: 1000 })
    expect(scene.deliveries()).toEqual(['bob leased'])
    scene.submit('u', { inputLength: 10, outputLength: 2001 })
    expect(scene.deliveries('u')).toEqual([])
    scene.submit('v', { inputLength: 10, outputLength: 100 })
    expect(scene.deliveries('v').toSorted()).toEqual(['ann leased', 'bob leased'])
  })

  test('a worker without the kind gets nothing', () => {
    const scene = new Scene()
    scene.join('ann', { kinds: [] })
    scene.play('submit t')
    expect(scene.deliveries()).toEqual([])
  })

  test('what a worker holds unrevealed is bounded, and half is kept for tasks that can end', () => {
    const scene = new Scene()
    scene.join('ann', { slots: 1 })
    scene.join('bob', { slots: 1 })
    for (let index = 0; index < 200; index++) scene.submit(`t${index}`, { redundancy: 3 })
    const commitAll = (...names: readonly string[]): void => {
      for (;;) {
        const leased = names.filter((name) => {
          const { deliveryId } = scene.deliveryOf(name)
          return scene.state.deliveries.get(deliveryId)?.state === 'leased'
        })
        if (leased.length === 0) return
        for (const name of leased) scene.play(`${name} commits x`)
        scene.wait(200)
      }
    }
    commitAll('ann', 'bob')
    const held = [...scene.state.workers.values()].map((worker) => worker.held.size)
    expect(held).toEqual([heldMax / 2, heldMax / 2])
    // Two are enough for this one, so it passes all that wait for a third.
    scene.submit('pair')
    scene.wait(100)
    scene.play(
      'ann commits x',
      'bob commits x',
      'ann reveals x',
      'bob reveals x',
      'ann answers x',
      'bob answers x',
    )
    expect(scene.task('pair').status).toBe('verified')
    scene.join('cat', { slots: 1 })
    commitAll('ann', 'bob', 'cat')
    const states = [...scene.state.deliveries.values()].map(({ state }) => state)
    expect(states.filter((state) => state === 'revealing').length).toBeGreaterThanOrEqual(3)
  })

  test('the output that a worker holds is bounded, and the task says so that waits for it', () => {
    const scene = new Scene()
    const large = { inputLength: 10, outputLength: payloadBytesMax }
    scene.join('ann', { payloadBytesMax, slots: 64 })
    scene.join('bob', { payloadBytesMax, slots: 64 })
    for (let index = 0; index < 10; index++) scene.submit(`t${index}`, large)
    scene.submit('small', { outputLength: 0 })
    const held = [...scene.state.workers.values()].map(({ heldBytes }) => heldBytes)
    expect(held).toEqual([4 * payloadBytesMax, 4 * payloadBytesMax])
    expect(scene.deliveries('small')).toHaveLength(2)
    expect(scene.deliveries('t4')).toEqual([])
    expect(explainWaiting(scene.state, scene.task('t4'), scene.nowMs)).toEndWith(
      'of 2 connected: 2 holding too many bytes of answers not yet revealed',
    )
    const done = { workerId: workerIdOf('ann'), deliveryId: scene.task('t0').deliveryIds[0] as DeliveryId }
    scene.send({ kind: 'rejected', ...done, reason: 'busy', message: '' })
    expect(scene.state.workers.get(done.workerId)?.heldBytes).toBe(4 * payloadBytesMax)
    expect(scene.deliveries('t0')).toContain('ann rejected')
  })

  test('half of the bytes are kept for tasks for which enough workers are connected', () => {
    const scene = new Scene()
    scene.join('ann', { payloadBytesMax, slots: 64 })
    for (let index = 0; index < 4; index++) scene.submit(`t${index}`, { outputLength: payloadBytesMax })
    expect([...scene.state.workers.values()].map(({ held }) => held.size)).toEqual([2])
  })

  test('a policy under which a worker could hold no large output is refused', () => {
    expect(() => new Scene({ heldBytesMax: payloadBytesMax })).toThrow(
      `heldBytesMax is ${payloadBytesMax}, the least is ${2 * payloadBytesMax}`,
    )
  })

  test('tasks that nobody can take hide nothing from the workers, nor the workers from each other', () => {
    const scene = new Scene()
    scene.isChecked = false
    for (let index = 0; index < 200; index++) scene.submit(`big ${index}`, { inputLength: 2_000_000 })
    for (let index = 0; index < 300; index++) scene.join(`small ${index}`)
    scene.isChecked = true
    scene.play('submit t')
    scene.wait(1000)
    expect(scene.deliveries()).toHaveLength(2)
    scene.join('large', { payloadBytesMax: 4_000_000, slots: 1 })
    scene.wait(1000)
    expect(scene.state.tasks.get(scene.deliveryOf('large').taskId)?.inputLength).toBe(2_000_000)
    expect(scene.state.search).toBeUndefined()
  })

  test('what changes while a search is under way is looked at again', () => {
    const scene = new Scene()
    scene.isChecked = false
    for (let index = 0; index < 10; index++) scene.join(`small ${index}`)
    for (let index = 0; index < 150; index++) {
      scene.submit(`t${index}`, { inputLength: index === 30 ? 2_000_000 : 9_000_000 })
      scene.nowMs = (scene.nowMs + 1) as typeof scene.nowMs
    }
    scene.isChecked = true
    const hasPassed = (): boolean => (scene.state.search?.taskFrom ?? '') > readyKey(scene.task('t30'))
    for (let count = 0; count < 20 && !hasPassed(); count++) scene.wait(10)
    expect(hasPassed()).toBe(true)
    scene.join('medium', { payloadBytesMax: 3_000_000 })
    expect(scene.deliveries('t30')).toEqual([])
    scene.wait(1000)
    expect(scene.deliveries('t30')).toEqual(['medium leased'])
  })
})
