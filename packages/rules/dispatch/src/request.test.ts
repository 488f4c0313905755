/** What requesters and operators ask for: submitting, cancelling, pausing, draining, reviving. */
import { describe, expect, test } from 'bun:test'
import type { TimeMs } from '@shardy/protocol'
import { requesterIdOf } from '../test/identity.ts'
import { Scene, startMs } from '../test/scene.ts'

const given = ['ann joins', 'submit t']
const pair = ['ann joins', 'bob joins', 'submit t quorum(2,2)']
const committed = [...pair, 'ann commits x', 'bob commits x']

describe('refusals', () => {
  test('a task whose id is live', () => {
    expect(new Scene().play('submit t', 'submit t')).toEqual(['refused: duplicate'])
  })
  test('too many live tasks', () => {
    expect(new Scene({ liveTasksMax: 1 }).play('submit t', 'submit u')).toEqual(['refused: overloaded'])
  })
  test('too many of one requester, and not of another', () => {
    const scene = new Scene({ liveTasksPerRequesterMax: 1 })
    expect(scene.play('submit t', 'submit u')).toEqual(['refused: tooManyLive'])
    expect(scene.submit('v', { requesterId: requesterIdOf('sam') })).toEqual([
      'book escrow',
      'event submitted',
    ])
  })
  test('a new task while draining', () => {
    expect(new Scene().play('operate draining', 'submit t')).toEqual(['refused: draining'])
  })
  test('what nobody asks for, from a requester that asks for too many different things', () => {
    const scene = new Scene()
    scene.isChecked = false
    for (let index = 0; index < 512; index++) scene.submit(`t${index}`, { features: [`f${index}`] })
    expect(scene.submit('u', { features: ['other'] })).toEqual(['refused: tooVaried'])
    expect(scene.submit('u', { features: ['f7'] })).toContain('event submitted')
    expect(scene.submit('v', { features: ['other'], requesterId: requesterIdOf('sam') })).toContain(
      'event submitted',
    )
    // What has ended makes room.
    scene.play('cancel t9')
    expect(scene.submit('w', { features: ['another'] })).toContain('event submitted')
  })
})

describe('cancelling', () => {
  const table = [
    { desc: 'waiting', before: ['submit t'], expected: [] },
    { desc: 'leased', before: given, expected: ['cancel ann: taskCancelled', 'settle ann: superseded 0'] },
    {
      desc: 'computing',
      before: [...given, 'ann acks'],
      expected: ['cancel ann: taskCancelled', 'settle ann: superseded 0'],
    },
    { desc: 'being checked', before: [...given, 'ann answers x'], expected: ['settle ann: superseded 0'] },
    { desc: 'in its pause', before: [...given, 'ann rejects'], expected: [] },
    {
      desc: 'committed and computing',
      before: [...pair, 'ann commits x'],
      expected: [
        'cancel ann: taskCancelled',
        'settle ann: superseded 0',
        'cancel bob: taskCancelled',
        'settle bob: superseded 0',
      ],
    },
    {
      desc: 'answered and revealing',
      before: [...committed, 'ann answers x'],
      expected: ['settle ann: superseded 0', 'cancel bob: taskCancelled', 'settle bob: superseded 0'],
    },
  ]
  for (const { desc, before, expected } of table) {
    test(`a task that is ${desc} pays nobody`, () => {
      const scene = new Scene()
      scene.play(...before)
      expect(scene.play('cancel t')).toEqual([...expected, 'event task_cancelled', 'book verdict'])
      expect(scene.task().status).toBe('cancelled')
      expect(scene.play('cancel t')).toEqual(['ignored: unknownTask'])
    })
  }
})

describe('an operator', () => {
  test('pauses everything, and goes on', () => {
    const scene = new Scene()
    scene.play('ann joins', 'operate paused')
    expect(scene.play('submit t')).not.toContain('deliver to ann')
    expect(scene.play('operate paused')).toEqual(['ignored: nothingChanged'])
    expect(scene.play('operate running')).toContain('deliver to ann')
  })
  test('drains: what is old is finished', () => {
    const scene = new Scene()
    scene.play('submit t', 'operate draining', 'ann joins', 'ann answers x')
    expect(scene.play('ann passes')).toContain('event task_verified')
  })
  test('drains one worker, which keeps what it has', () => {
    const scene = new Scene()
    scene.play('ann joins', 'ann drains', 'submit t')
    expect(scene.task().status).toBe('waiting')
    expect(scene.play('ann drains off')).toContain('deliver to ann')
    scene.play('ann drains', 'submit u', 'ann@t answers x')
    expect(scene.play('ann@t passes')).toContain('event task_verified')
    expect(scene.task('u').status).toBe('waiting')
  })
  test('puts a dead task back to work with all that happened to it', () => {
    const scene = new Scene({ attemptsMax: 1 })
    scene.play('ann joins', 'bob joins', 'submit t', 'ann rejects')
    expect(scene.task().status).toBe('dead')
    expect(scene.play('requeue t')).toEqual([
      'book escrow',
      'event requeued',
      'event delivered',
      'deliver to bob',
    ])
    expect(scene.play('requeue t')).toEqual(['ignored: nothingChanged'])
    scene.play('bob answers x', 'bob passes')
    expect(scene.deliveries()).toEqual(['ann rejected', 'bob accepted 1001'])
    expect(scene.history()).toEqual([
      'submitted',
      'delivered 1',
      'rejected 1',
      'task_dead',
      'requeued',
      'delivered 2',
      'answered 2',
      'task_verified',
    ])
    expect(scene.play('requeue t')).toEqual(['ignored: nothingChanged'])
  })
  test('cannot revive a task beyond what its record holds', () => {
    const scene = new Scene({ attemptsMax: 24 })
    scene.submit('t', { deadlineMs: (startMs + 1e9) as TimeMs })
    for (let index = 0; scene.task().deliveries.length < 64; index++) {
      scene.join(`w${index}`)
      scene.play(`w${index} rejects`, `w${index} leaves`)
      scene.wait(50_000)
      if (scene.task().status === 'dead' && scene.task().deliveries.length < 64) scene.play('requeue t')
    }
    expect(scene.task()).toMatchObject({ status: 'dead', deadReason: 'attemptsExhausted', revivals: 2 })
    expect(scene.play('requeue t')).toEqual(['ignored: nothingChanged'])
  })
})
