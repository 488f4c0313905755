/** A live task that stands nowhere, for tests of single rules. */

import type { Flow } from '../src/classQueue.ts'
import { ClassQueue } from '../src/classQueue.ts'
import type { NewTask } from '../src/index.ts'
import type { DeliveryRecord } from '../src/record.ts'
import { newDelivery, newTask, type Task } from '../src/task.ts'
import { classFactsOf } from '../src/taskClass.ts'
import { digestOf } from './identity.ts'
import { newTask as asked, startMs } from './scene.ts'

export function newFlow(name: string): Flow {
  return { requesterId: name as Flow['requesterId'], virtualTime: 0, liveTasks: 0, classes: 0, waiting: 0 }
}

export function liveTask(name: string, about: Partial<NewTask> = {}): Task {
  const spec = { ...asked(name, about), submittedAtMs: startMs }
  const made = newTask(
    {
      spec,
      status: 'waiting',
      revivals: 0,
      deliveries: [],
      failures: 0,
      attemptsSpent: 0,
      notBeforeMs: startMs,
      deadlineMs: spec.deadlineMs,
      mismatched: false,
      decidedAtMs: undefined,
      outputDigest: undefined,
      deadReason: undefined,
      basis: undefined,
      checkedBy: undefined,
      history: [],
    },
    {
      ...classFactsOf(spec),
      queue: new ClassQueue<Task>(),
      broughtBy: newFlow(spec.requesterId),
      liveTasks: 0,
    },
  )
  return made
}

/** `x` and `y` are answers, everything else a state; `x1` is an answer of comparison group 1. */
export function addDeliveries(task: Task, words: string): void {
  for (const word of words.split(' ')) {
    if (word === '') continue
    const isAnswer = word.length <= 2
    const delivery = newDelivery(task, {
      state: isAnswer ? 'answered' : word,
      outputDigest: isAnswer ? digestOf(word.slice(0, 1)) : undefined,
    } as DeliveryRecord)
    delivery.group = Number(word[1] ?? 0) || 0
    if (!isAnswer) delivery.group = 0
  }
}
