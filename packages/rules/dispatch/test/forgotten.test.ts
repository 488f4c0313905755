/** D7: requesters that have nothing here are forgotten, and nobody can tell from what is decided. */
import { expect, test } from 'bun:test'
import { parseVerify, type RequesterId, type TimeMs, type VerifyPolicy } from '@shardy/protocol'
import fc from 'fast-check'
import type { Effect } from '../src/index.ts'
import { awayMax } from '../src/state.ts'
import { requesterIdOf, taskIdOf, workerIdOf } from './identity.ts'
import { Scene } from './scene.ts'

const requesters = ['rita', 'sam', 'tom', 'uma']
const workers = ['ann', 'bob', 'cat']
const policies = ['checked', 'quorum(2,2)'].map((text) => parseVerify(text) as VerifyPolicy)

const line = fc.record({
  what: fc.constantFrom(
    'submit',
    'submit',
    'finish',
    'finish',
    'finish',
    'reject',
    'cancel',
    'requeue',
    'wait',
  ),
  one: fc.nat(15),
  requester: fc.constantFrom(...requesters),
  verify: fc.constantFrom(...policies),
  complexity: fc.constantFrom(1_000, 1_000_000, 50_000_000),
  priority: fc.nat(2),
  kind: fc.constantFrom('program' as const, 'lite' as const),
})
type Line = typeof line extends fc.Arbitrary<infer T> ? T : never

/** What is decided; who gets what above all. */
function decided(effects: readonly Effect[]): readonly string[] {
  return effects.map((effect) => {
    if (effect.kind === 'deliver')
      return `deliver ${effect.delivery.deliveryId} to ${effect.delivery.workerId}`
    return effect.kind === 'refused' ? `refused ${effect.refusal.kind}` : effect.kind
  })
}

/** All that later turns depend on. */
function claims({ state }: Scene): readonly (readonly [string, number])[] {
  const live = [...state.flows.values()].filter(({ liveTasks }) => liveTasks > 0)
  const own = live.map(({ requesterId, virtualTime }) => [requesterId, virtualTime] as const)
  return [...own.sort(([left], [right]) => (left < right ? -1 : 1)), ['everybody', state.virtualTime]]
}

function act(scene: Scene, { what, one, ...about }: Line): readonly string[] {
  const name = `t${one}`
  const known = scene.witness.tasks.get(taskIdOf(name))
  switch (what) {
    case 'submit': {
      if (known !== undefined) return []
      const { requester, ...asked } = about
      return scene.submit(name, { ...asked, requesterId: requesterIdOf(requester) })
    }
    case 'cancel':
      return decided(scene.send({ kind: 'cancel', taskId: taskIdOf(name) }))
    case 'requeue': {
      if (known?.status !== 'dead') return []
      const deadlineMs = (scene.nowMs + 3_600_000) as TimeMs
      return decided(scene.send({ kind: 'requeue', task: known, deadlineMs }))
    }
    case 'wait':
      return decided(scene.wait([50, 1_000, 20_000, 3_600_000][one % 4] as number))
    default: {
      const open = [...scene.state.deliveries.values()].filter(({ state }) => state !== 'answered')
      const delivery = open[one % Math.max(1, open.length)]
      if (delivery === undefined) return []
      const worker = workers.find((each) => workerIdOf(each) === delivery.workerId) as string
      const task = [...Array(16).keys()].find((each) => taskIdOf(`t${each}`) === delivery.task.spec.taskId)
      const says = (verb: string): readonly string[] => scene.play(`${worker}@t${task} ${verb}`)
      if (what === 'reject') return says('rejects')
      if (delivery.state === 'revealing') return says('answers x')
      if (delivery.task.spec.verify.mode === 'quorum') return says('commits x')
      return [...says('answers x'), ...says('passes')]
    }
  }
}

test('to forget a requester changes no decision', () => {
  let forgotten = 0
  fc.assert(
    fc.property(fc.array(line, { maxLength: 120, size: 'max' }), fc.nat(3), (lines, slots) => {
      const [scene, mindful] = [new Scene({ attemptsMax: 3 }), new Scene({ attemptsMax: 3 })]
      const all = new Map<RequesterId, NonNullable<ReturnType<typeof mindful.state.flows.get>>>()
      mindful.isChecked = false
      for (const each of workers) {
        const about = { slots: slots + 1, kinds: ['program', 'lite'] as const }
        scene.join(each, about)
        mindful.join(each, about)
      }
      for (const each of lines) {
        expect(act(scene, each)).toEqual([...act(mindful, each)])
        expect(claims(scene)).toEqual(claims(mindful))
        // The other one forgets nobody.
        for (const flow of mindful.state.flows.values()) all.set(flow.requesterId, flow)
        for (const flow of all.values()) mindful.state.flows.set(flow.requesterId, flow)
        forgotten += mindful.state.flows.size - scene.state.flows.size
      }
    }),
    { numRuns: 150 },
  )
  expect(forgotten).toBeGreaterThan(100)
}, 60_000)

test('any number of requesters that come once are no burden, and none gains by being forgotten', () => {
  const scene = new Scene()
  scene.isChecked = false
  scene.join('ann')
  const had = new Map<RequesterId, number>()
  const count = 3 * awayMax
  for (let index = 0; index < count; index++) {
    const requesterId = requesterIdOf(`requester ${index}`)
    scene.submit(`t${index}`, { requesterId, complexity: 1_000_000 * (1 + (index % 7)) })
    had.set(requesterId, scene.state.flows.get(requesterId)?.virtualTime ?? 0)
    scene.play('ann answers x', 'ann passes')
    expect(scene.state.flows.size).toBeLessThanOrEqual(awayMax)
  }
  for (const [requesterId, virtualTime] of had) {
    const now = scene.state.flows.get(requesterId)?.virtualTime ?? scene.state.virtualTime
    expect(now).toBeGreaterThanOrEqual(virtualTime)
  }
}, 60_000)

test('who is refused leaves nothing behind', () => {
  const scene = new Scene({ liveTasksMax: 1 })
  scene.submit('t')
  for (let index = 0; index < 100; index++)
    scene.submit(`u${index}`, { requesterId: requesterIdOf(`r${index}`) })
  expect(scene.state.flows.size).toBe(1)
  const closed = new Scene({ liveTasksPerRequesterMax: 0 })
  expect(closed.submit('t')).toEqual(['refused: tooManyLive'])
  expect(closed.state.flows.size).toBe(0)
})
