import { expect, test } from 'bun:test'
import type { TaskRecord } from '@shardy/dispatch'
import type { TimeMs } from '@shardy/protocol'
import { example, finish, submit } from '../../test/example.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { collectMs, startTestNetwork } from '../../test/network.ts'
import type { Table } from '../tables.ts'
import { createTurns } from '../turns.ts'
import { createRetention } from './retention.ts'

const dayMs = 86_400_000

test('what ended long ago goes with all that it kept; what is young or open stays', async () => {
  const network = await startTestNetwork()
  const { store } = network
  const { archive, clock, keeper } = network.orchestrator.services
  const rows = async (table: Table): Promise<number> => {
    let count = 0
    for await (const _ of store.iterate(table)) count++
    return count
  }
  const worker = await network.startWorker()
  const old = await Promise.all(
    [example(), example({}, [160, 5, 160]), example()].map(({ submission }) => submit(network, submission)),
  )
  for (const { taskId } of old) await finish(network, taskId)
  await worker.stop()
  const open = await submit(network)
  const [first] = old
  const kept = await archive.task(first?.taskId as never)
  const parts = {
    store,
    archive,
    taskTurns: createTurns<never>(),
    isWanted: (task: TaskRecord) => task.spec.taskId === kept?.spec.taskId,
    caughtUp: async () => {},
  }

  const none = await createRetention(parts as never).step((clock.nowMs() - dayMs) as TimeMs)
  expect(none).toEqual({ forgotten: 0, more: false })
  const wanted = createRetention(parts as never)
  expect(await wanted.step((clock.nowMs() + 1) as TimeMs)).toEqual({ forgotten: 2, more: false })
  expect(await archive.task(first?.taskId as never)).toBeDefined()
  const all = createRetention({ ...parts, isWanted: () => false } as never)
  expect(await all.step((clock.nowMs() + 1) as TimeMs)).toEqual({ forgotten: 1, more: false })
  expect(await archive.task(open.taskId as never)).toBeDefined()
  for (const [table, left] of [
    ['tasks', 0],
    ['tasksByRequester', 1],
    ['taskInputs', 1],
    ['taskOutputs', 0],
    ['references', 0],
  ] as const) {
    expect([table, await rows(table)]).toEqual([table, left])
  }
  expect(await keeper.collect(new Set())).toBe(0)
  await network.stop()
})

test('a step looks at so many rows and the next goes on behind them, requester by requester', async () => {
  const network = await startTestNetwork({ grantMicroCredit: 0n })
  const { store } = network
  const key = (requester: number, atMs: number, index: number): Uint8Array => {
    const bytes = new Uint8Array(56)
    bytes.fill(requester, 0, 32)
    new DataView(bytes.buffer).setBigUint64(32, BigInt(atMs))
    new DataView(bytes.buffer).setUint32(52, index)
    return bytes
  }
  const batch = []
  for (let requester = 0; requester < 3; requester++) {
    for (let index = 0; index < 700; index++) {
      const atMs = index < 400 ? 10 : 1_000
      const row = {
        kind: 'put',
        table: 'tasksByRequester',
        key: key(requester, atMs, index),
        value: new Uint8Array(0),
      } as const
      batch.push(row)
    }
  }
  await store.write(batch, { sync: false })
  const looked = new Set<string>()
  const archive = {
    task: async (taskId: string) => void looked.add(`${looked.size} ${taskId}`),
    forget: async () => {},
  }
  const retention = createRetention({
    store,
    archive,
    taskTurns: createTurns(),
    isWanted: () => false,
  } as never)
  let steps = 1
  while ((await retention.step(500 as TimeMs)).more) steps++
  expect([looked.size, steps]).toEqual([3 * 400, 3])
  await network.stop()
})

test('it runs by the clock where it is set, and nowhere else', async () => {
  for (const retentionMs of [undefined, 3_600_000]) {
    const clock = createManualClock(Date.now())
    const network = await startTestNetwork({ clock, ...(retentionMs && { retentionMs }) })
    const { taskId } = await submit(network)
    await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
    const { archive } = network.orchestrator.services
    for (let hour = 0; hour < 3; hour++) {
      clock.advance(3_600_000)
      await Bun.sleep(30)
    }
    clock.advance(collectMs)
    await Bun.sleep(30)
    expect((await archive.task(taskId as never)) === undefined).toBe(retentionMs !== undefined)
    await network.stop()
  }
})

test('a task whose audit is decided and not yet written is forgotten behind that write', async () => {
  const network = await startTestNetwork()
  const { archive, clock } = network.orchestrator.services
  const worker = await network.startWorker()
  const { taskId } = await submit(network)
  await finish(network, taskId)
  await worker.stop()
  const order: string[] = []
  const retention = createRetention({
    store: network.store,
    archive: {
      task: archive.task,
      forget: async (task: TaskRecord) => void order.push(`forget ${task.spec.taskId}`),
    },
    taskTurns: createTurns<never>(),
    isWanted: () => false,
    caughtUp: async () => void order.push('caught up'),
  } as never)
  await retention.step((clock.nowMs() + 1) as TimeMs)
  expect(order).toEqual(['caught up', `forget ${taskId}`])
  await network.stop()
})
