import { expect, test } from 'bun:test'
import { priorityMax } from '@shardy/protocol'
import fc from 'fast-check'
import { liveTask, newFlow } from '../test/liveTask.ts'
import { ClassQueue, type Flow } from './classQueue.ts'
import type { Task } from './task.ts'

/** What the queue is, as slowly as can be: every task in one array, and a look at all of it for each answer. */
class Model {
  fresh: { readonly task: Task; readonly flow: Flow }[] = []
  started: Task[] = []

  next(): Task | undefined {
    const flows = this.fresh.map(({ flow }) => flow)
    const [turn] = [...new Set(flows)].sort(
      (left, right) =>
        left.virtualTime - right.virtualTime || (left.requesterId < right.requesterId ? -1 : 1),
    )
    const own = this.fresh.filter(({ flow }) => flow === turn).map(({ task }) => task)
    const best = Math.max(...own.map(({ spec }) => spec.priority))
    return own.find(({ spec }) => spec.priority === best)
  }
}

const names = ['ann', 'bob', 'cat']
type Move = readonly [what: 'submit' | 'serve' | 'leave' | 'start' | 'charge', who: number, priority: number]

test('serves who has had least, its most urgent first, the oldest of those first, as a naive queue does', () => {
  const what = fc.constantFrom(
    'submit' as const,
    'submit' as const,
    'serve' as const,
    'leave' as const,
    'start' as const,
    'charge' as const,
  )
  const move: fc.Arbitrary<Move> = fc.tuple(what, fc.nat(2), fc.nat(priorityMax))
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const flows = names.map(newFlow)
      const queue = new ClassQueue<Task>()
      const model = new Model()
      let made = 0
      for (const [what, who, priority] of moves) {
        const flow = flows[who] as Flow
        const next = model.next()
        if (what === 'submit') {
          const task = liveTask(`t${made++}`, { priority, requesterId: flow.requesterId })
          queue.addFresh(task, flow)
          model.fresh.push({ task, flow })
        } else if (what === 'charge') {
          flow.virtualTime += priority
        } else if (what === 'start') {
          const task = liveTask(`t${made++}`)
          queue.addStarted(task)
          model.started.push(task)
        } else if (what === 'serve' && next !== undefined) {
          queue.leave(next)
          const server = flows.find(({ requesterId }) => requesterId === next.spec.requesterId) as Flow
          server.virtualTime += 1 + priority
          model.fresh = model.fresh.filter(({ task }) => task !== next)
        } else if (what === 'leave') {
          const all = [...model.started, ...model.fresh.map(({ task }) => task)]
          const task = all[(7 * who + priority) % Math.max(1, all.length)]
          if (task === undefined) continue
          queue.leave(task)
          expect(task.place).toBe('none')
          model.started = model.started.filter((each) => each !== task)
          model.fresh = model.fresh.filter((each) => each.task !== task)
        }
        expect(queue.nextFresh()?.spec.taskId).toBe(model.next()?.spec.taskId as Task['spec']['taskId'])
        expect(queue.size).toBe(model.fresh.length + model.started.length)
        expect(new Set(queue.waiting())).toEqual(
          new Set([...model.started, ...model.fresh.map(({ task }) => task)]),
        )
        for (const each of flows) {
          expect(each.waiting).toBe(model.fresh.filter(({ flow }) => flow === each).length)
        }
      }
    }),
    { numRuns: 60 },
  )
})
