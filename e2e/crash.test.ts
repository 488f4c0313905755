/**
 * kill -9 at varied moments under load, on the same data folder. Whatever was answered with an id is there afterwards,
 * no verdict is lost or made twice, rewards add up exactly, and every blob that a task refers to can be read.
 */
import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Client, orchestratorRoutes as routes, type TaskView } from '@shardy/api'
import { createCpuExecutor } from '@shardy/compute'
import { defaultParameters, feeOf } from '@shardy/ledger'
import type { MicroCredit } from '@shardy/protocol'
import type { Worker } from '@shardy/worker'
import { startLocalWorker } from './localWorker.ts'
import { type OrchestratorProcess, startOrchestrator } from './orchestrator.ts'
import { clientOf, type Example, example, finish, outputOf } from './requester.ts'

setDefaultTimeout(120_000)

interface Asked {
  readonly key: string
  readonly wanted: Example
  /** Set once an answer came. */
  taskId: string | undefined
}

/** When the process is killed: after so many answers, or so many tasks seen verified. */
type Moment = { readonly answers: number } | { readonly verified: number }

const moments: readonly Moment[] = [
  { answers: 1 },
  { verified: 1 },
  { answers: 40 },
  { answers: 0 },
  { verified: 25 },
  { verified: 60 },
]

const submitters = 8
const { feePermille } = defaultParameters
const rewardOf = (index: number): MicroCredit => BigInt(1_000 + index) as MicroCredit

/** Every fourth has an input that is a blob; the others' lie beside their tasks. One in three is agreed on by two workers. */
function taskOf(index: number): Example {
  const rewardMicroCredit = String(rewardOf(index))
  const verify = index % 3 === 0 ? 'quorum(2,2)' : 'checked'
  const [m, k, n] = index % 4 === 0 ? [150, 150, 4] : [4, 6, 5]
  return example(m as number, k as number, n as number, { rewardMicroCredit, verify })
}

const replicasOf = ({ verify }: TaskView): number => (verify === 'checked' ? 1 : 2)

const send = (client: Client, { key, wanted }: Asked): Promise<TaskView> =>
  client.call(routes.submitTask, { body: wanted.submission, headers: { 'idempotency-key': key } })

/** Submits what was never answered, then new tasks, until the process is gone. */
async function submitOn(
  client: Client,
  asked: Asked[],
  until: () => boolean,
  answered: () => void,
): Promise<void> {
  const open = asked.filter(({ taskId }) => taskId === undefined)
  await Promise.all(
    Array.from({ length: submitters }, async () => {
      while (!until()) {
        let next = open.shift()
        if (next === undefined) {
          const index = asked.length
          next = { key: `key-${index}`, wanted: taskOf(index), taskId: undefined }
          asked.push(next)
        }
        try {
          const { taskId } = await send(client, next)
          expect(next.taskId ?? taskId).toBe(taskId)
          next.taskId = taskId
          answered()
        } catch (error) {
          if (!until()) throw error
        }
      }
    }),
  )
}

/** One life of the process, ended by SIGKILL; gives the verdicts that were seen. */
async function live(
  server: OrchestratorProcess,
  asked: Asked[],
  moment: Moment,
): Promise<readonly TaskView[]> {
  const client = clientOf(server, 1)
  const gone = new AbortController()
  const workers = await Promise.all([1, 2].map(() => startLocalWorker(server.url, createCpuExecutor())))
  const verdicts: TaskView[] = []
  let answers = 0
  let killed: Promise<void> | undefined
  const look = (): void => {
    const isNow = 'answers' in moment ? answers >= moment.answers : verdicts.length >= moment.verified
    if (isNow) killed ??= server.kill().then(() => gone.abort())
  }
  const followed: Promise<void>[] = []
  const follow = async (taskId: string): Promise<void> => {
    try {
      verdicts.push((await finish(client, taskId, gone.signal)).task)
      look()
    } catch (error) {
      if (killed === undefined) throw error
    }
  }
  if ('verified' in moment) for (const { taskId } of asked) if (taskId) followed.push(follow(taskId))
  look()
  const already = new Set(asked.filter(({ taskId }) => taskId !== undefined))
  await submitOn(
    client,
    asked,
    () => killed !== undefined,
    () => {
      answers++
      for (const each of asked) {
        if (each.taskId === undefined || already.has(each)) continue
        already.add(each)
        followed.push(follow(each.taskId))
      }
      look()
    },
  )
  await killed
  await Promise.all([...followed, ...workers.map((each: Worker) => each.stop())])
  return verdicts.filter(({ status }) => status === 'verified')
}

async function allTasks(client: Client): Promise<readonly TaskView[]> {
  const tasks: TaskView[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await client.call(routes.listTasks, { query: { limit: '200', ...(cursor && { cursor }) } })
    tasks.push(...page.tasks)
    cursor = page.nextCursor
    if (cursor === undefined) return tasks
  }
}

for (const store of ['rocksdb', 'sqlite'] as const) {
  test(`nothing that was answered is lost by kill -9, and nothing is done twice (${store})`, async () => {
    const dataFolder = await mkdtemp(path.join(tmpdir(), 'shardy-e2e-'))
    const asked: Asked[] = []
    const seen = new Map<string, TaskView>()
    try {
      for (const moment of moments) {
        const server = await startOrchestrator({ dataFolder, store })
        for (const task of await live(server, asked, moment)) seen.set(task.taskId, task)
      }
      expect(seen.size).toBeGreaterThanOrEqual(60)

      const server = await startOrchestrator({ dataFolder, store })
      const client = clientOf(server)
      const before = new Map((await allTasks(client)).map((task) => [task.taskId, task]))
      for (const { taskId } of asked) if (taskId !== undefined) expect(before.has(taskId)).toBe(true)
      for (const [taskId, verdict] of seen) expect(before.get(taskId)).toEqual(verdict)

      const workers = await Promise.all([1, 2].map(() => startLocalWorker(server.url, createCpuExecutor())))
      let replicas = 0
      for (const each of asked) {
        const { taskId } = await send(client, each)
        expect(each.taskId ?? taskId).toBe(taskId)
        const { task, events } = await finish(client, taskId)
        expect(task.status).toBe('verified')
        expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1))
        expect(events.filter(({ type }) => type.startsWith('task_'))).toHaveLength(1)
        const paid = task.deliveries.filter(({ outcome }) => outcome === 'accepted')
        expect(paid).toHaveLength(replicasOf(task))
        replicas += paid.length
        const reward = paid.reduce((sum, { rewardMicroCredit }) => sum + BigInt(rewardMicroCredit), 0n)
        expect(String(reward)).toBe(task.rewardMicroCredit)
        expect(Buffer.compare(await outputOf(client, taskId), each.wanted.output)).toBe(0)
        const input = await client.open(routes.taskInput, { params: { taskId } })
        expect(Buffer.compare(await input.bytes(), each.wanted.input)).toBe(0)
      }
      // One task for each key, and every credit once.
      expect(await allTasks(client)).toHaveLength(asked.length)
      const spent = asked.reduce(
        (sum, _, index) => sum + rewardOf(index) + feeOf(rewardOf(index), feePermille),
        0n,
      )
      const { balanceMicroCredit, grantMicroCredit } = await client.call(routes.balance)
      expect(BigInt(grantMicroCredit) - BigInt(balanceMicroCredit)).toBe(spent)
      const { workers: standings } = await client.call(routes.workers)
      const accepted = standings.reduce((sum, { acceptedCount }) => sum + acceptedCount, 0)
      expect(accepted).toBe(replicas)
      expect(standings.every(({ disagreedCount }) => disagreedCount === 0)).toBe(true)
      await Promise.all(workers.map((each) => each.stop()))
      expect(await server.stop()).toBe(0)
    } finally {
      await rm(dataFolder, { recursive: true, force: true })
    }
  })
}
