import { describe, expect, test } from 'bun:test'
import type { TimeMs } from '@shardy/protocol'
import { Scene, startMs } from '../test/scene.ts'

interface Scenario {
  readonly desc: string
  readonly before: readonly string[]
  readonly when: string
  readonly expected: readonly string[]
  readonly deliveries?: readonly string[]
  readonly status?: string
}

function run(scenarios: readonly Scenario[]): void {
  for (const { desc, before, when, expected, deliveries, status } of scenarios) {
    test(desc, () => {
      const scene = new Scene()
      scene.play(...before)
      expect(scene.play(when)).toEqual([...expected])
      if (deliveries !== undefined) expect(scene.deliveries()).toEqual([...deliveries])
      if (status !== undefined) expect(scene.task().status).toBe(status as 'dead')
    })
  }
}

const given = ['ann joins', 'submit t']
const pair = ['ann joins', 'bob joins', 'submit t quorum(2,2)']
const committed = [...pair, 'ann commits x', 'bob commits x']

describe('a task that is checked', () => {
  run([
    {
      desc: 'waits when nobody is there',
      before: [],
      when: 'submit t',
      expected: ['book escrow', 'event submitted'],
      status: 'waiting',
    },
    {
      desc: 'goes to one worker',
      before: ['ann joins', 'bob joins'],
      when: 'submit t',
      expected: ['book escrow', 'event submitted', 'event delivered', 'deliver to ann'],
      status: 'running',
    },
    {
      desc: 'goes to whoever joins',
      before: ['submit t'],
      when: 'ann joins',
      expected: ['event delivered', 'deliver to ann'],
    },
    {
      desc: 'is acknowledged',
      before: given,
      when: 'ann acks',
      expected: ['event acked'],
      deliveries: ['ann computing'],
    },
    {
      desc: 'is checked once it is answered',
      before: given,
      when: 'ann answers x',
      expected: ['event answered', 'check ann'],
      status: 'running',
    },
    {
      desc: 'is verified when its answer is right, and exactly its reward is paid',
      before: [...given, 'ann answers x'],
      when: 'ann passes',
      expected: ['settle ann: accepted 1001', 'event task_verified', 'book verdict'],
      deliveries: ['ann accepted 1001'],
      status: 'verified',
    },
    {
      desc: 'goes to somebody else at once when the answer is wrong',
      before: [...given, 'bob joins', 'ann answers x'],
      when: 'ann fails',
      expected: [
        'settle ann: wrong 0',
        'event wrong',
        'offence ann: unpaidAndQuarantine',
        'event quarantined',
        'benchmark ann: quarantine',
        'event delivered',
        'deliver to bob',
      ],
      deliveries: ['ann wrong', 'bob leased'],
    },
    {
      desc: 'is tried again after a pause when nothing can be said of the answer',
      before: [...given, 'bob joins', 'ann answers x'],
      when: 'ann puzzles',
      expected: ['settle ann: corrupted 0', 'event corrupted'],
      status: 'waiting',
    },
    {
      desc: 'keeps the answer of a worker that leaves',
      before: [...given, 'ann answers x', 'ann leaves'],
      when: 'ann passes',
      expected: ['settle ann: accepted 1001', 'event task_verified', 'book verdict'],
    },
    {
      desc: 'is lost with its worker',
      before: given,
      when: 'ann leaves',
      expected: ['settle ann: lost 0', 'event lost'],
      deliveries: ['ann lost'],
      status: 'waiting',
    },
    {
      desc: 'is lost with a session that is replaced, and does not come back to the same worker',
      before: given,
      when: 'ann joins',
      expected: ['settle ann: lost 0', 'event lost'],
    },
    {
      desc: 'takes no commitment',
      before: given,
      when: 'ann commits x',
      expected: ['settle ann: corrupted 0', 'event corrupted'],
    },
    {
      desc: 'can be handed back',
      before: given,
      when: 'ann rejects',
      expected: ['settle ann: rejected 0', 'event rejected'],
    },
    {
      desc: 'may arrive broken',
      before: given,
      when: 'ann corrupts',
      expected: ['settle ann: corrupted 0', 'event corrupted'],
    },
  ])

  test('goes to a session that replaces an earlier one, and not to the earlier one', () => {
    const scene = new Scene()
    scene.play('submit t', 'ann joins', 'submit u', 'ann joins')
    expect(scene.deliveries('u')).toEqual(['ann leased'])
    expect(scene.play('ann leaves')).toContain('settle ann: lost 0')
  })
})

describe('a quorum', () => {
  run([
    {
      desc: 'keeps commitments open while one is missing',
      before: pair,
      when: 'ann commits x',
      expected: ['event committed'],
      deliveries: ['ann committed', 'bob leased'],
    },
    {
      desc: 'closes them when all are bound',
      before: [...pair, 'ann commits x'],
      when: 'bob commits x',
      expected: ['event committed', 'close ann', 'close bob'],
    },
    {
      desc: 'waits for the second answer',
      before: committed,
      when: 'ann answers x',
      expected: ['event answered'],
      status: 'running',
    },
    {
      desc: 'is verified by equal answers, and the rest of the division goes to the first',
      before: [...committed, 'ann answers x'],
      when: 'bob answers x',
      expected: [
        'event answered',
        'settle ann: accepted 501',
        'settle bob: accepted 500',
        'event task_verified',
        'book verdict',
      ],
      status: 'verified',
    },
    {
      desc: 'takes no answer before commitments close',
      before: [...pair, 'ann commits x'],
      when: 'ann answers x',
      expected: ['settle ann: corrupted 0', 'event corrupted'],
    },
    {
      desc: 'takes no other answer than the one committed to',
      before: committed,
      when: 'ann answers y',
      expected: ['settle ann: corrupted 0', 'event corrupted'],
    },
    {
      desc: 'takes no answer with another trace',
      before: committed,
      when: 'ann answers x+t',
      expected: ['settle ann: corrupted 0', 'event corrupted'],
    },
  ])

  test('lets nobody copy the commitment of another', () => {
    const scene = new Scene()
    scene.play(...pair, 'ann commits x')
    const { commitment } = scene.deliveryOf('ann')
    const { workerId, deliveryId } = scene.deliveryOf('bob')
    if (commitment === undefined) throw new Error('ann has not committed')
    scene.send({ kind: 'committed', workerId, deliveryId, commitment })
    expect(scene.play('bob answers x')).toEqual(['settle bob: corrupted 0', 'event corrupted'])
  })

  test('loses who has not revealed in time', () => {
    const scene = new Scene()
    scene.play(...committed, 'ann answers x')
    scene.wait(60_000)
    expect(scene.deliveries()).toEqual(['ann answered', 'bob lost'])
  })
})

describe('time', () => {
  test('ends a lease, and a late answer changes nothing', () => {
    const scene = new Scene()
    scene.play(...given)
    scene.wait(14_999)
    expect(scene.deliveries()).toEqual(['ann leased'])
    scene.wait(1)
    expect(scene.deliveries()).toEqual(['ann lost'])
    expect(scene.play('ann answers x')).toEqual(['ignored: unknownDelivery'])
  })

  test('an answer that is handled before the tick is in time', () => {
    const scene = new Scene()
    scene.play(...given)
    scene.nowMs = (startMs + 3_000_000) as TimeMs
    expect(scene.play('ann answers x')).toEqual(['event answered', 'check ann'])
  })

  test('ends a task at its deadline, and nobody is paid', () => {
    const scene = new Scene()
    scene.play(...given, 'ann answers x')
    scene.wait(3_600_000)
    expect(scene.task()).toMatchObject({ status: 'dead', deadReason: 'deadline' })
    expect(scene.deliveries()).toEqual(['ann superseded'])
  })

  test('a task that comes too late is dead at the next tick', () => {
    const scene = new Scene()
    scene.submit('t', { deadlineMs: startMs })
    scene.play('tick')
    expect(scene.task().deadReason).toBe('deadline')
  })

  test('each failure doubles the pause', () => {
    const scene = new Scene()
    scene.play('submit t')
    for (let failures = 1; failures <= 9; failures++) {
      scene.play(`w${failures} joins`, `w${failures} rejects`, `w${failures} leaves`)
      const pauseMs = scene.task().notBeforeMs - scene.nowMs
      const base = Math.min(200 * 2 ** (failures - 1), 30_000)
      expect(pauseMs).toBeGreaterThanOrEqual(base)
      expect(pauseMs).toBeLessThanOrEqual(1.5 * base)
      scene.wait(pauseMs)
    }
  })

  test('attempts run out, and no worker is asked twice', () => {
    const scene = new Scene({ attemptsMax: 3 })
    scene.play('submit t')
    for (const name of ['ann', 'bob', 'cat', 'dan']) {
      scene.play(`${name} joins`)
      if (scene.state.tasks.size > 0) scene.play(`${name} rejects`)
      scene.wait(60_000)
    }
    expect(scene.deliveries()).toEqual(['ann rejected', 'bob rejected', 'cat rejected'])
    expect(scene.task().deadReason).toBe('attemptsExhausted')
  })

  test('a quorum is not given up while what is left of the attempts is enough', () => {
    const scene = new Scene({ attemptsMax: 3 })
    scene.play(
      'ann joins',
      'bob joins',
      'cat joins',
      'submit t quorum(3,2)',
      'cat rejects',
      'ann commits x',
      'bob commits x',
    )
    expect(scene.play('ann answers x', 'bob answers x')).toContain('event task_verified')
  })
})
