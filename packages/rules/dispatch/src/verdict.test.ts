import { describe, expect, test } from 'bun:test'
import { adaptive, audited, type MicroCredit, quorum, type VerifyPolicy } from '@shardy/protocol'
import { Scene } from '../test/scene.ts'
import { drawOf } from './trust/index.ts'

const crowd = (...names: readonly string[]): readonly string[] => names.map((name) => `${name} joins`)
const says = (said: Readonly<Record<string, string>>): readonly string[] => [
  ...Object.entries(said).map(([name, what]) => `${name} commits ${what}`),
  ...Object.entries(said).map(([name, what]) => `${name} answers ${what}`),
]

describe('a mismatch of exact answers (D21)', () => {
  const mismatch = [...crowd('ann', 'bob', 'cat'), 'submit t quorum(3,2)', ...says({ ann: 'x', bob: 'y' })]
  // Commitments of three: cat is bound as well.
  const bound = [
    ...crowd('ann', 'bob', 'cat'),
    'submit t quorum(3,2)',
    'ann commits x',
    'bob commits y',
    'cat commits x',
  ]

  test('is told once, and re-execution is asked for', () => {
    const scene = new Scene()
    scene.play(...bound, 'ann answers x')
    expect(scene.play('bob answers y')).toEqual([
      'event answered',
      'event consensus_mismatch',
      'check ann',
      'check bob',
    ])
    expect(scene.history().filter((type) => type === 'consensus_mismatch')).toHaveLength(1)
  })

  test('keeps a majority from being believed before it is examined', () => {
    const scene = new Scene()
    scene.play(...bound, 'ann answers x', 'bob answers y')
    expect(scene.play('cat answers x')).toEqual(['event answered'])
  })

  test('pays who was right, and convicts who was not', () => {
    const scene = new Scene()
    scene.play(...bound, 'ann answers x', 'bob answers y', 'cat answers x')
    expect(scene.play('ann passes')).toEqual([
      'settle ann: accepted 501',
      'settle cat: accepted 500',
      'settle bob: wrong 0',
      'event wrong',
      'offence bob: unpaidAndQuarantine',
      'event quarantined',
      'benchmark bob: quarantine',
      'event task_verified',
      'book verdict',
    ])
    expect(scene.task()).toMatchObject({ basis: 'checked', checkedBy: 'projection' })
  })

  test('may find one right against two', () => {
    const scene = new Scene()
    scene.play(...bound, 'ann answers x', 'bob answers y', 'cat answers x')
    scene.play('bob passes')
    expect(scene.deliveries()).toEqual(['ann wrong', 'cat wrong', 'bob accepted 1001'])
    expect(scene.witness.offences).toHaveLength(2)
    // Ann's own check was under way; she has been convicted already.
    expect(scene.play('ann fails')).toEqual(['ignored: unknownDelivery'])
  })

  test('looks at the second of two equal answers when the first was wrong', () => {
    const scene = new Scene()
    scene.play(...bound, 'ann answers x', 'bob answers y', 'cat answers x', 'bob fails')
    expect(scene.play('ann fails')).toContain('check cat')
    scene.play('cat fails')
    expect(scene.deliveries()).toEqual(['ann wrong', 'cat wrong', 'bob wrong'])
  })

  test('never agrees later on what was found wrong', () => {
    const scene = new Scene()
    scene.play(
      ...bound,
      'ann answers x',
      'bob answers y',
      'cat answers x',
      'bob fails',
      'ann fails',
      'cat fails',
    )
    scene.play(
      ...crowd('dan', 'eve', 'fay'),
      'dan commits x',
      'eve commits x',
      'fay commits x',
      'dan answers x',
    )
    expect(scene.play('eve answers x')).not.toContain('event task_verified')
    scene.play('fay answers x', 'dan fails', 'eve fails')
    expect(scene.play('fay fails')).not.toContain('event task_verified')
  })

  test('leaves it to the majority where nothing can be said', () => {
    const scene = new Scene()
    scene.play(...bound, 'ann answers x', 'bob answers y', 'cat answers x', 'ann puzzles')
    expect(scene.play('bob puzzles')).toContain('event task_verified')
    expect(scene.deliveries()).toEqual(['ann accepted 501', 'cat accepted 500', 'bob disagreed'])
    expect(scene.witness.offences).toEqual([])
    expect(scene.task().basis).toBe('agreement')
  })

  test('asks one more when nothing can be said and nobody agrees', () => {
    const scene = new Scene()
    scene.play(
      ...crowd('ann', 'bob'),
      'submit t quorum(2,2)',
      ...says({ ann: 'x', bob: 'y' }),
      'ann puzzles',
      'bob puzzles',
    )
    expect(scene.play('cat joins')).toContain('deliver to cat')
  })

  test('does not arise while fewer than asked are bound', () => {
    expect(new Scene().play(...mismatch)).toEqual(['settle bob: corrupted 0', 'event corrupted'])
  })
})

describe('quorum(3,2)', () => {
  test('is verified by the first two that are equal; the third is not needed', () => {
    const scene = new Scene()
    scene.play(
      ...crowd('ann', 'bob', 'cat'),
      'submit t quorum(3,2)',
      'ann commits x',
      'bob commits x',
      'cat commits x',
      'ann answers x',
    )
    expect(scene.play('bob answers x')).toEqual([
      'event answered',
      'settle ann: accepted 501',
      'settle bob: accepted 500',
      'cancel cat: taskDecided',
      'settle cat: superseded 0',
      'event task_verified',
      'book verdict',
    ])
  })

  test('closes with two where no third is connected', () => {
    const scene = new Scene()
    scene.play(...crowd('ann', 'bob'), 'submit t quorum(3,2)', 'ann commits x')
    expect(scene.play('bob commits x')).toEqual(['event committed', 'close ann', 'close bob'])
  })
})

describe('audited(rate)', () => {
  function play(permille: number): { readonly checked: number; readonly accepted: number } {
    const scene = new Scene()
    scene.isChecked = false
    scene.join('ann')
    let checked = 0
    for (let index = 0; index < 400; index++) {
      scene.submit(`t${index}`, { verify: audited(permille) })
      const words = scene.play('ann answers x')
      if (words.includes('check ann')) {
        checked++
        scene.play('ann passes')
        expect(scene.task(`t${index}`)).toMatchObject({ status: 'verified', basis: 'checked' })
      } else {
        expect(scene.task(`t${index}`)).toMatchObject({ status: 'accepted', basis: 'trusted' })
      }
    }
    return { checked, accepted: 400 - checked }
  }

  test('checks about as many as it says, and calls the others accepted', () => {
    const { checked } = play(250)
    expect(checked).toBeGreaterThan(60)
    expect(checked).toBeLessThan(140)
  })
  test('checks all of a thousand', () => expect(play(1000).accepted).toBe(0))
})

describe('adaptive', () => {
  const stakeOf = (locked: bigint) => ({
    lockedMicroCredit: locked as MicroCredit,
    withdrawingMicroCredit: 0n as MicroCredit,
  })
  function scene(
    about: { readonly locked?: bigint; readonly exact?: boolean; readonly verify?: VerifyPolicy } = {},
  ): Scene {
    const made = new Scene()
    made.stake = stakeOf(about.locked ?? 0n)
    for (const name of ['ann', 'bob', 'cat']) made.join(name)
    made.submit('t', { verify: about.verify ?? adaptive, exact: about.exact ?? true })
    return made
  }

  test('checks who has nothing to lose', () => {
    expect(scene().play('ann answers x')).toEqual(['event answered', 'event audited', 'check ann'])
  })

  test('saves what was drawn as soon as it would have saved what was taken', () => {
    for (const about of [{}, { exact: false }, { verify: audited(1000) }]) {
      const drawn = scene(about)
      // What may wait is not saved from here on.
      drawn.savesAll = false
      drawn.play('ann answers x')
      expect(drawn.history().some((word) => /^(audited|replicated) 1$/.test(word))).toBe(true)
      expect(drawn.state.unsavedTasks).toEqual([])
    }
  })

  test('takes an answer whose worker has much to lose, unless it is drawn', () => {
    const rich = scene({ locked: 10n ** 13n })
    const words = rich.play('ann answers x')
    const { deliveryId, outputDigest } = rich.deliveryOf('ann')
    if (outputDigest === undefined) throw new Error('no answer')
    expect(drawOf(rich.state.secret, deliveryId, outputDigest, rich.state.sha256)).toBeGreaterThan(2 ** 23)
    expect(words).toEqual([
      'event answered',
      'settle ann: accepted 1001',
      'event task_accepted',
      'book verdict',
    ])
    expect(rich.task()).toMatchObject({ status: 'accepted', basis: 'trusted' })
  })

  test('puts half of the free stake at risk until the audit is decided', () => {
    const some = scene({ locked: 1000n })
    some.play('ann answers x')
    const exposure = () => some.state.standings.get(some.deliveryOf('ann').workerId)?.exposureMicroCredit
    expect(exposure()).toBe(500n as MicroCredit)
    some.play('ann passes')
    expect(exposure()).toBe(0n as MicroCredit)
  })

  test('carries an audit through when the task is cancelled', () => {
    const some = scene({ locked: 1000n })
    some.play('ann answers x', 'cancel t')
    const exposure = () => some.state.standings.get(some.deliveryOf('ann').workerId)?.exposureMicroCredit
    expect(exposure()).toBe(500n as MicroCredit)
    expect(some.play('ann fails')).toEqual([
      'event wrong',
      'offence ann: unpaidAndQuarantine',
      'event quarantined',
      'benchmark ann: quarantine',
    ])
    expect(exposure()).toBe(0n as MicroCredit)
    expect(some.task().status).toBe('cancelled')
    expect(some.play('ann fails')).toEqual(['ignored: unknownDelivery'])
  })

  test('carries it through when the task has been put back to work', () => {
    const some = scene({ locked: 1000n })
    some.play('ann answers x')
    some.wait(3_600_000)
    some.play('requeue t', 'ann fails')
    expect(some.task()).toMatchObject({ status: 'running', revivals: 1 })
    expect(some.history().at(-2)).toBe('wrong 1')
    expect(some.witness.offences).toHaveLength(1)
  })

  test('keeps the id from another task until it is decided', () => {
    const some = scene({ locked: 1000n })
    some.play('ann answers x', 'cancel t')
    expect(some.submit('t')).toEqual(['refused: beingChecked'])
    some.play('ann fails')
    expect(some.state.auditsOf.size).toBe(0)
  })

  test('has floats computed by three, who need not commit', () => {
    const floats = scene({ exact: false, locked: 10n ** 13n })
    expect(floats.play('ann answers x')).toEqual([
      'event answered',
      'event replicated',
      'event delivered',
      'deliver to cat',
      'event delivered',
      'deliver to bob',
    ])
    floats.play('bob answers x')
    expect(floats.play('cat answers x')).toContain('event task_verified')
    expect(floats.task().basis).toBe('agreement')
  })
})

describe('floats', () => {
  function scene(): Scene {
    const made = new Scene()
    for (const name of ['ann', 'bob', 'cat']) made.join(name)
    made.submit('t', { exact: false, verify: quorum(3, 2) })
    made.play('ann commits x', 'bob commits y', 'cat commits z', 'ann answers x')
    return made
  }
  test('are compared before anybody calls them different', () => {
    const made = scene()
    expect(made.play('bob answers y')).toEqual(['event answered', 'compare ann bob'])
    expect(made.play('compare t ann,bob')).toContain('event task_verified')
    expect(made.deliveries()).toEqual(['ann accepted 501', 'cat superseded', 'bob accepted 500'])
  })
  test('beyond the tolerance are a mismatch, and no offence', () => {
    const made = scene()
    made.play('bob answers y')
    expect(made.play('compare t ann|bob')).toEqual(['event consensus_mismatch'])
    expect(made.play('cat answers z')).toEqual(['event answered', 'compare ann cat bob'])
    expect(made.play('compare t ann,cat|bob')).toContain('settle bob: disagreed 0')
    expect(made.witness.offences).toEqual([])
  })
  test('are compared only when that was asked for', () => {
    const made = scene()
    expect(made.play('compare t ann|bob')).toEqual(['ignored: nothingChanged'])
    expect(made.play('compare u ann|bob')).toEqual(['ignored: unknownTask'])
  })
  test('an answer that comes during a comparison is compared with the others', () => {
    const made = scene()
    made.play('bob answers y', 'cat answers z')
    expect(made.play('compare t ann|bob')).toEqual(['compare ann cat bob'])
  })
})
