/** Any sentences in any order: nothing throws, the invariants hold, and what is saved decodes. Shrinks to a short scene. */
import { test } from 'bun:test'
import { adaptive, audited, checked, quorum } from '@shardy/protocol'
import fc from 'fast-check'
import { taskIdOf } from './identity.ts'
import { Scene } from './scene.ts'

const names = ['ann', 'bob', 'cat', 'dan']
const name = fc.constantFrom(...names)
const task = fc.constantFrom('t', 'u', 'v', 'w', 'z')
const verb = fc.constantFrom(
  ...[
    'joins',
    'leaves',
    'acks',
    'commits x',
    'commits y',
    'answers x',
    'answers x',
    'answers y',
    'passes',
    'fails',
    'puzzles',
  ],
  ...[
    'rejects',
    'corrupts',
    'benchmarks',
    'drains',
    'drains off',
    'is paused',
    'is hidden',
    'is available',
    'is leaving',
  ],
)
const policy = fc.constantFrom(checked, quorum(2, 2), quorum(3, 2), audited(500), adaptive)

type Line = readonly [
  kind: 'says' | 'submits' | 'does',
  text: string,
  other: string,
  exact: boolean,
  verify: typeof checked,
]
const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('says' as const), verb, name, fc.boolean(), policy) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('submits' as const), task, name, fc.boolean(), policy) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('does' as const),
      fc.constantFrom(
        'wait 100',
        'wait 20000',
        'wait 3600000',
        'tick',
        'restart',
        'operate paused',
        'operate running',
        'cancel',
        'requeue',
        'compare',
      ),
      name,
      fc.boolean(),
      policy,
    ),
  },
)

function tell(scene: Scene, [kind, text, who, exact, verify]: Line): void {
  if (kind === 'submits') {
    // Whoever posts a submit has looked for the id among tasks that ended.
    const isEnded = scene.witness.tasks.has(taskIdOf(text)) && !scene.state.tasks.has(taskIdOf(text))
    if (!isEnded) scene.submit(text, { exact, verify })
    return
  }
  if (kind === 'does') {
    const about = exact ? 't' : 'u'
    const isKnown = scene.witness.tasks.has(taskIdOf(about))
    if (text === 'requeue' && !isKnown) return
    if (text === 'compare') compare(scene, about)
    else scene.play(text === 'cancel' || text === 'requeue' ? `${text} ${about}` : text)
    return
  }
  const isAboutDelivery = !/^(joins|leaves|benchmarks|drains|is)/.test(text)
  if (!isAboutDelivery || had(scene, who)) scene.play(`${who} ${text}`)
}

/** Says of all who answered that they are the same, or that nobody is. */
function compare(scene: Scene, name: string): void {
  const live = scene.state.tasks.get(taskIdOf(name))
  const groups = (live?.deliveries ?? []).map(({ deliveryId }, index) => ({
    deliveryId,
    group: 1 + (index % 2),
  }))
  scene.send({ kind: 'compared', taskId: taskIdOf(name), groups })
}

function had(scene: Scene, who: string): boolean {
  try {
    return scene.deliveryOf(who) !== undefined
  } catch {
    return false
  }
}

test('any sentences in any order keep every invariant', () => {
  const lines = fc.array(line, { maxLength: 80, size: 'max' })
  fc.assert(
    fc.property(lines, fc.boolean(), fc.constantFrom(2, 24), (said, savesAll, attemptsMax) => {
      const scene = new Scene({ attemptsMax })
      scene.savesAll = savesAll
      for (const who of names) scene.join(who, { slots: 2, operator: who === 'bob' ? 'acme' : '' })
      for (const each of said) tell(scene, each)
    }),
    { numRuns: 250 },
  )
}, 60_000)
