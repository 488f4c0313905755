import { expect, test } from 'bun:test'
import type { TraceLeaf } from '@shardy/protocol'
import fc from 'fast-check'
import { digestOf } from '../test/identity.ts'
import { randomProgram } from '../test/program.ts'
import { createRandom } from '../test/random.ts'
import { Scene } from '../test/scene.ts'
import { taskOf, worker } from '../test/worker.ts'
import { roundsMax } from './state.ts'

/** Random digests at these leaves of a true trace: each differs, none follows from the ones before it. */
function bentAt(nodes: readonly number[]) {
  return (leaves: readonly TraceLeaf[]): readonly TraceLeaf[] =>
    leaves.map((leaf) => {
      const digest = digestOf(Buffer.from(`a lie about ${leaf.node}`))
      return nodes.includes(leaf.node) ? { ...leaf, digest } : leaf
    })
}

test('of traces that differ at any set of leaves, the first of them is found, in at most log2 rounds (spec B9, B11)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 150 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
      fc.nat(),
      (count, picks, seed) => {
        const blobs = new Map()
        const task = taskOf(randomProgram(createRandom(seed), count, blobs), blobs)
        const nodes = picks.map((pick) => pick % count)
        const scene = new Scene(task, worker('ann', task), worker('bob', task, { leaves: bentAt(nodes) }))
        const outcome = scene.settle()
        expect(outcome?.evidence?.node).toBe(Math.min(...nodes))
        expect(outcome?.against).toEqual([scene.bob.workerId])
        expect(scene.dispute.rounds).toBeLessThanOrEqual(Math.ceil(Math.log2(count)))
      },
    ),
    { numRuns: 300 },
  )
})

test('of two liars, whoever is wrong where they first differ is found', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 60 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
      (count, forAnn, forBob) => {
        const blobs = new Map()
        const task = taskOf(randomProgram(createRandom(count), count, blobs), blobs)
        const [ofAnn, ofBob] = [forAnn, forBob].map(
          (picks) => new Set(picks.map((pick) => pick % count)),
        ) as [Set<number>, Set<number>]
        const ann = worker('ann', task, { leaves: bentAt([...ofAnn]) })
        const scene = new Scene(task, ann, worker('bob', task, { leaves: bentAt([...ofBob]) }))
        const differing = [...ofAnn.symmetricDifference(ofBob)]
        if (differing.length === 0) return expect(scene.open()[0]?.kind).toBe('refused')
        scene.begin()
        scene.play()
        const first = Math.min(...differing)
        // What both lie about, and the node takes, has no bytes that anybody could give.
        const asked = scene.effects.find((effect) => effect.kind === 'reexecute')
        if (asked?.kind !== 'reexecute') throw new Error('nothing is to be executed')
        expect(asked.question.node).toBe(first)
        if (asked.question.blobs.some((digest) => !ann.blobs.has(digest))) return
        scene.execute()
        expect(scene.dispute.outcome?.against).toEqual([(ofAnn.has(first) ? scene.ann : scene.bob).workerId])
      },
    ),
    { numRuns: 200 },
  )
})

test('1,200 nodes take at most eleven rounds', () => {
  expect(roundsMax(1_200)).toBe(11)
  const blobs = new Map()
  const task = taskOf(randomProgram(createRandom(1), 1_200, blobs), blobs)
  const scene = new Scene(task, worker('ann', task), worker('bob', task, { leaves: bentAt([1_034, 1_199]) }))
  expect(scene.settle()?.evidence?.node).toBe(1_034)
  expect(scene.dispute.rounds).toBeLessThanOrEqual(11)
})
