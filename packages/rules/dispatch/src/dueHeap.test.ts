import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { liveTask } from '../test/liveTask.ts'
import { DueHeap } from './dueHeap.ts'
import type { Task } from './task.ts'

const tasks = Array.from({ length: 10 }, (_, index) => liveTask(`t${index}`))

test('gives what a sorted list gives, ties by id', () => {
  const move = fc.tuple(fc.nat(9), fc.option(fc.nat(5), { nil: undefined }))
  fc.assert(
    fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
      const pool = tasks.map((task) => ({ ...task }))
      const heap = new DueHeap()
      const model = new Map<Task, number>()
      for (const [pick, dueAtMs] of moves) {
        const task = pool[pick] as Task
        if (dueAtMs === undefined) {
          heap.remove(task)
          model.delete(task)
        } else {
          heap.put(task, dueAtMs)
          model.set(task, dueAtMs)
        }
        const [first] = [...model].sort(
          ([left, leftMs], [right, rightMs]) =>
            leftMs - rightMs || (left.spec.taskId < right.spec.taskId ? -1 : 1),
        )
        expect(heap.first()?.spec.taskId).toBe(first?.[0].spec.taskId as Task['spec']['taskId'])
        for (const each of pool) expect(each.dueIndex >= 0).toBe(model.has(each))
      }
    }),
  )
})
