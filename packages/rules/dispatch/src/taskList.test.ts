import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { liveTask } from '../test/liveTask.ts'
import type { Task } from './task.ts'
import { TaskList } from './taskList.ts'

const tasks = Array.from({ length: 12 }, (_, index) => liveTask(`t${index}`))
const unlinked = (): readonly Task[] =>
  tasks.map((task) => ({ ...task, before: undefined, after: undefined }))

test('keeps the order of an array, whoever leaves', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(11), { maxLength: 60 }), (picks) => {
      const pool = unlinked()
      const list = new TaskList<Task>()
      let model: Task[] = []
      for (const pick of picks) {
        const task = pool[pick] as Task
        if (model.includes(task)) {
          list.remove(task)
          model = model.filter((each) => each !== task)
        } else {
          list.push(task)
          model.push(task)
        }
        expect(list.size).toBe(model.length)
        expect(list.first).toBe(model[0] as Task)
        expect([...list].map(({ spec }) => spec.taskId)).toEqual(model.map(({ spec }) => spec.taskId))
      }
    }),
  )
})

test('a look is bounded, looks at the oldest first, and reaches everybody in the end', () => {
  const size = fc.integer({ min: 1, max: 12 })
  fc.assert(
    fc.property(size, fc.nat(11), fc.integer({ min: 1, max: 4 }), fc.nat(11), (count, at, looksMax, gone) => {
      const pool = unlinked().slice(0, count)
      const list = new TaskList<Task>()
      for (const task of pool) list.push(task)
      const wanted = pool[at % count] as Task
      let looks = 0
      const passes = (task: Task): boolean => {
        looks++
        expect(task).not.toBe(removed as Task)
        return task === wanted
      }
      let found: Task | undefined
      let removed: Task | undefined
      for (let round = 0; round <= Math.ceil(count / looksMax) && found === undefined; round++) {
        looks = 0
        found = list.find(passes, looksMax)
        expect(looks).toBeLessThanOrEqual(2 * looksMax)
        if (round === 0 && at % count < looksMax) expect(found).toBe(wanted)
        // Whoever leaves in between takes the cursor nowhere.
        const leaving = pool[gone % count] as Task
        if (round > 0 || leaving === wanted || found !== undefined) continue
        list.remove(leaving)
        removed = leaving
      }
      expect(found?.spec.taskId).toBe(wanted.spec.taskId)
    }),
  )
})
