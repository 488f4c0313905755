import { describe, expect, test } from 'bun:test'
import type { MicroCredit } from '@shardy/protocol'
import { answerOf, nameOf, publicKeyOf } from '../test/identity.ts'
import { newTask, Scene } from '../test/scene.ts'

interface Scenario {
  readonly desc: string
  readonly before: readonly string[]
  readonly when: string
  /** The effects of `when`, `save` left out. */
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

const submitted = ['ann joins', 'bob joins', 'submit t']
const bothWork = [...submitted, 'ann acks', 'bob acks']
const annCommitted = [...bothWork, 'ann commits x']
const bothCommitted = [...annCommitted, 'bob commits x']
const tracesCommitted = [...bothWork, 'ann commits x+t', 'bob commits x+u']
const annAnswered = [...bothCommitted, 'ann reveals x', 'ann answers x']
const bobRevealed = [...annAnswered, 'bob reveals x']
const bobDiffers = [...annCommitted, 'bob commits y', 'ann reveals x', 'ann answers x', 'bob reveals y']
const mismatched = [...bobDiffers, 'bob answers y']
const third = [...mismatched, 'cat joins', 'cat acks', 'cat commits x', 'cat reveals x']

describe('a task from submit to verdict', () => {
  run([
    {
      desc: 'waits when nobody is there',
      before: [],
      when: 'submit t',
      expected: ['event submitted'],
      status: 'waiting',
    },
    {
      desc: 'goes to as many workers as its redundancy says, and to no more',
      before: ['ann joins', 'bob joins', 'cat joins', 'cat is paused'],
      when: 'submit t',
      expected: ['event submitted', 'event delivered', 'deliver to ann', 'event delivered', 'deliver to bob'],
      status: 'running',
    },
    {
      desc: 'goes to whoever joins',
      before: ['submit t', 'ann joins'],
      when: 'bob joins',
      expected: ['event delivered', 'deliver to bob'],
    },
    {
      desc: 'is acknowledged',
      before: submitted,
      when: 'ann acks',
      expected: ['event acked'],
      deliveries: ['ann computing', 'bob leased'],
    },
    {
      desc: 'keeps commitments open while one is missing',
      before: bothWork,
      when: 'ann commits x',
      expected: ['event committed'],
      deliveries: ['ann committed', 'bob computing'],
    },
    {
      desc: 'closes them when enough are bound',
      before: annCommitted,
      when: 'bob commits x',
      expected: ['event committed', 'close ann', 'close bob'],
      deliveries: ['ann revealing', 'bob revealing'],
    },
    {
      desc: 'takes a commitment that comes without an ack',
      before: [...submitted, 'ann commits x'],
      when: 'bob commits x',
      expected: ['event committed', 'close ann', 'close bob'],
    },
    {
      desc: 'takes a reveal in silence',
      before: bothCommitted,
      when: 'ann reveals x',
      expected: [],
      deliveries: ['ann revealed', 'bob revealing'],
    },
    {
      desc: 'takes an answer and waits for the other',
      before: [...bothCommitted, 'ann reveals x'],
      when: 'ann answers x',
      expected: ['event answered'],
      deliveries: ['ann answered', 'bob revealing'],
      status: 'running',
    },
    {
      desc: 'is verified by the second equal answer, and exactly its reward is paid',
      before: bobRevealed,
      when: 'bob answers x',
      expected: [
        'event answered',
        'settle ann: accepted 501',
        'settle bob: accepted 500',
        'event task_verified',
      ],
      deliveries: ['ann accepted 501', 'bob accepted 500'],
      status: 'verified',
    },
  ])

  test('has its history in order, and its workers have their due', () => {
    const scene = new Scene()
    scene.play(...bobRevealed, 'bob answers x')
    expect(scene.events()).toEqual([
      'submitted',
      'delivered',
      'delivered',
      'acked',
      'acked',
      'committed',
      'committed',
      'answered',
      'answered',
      'task_verified',
    ])
    expect(scene.standing('ann')).toBe('1 accepted, 0 disagreed, 501 earned')
    expect(scene.standing('bob')).toBe('1 accepted, 0 disagreed, 500 earned')
    expect(scene.task().outputDigest).toBeDefined()
    expect(scene.state.tasks.size + scene.state.deliveries.size + scene.state.due.size).toBe(0)
  })

  test('refers to its input from the start, and to its output when it is verified and kept', () => {
    for (const keepOutput of [true, false]) {
      const scene = new Scene()
      const references: number[] = []
      const send = scene.send.bind(scene)
      scene.send = (input) => {
        const effects = send(input)
        for (const effect of effects) if (effect.kind === 'save') references.push(effect.references.length)
        return effects
      }
      scene.play('ann joins', 'bob joins')
      references.length = 0
      scene.submit('t', { keepOutput })
      expect(references).toEqual([1])
      references.length = 0
      scene.play(...bobRevealed.slice(3), 'bob answers x')
      expect(references.reduce((sum, count) => sum + count)).toBe(keepOutput ? 1 : 0)
    }
  })
})

test('equal outputs agree whatever their traces are, and the trace root is kept with the answer', () => {
  const scene = new Scene()
  scene.play(...tracesCommitted, 'ann reveals x+t', 'ann answers x+t', 'bob reveals x+u')
  const { deliveryId } = scene.deliveryOf('ann')
  expect(scene.state.deliveries.get(deliveryId)).toMatchObject(answerOf('x+t'))
  expect(scene.play('bob answers x+u')).toContain('event task_verified')
})

describe('disagreement', () => {
  run([
    {
      desc: 'is published, and a further worker is wanted at once',
      before: [...bobDiffers, 'cat joins'],
      when: 'bob answers y',
      expected: ['event answered', 'event consensus_mismatch', 'event delivered', 'deliver to cat'],
      status: 'running',
    },
    {
      desc: 'waits for a third worker: those who answered are not asked again',
      before: bobDiffers,
      when: 'bob answers y',
      expected: ['event answered', 'event consensus_mismatch'],
      status: 'waiting',
    },
    {
      desc: 'is decided by the third, who commits without waiting; the minority is named and not paid',
      before: third,
      when: 'cat answers x',
      expected: [
        'event answered',
        'settle ann: accepted 501',
        'settle bob: disagreed 0',
        'settle cat: accepted 500',
        'event task_verified',
      ],
      deliveries: ['ann accepted 501', 'bob disagreed', 'cat accepted 500'],
      status: 'verified',
    },
    {
      desc: 'goes on when the third says something else again',
      before: [...mismatched, 'cat joins', 'cat commits z', 'cat reveals z', 'dan joins'],
      when: 'cat answers z',
      expected: ['event answered', 'event delivered', 'deliver to dan'],
    },
  ])

  test('is published once, however many differ', () => {
    const scene = new Scene()
    scene.play(...mismatched, 'cat joins', 'cat commits z', 'cat reveals z', 'cat answers z', 'dan joins')
    scene.play('dan commits w', 'dan reveals w', 'dan answers w')
    expect(scene.events().filter((type) => type === 'consensus_mismatch')).toHaveLength(1)
    scene.play('eve joins', 'eve commits z', 'eve reveals z', 'eve answers z')
    expect(scene.deliveries()).toEqual([
      'ann disagreed',
      'bob disagreed',
      'cat accepted 501',
      'dan disagreed',
      'eve accepted 500',
    ])
    expect(scene.standing('ann')).toBe('0 accepted, 1 disagreed, 0 earned')
  })
})

describe('messages that change nothing', () => {
  const verified = [...bobRevealed, 'bob answers x']
  const table: readonly (readonly [desc: string, before: readonly string[], when: string, reason: string])[] =
    [
      ['cancel of a task that nobody knows', [], 'cancel t', 'unknownTask'],
      ['cancel of an ended task', verified, 'cancel t', 'unknownTask'],
      ['cancel, repeated', [...submitted, 'cancel t'], 'cancel t', 'unknownTask'],
      ['a stranger leaves', [], 'ann leaves', 'unknownWorker'],
      ['leaving twice', ['ann joins', 'ann leaves'], 'ann leaves', 'unknownWorker'],
      ['presence of a stranger', [], 'ann is paused', 'unknownWorker'],
      ['presence after leaving', ['ann joins', 'ann is leaving'], 'ann is available', 'unknownWorker'],
      ['an ack, repeated', bothWork, 'ann acks', 'alreadyAcked'],
      ['an ack after the answer', annAnswered, 'ann acks', 'alreadyAcked'],
      ['a commitment, repeated', annCommitted, 'ann commits x', 'alreadyCommitted'],
      ['another commitment', annCommitted, 'ann commits y', 'alreadyCommitted'],
      ['another commitment after they closed', bothCommitted, 'ann commits y', 'alreadyCommitted'],
      ['another commitment after the answer', annAnswered, 'ann commits y', 'alreadyCommitted'],
      ['a reveal before any commitment', bothWork, 'ann reveals x', 'notCommitted'],
      ['a reveal before commitments closed', annCommitted, 'ann reveals x', 'notCommitted'],
      ['a reveal, repeated', [...bothCommitted, 'ann reveals x'], 'ann reveals x', 'notCommitted'],
      ['another reveal', [...bothCommitted, 'ann reveals x'], 'ann reveals y', 'notCommitted'],
      ['an answer, repeated', annAnswered, 'ann answers x', 'alreadyAnswered'],
      ['another answer', annAnswered, 'ann answers y', 'alreadyAnswered'],
      ['a rejection after the answer', annAnswered, 'ann rejects', 'alreadyAnswered'],
      ['corruption after the answer', annAnswered, 'ann corrupts', 'alreadyAnswered'],
      ...['acks', 'commits x', 'reveals x', 'answers x', 'rejects', 'corrupts'].flatMap((says) => [
        [`a foreign worker ${says}`, bothWork, `cat/ann ${says}`, 'notYours'] as const,
        [`a replica ${says} for the other`, bothCommitted, `bob/ann ${says}`, 'notYours'] as const,
        [`${says} after the verdict`, verified, `ann ${says}`, 'unknownDelivery'] as const,
        [`${says} after a cancel`, [...bothWork, 'cancel t'], `ann ${says}`, 'unknownDelivery'] as const,
        [`${says} after the lease`, [...bothWork, 'wait 15000'], `ann ${says}`, 'unknownDelivery'] as const,
        [
          `${says} in a new session about the old one`,
          [...bothWork, 'ann joins'],
          `ann ${says}`,
          'unknownDelivery',
        ] as const,
      ]),
    ]
  for (const [desc, before, when, reason] of table) {
    test(desc, () => {
      const scene = new Scene()
      scene.play(...before)
      const { state } = scene
      expect(scene.play(when)).toEqual([`ignored: ${reason}`])
      expect(scene.state).toEqual(state)
    })
  }
})

describe('answers that cannot be taken are tried again, and held against nobody', () => {
  const lost = (event: string, outcome: string): readonly string[] => [
    `settle ann: ${outcome} 0`,
    `event ${event}`,
  ]
  const corrupted = lost('corrupted', 'corrupted')
  run([
    {
      desc: 'an answer before any commitment',
      before: bothWork,
      when: 'ann answers x',
      expected: corrupted,
      deliveries: ['ann corrupted', 'bob computing'],
    },
    {
      desc: 'an answer before commitments closed',
      before: annCommitted,
      when: 'ann answers x',
      expected: corrupted,
    },
    {
      desc: 'an answer before its reveal',
      before: bothCommitted,
      when: 'ann answers x',
      expected: corrupted,
    },
    {
      desc: 'a reveal of something else',
      before: bothCommitted,
      when: 'ann reveals y',
      expected: corrupted,
      deliveries: ['ann corrupted', 'bob revealing'],
    },
    {
      desc: 'an answer other than the one revealed',
      before: [...bothCommitted, 'ann reveals x'],
      when: 'ann answers y',
      expected: corrupted,
    },
    {
      desc: 'a reveal with a trace root where none was committed to',
      before: bothCommitted,
      when: 'ann reveals x+t',
      expected: corrupted,
    },
    {
      desc: 'a reveal without the trace root that was committed to',
      before: tracesCommitted,
      when: 'ann reveals x',
      expected: corrupted,
    },
    {
      desc: "a reveal with another's trace root",
      before: [...tracesCommitted, 'bob reveals x+u'],
      when: 'ann reveals x+u',
      expected: corrupted,
    },
    {
      desc: 'an answer with another trace root than the one revealed',
      before: [...tracesCommitted, 'ann reveals x+t'],
      when: 'ann answers x+u',
      expected: corrupted,
    },
    {
      desc: 'an answer without the trace root that was revealed',
      before: [...tracesCommitted, 'ann reveals x+t'],
      when: 'ann answers x',
      expected: corrupted,
    },
    {
      desc: 'the reveal of a copied commitment, which is bound to another worker',
      before: [...bothWork, 'bob commits x', 'ann commits bob:x', 'bob reveals x', 'bob answers x'],
      when: 'ann reveals x',
      expected: corrupted,
      deliveries: ['ann corrupted', 'bob answered'],
    },
    {
      desc: 'a rejected delivery',
      before: bothWork,
      when: 'ann rejects',
      expected: lost('rejected', 'rejected'),
    },
    {
      desc: 'a rejection after the reveal',
      before: [...bothCommitted, 'ann reveals x'],
      when: 'ann rejects',
      expected: lost('rejected', 'rejected'),
    },
    { desc: 'a corrupted frame', before: bothCommitted, when: 'ann corrupts', expected: corrupted },
    { desc: 'a worker that leaves', before: bothWork, when: 'ann leaves', expected: lost('lost', 'lost') },
    {
      desc: 'a worker that leaves after its commitment',
      before: annCommitted,
      when: 'ann leaves',
      expected: lost('lost', 'lost'),
    },
    {
      desc: 'a worker that leaves after its reveal',
      before: [...bothCommitted, 'ann reveals x'],
      when: 'ann is leaving',
      expected: lost('lost', 'lost'),
      deliveries: ['ann lost', 'bob revealing'],
    },
    {
      desc: 'a worker that joins again',
      before: bothWork,
      when: 'ann joins',
      expected: lost('lost', 'lost'),
    },
    {
      desc: 'a worker whose answer was taken may leave',
      before: annAnswered,
      when: 'ann leaves',
      expected: [],
      deliveries: ['ann answered', 'bob revealing'],
    },
  ])

  test('whoever left is paid for an answer that was taken', () => {
    const scene = new Scene()
    scene.play(...annAnswered, 'ann leaves', 'bob reveals x', 'bob answers x')
    expect(scene.deliveries()).toEqual(['ann accepted 501', 'bob accepted 500'])
    expect(scene.standing('ann')).toBe('1 accepted, 0 disagreed, 501 earned')
  })

  const failures = [
    { failure: 'ann rejects', outcome: 'rejected' },
    { failure: 'ann corrupts', outcome: 'corrupted' },
    { failure: 'ann answers x', outcome: 'corrupted' },
    { failure: 'ann leaves', outcome: 'lost' },
  ]
  for (const { failure, outcome } of failures) {
    test(`${failure}: the task goes to another after a pause, and no standing changes`, () => {
      const scene = new Scene()
      scene.play(...bothWork, failure, 'cat joins')
      expect(scene.deliveries()).toEqual([`ann ${outcome}`, 'bob computing'])
      const { notBeforeMs } = scene.task()
      expect(notBeforeMs).toBeGreaterThanOrEqual(scene.nowMs + 200)
      expect(notBeforeMs).toBeLessThanOrEqual(scene.nowMs + 300)
      scene.wait(notBeforeMs - scene.nowMs - 1)
      expect(scene.deliveries()).toHaveLength(2)
      scene.wait(1)
      expect(scene.deliveries()[2]).toBe('cat leased')
      expect(scene.standing('ann')).toBe('0 accepted, 0 disagreed, 0 earned')
    })
  }

  test('a worker that failed may try again when nobody else is there', () => {
    const scene = new Scene()
    scene.play(...bothWork, 'ann rejects', 'wait 300')
    expect(scene.deliveries()).toEqual(['ann rejected', 'bob computing', 'ann leased'])
  })

  test('a detail that came from outside is kept in printable ASCII, cut to its bound', () => {
    const scene = new Scene()
    scene.play(...bothWork)
    const { workerId, deliveryId } = scene.deliveryOf('ann')
    scene.send({ kind: 'corrupted', workerId, deliveryId, detail: `naïve\n${'é'.repeat(500)}` })
    const bob = scene.deliveryOf('bob')
    scene.send({ ...bob, kind: 'rejected', reason: 'executionFailed', message: '\u{1f600}'.repeat(200) })
    const details = [...scene.archive.events.values()].flat().map(({ detail }) => detail)
    expect(details).toContain(`na?ve?${'?'.repeat(250)}`)
    expect(details.at(-1)).toStartWith('executionFailed: ??')
  })
})

describe('time', () => {
  run([
    {
      desc: 'a lease ends',
      before: [...bothWork, 'bob commits x'],
      when: 'wait 15000',
      expected: ['cancel ann: leaseExpired', 'settle ann: lost 0', 'event lost'],
    },
    {
      desc: 'who never acknowledged loses its lease as well',
      before: [...submitted, 'bob commits x', 'wait 14999'],
      when: 'wait 1',
      expected: ['cancel ann: leaseExpired', 'settle ann: lost 0', 'event lost'],
    },
    {
      desc: 'who has committed is not hurried while others compute',
      before: [...submitted, 'bob commits x', 'ann is paused'],
      when: 'wait 1000000',
      expected: ['cancel ann: leaseExpired', 'settle ann: lost 0', 'event lost'],
      deliveries: ['ann lost', 'bob committed'],
    },
    {
      desc: 'the deadline ends a task that waits',
      before: ['submit t'],
      when: 'wait 3600000',
      expected: ['event task_dead'],
      status: 'dead',
    },
    {
      desc: 'the deadline ends a task with an answer, which is not paid: agreement never came',
      before: [...annAnswered, 'bob leaves', 'ann leaves'],
      when: 'wait 3600000',
      expected: ['settle ann: superseded 0', 'event task_dead'],
      deliveries: ['ann superseded', 'bob lost'],
      status: 'dead',
    },
    {
      desc: 'the deadline calls back what is out',
      before: [...submitted, 'bob commits x', 'ann leaves'],
      when: 'wait 3600000',
      expected: ['cancel bob: taskDecided', 'settle bob: superseded 0', 'event task_dead'],
      status: 'dead',
    },
  ])

  test('the time to reveal ends, and another is asked', () => {
    const scene = new Scene()
    scene.play(...annAnswered, 'cat joins', 'wait 14000')
    expect(scene.deliveries()).toEqual(['ann answered', 'bob revealing'])
    scene.wait(1_500)
    expect(scene.deliveries()).toEqual(['ann answered', 'bob lost', 'cat leased'])
    scene.play('cat commits x', 'cat reveals x', 'cat answers x')
    expect(scene.deliveries()).toEqual(['ann accepted 501', 'bob lost', 'cat accepted 500'])
    expect(scene.standing('bob')).toBe('0 accepted, 0 disagreed, 0 earned')
  })

  test('the time to reveal begins when commitments close, whatever is left of the lease', () => {
    const scene = new Scene()
    scene.play(...annCommitted, 'wait 14000', 'bob commits x', 'wait 14000')
    expect(scene.deliveries()).toEqual(['ann revealing', 'bob revealing'])
    scene.play('ann reveals x', 'ann answers x', 'bob reveals x', 'bob answers x')
    expect(scene.task().status).toBe('verified')
  })

  test('revealing without answering ends the same way', () => {
    const scene = new Scene()
    scene.play(...bobRevealed, 'cat joins', 'wait 15500')
    expect(scene.deliveries()).toEqual(['ann answered', 'bob lost', 'cat leased'])
  })

  test('a message that is handled before the tick is in time', () => {
    const scene = new Scene()
    scene.play(...submitted, 'bob commits x')
    scene.nowMs = (scene.nowMs + 20_000) as typeof scene.nowMs
    expect(scene.play('ann commits x')).toEqual(['event committed', 'close ann', 'close bob'])
  })

  test('more than a step may handle falls due over several', () => {
    const scene = new Scene()
    scene.isChecked = false
    for (let index = 0; index < 1500; index++) scene.send({ kind: 'submit', task: newTask(`t${index}`) })
    scene.nowMs = (scene.nowMs + 3_600_000) as typeof scene.nowMs
    scene.isChecked = true
    scene.play('tick')
    expect(scene.state.tasks.size).toBe(1500 - 1024)
    scene.play('tick')
    expect(scene.state.tasks.size).toBe(0)
  })
})

describe('attempts', () => {
  test('a task is dead when too few are left for agreement, and nobody works on it in vain', () => {
    const scene = new Scene({ attemptsMax: 3 })
    scene.play(...bothWork, 'ann rejects')
    expect(scene.task().status).toBe('running')
    expect(scene.play('bob rejects')).toEqual(
      ['settle bob: rejected 0', 'event rejected', 'settle', 'event task_dead'].filter(
        (each) => each !== 'settle',
      ),
    )
    expect(scene.task()).toMatchObject({ status: 'dead', deadReason: 'attemptsExhausted' })
    expect(scene.deliveries()).toHaveLength(2)
  })

  test('whoever is still out is called back', () => {
    const scene = new Scene({ attemptsMax: 2 })
    scene.play(...bothWork)
    expect(scene.play('ann leaves')).toEqual([
      'settle ann: lost 0',
      'event lost',
      'cancel bob: taskDecided',
      'settle bob: superseded 0',
      'event task_dead',
    ])
  })

  test('are never more than the policy allows, even when several workers are wanted at once', () => {
    const scene = new Scene({ attemptsMax: 8 })
    for (const name of ['ann', 'bob', 'cat', 'dan', 'eve', 'fay', 'gus', 'hal', 'ida']) scene.join(name)
    scene.submit('t', { redundancy: 7 })
    scene.play('ann rejects', 'wait 1000')
    for (const name of ['bob', 'cat', 'dan', 'eve', 'fay', 'gus', 'hal', 'ida']) {
      if (scene.state.tasks.size === 0) break
      scene.play(`${name} leaves`, 'wait 30000')
    }
    expect(scene.task().status).toBe('dead')
    expect(scene.task().deliveryIds.length).toBeLessThanOrEqual(8)
  })

  test('a task that asks for more workers than attempts is dead at once', () => {
    const scene = new Scene({ attemptsMax: 4 })
    expect(scene.submit('t', { redundancy: 5 })).toEqual(['event submitted', 'event task_dead'])
  })

  for (const attemptsMax of [0, 1, 65]) {
    test(`a policy of ${attemptsMax} is refused: a record holds 64, agreement needs 2`, () => {
      expect(() => new Scene({ attemptsMax })).toThrow(`attemptsMax is ${attemptsMax}, allowed is 2 to 64`)
    })
  }
})

describe('a standing', () => {
  test('begins with the first delivery: who only joins leaves nothing to keep', () => {
    const scene = new Scene()
    for (let index = 0; index < 50; index++) {
      expect(scene.join(`stranger${index}`)).toEqual([])
      scene.play(`stranger${index} leaves`)
    }
    expect(scene.archive.standings.size + scene.state.standings.size).toBe(0)
  })

  test('is kept of everybody whom a receipt names, also after a restart', () => {
    const scene = new Scene()
    scene.play(...bothWork, 'ann leaves', 'restart', 'cat joins', 'dan joins', 'wait 2000')
    for (const says of ['commits', 'reveals', 'answers']) scene.play(`cat ${says} x`, `dan ${says} x`)
    expect(scene.task().status).toBe('verified')
    expect(scene.deliveries().slice(0, 2)).toEqual(['ann lost', 'bob lost'])
    for (const { workerId } of scene.archive.deliveriesOf(scene.task())) {
      expect(scene.state.standings.get(workerId)?.publicKey).toEqual(publicKeyOf(nameOf(workerId)))
    }
  })
})

describe('cancel', () => {
  const calledBack = (name: string): readonly string[] => [
    `cancel ${name}: taskCancelled`,
    `settle ${name}: superseded 0`,
  ]
  const both = [...calledBack('ann'), ...calledBack('bob')]
  const superseded = ['ann superseded', 'bob superseded']
  type Stage = readonly [
    desc: string,
    before: readonly string[],
    deliveries: readonly string[],
    effects: readonly string[],
  ]
  const stages: readonly Stage[] = [
    ['waiting', ['submit t'], [], []],
    ['leased', submitted, superseded, both],
    ['computing', bothWork, superseded, both],
    ['committed', annCommitted, superseded, both],
    ['revealing', bothCommitted, superseded, both],
    ['answered', annAnswered, superseded, ['settle ann: superseded 0', ...calledBack('bob')]],
    ['mismatched', mismatched, superseded, ['settle ann: superseded 0', 'settle bob: superseded 0']],
    ['backing off', [...bothWork, 'ann rejects', 'bob rejects'], ['ann rejected', 'bob rejected'], []],
  ]
  for (const [desc, before, deliveries, effects] of stages) {
    test(`a task that is ${desc}`, () => {
      const scene = new Scene()
      scene.play(...before)
      expect(scene.play('cancel t')).toEqual([...effects, 'event task_cancelled'])
      expect(scene.deliveries()).toEqual([...deliveries])
      expect(scene.task()).toMatchObject({ status: 'cancelled', outputDigest: undefined })
      expect(scene.state.tasks.size + scene.state.deliveries.size + scene.state.due.size).toBe(0)
    })
  }
})

describe('submit', () => {
  test('refuses a task that is live', () => {
    const scene = new Scene()
    expect(scene.play('submit t', 'submit t')).toEqual(['refused: duplicate'])
  })

  test('refuses more than it may hold, and takes more when one ends', () => {
    const scene = new Scene({ liveTasksMax: 2 })
    expect(scene.play('submit t', 'submit u', 'submit v')).toEqual(['refused: overloaded'])
    expect(scene.play('cancel t', 'submit v')).toEqual(['event submitted'])
  })

  test('a repeat is a duplicate even under overload', () => {
    const scene = new Scene({ liveTasksMax: 1 })
    expect(scene.play('submit t', 'submit t')).toEqual(['refused: duplicate'])
  })

  test('a task that was forgotten and comes again gives its workers other ids', () => {
    const scene = new Scene()
    scene.play(...submitted)
    const { deliveryId } = scene.deliveryOf('ann')
    scene.play('cancel t', 'wait 1')
    // The owner of the store has forgotten it.
    scene.archive.tasks.clear()
    scene.archive.events.clear()
    scene.play('submit t')
    expect(scene.deliveryOf('ann').deliveryId).not.toBe(deliveryId)
  })

  test('a task without a reward is verified, and pays nothing', () => {
    const scene = new Scene()
    scene.play('ann joins', 'bob joins')
    scene.submit('t', { rewardMicroCredit: 0n as MicroCredit })
    scene.play(...bobRevealed.slice(3), 'bob answers x')
    expect(scene.deliveries()).toEqual(['ann accepted', 'bob accepted'])
  })

  test('what a record cannot hold of earnings is not counted, and ends nothing', () => {
    const scene = new Scene()
    scene.play('ann joins', 'bob joins')
    for (const name of ['t', 'u', 'v']) {
      scene.submit(name, { rewardMicroCredit: (2n ** 63n - 1n) as MicroCredit })
      for (const says of ['commits', 'reveals', 'answers']) scene.play(`ann ${says} x`, `bob ${says} x`)
      expect(scene.task(name).status).toBe('verified')
    }
    expect(scene.standing('ann')).toBe(`3 accepted, 0 disagreed, ${2n ** 63n - 1n} earned`)
  })
})
