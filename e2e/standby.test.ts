/**
 * A primary under load, killed; its standby, promoted. Nothing is answered before the standby has it, so everything that was
 * answered is there, is finished by workers that come back, and is paid once. The old one is told, and writes no more.
 */
import { expect, setDefaultTimeout, test } from 'bun:test'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { orchestratorRoutes as routes } from '@shardy/api'
import { createCpuExecutor } from '@shardy/compute'
import { startLocalWorker } from './localWorker.ts'
import { startOrchestrator } from './orchestrator.ts'
import { clientOf, type Example, example, finish, outputOf } from './requester.ts'

setDefaultTimeout(180_000)

const entry = (name: string): string => path.resolve(import.meta.dir, '../apps/orchestrator/src', name)

/** A port that nobody has at the moment, so that the standby can serve where the primary did. */
function freePort(): string {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port } = server
  server.stop(true)
  return String(port)
}

function run(name: string, env: Readonly<Record<string, string>>) {
  return Bun.spawn([process.execPath, entry(name)], {
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(50)
}

for (const store of ['rocksdb', 'sqlite'] as const) {
  test(`a promoted standby has all that was answered, and the old primary writes no more (${store})`, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'shardy-standby-'))
    const [oldData, newData] = [path.join(folder, 'old'), path.join(folder, 'new')]
    const port = freePort()
    const env = { SHARDY_PORT: port, SHARDY_STANDBY: 'acknowledged', SHARDY_LOG: 'warn' }
    try {
      const primary = await startOrchestrator({ dataFolder: oldData, store, env })
      const keyFile = path.join(oldData, 'api-key')
      const peer = { SHARDY_STORE: store, SHARDY_PRIMARY: primary.url, SHARDY_PRIMARY_KEY_FILE: keyFile }
      const standby = run('standby.ts', { ...peer, SHARDY_DATA: newData })
      const workers = await Promise.all([1, 2].map(() => startLocalWorker(primary.url, createCpuExecutor())))

      const client = clientOf(primary, 1)
      const answered = new Map<string, Example>()
      let verified = 0
      let isKilled = false
      const submitters = Array.from({ length: 6 }, async (_, submitter) => {
        for (let index = 0; !isKilled; index++) {
          // Some are blobs, which the standby fetches for itself.
          const size = index % 10 === 3 ? 130 : 6
          const more = { redundancy: 2, rewardMicroCredit: '1000' } as const
          const wanted = example(size, 5, size, more)
          const headers = { 'idempotency-key': `${submitter}-${index}` }
          try {
            const { taskId } = await client.call(routes.submitTask, { body: wanted.submission, headers })
            answered.set(taskId, wanted)
            if (index % 4 === 0 && (await finish(client, taskId)).task.status === 'verified') verified++
          } catch (error) {
            if (!isKilled) throw error
          }
        }
      })
      await until(() => answered.size >= 80 && verified >= 10)
      isKilled = true
      await primary.kill()
      await Promise.all(submitters)

      standby.kill('SIGTERM')
      expect(await standby.exited).toBe(0)
      const without = run('promote.ts', { ...peer, SHARDY_DATA: newData })
      expect(await without.exited).toBe(2)
      expect(await without.stderr.text()).toContain('orchestrator-identity.json is missing')
      await mkdir(newData, { recursive: true })
      for (const file of ['orchestrator-identity.json', 'api-key']) {
        await copyFile(path.join(oldData, file), path.join(newData, file))
      }
      const promoted = run('promote.ts', { ...peer, SHARDY_DATA: newData })
      expect(JSON.parse(await promoted.stdout.text())).toEqual({
        promoted: true,
        epoch: 2,
        old: 'notReached',
      })
      expect(await promoted.exited).toBe(0)

      // Where the old one will come back.
      const oldPort = freePort()
      const successor = await startOrchestrator({
        dataFolder: newData,
        store,
        env: {
          ...env,
          SHARDY_STANDBY: 'log',
          SHARDY_FENCE: `http://127.0.0.1:${oldPort}`,
          SHARDY_FENCE_KEY_FILE: keyFile,
        },
      })
      const after = clientOf(successor)
      for (const [taskId, wanted] of answered) {
        const { task } = await finish(after, taskId)
        expect(task.status).toBe('verified')
        expect(Buffer.compare(await outputOf(after, taskId), wanted.output)).toBe(0)
        const paid = task.deliveries.filter(({ outcome }) => outcome === 'accepted')
        const sum = paid.reduce((total, { rewardMicroCredit }) => total + BigInt(rewardMicroCredit), 0n)
        expect([paid.length, sum]).toEqual([2, 1000n])
      }

      // The old one comes back and knows nothing of it: it is told, and refuses from then on, also when it is started again.
      const again = await startOrchestrator({
        dataFolder: oldData,
        store,
        env: { ...env, SHARDY_PORT: oldPort },
      })
      const old = clientOf(again, 1)
      const refusal = old.call(routes.submitTask, { body: example(4, 4, 4).submission })
      expect(refusal).rejects.toThrow()
      await refusal.catch(() => {})
      await until(async () => (await fetch(again.url).catch(() => undefined)) === undefined)
      const third = run('main.ts', { ...env, SHARDY_PORT: '0', SHARDY_DATA: oldData, SHARDY_STORE: store })
      expect(await third.exited).toBe(1)
      expect(await third.stderr.text()).toContain('Another store was promoted')

      await Promise.all(workers.map((worker) => worker.stop()))
      expect(await successor.stop()).toBe(0)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}
