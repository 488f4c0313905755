/** A busy hour of an orchestrator, the same in every run: every kind of task, of ending and of worker. */
import type { TaskId } from '@shardy/protocol'
import { type Asked, asked, type Life, type Manner } from './life.ts'

export interface Scenario {
  readonly asked: readonly Asked[]
  readonly cancelled: ReadonlySet<string>
}

const reward = (index: number): string => String(1_000 + index)

export async function playScenario(life: Life): Promise<Scenario> {
  const everybody = (manner: Manner) =>
    Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((worker) => [worker, manner]))
  const all: Asked[] = []
  const ids = new Map<string, TaskId>()
  const cancelled = new Set<string>()
  async function submit(key: string, more: Asked['submission'] | object = {}, size = 3): Promise<void> {
    const one = asked(key, (all.length % 2) + 1, { rewardMicroCredit: reward(all.length), ...more }, size)
    all.push(one)
    ids.set(key, await life.submit(one))
  }
  const idOf = (key: string): TaskId => {
    const id = ids.get(key)
    if (id === undefined) throw new Error(`nobody asked for ${key}`)
    return id
  }
  async function cancel(key: string): Promise<void> {
    cancelled.add(key)
    await life.cancel(idOf(key))
  }

  // Before anybody is there to work.
  await Promise.all([submit('early-1'), submit('early-2'), submit('early-quorum', { verify: 'quorum(3,2)' })])
  await life.join(1)
  await life.work()
  await life.join(2)
  await life.join(3)
  await life.work()
  // The book is saved, and tasks after it.
  await life.advance(300)

  // An answer that is wrong where one worker is asked, and where several are.
  await submit('lied-1', { verify: 'checked' })
  await life.work({ 1: 'lying', 2: 'lying', 3: 'lying' })
  await life.advance(1_000)
  await life.join(4)
  await life.join(5)
  await life.work()
  await submit('lied-2', { verify: 'quorum(3,2)' })
  await life.work({ 4: 'lying' })
  await life.advance(600)

  // One has answered, the others only committed, and that is on disk.
  for (const worker of [6, 7, 8, 9]) await life.join(worker)
  await submit('half', { verify: 'quorum(3,2)' })
  await life.work({ 4: 'secretive', 6: 'secretive', 7: 'secretive', 8: 'secretive', 9: 'secretive' })
  await life.advance(600)
  await submit('digest', { output: 'digest' })
  await submit('adaptive-1', { verify: 'adaptive' })
  await submit('adaptive-2', { verify: 'adaptive' })
  await submit('audited', { verify: 'audited(1)' })
  // Too large to lie beside its task: input and output are blobs.
  await submit('large', {}, 160)
  await life.work()

  // One that nobody will do, put back to work; one that dies for good; one that nobody wants any more.
  await submit('dies')
  await submit('dies-for-good')
  for (let attempt = 0; attempt < 6; attempt++) {
    await life.work(everybody('rejecting'))
    await life.advance(40_000)
  }
  await life.requeue(idOf('dies'))
  await life.work()
  await life.advance(300)
  await submit('cancelled-early', { verify: 'quorum(2,2)' })
  await life.work(everybody('silent'))
  await life.advance(600)
  await cancel('cancelled-early')

  // Somebody leaves with work in hand, and somebody else stays away too long.
  await submit('left')
  await submit('slow')
  await life.work(everybody('silent'))
  for (const worker of [1, 2, 3]) await life.leave(worker)
  await life.advance(20_000)
  await life.work()
  await life.advance(40_000)
  await life.work()
  // Under way when the hour is over.
  await Promise.all([submit('late-1'), submit('late-2', { verify: 'quorum(3,3)' }), submit('late-3')])
  await life.work({ 4: 'silent' })
  await life.advance(600)
  return { asked: all, cancelled }
}
