/** A task that was answered with an id survives kill -9 of the orchestrator, and is finished after the restart. */
import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { orchestratorRoutes as routes } from '@shardy/api'
import { createCpuExecutor } from '@shardy/compute'
import { startLocalWorker } from './localWorker.ts'
import { startOrchestrator } from './orchestrator.ts'
import { clientOf, example, finish, outputOf, submit } from './requester.ts'

setDefaultTimeout(120_000)

for (const store of ['rocksdb', 'sqlite'] as const) {
  test(`accepted tasks survive kill -9 (${store})`, async () => {
    const dataFolder = await mkdtemp(path.join(tmpdir(), 'shardy-e2e-'))
    try {
      const first = await startOrchestrator({ dataFolder, store })
      const client = clientOf(first)
      const worker = await startLocalWorker(first.url, createCpuExecutor())
      const wanted = Array.from({ length: 20 }, () => example(8, 8, 8))
      const accepted = await Promise.all(wanted.map((each) => submit(client, each)))
      await first.kill()
      await worker.stop()

      const second = await startOrchestrator({ dataFolder, store })
      const again = clientOf(second)
      const page = await again.call(routes.listTasks, { query: { limit: '200' } })
      expect(page.tasks.map(({ taskId }) => taskId).sort()).toEqual(
        accepted.map(({ taskId }) => taskId).sort(),
      )
      const workers = await Promise.all([1, 2].map(() => startLocalWorker(second.url, createCpuExecutor())))
      for (const [index, { taskId }] of accepted.entries()) {
        const { task } = await finish(again, taskId)
        expect(task.status).toBe('verified')
        const output = await outputOf(again, taskId)
        expect(Buffer.compare(output, wanted[index]?.output ?? new Uint8Array())).toBe(0)
      }
      await Promise.all(workers.map((each) => each.stop()))
      expect(await second.stop()).toBe(0)
    } finally {
      await rm(dataFolder, { recursive: true, force: true })
    }
  })
}
