import { describe, expect, test } from 'bun:test'
import { Scene } from '../test/scene.ts'
import { explainWaiting } from './explanation.ts'

const explain = (scene: Scene): string | undefined => explainWaiting(scene.state, scene.task(), scene.nowMs)

function after(...sentences: readonly string[]): string | undefined {
  const scene = new Scene()
  scene.play(...sentences)
  return explain(scene)
}

describe('why a task waits', () => {
  test('nobody is there', () => {
    expect(after('submit t')).toBe('needs 2 more workers; no worker is connected')
  })

  test('the only one has it', () => {
    expect(after('ann joins', 'submit t')).toBe(
      'needs 1 more worker; of 1 connected: 1 with this task already',
    )
  })

  test('nothing is said when it has all it wants', () => {
    expect(after('ann joins', 'bob joins', 'submit t')).toBeUndefined()
  })

  test('a pause after a failure, in milliseconds', () => {
    const scene = new Scene()
    scene.play('ann joins', 'bob joins', 'submit t', 'ann rejects')
    const pauseMs = scene.task().notBeforeMs - scene.nowMs
    expect(explain(scene)).toBe(`needs 1 more worker; tries again in ${pauseMs} ms after 1 failed`)
  })

  test('paused, busy, too small, another kind: each is counted', () => {
    const scene = new Scene()
    scene.play('ann joins', 'ann is paused', 'bob joins', 'bob is paused')
    scene.join('cat', { payloadBytesMax: 10 })
    scene.join('dan', { slots: 0 })
    scene.play('submit t')
    expect(explain(scene)).toBe(
      'needs 2 more workers; of 4 connected: 2 paused, 1 too small for its input or output, 1 without a free slot',
    )
  })

  test('room that is kept', () => {
    const scene = new Scene()
    scene.join('ann', { slots: 64 })
    scene.isChecked = false
    for (let index = 0; index < 40; index++) scene.submit(`t${index}`)
    scene.submit('t')
    scene.wait(1000)
    expect(explain(scene)).toBe(
      'needs 2 more workers; of 1 connected: 1 keeping room for tasks that enough workers can take',
    )
  })

  test('one is about to get it', () => {
    const scene = new Scene()
    scene.play('submit t')
    const task = scene.task()
    scene.join('ann', { slots: 2 })
    expect(explainWaiting(scene.state, { ...task, deliveryIds: [] }, scene.nowMs)).toEndWith(
      'of 1 connected: one is about to get it',
    )
  })
})
